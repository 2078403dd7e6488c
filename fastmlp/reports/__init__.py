"""Floor 4: what is left of a run to look at."""
