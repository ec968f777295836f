"""Engine that runs fMRIPrep, in a container or as installed, and verifies its output."""
