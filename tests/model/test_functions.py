"""The kernels behind activations, losses and optimizers: each record has its own, by its name."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import reference
from fastmlp.kernels.buffers import Objective
from fastmlp.kernels.rules import activations, codes, losses, optimizers
from fastmlp.model.functions import activation_addresses, loss_address, objective, update_address
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.optimizers import OPTIMIZERS

TYPES = [np.dtype("float32"), np.dtype("float64")]
OPTIMIZER_SPECS = [
    *OPTIMIZERS.names(), "sgd(0)", "sgd(1e-9)", "momentum", "nesterov", "gd", "rmsprop(momentum=0)",
    "adam(0, 0)", "adamw(weight_decay=0)",
]  # fmt: skip

each_type = pytest.mark.parametrize("dtype", TYPES, ids=str)
each_activation = pytest.mark.parametrize("name", ACTIVATIONS.names())
each_loss = pytest.mark.parametrize("name", LOSSES.names())
each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS.names())


def given(loss: str | None = "squared_error", optimizer: str = "sgd", **options: Any) -> Objective:
    return objective(
        None if loss is None else LOSSES.parse(loss), OPTIMIZERS.parse(optimizer), TYPES[0],
        **{"task": codes.REGRESSION, **options},
    )  # fmt: skip


def is_called_by_address(module: ModuleType, name: str, parameters: list[str]) -> bool:
    """Whether a module has such a kernel of its own, compiled for callers of its address."""
    found = getattr(module, name)
    assert isinstance(found, Dispatcher) and found.__module__ == module.__name__
    assert [p.strip("_") for p in inspect.signature(found.py_func).parameters][
        : len(parameters)
    ] == parameters
    return not found.targetoptions["no_cfunc_wrapper"]


# --- every record has its kernels ---


@each_activation
def test_an_activation_has_its_kernels(name: str) -> None:
    assert is_called_by_address(activations, name, ["z", "a"])
    assert is_called_by_address(activations, f"{name}_backward", ["z", "a", "d"])


@each_loss
def test_a_loss_has_its_kernel(name: str) -> None:
    assert is_called_by_address(losses, name, ["z", "a", "y", "d", "scale"])


@each_optimizer
def test_an_optimizer_has_its_kernel(name: str) -> None:
    parameters = ["w", "g", "state", "size", "parameters", "rate", "step", "is_weight"]
    assert is_called_by_address(optimizers, name, parameters)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (activations, {n + end for n in ACTIVATIONS.names() for end in ("", "_backward")}),
        (losses, set(LOSSES.names())),
        (optimizers, set(OPTIMIZERS.names())),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_kernel_lacks_a_record(module: ModuleType, names: set[str]) -> None:
    kernels = [k for k in vars(module).values() if isinstance(k, Dispatcher)]
    called = {k.__name__ for k in kernels if not k.targetoptions["no_cfunc_wrapper"]}
    assert called == names


# --- addresses ---


@each_type
@each_activation
def test_an_activation_has_two_addresses(name: str, dtype: np.dtype) -> None:
    forward, backward = activation_addresses(name, dtype)
    assert forward and backward and forward != backward


@each_type
@each_loss
def test_a_loss_has_an_address(name: str, dtype: np.dtype) -> None:
    assert loss_address(name, dtype)


@each_type
@each_optimizer
def test_an_update_rule_has_an_address(name: str, dtype: np.dtype) -> None:
    assert update_address(name, dtype)


def all_addresses() -> list[int]:
    """Those of every record's kernels, in both types."""
    found = [
        a for name in ACTIVATIONS.names() for t in TYPES for a in activation_addresses(name, t)
    ]
    found += [loss_address(name, t) for name in LOSSES.names() for t in TYPES]
    return found + [update_address(name, t) for name in OPTIMIZERS.names() for t in TYPES]


def test_no_two_kernels_or_types_share_an_address() -> None:
    addresses = all_addresses()
    count = 2 * len(ACTIVATIONS.names()) + len(LOSSES.names()) + len(OPTIMIZERS.names())
    assert len(set(addresses)) == len(addresses) == 2 * count
    # They go into int64 tables and tuples of Python's own numbers.
    assert all(type(a) is int and 0 < a < 2**63 for a in addresses)


def test_kernels_are_compiled_or_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = all_addresses()
    monkeypatch.setattr("fastmlp.kernels.machine.calls.compiled_address", None)
    assert all_addresses() == before


@pytest.mark.parametrize("find", [activation_addresses, loss_address, update_address])
def test_unknown_names_have_none(find: Any) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        find("no_such_name", TYPES[0])


# --- the objective ---


@each_type
@each_loss
@pytest.mark.parametrize("optimizer", OPTIMIZERS.names())
def test_an_objective_has_the_addresses_of_its_parts(
    name: str, optimizer: str, dtype: np.dtype
) -> None:
    found = objective(LOSSES.parse(name), OPTIMIZERS.parse(optimizer), dtype, codes.REGRESSION)
    assert found.loss == loss_address(name, dtype)
    assert found.update == update_address(optimizer, dtype)


@each_loss
def test_fused_losses_are_the_twins(name: str) -> None:
    assert given(name).is_fused == int(name in reference.FUSED)


@pytest.mark.parametrize("spec", OPTIMIZER_SPECS)
def test_plain_sgd_is_sgd_without_momentum(spec: str) -> None:
    assert given(optimizer=spec).is_plain_sgd == int(spec in ("sgd", "sgd(0)", "gd"))


@pytest.mark.parametrize("spec", OPTIMIZER_SPECS)
def test_parameters_of_an_optimizer_are_four_float64(spec: str) -> None:
    found, record = given(optimizer=spec).optimizer_parameters, OPTIMIZERS.parse(spec)
    assert found.dtype == np.float64 and found.tolist() == list(record.kernel_parameters)
    assert found.shape == (4,)


def test_a_parameter_of_a_loss_arrives() -> None:
    assert given("huber(0.25)").loss_parameters.tolist() == [0.25]
    assert given("squared_error").loss_parameters.tolist() == []


def test_without_a_loss_nothing_can_be_called() -> None:
    found = given(None)
    assert (found.loss, found.update, found.is_fused, found.loss_parameters.size) == (0, 0, 0, 0)


def test_options_arrive_as_floats_in_order() -> None:
    names = ("threshold", "label_smoothing", "l1", "l2", "clip_norm", "clip_value", "max_norm")
    usual = given()
    assert [getattr(usual, name) for name in names] == [0.5, *[0.0] * 6]
    options = {name: number for number, name in enumerate(names, start=1)}
    found = given(task=codes.BINARY, **options)
    assert found.task == codes.BINARY
    assert {name: getattr(found, name) for name in names} == options


def test_the_types_of_an_objective_do_not_depend_on_its_settings() -> None:
    # Else the steps would be compiled anew for other settings.
    kinds = {
        tuple(map(type, found))
        for found in (
            given(None), given(), given("cross_entropy", "adam", task=codes.MULTICLASS),
            given("huber", "nesterov", l1=1, l2=1, clip_norm=1, clip_value=1, max_norm=1),
        )
    }  # fmt: skip
    assert len(kinds) == 1
