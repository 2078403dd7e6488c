"""Activations: name, formula, parameter and facts of each.

To add one, see CONTRIBUTING: a record here with its expression, a forward and a backward kernel of
the same name in ``kernels/rules/activations.py``, a twin in ``tests/reference.py``. Tests find it
in the registry.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import ClassVar

import numpy as np

from ..base.elementary import log
from ..base.settings import ABOVE_0
from .spec import Registry, Spec, within


@dataclass(frozen=True)
class Activation(Spec):
    """An element-wise (or, for softmax, row-wise) function of a layer's pre-activations."""

    # Of z and the parameters, in the syntax of expressions.py: what exports compute.
    expression: ClassVar[str]
    hidden: ClassVar[bool] = True  # whether it is allowed in a hidden layer
    is_row_wise: ClassVar[bool] = False  # whether it needs all units of a row at once
    gives_probabilities: ClassVar[bool] = False
    is_flat_at_zero: ClassVar[bool] = False  # whether its derivative is 0 wherever a is 0
    never_decreases: ClassVar[bool] = False  # so that f of a maximum is the maximum of f
    reaches_all_numbers: ClassVar[bool] = False  # whether its range is unbounded
    default_weight_init: ClassVar[str] = "glorot_uniform"
    class_loss: ClassVar[str] = "squared_error"  # default loss of an output layer, for classes
    regression_loss: ClassVar[str] = "squared_error"
    sklearn_name: ClassVar[str] = ""  # scikit-learn's name, where it has another
    sklearn_init_factor: ClassVar[float] = 6.0  # f in scikit-learn's bound sqrt(f / (n_in + n_out))

    @property
    def kernel_parameter(self) -> float:
        """The parameter of the kernel: that of the record, or 0."""
        return float(next(iter(astuple(self)), 0.0))

    def inverse(self, a: np.ndarray) -> np.ndarray:
        """Return z, in float64, from which the function makes outputs ``a``.

        Needed where a loss is fused with the activation, and so computed from z.
        """
        raise NotImplementedError(f"activation {self.name} has no inverse")


ACTIVATIONS: Registry[Activation] = Registry("activation")


def _positive(a: np.ndarray) -> np.ndarray:
    """Return outputs in float64, those that were rounded to 0 as the smallest normal number."""
    positive: np.ndarray = np.maximum(a, np.finfo(a.dtype).tiny).astype(np.float64)
    return positive


@ACTIVATIONS.add
class Identity(Activation):
    name = "identity"
    formula = "a = z"
    expression = "z"
    reaches_all_numbers = True
    never_decreases = True


@ACTIVATIONS.add
class Relu(Activation):
    name = "relu"
    formula = "a = max(z, 0)"
    expression = "maximum(z, 0)"
    is_flat_at_zero = True
    never_decreases = True
    default_weight_init = "he_normal"


@ACTIVATIONS.add
@dataclass(frozen=True)
class LeakyRelu(Activation):
    name = "leaky_relu"
    formula = "a = z if z > 0 else slope * z"
    expression = "where(z > 0, z, slope * z)"
    default_weight_init = "he_normal"
    reaches_all_numbers = True
    slope: float = 0.01

    @property
    def never_decreases(self) -> bool:  # type: ignore[override]
        return self.slope >= 0


@ACTIVATIONS.add
class Sigmoid(Activation):
    name = "sigmoid"
    formula = "a = 1 / (1 + exp(-z))"
    expression = "1 / (1 + exp(-z))"
    gives_probabilities = True
    never_decreases = True
    class_loss = "binary_cross_entropy"
    sklearn_name = "logistic"
    sklearn_init_factor = 2.0

    def inverse(self, a: np.ndarray) -> np.ndarray:
        below_1 = 1 - float(np.finfo(a.dtype).epsneg)
        a = np.clip(_positive(a), None, below_1)
        z: np.ndarray = log(a) - log(1.0 - a.astype(np.float64))
        return z


@ACTIVATIONS.add
class Tanh(Activation):
    name = "tanh"
    formula = "a = tanh(z)"
    expression = "tanh(z)"
    never_decreases = True


@ACTIVATIONS.add
class Softmax(Activation):
    name = "softmax"
    formula = "a_j = exp(z_j) / sum_k exp(z_k)"
    expression = "e = exp(z - row_max(z))\ne / row_sum(e)"
    is_row_wise = True
    gives_probabilities = True
    class_loss = "cross_entropy"

    def inverse(self, a: np.ndarray) -> np.ndarray:
        return log(_positive(a))


@ACTIVATIONS.add
@dataclass(frozen=True)
class Elu(Activation):
    name = "elu"
    formula = "a = z if z > 0 else alpha * (exp(z) - 1)"
    expression = "where(z > 0, z, alpha * (exp(minimum(z, 0)) - 1))"
    default_weight_init = "he_normal"
    never_decreases = True
    alpha: float = within(ABOVE_0, 1.0)


@ACTIVATIONS.add
class Selu(Activation):
    name = "selu"
    formula = "a = 1.0507 z if z > 0, else 1.7581 (exp(z) - 1)"
    expression = (
        "where(z > 0, 1.0507009873554805 * z, 1.7580993408473766 * (exp(minimum(z, 0)) - 1))"
    )
    default_weight_init = "lecun_normal"
    never_decreases = True


@ACTIVATIONS.add
class Gelu(Activation):
    name = "gelu"
    formula = "a = z Phi(z), Phi the normal distribution function"
    expression = "0.5 * z * (1 + erf(0.7071067811865476 * z))"
    default_weight_init = "he_normal"


@ACTIVATIONS.add
class Silu(Activation):
    name = "silu"
    formula = "a = z / (1 + exp(-z))"
    expression = "z / (1 + exp(-z))"
    default_weight_init = "he_normal"


@ACTIVATIONS.add
class Mish(Activation):
    name = "mish"
    formula = "a = z tanh(log(1 + exp(z)))"
    expression = "z * tanh(maximum(z, 0) + log(1 + exp(-abs(z))))"
    default_weight_init = "he_normal"


@ACTIVATIONS.add
class Softplus(Activation):
    name = "softplus"
    formula = "a = log(1 + exp(z))"
    expression = "maximum(z, 0) + log(1 + exp(-abs(z)))"
    default_weight_init = "he_normal"
    never_decreases = True


@ACTIVATIONS.add
class Exponential(Activation):
    name = "exponential"
    formula = "a = exp(z)"
    expression = "exp(z)"
    hidden = False
    never_decreases = True
    class_loss = regression_loss = "poisson"
    sklearn_name = "exp"

    def inverse(self, a: np.ndarray) -> np.ndarray:
        return log(_positive(a))


ACTIVATIONS.alias(swish="silu", linear="identity", logistic="sigmoid")
