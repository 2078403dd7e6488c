"""Layer 0: what every other layer may use. Imports nothing from fastmlp, and no Numba."""
