"""Rows of the data brought into a block: dense, as lists of non-zeros, as bytes."""
