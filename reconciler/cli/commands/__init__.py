"""One module for each group of commands; each imports what it works with when it runs."""
