"""Reports of a sweep: tables, plots, a page, and the folder that holds them."""
