"""Records of optimizers say what steps may take for granted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fastmlp.ops.optimizers import OPTIMIZERS, SGD, Optimizer

PLAIN = ("sgd", "sgd(momentum=0.0)", "gd", "gradient_descent")


@pytest.mark.parametrize("text", PLAIN)
def test_sgd_without_momentum_is_plain(text: str) -> None:
    assert OPTIMIZERS.parse(text).is_plain


@pytest.mark.parametrize(
    "text", [*OPTIMIZERS.names(), *OPTIMIZERS.aliases, "sgd(momentum=0.5)", "rmsprop(momentum=0.5)"]
)
def test_no_other_optimizer_is_plain(text: str) -> None:
    assert OPTIMIZERS.parse(text).is_plain == (text in PLAIN)


@pytest.mark.parametrize("base", [Optimizer, SGD])
def test_an_optimizer_without_state_is_not_plain_by_itself(base: type[Optimizer]) -> None:
    @dataclass(frozen=True)
    class Stateless(base):  # type: ignore[valid-type, misc]
        name = "stateless"

    assert (Stateless().state_buffers, Stateless().is_plain) == (0, False)
