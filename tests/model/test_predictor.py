from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import reference
from fastmlp import ConfigError, DataError, Predictor
from fastmlp.model import encoding
from fastmlp.model.evaluation import _ROWS_AT_ONCE
from fastmlp.model.network import Network
from fastmlp.model.task import Task
from fastmlp.model.workspace import BLOCK_ROWS
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.scalers import NO_SCALING, SCALERS, Scaling
from toys import model

KINDS = ("multiclass", "binary", "multilabel", "regression")
X = np.random.default_rng(2).normal(size=(20, 4))


def expected_outputs(predictor: Predictor, X: np.ndarray) -> np.ndarray:
    """The network's outputs by NumPy."""
    scaled = ((X - predictor.scaling.offset) * predictor.scaling.factor).astype(
        predictor.network.dtype
    )
    activations = [(a.name, a.kernel_parameter) for a in predictor.network.activations]
    return reference.forward(
        predictor.network.weights, predictor.network.biases, activations, scaled
    )[1][-1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_those_of_numpy(kind: str, dtype: str) -> None:
    predictor = model(kind, dtype)
    outputs = predictor.outputs(X)
    assert outputs.dtype == dtype
    tolerance = {"float32": 2e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(outputs, expected_outputs(predictor, X), atol=tolerance)


@pytest.mark.parametrize("labels", [[1, 4, 9], ["ape", "bee", "cat"]])
def test_several_classes_are_predicted_by_the_largest_output(labels: list[object]) -> None:
    predictor = model(classes=labels)
    assert predictor.classes is not None and predictor.classes.tolist() == labels
    predicted = predictor.predict(X)
    assert predicted.shape == (20,)
    assert predicted.tolist() == [labels[i] for i in predictor.outputs(X).argmax(axis=1)]
    assert len(set(predicted.tolist())) == 3


@pytest.mark.parametrize("labels", [[3, 8], ["no", "yes"], [False, True]])
def test_two_classes_are_predicted_by_the_threshold(labels: list[object]) -> None:
    outputs = model("binary").outputs(X)[:, 0]
    middle = float(np.sort(outputs)[14:16].mean())
    for threshold in (0.5, middle):
        predicted = model("binary", classes=labels, threshold=threshold).predict(X)
        assert predicted.tolist() == [labels[int(output >= threshold)] for output in outputs]
        assert len(set(predicted.tolist())) == 2


def test_an_output_at_the_threshold_is_positive() -> None:
    predictor = model("binary", "float64")
    for array in (*predictor.network.weights, *predictor.network.biases):
        array[...] = 0
    assert predictor.predict(X).tolist() == [8] * 20


@pytest.mark.parametrize(("n_outputs", "shape"), [(1, (20,)), (2, (20, 2))])
def test_numbers_are_predicted_as_they_are(n_outputs: int, shape: tuple[int, ...]) -> None:
    predictor = model("regression", n_outputs=n_outputs)
    assert predictor.classes is None
    assert predictor.predict(X).shape == shape
    np.testing.assert_array_equal(predictor.predict(X).ravel(), predictor.outputs(X).ravel())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "n_classes"), [("multiclass", 3), ("binary", 2)])
