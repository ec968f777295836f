"""The built-in engine: motion, slice timing and registration to MNI space with ANTs."""
