"""One module for each group of recordings; every function `record_NAME(folder)` makes one recording."""
