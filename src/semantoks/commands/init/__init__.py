"""`semantoks init`: look at a folder of data, and write a configuration to start from."""
