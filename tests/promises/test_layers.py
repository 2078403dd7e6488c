"""Convolutional networks train as plain NumPy does, with every option, and as PyTorch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmlp import Dataset, TrainConfig, fit
from fastmlp.model.network import Network
from fastmlp.ops.layers import pair
from fastmlp.training.fit import finish, start
from fastmlp.training.run import Run
from toys import BARE, batches, pictures, settings, twin_of

N, SHAPE = 35, (5, 6, 2)
SMALL = "conv2d(3, 2, padding=same), max_pool2d(2), dense(5)"
NETWORKS = [
    SMALL,
    "conv2d(4, 3), conv2d(18, 2)",
    "conv2d(3, (2, 3), stride=2, padding=same, activation=relu), dropout(0.3), avg_pool2d(2)",
    "dropout(0.2), conv2d(2, 1), max_pool2d(3, stride=1), flatten(), dropout(0.5), dense(4, gelu)",
    "avg_pool2d((1, 2), stride=(2, 1)), conv2d(3, 3, padding=same, activation=elu(0.5))",
    "max_pool2d(2), dense(4)",
    "conv2d(18, 2), dropout(0.2), global_avg_pool2d(), dropout(0.2), dense(4)",
    "global_avg_pool2d()",
]
OPTIMIZERS = ["sgd", "sgd(momentum=0.9)", "adam"]
OPTIONS: list[dict[str, Any]] = [
    {"mode": "stochastic"},
    {"mode": "batch"},
    {"accumulate": True},
    {"sampling": "replacement"},
    {"l1": 0.01, "l2": 0.1},
    {"clip_norm": 0.2, "clip_value": 0.05},
    {"max_norm": 0.5},
    {"class_weight": "0=3,1=0.25"},
    {"label_smoothing": 0.2},
    {"penalty_per_row": True, "l2": 0.1},
    {"weight_init": "he_uniform", "bias_init": "normal"},
    {"optimizer": "adamw(weight_decay=0.5)"},
    {"optimizer": "rmsprop(momentum=0.5)"},
    {"schedule": "one_cycle"},
]


DATA = {n_classes: pictures(N, SHAPE, n_classes) for n_classes in (0, 2, 3)}


def config_for(layers: str = SMALL, **changes: Any) -> TrainConfig:
    usual: dict[str, Any] = {"input_shape": SHAPE, "learning_rate": 0.05, "batch_size": 8}
    return settings(layers=layers, **{**BARE, **usual, **changes})


def arrays(network: Network) -> list[np.ndarray]:
    return [*network.weights, *network.biases]


def assert_is_the_twin(run: Run) -> None:
    before = [array.copy() for array in arrays(run.network)]
    weights, biases, steps = twin_of(run)
    result = finish(run)
    found = arrays(result.predictor.network)
    for one, other, first in zip(found, [*weights, *biases], before, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
        assert np.abs(one - first).max() > 1e-6
    by_epoch = np.array_split(np.array(steps), run.config.epochs)
    losses = [epoch[:, 0].sum() / epoch[:, 3].sum() for epoch in by_epoch]
    np.testing.assert_allclose(result.history["train_loss"], losses, rtol=1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("layers", NETWORKS)
def test_a_run_is_what_numpy_makes_of_it(layers: str, optimizer: str) -> None:
    assert_is_the_twin(start(config_for(layers, optimizer=optimizer), DATA[3]))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_is_what_numpy_makes_of_it(options: dict[str, Any]) -> None:
    layers = NETWORKS[2]
    assert_is_the_twin(start(config_for(layers, **options), DATA[3]))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_every_task_is_what_numpy_makes_of_it(n_classes: int) -> None:
    assert_is_the_twin(start(config_for(), DATA[n_classes]))


@pytest.mark.parametrize("layers", NETWORKS)
def test_float32_follows_float64(layers: str) -> None:
    wide, narrow = (fit(config_for(layers, dtype=dtype), DATA[3])
                    for dtype in ("float64", "float32"))  # fmt: skip
    for one, other in zip(
        arrays(narrow.predictor.network), arrays(wide.predictor.network), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5)


@pytest.mark.parametrize("layers", NETWORKS)
def test_batches_of_several_blocks_are_the_same_sums(
    layers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(layers, mode="batch")
    whole = fit(config, DATA[3]).predictor.network
    monkeypatch.setattr("fastmlp.training.run.rows_at_once", lambda network: 16)
    parts = fit(config, DATA[3]).predictor.network
    for one, other in zip(arrays(parts), arrays(whole), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("layers", NETWORKS)
def test_sets_of_rows_of_any_size_are_evaluated_alike(layers: str) -> None:
    predictor = fit(config_for(layers, epochs=1), DATA[3]).predictor
    X = DATA[3].X
    outputs = predictor.outputs(X)
    for n in (1, 7, 8, 9, 34):
        np.testing.assert_array_equal(predictor.outputs(X[:n]), outputs[:n])
    many = predictor.outputs(np.tile(X, (10, 1)))
    np.testing.assert_array_equal(many, np.tile(outputs, (10, 1)))


# --- PyTorch, where it is installed ---


def outputs_in_torch(torch: Any, network: Network, arrays: list[Any], X: Any) -> Any:
    """The network's pre-activations; dropout is not among its layers."""
    F = torch.nn.functional
    functions = {"relu": torch.relu, "tanh": torch.tanh}
    weights, biases = iter(arrays[: network.depth]), iter(arrays[network.depth :])
    A = X.reshape(len(X), *network.input_shape).permute(0, 3, 1, 2)
    for layer, inputs in zip(network.layers, network.shapes, strict=False):
        if layer.name == "conv2d":
            size = pair(layer.kernel_size)  # type: ignore[attr-defined]
            W = next(weights).reshape(*size, inputs[2], -1).permute(3, 2, 0, 1)
            A = F.conv2d(A, W, next(biases), pair(layer.stride), padding=layer.padding)  # type: ignore[attr-defined]
        elif layer.name in ("max_pool2d", "avg_pool2d"):
            pooling = {"max_pool2d": F.max_pool2d, "avg_pool2d": F.avg_pool2d}[layer.name]
            A = pooling(A, pair(layer.size), pair(layer.stride))  # type: ignore[attr-defined]
        elif layer.name == "dense":
            A = A.permute(0, 2, 3, 1).flatten(1) if A.ndim == 4 else A
            A = A @ next(weights) + next(biases)
        A = functions.get(getattr(layer, "activation", ""), lambda Z: Z)(A)
    return A


