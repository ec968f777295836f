"""Schemes of splits: stratified random, random by family, one site held out, fixed by a file."""
