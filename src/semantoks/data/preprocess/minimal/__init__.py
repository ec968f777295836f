"""Built-in engine: motion and slice timing correction, registration to MNI space with ANTs."""
