"""Level 3: settings of a run, the epoch loop, callbacks, checkpoints, and the result."""
