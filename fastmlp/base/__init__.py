"""Level 0: what every other level may use. Imports nothing from fastmlp, and no Numba."""
