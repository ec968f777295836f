"""The table of blocks of a data set, with the columns of their events and of their people."""
