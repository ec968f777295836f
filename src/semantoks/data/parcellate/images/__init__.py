"""Regional means of images: NIfTI volumes over voxels, CIFTI over grayordinates."""
