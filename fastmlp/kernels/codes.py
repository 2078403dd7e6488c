"""The integers by which compiled code knows activations, losses, optimizers and tasks.

Plain numbers, so that this module can be imported without Numba. A kernel switches on a code once
per array, outside its loops.
"""

IDENTITY, RELU, LEAKY_RELU, SIGMOID, TANH, SOFTMAX = range(6)
ELU, GELU, SILU, SOFTPLUS, EXPONENTIAL = range(6, 11)

CROSS_ENTROPY, BINARY_CROSS_ENTROPY, SQUARED_ERROR, MEAN_SQUARED_ERROR = range(4)
ABSOLUTE_ERROR, HUBER, POISSON = range(4, 7)

SGD, ADAM, ADAMW, RMSPROP = range(4)

# How a row counts as a hit: never (regression), by its largest output, by outputs beyond a
# threshold.
REGRESSION, MULTICLASS, BINARY = range(3)
