"""Every option of a config trains as plain NumPy does, and the same on the per-sample step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from fastmlp import Dataset, fit
from fastmlp.training import plan as plan_module
from fastmlp.training.fit import finish, start
from toys import BARE, blobs, counts, lines, settings, tags, twin_of

N = 25
DATA = {
    "multiclass": blobs(N),
    "binary": blobs(N, 2),
    "multilabel": tags(N),
    "regression": lines(N, 2),
    "counts": counts(N),
}
CLASSES = ("multiclass", "binary")
ALL = tuple(DATA)
OPTIONS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, ALL),
    ({"hidden_layer_sizes": (5, 4), "activation": ("elu(0.5)", "gelu")}, ALL),
    ({"hidden_layer_sizes": (5, 4), "activation": ("softplus", "silu")}, ALL),
    ({"dropout": 0.4}, ALL),
    ({"dropout": (0.4, 0.0), "hidden_layer_sizes": (9, 4), "input_dropout": 0.5}, ALL),
    ({"input_dropout": 0.5, "hidden_layer_sizes": ()}, ALL),
    ({"dropout": 0.4, "accumulate": True}, ("multiclass",)),
    ({"dropout": 0.4, "sampling": "replacement"}, ("multiclass",)),
    ({"dropout": 0.4, "mode": "batch"}, ("multiclass",)),
    ({"dropout": 0.4, "mode": "stochastic"}, ("multiclass",)),
    ({"clip_norm": 0.2}, ALL),
    ({"clip_norm": 0.2, "mode": "stochastic"}, ("multiclass", "regression")),
    ({"clip_value": 0.01, "l2": 0.1}, ALL),
    ({"clip_norm": 0.2, "clip_value": 0.05, "optimizer": "adam", "l1": 0.01}, ("multiclass",)),
    ({"max_norm": 0.5}, ALL),
    ({"max_norm": 0.5, "mode": "stochastic"}, ("binary",)),
    ({"label_smoothing": 0.2}, (*CLASSES, "multilabel")),
    ({"label_smoothing": 0.2, "mode": "stochastic"}, (*CLASSES, "multilabel")),
    ({"label_smoothing": 0.2, "output_activation": "sigmoid"}, ("multiclass",)),
    ({"label_smoothing": 0.2, "output_activation": "softmax"}, ("binary",)),
    ({"class_weight": "balanced"}, CLASSES),
    ({"class_weight": "0=3,1=0.25", "mode": "batch"}, CLASSES),
    ({"class_weight": "0=0", "dropout": 0.4, "clip_norm": 0.2}, ("multiclass",)),
    ({"optimizer": "adamw(weight_decay=0.5)", "learning_rate": 0.02}, ALL),
    ({"optimizer": "rmsprop(momentum=0.5)", "learning_rate": 0.02}, ALL),
    ({"schedule": "cosine(warmup=1)"}, ("multiclass",)),
    ({"schedule": "inverse", "mode": "stochastic"}, ("multiclass",)),
    ({"schedule": "one_cycle", "optimizer": "adam"}, ("regression",)),
    ({"loss": "huber(0.3)"}, ("regression", "binary")),
    ({"loss": "absolute_error"}, ("regression", "counts")),
    ({"loss": "poisson"}, ("counts",)),
    ({"loss": "poisson", "mode": "stochastic"}, ("counts",)),
    ({"target_scale": "standard"}, ("regression", "counts")),
    ({"target_scale": "minmax", "loss": "huber(0.1)"}, ("regression",)),
    ({"threshold": 0.7}, ("binary", "multilabel")),
]
CASES = [
    pytest.param(kind, changes, id=f"{kind} {changes}")
    for changes, kinds in OPTIONS
    for kind in kinds
]


def config_for(changes: dict[str, Any]) -> Any:
    return settings(**{**BARE, "learning_rate": 0.05, **changes})


def arrays(network: Any) -> list[np.ndarray]:
    return [*network.weights, *network.biases]


def assert_close(ours: list[np.ndarray], others: list[np.ndarray]) -> None:
    for one, other in zip(ours, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("kind", "changes"), CASES)
def test_a_run_is_what_numpy_makes_of_it(kind: str, changes: dict[str, Any]) -> None:
    run = start(config_for(changes), DATA[kind])
    before = [array.copy() for array in arrays(run.network)]
    weights, biases, steps = twin_of(run)
    result = finish(run)
    found = arrays(result.predictor.network)
    assert_close(found, [*weights, *biases])
    assert all(np.abs(one - other).max() > 1e-6 for one, other in zip(found, before, strict=True))
    by_epoch = np.array_split(np.array(steps), 3)
    losses = [epoch[:, 0].sum() / epoch[:, 3].sum() for epoch in by_epoch]
    np.testing.assert_allclose(result.history["train_loss"], losses, rtol=1e-10)
    hits = [epoch[:, 1].sum() / N for epoch in by_epoch]
    has_accuracy = run.task.kind != "regression"
    assert result.history["train_accuracy"] == (hits if has_accuracy else [None] * 3)


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, ALL),
        ({"activation": ("elu(0.5)", "gelu")}, ("multiclass",)),
        ({"activation": ("softplus", "silu")}, ("regression",)),
        ({"label_smoothing": 0.2}, (*CLASSES, "multilabel")),
        ({"schedule": "one_cycle(warmup=1)"}, ("multiclass",)),
        ({"schedule": "plateau(patience=0)", "monitor": "train_loss"}, ("multiclass",)),
        ({"loss": "huber(0.3)"}, ("regression",)),
        ({"loss": "absolute_error"}, ("regression",)),
        ({"loss": "poisson"}, ("counts",)),
        ({"target_scale": "standard"}, ("regression",)),
        ({"threshold": 0.7}, ("multilabel",)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_step_per_sample_is_the_general_step(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], kinds: tuple[str, ...], dtype: str
) -> None:
    config = config_for({"hidden_layer_sizes": (5, 4), "mode": "stochastic", **changes})
    config = config.replace(dtype=dtype)
    own = [fit(config, DATA[kind]) for kind in kinds]
    monkeypatch.setattr(plan_module, "_needs_general_step", lambda config: "it is forced to")
    general = [fit(config, DATA[kind]) for kind in kinds]
    tolerance = {"float64": 1e-10, "float32": 2e-4}[dtype]
    for one, other in zip(own, general, strict=True):
        assert [one.plan.step, other.plan.step] == ["per_sample", "general"]
        for a, b in zip(
            arrays(one.predictor.network), arrays(other.predictor.network), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(
            one.history["train_loss"], other.history["train_loss"], rtol=tolerance
        )
        assert one.history["learning_rate"] == other.history["learning_rate"]
        if dtype == "float64":
            assert one.history["train_accuracy"] == other.history["train_accuracy"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_layer_has_its_own_activation(dtype: str) -> None:
    names = ("elu(0.5)", "gelu", "silu", "softplus", "leaky_relu(0.2)", "tanh")
    parameters = (0.5, 0.0, 0.0, 0.0, 0.2, 0.0, 0.0)
    config = config_for({"hidden_layer_sizes": (5, 7, 4, 6, 3, 8), "activation": names})
    predictor = fit(config.replace(dtype=dtype), DATA["multiclass"]).predictor
    network, X = predictor.network, DATA["multiclass"].X.astype(dtype)
    activations = [name.partition("(")[0] for name in (*names, "softmax")]
    outputs = reference.forward(
        network.weights, network.biases, list(zip(activations, parameters, strict=True)), X
    )[1][-1]
    tolerance = {"float64": 1e-13, "float32": 2e-6}[dtype]
    np.testing.assert_allclose(predictor.outputs(X), outputs, rtol=0, atol=tolerance)
    assert [str(a).partition("(")[0] for a in network.activations] == activations


def test_what_is_dropped_in_training_is_there_in_prediction() -> None:
    config = config_for({"dropout": 0.5, "input_dropout": 0.5, "learning_rate": 1e-300})
    plain = config.replace(dropout=0.0, input_dropout=0.0)
    with_dropout, without = (fit(c, Dataset(DATA["multiclass"].X, DATA["multiclass"].y))
                             for c in (config, plain))  # fmt: skip
    X = DATA["multiclass"].X
    np.testing.assert_array_equal(with_dropout.predictor.outputs(X), without.predictor.outputs(X))
    assert with_dropout.history["train_loss"] != without.history["train_loss"]


def test_smoothing_is_left_out_of_the_evaluation() -> None:
    config = settings(learning_rate=1e-300)
    plain, smoothed = (
        fit(config.replace(label_smoothing=smoothing), blobs()) for smoothing in (0.0, 0.3)
    )
    for name in ("validation_loss", "test_loss", "test_accuracy"):
        assert plain.metrics[name] == smoothed.metrics[name]
    assert plain.metrics["train_loss"] != smoothed.metrics["train_loss"]


def test_a_limit_to_norms_holds_for_every_unit() -> None:
    result = fit(settings(max_norm=0.75, learning_rate=1.0, restore_best=False), blobs())
    norms = [np.linalg.norm(weights, axis=0) for weights in result.predictor.network.weights]
    assert max(norm.max() for norm in norms) == pytest.approx(0.75, rel=1e-9)
    free = fit(settings(learning_rate=1.0, restore_best=False), blobs())
    assert max(np.linalg.norm(w, axis=0).max() for w in free.predictor.network.weights) > 1.5
