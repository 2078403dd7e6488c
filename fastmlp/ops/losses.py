"""Losses: formula of one sample's loss, and the output activations each goes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..base.errors import ConfigError
from .activations import Activation
from .spec import Registry, Spec


@dataclass(frozen=True)
class Loss(Spec):
    """A per-sample loss; the objective is its mean over the batch."""

    output_activations: ClassVar[tuple[str, ...]]
    is_fused: ClassVar[bool] = False  # with its output activation, into dL/dz = a - y
    squares_errors: ClassVar[bool] = False  # even the largest, which may overflow

    @property
    def kernel_parameter(self) -> float:
        """The one number that the kernel is given besides outputs and targets."""
        return 0.0


LOSSES: Registry[Loss] = Registry("loss")


@LOSSES.add
@dataclass(frozen=True)
class CrossEntropy(Loss):
    name = "cross_entropy"
    formula = "-sum_j y_j log a_j"
    is_fused = True
    output_activations = ("softmax",)


@LOSSES.add
@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    name = "binary_cross_entropy"
    formula = "-sum_j y_j log a_j + (1 - y_j) log(1 - a_j)"
    is_fused = True
    output_activations = ("sigmoid",)


@LOSSES.add
@dataclass(frozen=True)
class SquaredError(Loss):
    name = "squared_error"
    formula = "sum_j 1/2 (y_j - a_j)^2"
    squares_errors = True
    output_activations = ("softmax", "sigmoid", "identity", "tanh", "relu")


@LOSSES.add
@dataclass(frozen=True)
class MeanSquaredError(Loss):
    name = "mean_squared_error"
    formula = "mean_j (y_j - a_j)^2"
    squares_errors = True
    output_activations = ("softmax", "sigmoid", "identity", "tanh", "relu")


@LOSSES.add
@dataclass(frozen=True)
class AbsoluteError(Loss):
    name = "absolute_error"
    formula = "sum_j |y_j - a_j|"
    output_activations = ("sigmoid", "identity", "tanh", "relu")


@LOSSES.add
@dataclass(frozen=True)
class Huber(Loss):
    name = "huber"
    formula = "sum_j 1/2 e_j^2 if |e_j| <= delta else delta (|e_j| - delta / 2), e = a - y"
    output_activations = ("sigmoid", "identity", "tanh", "relu")
    delta: float = 1.0

    def __post_init__(self) -> None:
        self._require(self.delta > 0, "delta", "above 0")

    @property
    def kernel_parameter(self) -> float:
        return self.delta


@LOSSES.add
@dataclass(frozen=True)
class Poisson(Loss):
    name = "poisson"
    formula = "sum_j y_j log(y_j / a_j) - y_j + a_j"
    is_fused = True
    output_activations = ("exponential",)


LOSSES.alias(mae="absolute_error", mse="mean_squared_error", bce="binary_cross_entropy")


def check_pair(output_activation: Activation, loss: Loss) -> None:
    """Raise ConfigError unless the loss is defined for the output activation."""
    if output_activation.name not in loss.output_activations:
        fitting = [name for name in LOSSES.names() if output_activation.name
                   in LOSSES.records[name].output_activations]  # fmt: skip
        raise ConfigError(
            f"loss {loss.name} does not go with output activation {output_activation.name}: "
            f"{loss.name} takes {' or '.join(loss.output_activations)}"
            + (f"; {output_activation.name} takes {', '.join(fitting)}" if fitting else "")
        )


def legal_pairs() -> list[tuple[str, str]]:
    """Return every (output activation, loss) that goes together."""
    return [(output, name) for name in LOSSES.names()
            for output in LOSSES.records[name].output_activations]  # fmt: skip
