"""What `import semantoks` offers: a trained model, a scikit-learn transformer, and scores."""
