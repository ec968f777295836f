"""The engine that calls fMRIPrep in a container or installed, and checks what it wrote."""