def test_probabilities_are_of_every_class_and_sum_to_1(
    kind: str, n_classes: int, dtype: str
) -> None:
    predictor = model(kind, dtype)
    probabilities = predictor.predict_proba(X)
    assert (probabilities.shape, probabilities.dtype) == ((20, n_classes), dtype)
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert predictor.classes is not None
    most_likely = predictor.classes[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(most_likely, predictor.predict(X))


def test_each_label_has_its_probability() -> None:
    predictor = model("multilabel", n_outputs=3, threshold=0.4)
    probabilities = predictor.predict_proba(X)
    np.testing.assert_array_equal(probabilities, predictor.outputs(X))
    np.testing.assert_array_equal(predictor.predict(X), probabilities >= 0.4)
    assert predictor.predict(X[:0]).shape == predictor.predict_proba(X[:0]).shape == (0, 3)


def test_scaled_targets_are_predicted_in_their_units() -> None:
    scaling = Scaling("standard", np.array([1e3, -5.0]), np.array([0.01, 2.0]))
    predictor = model("regression", "float64", target_scaling=scaling)
    np.testing.assert_allclose(
        predictor.predict(X), predictor.outputs(X) / [0.01, 2.0] + [1e3, -5.0], rtol=1e-14
    )


def test_regression_has_no_probabilities() -> None:
    with pytest.raises(DataError, match=r"predict_proba needs .*; use predict$"):
        model("regression").predict_proba(X)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (X[0], "got (4,); a single row is X.reshape(1, -1)"),
        (X[:, :3], "X must have shape (n, 4) as in training, got (20, 3)"),
        (X[None], "got (1, 20, 4)"),
        (5, "got ()"),
        ([[1, 2], [3]], "rows of different lengths; give every row the same length"),
        (X.astype(str), "X must hold numbers, got dtype <U32; convert it with X.astype(float)"),
        (X.astype(object), "got dtype object"),
        (X.astype(complex), "got dtype complex128"),
        (np.full((2, 4), np.nan), "X must be finite and in the range of float32, got NaN"),
        (np.full((2, 4), -np.inf), "X must be finite"),
        (np.full((2, 4), 1e300), "in the range of float32"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("method", ["outputs", "predict", "predict_proba"])
def test_features_that_do_not_fit_are_refused(method: str, bad: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        getattr(model(), method)(bad)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_bad_number_is_found_among_many() -> None:
    many = np.zeros((5000, 4))
    many[4321, 2] = np.nan
    with pytest.raises(DataError, match="NaN"):
        model().predict(many)


def test_float64_goes_further_than_float32() -> None:
    assert np.isfinite(model("regression", "float64").predict(np.full((2, 4), 1e300))).all()


@pytest.mark.parametrize(
    "rows",
    [
        X.round().tolist(),
        X.round().astype(np.int8),
        X.round().astype(np.float16),
        np.asfortranarray(X.round()),
        np.repeat(X.round(), 2, axis=0)[::2],
    ],
)
def test_numbers_may_come_in_any_form(rows: Any) -> None:
    expected = model().outputs(X.round())
    np.testing.assert_array_equal(model().outputs(rows), expected)


@pytest.mark.parametrize("shape", [(20, 2, 2), (20, 2, 2, 1), (20, 1, 2, 2)])
def test_images_are_taken_as_rows(shape: tuple[int, ...]) -> None:
    predictor, rows = model(), np.random.default_rng(0).normal(size=(20, 4))
    np.testing.assert_array_equal(predictor.outputs(rows.reshape(shape)), predictor.outputs(rows))


def test_truth_values_are_numbers() -> None:
    np.testing.assert_array_equal(model().outputs(X > 0), model().outputs((X > 0).astype(float)))


def test_features_are_left_as_they_were() -> None:
    rows = X.copy()
    rows.flags.writeable = False
    model().predict(rows)
    np.testing.assert_array_equal(rows, X)


@pytest.mark.parametrize(("kind", "columns"), [("multiclass", 3), ("binary", 2)])
def test_no_rows_give_no_predictions(kind: str, columns: int) -> None:
    none = np.empty((0, 4))
    assert model(kind).predict(none).shape == (0,)
    assert model(kind).predict_proba(none).shape == (0, columns)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_prediction_of_row_does_not_depend_on_other_rows(dtype: str) -> None:
    launched = _ROWS_AT_ONCE
    many = np.random.default_rng(3).normal(size=(launched + 28, 4))
    together = model("regression", dtype).outputs(many, threads=2)
    for row in (0, 5, BLOCK_ROWS - 1, BLOCK_ROWS, launched - 1, launched, launched + 27):
        alone = model("regression", dtype).outputs(many[row : row + 1], threads=1)
        np.testing.assert_array_equal(alone[0], together[row])


@pytest.mark.parametrize("rows", [1, 7, 200])
def test_threads_change_no_bit(rows: int) -> None:
    many = np.random.default_rng(3).normal(size=(rows, 4))
    alone, two, three = (model().outputs(many, threads).tobytes() for threads in (1, 2, 3))
    assert alone == two == three


@pytest.mark.parametrize(("threads", "words"), [(0, "at least 1"), (1000, "at most 4")])
def test_threads_have_bounds(threads: int, words: str) -> None:
    with pytest.raises(ConfigError, match=f"threads must be {words}"):
        model().predict(X, threads=threads)


def test_several_threads_can_predict_at_once() -> None:
    predictor = model("regression")
    parts = [np.random.default_rng(seed).normal(size=(500, 4)) for seed in range(40)]
    expected = [predictor.outputs(part, 1).tobytes() for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: predictor.outputs(part, 2).tobytes(), parts))
    assert found == expected


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "int64"])
@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
@pytest.mark.parametrize("n", [1, 5, 128, 300])
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_with_many_zeros_give_what_dense_rows_give(
    monkeypatch: pytest.MonkeyPatch, kind: str, scale: str, n: int, threads: int
) -> None:
    rng = np.random.default_rng(n)
    X = (rng.integers(1, 200, (n, 70)) * (rng.random((n, 70)) < 0.2)).astype(kind)
    network = Network.of_sizes(
        (70, 20, 3), [ACTIVATIONS.parse("tanh"), ACTIVATIONS.parse("softmax")]
    )
    network.initialize(INITIALIZERS.parse("glorot_uniform"), INITIALIZERS.parse("zeros"), 0)
    fitted = SCALERS.parse(scale).fit(rng.integers(0, 200, (50, 70)) / 9, None)
    task = Task("multiclass", 3, classes=np.arange(3))
    predictor = Predictor(network, fitted, task)
    found = predictor.outputs(X, threads)
    monkeypatch.setattr(encoding, "LISTS_DENSITY", -1.0)
    np.testing.assert_allclose(found, predictor.outputs(X, threads), rtol=0, atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_found_among_zeros(bad: float) -> None:
    X = np.zeros((200, 70))
    X[150, 3] = bad
    network = Network.of_sizes((70, 3), [ACTIVATIONS.parse("softmax")])
    predictor = Predictor(network, NO_SCALING, Task("multiclass", 3, classes=np.arange(3)))
    with pytest.raises(DataError, match="X must be finite"):
        predictor.outputs(X)


@pytest.mark.parametrize("kind", ["multiclass", "binary", "multilabel", "regression"])
def test_an_evaluation_gives_outputs_and_the_loss(kind: str) -> None:
    predictor = model(kind, "float64", threshold=0.3)
    X = np.random.default_rng(0).normal(size=(30, 4))
    outputs = predictor.outputs(X)
    y = np.roll(predictor.predict(X), 1, axis=0)
    name = {"regression": "squared_error", "multiclass": "cross_entropy"}.get(kind)
    found = predictor.evaluate(X, y, LOSSES.parse(name or "binary_cross_entropy"))
    np.testing.assert_array_equal(found.outputs, outputs)
    if kind == "regression":
        expected = np.square(outputs - y).sum(axis=1).mean() / 2
    else:
        Y = y == predictor.classes[1] if kind == "binary" else y
        Y = Y[:, None] == predictor.classes if kind == "multiclass" else Y.reshape(30, -1)
        entropies = Y * np.log(outputs)
        if kind != "multiclass":
            entropies += (1 - Y) * np.log(1 - outputs)
        expected = -entropies.sum(axis=1).mean()
        right = (predictor.predict(X) == y).reshape(30, -1).all(axis=1)
        assert found.hit_rate == pytest.approx(right.mean())
    assert found.loss == pytest.approx(expected)


# --- sparse features ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["csr_array", "csc_matrix", "coo_array"])
def test_sparse_rows_give_the_outputs_of_dense_ones(kind: str, dtype: str, form: str) -> None:
    rows = X * (X > 0.5)
    predictor, value = model(kind, dtype), getattr(scipy.sparse, form)(rows)
    outputs = predictor.outputs(value)
    assert outputs.dtype == dtype
    tolerance = {"float32": 2e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(outputs, expected_outputs(predictor, rows), atol=tolerance)
    assert predictor.predict(value).shape == predictor.predict(rows).shape
    if kind != "regression":
        np.testing.assert_allclose(
            predictor.predict_proba(value), predictor.predict_proba(rows), atol=tolerance
        )


def test_no_sparse_rows_give_no_outputs() -> None:
    assert model().outputs(scipy.sparse.csr_array((0, 4))).shape == (0, 3)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            scipy.sparse.csr_array((2, 5)),
            r"X must have shape \(n, 4\) as in training, got \(2, 5\)",
        ),
        (scipy.sparse.coo_array(X[0]), r"X must have shape \(n, 4\) as in training, got \(4,\)"),
        (scipy.sparse.csr_array(X * 1j), "X must hold numbers, got dtype complex128"),
        (scipy.sparse.csr_array([[0, np.nan, 0, 0]]), "X must be finite"),
    ],
    ids=str,
)
def test_bad_sparse_rows_are_refused(value: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        model().predict(value)
