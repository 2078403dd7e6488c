"""Level 4: metrics, plots, tables and pages of a run, and its folder."""
