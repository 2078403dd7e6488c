"""Level 5: many configurations on the same data: grid, search, store, runner, result."""
