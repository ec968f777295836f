"""Preprocess raw BIDS images: to template space, with confounds, in fMRIPrep's file layout."""
