"""Optimizers: update rule, parameters and state of each.

The rules are PyTorch's definitions; kernels use the same order of operations.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import ClassVar

from ..base.settings import ABOVE_0, SHARE, at_least
from .spec import Registry, Spec, within


@dataclass(frozen=True)
class Optimizer(Spec):
    """A rule that turns gradients into updates."""

    default_rate: ClassVar[float] = 0.1
    default_sample_rate: ClassVar[float] = 0.01  # with an update per sample
    has_decay: ClassVar[bool] = False  # whether it has a parameter weight_decay

    @property
    def state_buffers(self) -> int:
        """Number of state values for each parameter."""
        return 0

    @property
    def holds_rate(self) -> bool:
        """Whether the state depends on the unit of the learning rate: it holds products with it."""
        return False

    @property
    def is_plain(self) -> bool:
        """Whether the update is exactly w -= rate g. Steps then may not call the kernel.

        An optimizer without state is not necessarily plain.
        """
        return False

    def with_decay(self, factor: float) -> Optimizer:
        """Return the optimizer with its weight decay multiplied by a factor, if it has one."""
        return self

    @property
    def kernel_parameters(self) -> tuple[float, float, float, float]:
        """The parameters of the kernel, as float64: at most four, then zeros."""
        values = [float(value) for value in astuple(self)]
        first, second, third, fourth = (*values, *[0.0] * (4 - len(values)))
        return first, second, third, fourth


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")


@OPTIMIZERS.add
@dataclass(frozen=True)
class SGD(Optimizer):
    name = "sgd"
    formula = (
        "v = momentum v + g;  w -= rate (g + momentum v if nesterov else v); or, with_rate, "
        "v = momentum v + rate g;  w -= rate g + momentum v if nesterov else v"
    )
    momentum: float = 0.0
    nesterov: bool = False
    with_rate: bool = False

    def __post_init__(self) -> None:
        # scikit-learn allows a momentum of 1 if the velocity includes the rate.
        within = 0 <= self.momentum < 1 or (self.momentum == 1 and self.with_rate)
        self._require(within, "momentum", "at least 0 and below 1")
        for name in ("nesterov", "with_rate"):
            allowed = self.momentum > 0 or not getattr(self, name)
            self._require(allowed, name, "false without momentum")

    @property
    def state_buffers(self) -> int:
        return 1 if self.momentum > 0 else 0

    @property
    def holds_rate(self) -> bool:
        return self.with_rate

    @property
    def is_plain(self) -> bool:
        # A subclass has another kernel.
        return type(self) is SGD and self.momentum == 0


@dataclass(frozen=True)
class AdamLike(Optimizer):
    """The parameters of Adam and its variants."""

    default_rate = default_sample_rate = 0.001
    beta1: float = within(SHARE, 0.9)
    beta2: float = within(SHARE, 0.999)
    epsilon: float = within(ABOVE_0, 1e-8)

    @property
    def state_buffers(self) -> int:
        return 2


@OPTIMIZERS.add
@dataclass(frozen=True)
class Adam(AdamLike):
    name = "adam"
    formula = (
        "m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  "
        "w -= rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon); with epsilon_hat "
        "epsilon is added to sqrt(v), before the correction (Kingma & Ba 2015, end of section 2)"
    )
    epsilon_hat: bool = False


@OPTIMIZERS.add
@dataclass(frozen=True)
class AdamW(AdamLike):
    name = "adamw"
    formula = "w *= 1 - rate weight_decay (weights, not biases);  then as adam"
    has_decay = True
    weight_decay: float = within(at_least(0), 0.01)

    def with_decay(self, factor: float) -> AdamW:
        return replace(self, weight_decay=self.weight_decay * factor)


@OPTIMIZERS.add
@dataclass(frozen=True)
class RMSprop(Optimizer):
    name = "rmsprop"
    formula = (
        "s = alpha s + (1 - alpha) g^2;  v = momentum v + g / (sqrt(s) + epsilon);  w -= rate v"
    )
    default_rate = default_sample_rate = 0.001
    alpha: float = within(SHARE, 0.99)
    epsilon: float = within(ABOVE_0, 1e-8)
    momentum: float = within(SHARE, 0.0)

    @property
    def state_buffers(self) -> int:
        return 2


OPTIMIZERS.alias(
    gradient_descent="sgd",
    gd="sgd",
    momentum="sgd(momentum=0.9)",
    nesterov="sgd(momentum=0.9, nesterov=true)",
)
