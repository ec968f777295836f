"""Raw BIDS images to images in template space with confounds, in fMRIPrep's layout."""
