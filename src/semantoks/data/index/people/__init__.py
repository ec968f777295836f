"""The table of participants, who has a scan, and who is held out."""
