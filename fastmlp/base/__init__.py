"""Floor 0: what every other floor may use. Imports nothing from fastmlp, and no Numba."""
