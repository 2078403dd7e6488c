"""The integers by which compiled code knows tasks.

Plain numbers, so that this module can be imported without Numba.
"""

# How a row counts as a hit: never (regression), by its largest output, by outputs beyond a
# threshold.
REGRESSION, MULTICLASS, BINARY = range(3)
