"""Whole trajectories against scikit-learn and PyTorch: same weights to start from, same batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from fastmlp import Dataset, TrainConfig, fit
from toys import BARE, batches, layers, settings

# Three epochs of 3 batches of 16 and a last one of 2.
N, FEATURES, HIDDEN = 50, 5, (7, 4)
RATE = 0.05
Arrays = list[np.ndarray]


def dataset(n_classes: int) -> Dataset:
    """Features that say something about the label; 0 classes: two real targets."""
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(N, FEATURES))
    Y = X @ rng.normal(size=(FEATURES, max(n_classes, 2)))
    return Dataset(X, Y.argmax(axis=1) if n_classes else Y)


def config_for(**changes: Any) -> TrainConfig:
    usual = {**BARE, "hidden_layer_sizes": HIDDEN, "batch_size": 16, "learning_rate": RATE}
    plain = {"optimizer": "sgd", "schedule": "constant", "clip_norm": 0.0, "target_scale": "none"}
    return settings(**{**usual, **plain, **changes})


def start_for(n_classes: int, config: TrainConfig) -> tuple[Arrays, Arrays]:
    n_outputs = 1 if n_classes == 2 and config.output_activation == "auto" else n_classes or 2
    return layers((FEATURES, *HIDDEN, n_outputs))


def ours(config: TrainConfig, data: Dataset, start: tuple[Arrays, Arrays]) -> Arrays:
    result = fit(config, data, initial_weights=start)
    assert result.status == "finished" and result.epochs_run == 3
    return [*result.predictor.network.weights, *result.predictor.network.biases]


def assert_same(found: Arrays, expected: Arrays, start: tuple[Arrays, Arrays]) -> None:
    """All agree but for rounding, after having moved far more than that."""
    for one, other, before in zip(found, expected, [*start[0], *start[1]], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)
        assert np.abs(one - before).max() > 1e-4


# --- scikit-learn ---


def scikit_learn(
    config: TrainConfig, data: Dataset, start: tuple[Arrays, Arrays], **options: Any
) -> Arrays:
    """Train an MLPClassifier or MLPRegressor on our batches, in our order."""
    activation = {"sigmoid": "logistic"}.get(config.activation, config.activation)
    options = {
        "hidden_layer_sizes": HIDDEN,
        "activation": activation,
        "learning_rate_init": RATE,
        "momentum": 0.0,
        "shuffle": False,
        "alpha": 0.0,
        **options,
    }
    model = (MLPRegressor if data.classes is None else MLPClassifier)(**options)
    # The first call draws the weights and makes the optimizer; both begin anew after it.
    model.partial_fit(data.X, data.y, **({} if data.classes is None else {"classes": data.classes}))
    del model._optimizer
    for drawn, given in zip(
        [*model.coefs_, *model.intercepts_], [*start[0], *start[1]], strict=True
    ):
        drawn[...] = given
    for epoch in (1, 2, 3):
        for rows in batches(config, N, epoch):
            # Its penalty is alpha / (2 batch size) sum w^2.
            model.set_params(batch_size=len(rows), alpha=config.l2 * len(rows))
            model.partial_fit(data.X[rows], data.y[rows])
    return [*model.coefs_, *model.intercepts_]


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"solver": "sgd"},
    # Its velocity holds the rate, which is the same as long as the rate is constant.
    "sgd(momentum=0.9)": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "sgd(momentum=0.9, nesterov=true)": {"solver": "sgd", "momentum": 0.9},
    # It adds epsilon before it corrects the second moment's bias, so let it be next to nothing.
    "adam(epsilon=1e-200)": {"solver": "adam", "epsilon": 1e-200},
}


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_trajectories_are_those_of_scikit_learn(
    n_classes: int, optimizer: str, activation: str, l2: float
) -> None:
    data = dataset(n_classes)
    config = config_for(optimizer=optimizer, activation=activation, l2=l2)
    start = start_for(n_classes, config)
    expected = scikit_learn(config, data, start, **OPTIMIZERS[optimizer])
    assert_same(ours(config, data, start), expected, start)


@pytest.mark.parametrize("mode", ["minibatch", "stochastic", "batch"])
def test_trajectories_of_a_regression_are_those_of_scikit_learn(mode: str) -> None:
    # Its squared loss is 1/2 (y - y_hat)^2, averaged over outputs; ours is summed over them.
    data = dataset(0)
    data = Dataset(data.X, data.y[:, 0])
    config = config_for(mode=mode)
    start = layers((FEATURES, *HIDDEN, 1))
    assert_same(ours(config, data, start), scikit_learn(config, data, start, solver="sgd"), start)


# --- PyTorch, where it is installed ---


def pytorch(
    config: TrainConfig,
    data: Dataset,
    start: tuple[Arrays, Arrays],
    optimizer: Callable[[Any, Any], Any],
    loss: Callable[[Any, Any], Any],
    target: np.ndarray,
) -> Arrays:
    """Train the same network in PyTorch on our batches, in our order."""
    import torch

    weights, biases = (
        [torch.tensor(array, requires_grad=True) for array in part] for part in start
    )
    groups = [{"params": weights, "weight_decay": config.l2}, {"params": biases}]
    optimizer_ = optimizer(torch.optim, groups)
    activate = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[config.activation]
    X, y = torch.tensor(data.X), torch.tensor(target)
    for epoch in (1, 2, 3):
        for rows in batches(config, N, epoch):
            A = X[rows]
            for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
                A = A @ W + b
                if layer < len(HIDDEN):
                    A = activate(A)
            optimizer_.zero_grad()
            loss(A, y[rows]).backward()
            optimizer_.step()
    return [array.detach().numpy() for array in (*weights, *biases)]


TORCH_OPTIMIZERS: dict[str, Callable[[Any, Any], Any]] = {
    "sgd": lambda optim, groups: optim.SGD(groups, lr=RATE),
    "sgd(momentum=0.9)": lambda optim, groups: optim.SGD(groups, lr=RATE, momentum=0.9),
    "sgd(momentum=0.9, nesterov=true)": lambda optim, groups: optim.SGD(
        groups, lr=RATE, momentum=0.9, nesterov=True
    ),
    "adam": lambda optim, groups: optim.Adam(groups, lr=RATE),
    "adam(beta1=0.8, beta2=0.95, epsilon=0.001)": lambda optim, groups: optim.Adam(
        groups, lr=RATE, betas=(0.8, 0.95), eps=0.001
    ),
}


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("optimizer", TORCH_OPTIMIZERS)
@pytest.mark.parametrize(
    ("loss", "n_classes"),
    [("cross_entropy", 3), ("binary_cross_entropy", 2), ("mean_squared_error", 0)],
)
def test_trajectories_are_those_of_pytorch(
    loss: str, n_classes: int, optimizer: str, activation: str, l2: float
) -> None:
    torch = pytest.importorskip("torch")
    data = dataset(n_classes)
    config = config_for(loss=loss, optimizer=optimizer, activation=activation, l2=l2)
    start = start_for(n_classes, config)
    torch_loss, target = {
        "cross_entropy": (torch.nn.CrossEntropyLoss(), data.y),
        "binary_cross_entropy": (torch.nn.BCEWithLogitsLoss(), data.y[:, None].astype(float)),
        "mean_squared_error": (torch.nn.MSELoss(), data.y),
    }[loss]
    expected = pytorch(config, data, start, TORCH_OPTIMIZERS[optimizer], torch_loss, target)
    assert_same(ours(config, data, start), expected, start)
