"""Estimators with a list of layers: images, weights, every way to fit, and refusals."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from problems import fit_quietly
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp import MLPClassifier, MLPRegressor, load_dataset
from fastmlp.ops.layers import Conv2d, Dense, MaxPool2d
from fastmlp.training import network_checks

DIGITS = load_dataset("digits")
X, Y = DIGITS.X[:300] / 16, DIGITS.y[:300]
LAYERS = "conv2d(4, 3), max_pool2d(2), dense(8)"
SHAPES = [(9, 4), (36, 8), (8, 10)]


def classifier(**parameters: Any) -> MLPClassifier:
    usual = {"layers": LAYERS, "input_shape": (8, 8, 1), "max_iter": 3, "random_state": 0}
    return MLPClassifier(**{**usual, **parameters})


def fitted(X: Any = X, y: Any = Y, **parameters: Any) -> Any:
    return fit_quietly(classifier(**parameters), X, y)


def same(one: Any, other: Any) -> bool:
    return all(map(np.array_equal, one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_))


# --- the network ---


def test_weights_are_those_of_the_layers_with_weights() -> None:
    model = fitted()
    assert [w.shape for w in model.coefs_] == SHAPES
    assert [b.shape for b in model.intercepts_] == [(4,), (8,), (10,)]
    assert (model.n_layers_, model.n_features_in_, model.out_activation_) == (4, 64, "softmax")
    assert model.predict_proba(X[:5]).sum(axis=1) == pytest.approx(1)
    assert set(model.predict(X)) <= set(range(10))


def test_a_convolutional_net_learns() -> None:
    model = fitted(
        layers="conv2d(8, 3), max_pool2d(2), dense(32)", max_iter=40, batch_size=20,
        learning_rate_init=0.005,
    )  # fmt: skip
    assert model.score(X, Y) > 0.98
    assert model.score(DIGITS.X[300:600] / 16, DIGITS.y[300:600]) > 0.75


@pytest.mark.parametrize(
    "layers",
    [
        ["conv2d(4, 3)", "max_pool2d(2)", "dense(8)"],
        (Conv2d(4, 3), MaxPool2d(2), Dense(8)),
        [Conv2d(4, 3, activation="relu"), "max_pool2d(2)", "dense(8, relu)"],
    ],
)
def test_texts_and_records_give_the_same_network(layers: Any) -> None:
    assert same(fitted(layers=layers), fitted())


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs", "rmsprop"])
@pytest.mark.parametrize("batch_size", [1, 32])
def test_dense_layers_give_the_bits_of_sizes(solver: str, batch_size: int) -> None:
    usual = {"solver": solver, "batch_size": batch_size, "max_iter": 2, "random_state": 0}
    sizes = fit_quietly(MLPClassifier((9, 5), activation="tanh", **usual), X[:60], Y[:60])
    listed = MLPClassifier(layers="dense(9), dense(5)", activation="tanh", **usual)
    assert same(fit_quietly(listed, X[:60], Y[:60]), sizes)


def test_dropout_layers_give_the_bits_of_dropout() -> None:
    usual = {"max_iter": 2, "random_state": 0}
    sizes = fit_quietly(MLPClassifier((9,), dropout=0.3, **usual), X, Y)
    assert same(fit_quietly(MLPClassifier(layers="dense(9), dropout(0.3)", **usual), X, Y), sizes)


def test_first_weights_are_uniform_within_the_bounds_of_their_fans() -> None:
    model = fitted(layers="conv2d(64, 3)", learning_rate_init=1e-9, max_iter=1)
    bound = np.sqrt(6 / (9 + 9 * 64))  # Keras' fans: 3 x 3 x channels, 3 x 3 x filters
    assert 0.95 * bound < np.abs(model.coefs_[0]).max() < bound * 1.001
    drawn = fitted(layers="conv2d(64, 3)", learning_rate_init=1e-9, max_iter=1,
                   weight_init="he_normal", bias_init="zeros")  # fmt: skip
    assert drawn.coefs_[0].std() == pytest.approx(np.sqrt(2 / 9), rel=0.15)
    assert np.abs(drawn.intercepts_[0]).max() < 1e-6


def test_weights_changed_by_the_user_are_used() -> None:
    model = fitted()
    model.coefs_[0] = np.zeros_like(model.coefs_[0])
    model.intercepts_[0] = np.zeros_like(model.intercepts_[0])
    assert np.ptp(model.predict_proba(X[:9]), axis=0) == pytest.approx(0)
    model.coefs_[0] = np.zeros((4, 4))
    with pytest.raises(ValueError, match="weights must have the shapes"):
        model.predict(X[:9])


# --- images ---


def test_images_of_any_rank_are_rows() -> None:
    model = fitted()
    images = X.reshape(-1, 8, 8)
    for given in (images, images[..., None], images[:, None]):
        assert same(fitted(given, input_shape=None), model)
        assert np.array_equal(model.predict_proba(given), model.predict_proba(X))


def test_channels_are_last_or_second() -> None:
    colours = np.random.default_rng(0).random((40, 6, 5, 3))
    y = np.arange(40) % 2
    model = fitted(colours, y, input_shape=None)
    assert model.coefs_[0].shape == (27, 4)
    assert same(fitted(np.moveaxis(colours, 3, 1), y, input_shape=None), model)
    many = np.random.default_rng(0).random((40, 6, 5, 17))
    assert fitted(many, y, input_shape=(6, 5, 17)).coefs_[0].shape == (153, 4)


@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_are_images(convert: Any) -> None:
    model = fitted()
    assert same(fitted(convert(X)), model)
    assert np.array_equal(model.predict(convert(X)), model.predict(X))


def test_bytes_and_float32_rows_are_images() -> None:
    as_bytes = (X * 255).astype(np.uint8)
    model = fitted(as_bytes)
    assert np.array_equal(model.predict_proba(as_bytes), model.predict_proba(as_bytes * 1.0))
    assert fitted(X.astype(np.float32)).coefs_[0].dtype == np.float32


# --- every way to fit ---


def test_lbfgs_finds_the_minimum_of_its_gradients() -> None:
    model = fitted(solver="lbfgs", max_iter=100, layers="conv2d(3, 3, activation=tanh)", alpha=0.01)
    assert model.score(X, Y) > 0.99
    assert model.loss_curve_[-1] < model.loss_curve_[0] / 10


def test_clones_and_pickles_are_the_same() -> None:
    model = fitted()
    assert model.get_params()["layers"] == LAYERS
    assert same(fit_quietly(clone(model), X, Y), model)
    records = fitted(layers=[Conv2d(4, 3), MaxPool2d(2), Dense(8)])
    assert same(fit_quietly(clone(records), X, Y), model)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_predictions_use_the_layers_of_the_fit() -> None:
    model = fitted()
    before = model.predict_proba(X)
    model.set_params(layers=None, input_shape=None)
    assert np.array_equal(model.predict_proba(X), before)


def test_warm_starts_and_parts_continue() -> None:
    warm = classifier(warm_start=True, max_iter=1)
    for _ in range(2):
        fit_quietly(warm, X, Y)
    assert len(warm.loss_curve_) == 2
    parts = classifier()
    for rows in (slice(150), slice(150, None)):
        parts.partial_fit(X[rows], Y[rows], classes=np.arange(10))
    assert parts.t_ == 300 and [w.shape for w in parts.coefs_] == SHAPES


def test_early_stopping_and_weights_of_rows_work() -> None:
    model = fitted(early_stopping=True, max_iter=4)
    assert len(model.validation_scores_) == model.n_iter_
    halves = fit_quietly(classifier(max_iter=30), X, Y, sample_weight=np.where(Y < 5, 1.0, 0.0))
    assert set(halves.predict(X)) <= set(range(5))
    validated = fit_quietly(classifier(), X[:200].reshape(-1, 8, 8), Y[:200],
                            X_val=X[200:].reshape(-1, 8, 8), y_val=Y[200:])  # fmt: skip
    assert len(validated.validation_loss_curve_) == 3


def test_a_regressor_takes_images() -> None:
    targets = np.column_stack([X.mean(axis=1), X[:, :32].mean(axis=1)])
    model = MLPRegressor(
        layers=LAYERS, input_shape=(8, 8, 1), max_iter=30, batch_size=20, random_state=0,
        learning_rate_init=0.01,
    )  # fmt: skip
    assert fit_quietly(model, X, 10 * targets).score(X, 10 * targets) > 0.8
    assert model.predict(X[:3].reshape(-1, 8, 8)).shape == (3, 2)


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [cls(layers="dense(100)")
     for cls in (MLPClassifier, MLPRegressor)]
)  # fmt: skip
def test_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


# --- refusals ---


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layers": "conv(4, 3)"}, "unknown layer 'conv'; did you mean 'conv2d'"),
        ({"layers": 3}, "The 'layers' parameter of MLPClassifier must be"),
        ({"layers": "conv2d(4, 9)"}, "kernel_size must be at most the input, 8x8"),
        ({"layers": "dense(4), conv2d(4, 3)"}, "layer 2, conv2d"),
        ({"input_shape": None}, "set input_shape"),
        ({"input_shape": (8, 8)}, "input_shape must be height, width and channels"),
        ({"input_shape": (8, 9, 1)}, "input_shape must multiply to the number of features, 64"),
        ({"layers": None}, "got (8, 8, 1) without layers"),
        ({"hidden_layer_sizes": (8,)}, "hidden_layer_sizes does not go with layers, got (8,)"),
        ({"dropout": 0.1}, "dropout does not go with layers, got 0.1"),
        ({"activation": ["relu"]}, "activation must be a str beside layers"),
        ({"layers": "dense(4), dropout(0.1)", "input_shape": None, "solver": "lbfgs"},
         "layers with dropout do not go with solver 'lbfgs'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(parameters: dict[str, Any], message: str) -> None:
    model = classifier(**parameters)
    with pytest.raises(ValueError) as caught:
        model.fit(X, Y)
    assert message in str(caught.value)
    assert not hasattr(model, "coefs_")


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"X must hold images of \(8, 8, 1\), got \(4, 16, 1\)"):
        classifier().fit(X.reshape(-1, 4, 16), Y)
    with pytest.raises(ValueError, match=r"X must hold images of \(8, 8, 1\), got \(16, 4, 1\)"):
        fitted().predict(X.reshape(-1, 16, 4))


def test_other_layers_do_not_continue() -> None:
    model = fitted(warm_start=True).set_params(layers="conv2d(5, 3)")
    with pytest.raises(ValueError, match="layers must have weights of the shapes"):
        model.fit(X, Y)
    model.set_params(layers=LAYERS, input_shape=(4, 16, 1))
    with pytest.raises(ValueError, match=r"input_shape must be \(8, 8, 1\) to train these weights"):
        model.fit(X, Y)


def test_images_without_memory_for_them_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_checks, "usable_memory", lambda: 1e6)
    with pytest.raises(ValueError, match="layers must fit into the memory"):
        classifier().fit(X, Y)
