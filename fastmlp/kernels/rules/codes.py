"""The integers that stand for tasks in compiled code.

This module can be imported without Numba.
"""

# A row is a hit: never (regression); if its largest output is right; if all outputs are on the
# right side of the threshold.
REGRESSION, MULTICLASS, BINARY = range(3)