def train_in_torch(torch: Any, run: Run, data: Dataset, make: Callable[..., Any]) -> list[Any]:
    """Train the same network on the same batches; return weights, then biases."""
    parameters = [torch.tensor(a.copy(), requires_grad=True) for a in arrays(run.network)]
    optimizer, binary = make(torch.optim, parameters), run.network.n_outputs == 1
    X, y = torch.tensor(data.X), torch.tensor(data.y)
    F = torch.nn.functional
    for epoch in range(1, run.config.epochs + 1):
        for rows in batches(run.config, len(data.X), epoch):
            optimizer.zero_grad()
            Z = outputs_in_torch(torch, run.network, parameters, X[rows])
            loss = (
                F.binary_cross_entropy_with_logits(Z[:, 0], y[rows].double())
                if binary
                else F.cross_entropy(Z, y[rows])
            )
            loss.backward()
            optimizer.step()
    return [array.detach().numpy() for array in parameters]


E2 = "conv2d(32, 3), max_pool2d(2), conv2d(64, 3), max_pool2d(2)"
E3 = "conv2d(32, 3), max_pool2d(2), conv2d(64, 3), flatten(), dense(64)"
TORCH_OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "sgd": lambda optim, arrays: optim.SGD(arrays, lr=0.01),
    "sgd(momentum=0.9)": lambda optim, arrays: optim.SGD(arrays, lr=0.01, momentum=0.9),
    "adam": lambda optim, arrays: optim.Adam(arrays, lr=0.001),
}


@pytest.mark.parametrize("optimizer", TORCH_OPTIMIZERS)
@pytest.mark.parametrize(
    ("layers", "shape", "n_classes"),
    [
        (E2, (28, 28, 1), 2),
        (E3, (28, 28, 1), 10),
        ("conv2d(17, (3, 2), padding=same), avg_pool2d((2, 1)), conv2d(5, 2)", (9, 7, 3), 3),
    ],
    ids=["E2", "E3", "colour"],
)
def test_trajectories_are_those_of_pytorch(
    layers: str, shape: tuple[int, ...], n_classes: int, optimizer: str
) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, int(np.prod(shape))))
    data = Dataset(X, np.arange(40) % n_classes)
    config = config_for(
        layers, input_shape=shape, batch_size=16, activation="relu", optimizer=optimizer,
        learning_rate=0.001 if optimizer == "adam" else 0.01, epochs=3, restore_best=False,
    )  # fmt: skip
    run = start(config, data)
    before = [array.copy() for array in arrays(run.network)]
    expected = train_in_torch(torch, run, data, TORCH_OPTIMIZERS[optimizer])
    found = arrays(finish(run).predictor.network)
    for one, other, first in zip(found, expected, before, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)
        assert np.abs(one - first).max() > 1e-4
