"""Floor 3: a run's settings, the one epoch loop, its callbacks, and what comes out of it."""
