"""The packed engine: exploration over integers in numpy, for tens of millions of states."""
