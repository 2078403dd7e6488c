"""Losses: formula for one sample, and the outputs, tasks and targets for which it is defined."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import ClassVar

from ..base.errors import ConfigError
from ..base.settings import ABOVE_0
from .activations import Activation
from .spec import Registry, Spec, within


@dataclass(frozen=True)
class Loss(Spec):
    """A per-sample loss; the objective is its mean over the batch."""

    outputs: ClassVar[tuple[str, ...]]  # the output activations for which it is defined
    tasks: ClassVar[tuple[str, ...]] = ("classification", "multilabel", "regression")
    target_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    is_fused: ClassVar[bool] = False  # with its output activation, into dL/dz = a - y
    squares_errors: ClassVar[bool] = False  # which may overflow
    smooths_labels: ClassVar[bool] = False  # whether label_smoothing applies
    sklearn_averages_outputs: ClassVar[bool] = False  # scikit-learn reports a mean over outputs

    @property
    def kernel_parameters(self) -> tuple[float, ...]:
        """The parameters of the kernel: those of the record."""
        return tuple(map(float, astuple(self)))

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The levels of quantiles that the outputs are; empty for one output per target."""
        return ()


LOSSES: Registry[Loss] = Registry("loss")


@LOSSES.add
class CrossEntropy(Loss):
    name = "cross_entropy"
    formula = "-sum_j y_j log a_j"
    is_fused = True
    smooths_labels = True
    tasks = ("classification",)
    outputs = ("softmax",)


@LOSSES.add
class BinaryCrossEntropy(Loss):
    name = "binary_cross_entropy"
    formula = "-sum_j y_j log a_j + (1 - y_j) log(1 - a_j)"
    is_fused = True
    smooths_labels = True
    target_range = (0.0, 1.0)
    outputs = ("sigmoid",)


@LOSSES.add
class SquaredError(Loss):
    name = "squared_error"
    formula = "sum_j 1/2 (y_j - a_j)^2"
    squares_errors = True
    sklearn_averages_outputs = True
    outputs = ("softmax", "sigmoid", "identity", "tanh", "relu")


@LOSSES.add
class MeanSquaredError(Loss):
    name = "mean_squared_error"
    formula = "mean_j (y_j - a_j)^2"
    squares_errors = True
    outputs = ("softmax", "sigmoid", "identity", "tanh", "relu")


@LOSSES.add
class AbsoluteError(Loss):
    name = "absolute_error"
    formula = "sum_j |y_j - a_j|"
    outputs = ("sigmoid", "identity", "tanh", "relu")


@LOSSES.add
@dataclass(frozen=True)
class Huber(Loss):
    name = "huber"
    formula = "sum_j 1/2 e_j^2 if |e_j| <= delta else delta (|e_j| - delta / 2), e = a - y"
    outputs = ("sigmoid", "identity", "tanh", "relu")
    delta: float = within(ABOVE_0, 1.0)


@LOSSES.add
@dataclass(frozen=True)
class Quantile(Loss):
    """An output for each level of a single target, which predictions sort, so that none cross."""

    name = "quantile"
    formula = "sum_j q_j e_j if e_j >= 0 else (q_j - 1) e_j, e = y - a"
    tasks = ("regression",)
    outputs = ("identity",)
    levels: tuple[float, ...] = (0.05, 0.5, 0.95)

    def __post_init__(self) -> None:
        ascends = all(low < high for low, high in pairwise((0.0, *self.levels, 1.0)))
        self._require(bool(self.levels) and ascends, "levels", "ascending numbers between 0 and 1")

    @property
    def kernel_parameters(self) -> tuple[float, ...]:
        return self.levels

    @property
    def quantiles(self) -> tuple[float, ...]:
        return self.levels


@LOSSES.add
class Poisson(Loss):
    name = "poisson"
    formula = "sum_j y_j log(y_j / a_j) - y_j + a_j"
    is_fused = True
    tasks = ("regression",)
    target_range = (0.0, math.inf)
    outputs = ("exponential",)


LOSSES.alias(mae="absolute_error", mse="mean_squared_error", bce="binary_cross_entropy")


def check_pair(output_activation: Activation, loss: Loss) -> None:
    """Raise ConfigError unless the loss is defined for the output activation."""
    if output_activation.name not in loss.outputs:
        fitting = [name for name in LOSSES.names() if output_activation.name
                   in LOSSES.records[name].outputs]  # fmt: skip
        raise ConfigError(
            f"loss {loss.name} does not go with output activation {output_activation.name}: "
            f"{loss.name} takes {' or '.join(loss.outputs)}"
            + (f"; {output_activation.name} takes {', '.join(fitting)}" if fitting else "")
        )


def legal_pairs() -> list[tuple[str, str]]:
    """Return every defined pair (output activation, loss)."""
    return [(output, name) for name in LOSSES.names()
            for output in LOSSES.records[name].outputs]  # fmt: skip
