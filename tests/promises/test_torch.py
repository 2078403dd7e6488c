"""Formulas, updates and clipping against PyTorch's own, where it is installed; all in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import reference
from fastmlp.kernels.rules.activations import activate, activate_backward
from fastmlp.model.functions import activation_addresses
from fastmlp.ops.activations import ACTIVATIONS
from harness import Case, Run, compiled, one_row_loss

torch: Any = pytest.importorskip("torch")
F = torch.nn.functional

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "elu": F.elu,
    "elu(0.3)": lambda z: F.elu(z, alpha=0.3),
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": lambda z: F.softplus(z, threshold=1000),  # 20, its own, gives up nine digits
    "leaky_relu": F.leaky_relu,
    "exponential": torch.exp,
}
ROW_LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "absolute_error": lambda a, y: F.l1_loss(a, y, reduction="sum"),
    "huber": lambda a, y: F.huber_loss(a, y, reduction="sum"),
    "huber(0.3)": lambda a, y: F.huber_loss(a, y, reduction="sum", delta=0.3),
    "squared_error": lambda a, y: F.mse_loss(a, y, reduction="sum") / 2,
    "mean_squared_error": F.mse_loss,
}


def leaf(array: np.ndarray) -> Any:
    return torch.tensor(array, requires_grad=True)


@pytest.mark.parametrize("spec", FUNCTIONS)
def test_activations_are_those_of_pytorch(spec: str) -> None:
    z = np.concatenate([np.random.default_rng(0).normal(0, 3, 40), [0.0, 30.0, -30.0]])
    da = np.linspace(-2, 2, z.size)
    activation, n = ACTIVATIONS.parse(spec), z.size
    Z = leaf(z)
    A = FUNCTIONS[spec](Z)
    A.backward(torch.tensor(da))
    a, d = np.empty(n), da.copy()
    function, derivative = activation_addresses(activation.name, a.dtype)
    parameter = activation.kernel_parameter
    compiled(activate)(function, parameter, z, a, 0, n, n, 0, 1)
    compiled(activate_backward)(derivative, parameter, z, a, d, 0, n, n, 0, 1)
    np.testing.assert_allclose(a, A.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(d, Z.grad.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("spec", ROW_LOSSES)
def test_losses_are_those_of_pytorch(spec: str) -> None:
    rng = np.random.default_rng(0)
    a, y, d = rng.normal(0, 1, 20), rng.normal(0, 1, 20), np.empty(20)
    A = leaf(a)
    expected = ROW_LOSSES[spec](A, torch.tensor(y))
    expected.backward()
    found = one_row_loss(spec, a, a, y, d)
    assert found == pytest.approx(float(expected.detach()), rel=1e-14)
    np.testing.assert_allclose(d, A.grad.numpy(), rtol=1e-14)


def test_poisson_equals_pytorchs_up_to_constant_of_targets() -> None:
    rng = np.random.default_rng(0)
    z, y, d = rng.normal(0, 1, 20), rng.poisson(2, 20).astype(float), np.empty(20)
    Z = leaf(z)
    expected = F.poisson_nll_loss(Z, torch.tensor(y), log_input=True, reduction="sum")
    expected.backward()
    found = one_row_loss("poisson", z, np.exp(z), y, d)
    constant = (y * np.log(np.where(y > 0, y, 1)) - y).sum()
    assert found == pytest.approx(float(expected.detach()) + constant, rel=1e-13)
    np.testing.assert_allclose(d, Z.grad.numpy(), rtol=1e-13)


# --- trajectories ---

LAYERS = Case(sizes=(5, 7, 4, 3), rows=23, batch_size=7, epochs=3, rate=0.02)
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "sgd": lambda groups, lr: torch.optim.SGD(groups, lr=lr),
    "nesterov": lambda groups, lr: torch.optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True),
    "adam": lambda groups, lr: torch.optim.Adam(groups, lr=lr),
    "adamw": lambda groups, lr: torch.optim.AdamW(groups, lr=lr),
    "adamw(0.8, 0.95, 0.001, 0.3)": lambda groups, lr: torch.optim.AdamW(
        groups, lr=lr, betas=(0.8, 0.95), eps=0.001
    ),
    "rmsprop": lambda groups, lr: torch.optim.RMSprop(groups, lr=lr),
    "rmsprop(0.9, 0.001, 0.5)": lambda groups, lr: torch.optim.RMSprop(
        groups, lr=lr, alpha=0.9, eps=0.001, momentum=0.5
    ),
}


def mean_loss(Z: Any, labels: Any, weights: Any, smoothing: float) -> Any:
    losses = F.cross_entropy(Z, labels, reduction="none", label_smoothing=smoothing)
    return losses.mean() if weights is None else (weights * losses).sum() / weights.sum()


def train_in_torch(run: Run) -> list[np.ndarray]:
    """The same network on the same batches; the case's options in PyTorch's words."""
    case, activations = run.case, [FUNCTIONS.get(a.name, torch.tanh) for a in run.activations]
    weights = [leaf(W) for W in run.network.weights]
    biases = [leaf(b) for b in run.network.biases]
    decay = getattr(run.optimizer, "weight_decay", case.l2)
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    optimizer = OPTIMIZERS[case.optimizer](groups, case.rate)
    for order in run.orders:
        for start in range(0, case.rows, case.batch_size):
            rows = order[start : start + case.batch_size]
            A = torch.tensor(run.X[rows])
            for W, b, function in zip(weights, biases, [*activations[:-1], None], strict=True):
                A = A @ W + b
                A = A if function is None else function(A)
            of_rows = torch.tensor(run.data.weights[rows]) if case.weighted else None
            labels = torch.tensor(run.data.labels[rows].astype(np.int64))
            optimizer.zero_grad()
            mean_loss(A, labels, of_rows, case.label_smoothing).backward()
            if case.clip_norm:
                torch.nn.utils.clip_grad_norm_([*weights, *biases], case.clip_norm)
            if case.clip_value:
                torch.nn.utils.clip_grad_value_([*weights, *biases], case.clip_value)
            optimizer.step()
    return [array.detach().numpy() for array in (*weights, *biases)]


def assert_follows_torch(case: Case) -> list[np.ndarray]:
    run = Run(case)
    before = [array.copy() for array in (*run.network.weights, *run.network.biases)]
    expected = train_in_torch(run)
    run.train()
    for found, wanted, start in zip(
        [*run.network.weights, *run.network.biases], expected, before, strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-11)
        assert np.abs(found - start).max() > 1e-4
    return expected


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("hidden", ["tanh", "gelu", ("silu", "elu")], ids=str)
def test_trajectories_are_those_of_pytorch(optimizer: str, hidden: str | tuple[str, ...]) -> None:
    assert_follows_torch(LAYERS.but(optimizer=optimizer, hidden=hidden))


@pytest.mark.parametrize(
    "options",
    [
        {"clip_norm": 0.05},
        {"clip_value": 0.01},
        {"clip_norm": 0.3, "clip_value": 0.05, "optimizer": "adam"},
        {"label_smoothing": 0.2},
        {"weighted": True, "optimizer": "rmsprop"},
    ],
    ids=str,
)
def test_options_are_those_of_pytorch(options: dict[str, Any]) -> None:
    with_options = assert_follows_torch(LAYERS.but(**options))
    without = train_in_torch(Run(LAYERS.but(optimizer=options.get("optimizer", "sgd"))))
    assert reference.norm([a - b for a, b in zip(with_options, without, strict=True)]) > 1e-3


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_an_l2_penalty_is_pytorchs_weight_decay(optimizer: str) -> None:
    assert_follows_torch(LAYERS.but(optimizer=optimizer, l2=0.3))
