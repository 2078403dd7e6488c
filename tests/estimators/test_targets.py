"""What targets may be: labels, numbers and their shapes, at the first call and at later ones."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from problems import classes, fit_quietly, labels, numbers
from scipy import sparse

import fastmlp
from fastmlp import DataError, MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (5,), "max_iter": 3, "batch_size": 16, "random_state": 0}
X, SETS = labels()
CLASSES = classes()[1]
ONE, TWO, THREE = numbers()[1], numbers(outputs=2)[1], numbers(outputs=3)[1]


def same(one: Any, other: Any) -> bool:
    return all(map(np.array_equal, one.coefs_, other.coefs_))


def classifier(y: Any, method: str = "fit", **fit: Any) -> MLPClassifier:
    model = MLPClassifier(**USUAL)
    if method == "partial_fit":
        fit["classes"] = [0, 1, 2]
    return fit_quietly(model, X, y, method=method, **fit)


# --- several labels per row ---

COUNTED_AS_SET = {
    "0 and 2": SETS * 2,
    "0 and 255": (SETS * 255).astype(np.uint8),
    "0 and -1": -SETS,
    "bool": SETS.astype(bool),
    "float": SETS.astype(float),
    "0.0 and 255.0": SETS * 255.0,
    "float32": (SETS * 2).astype(np.float32),
    "list": SETS.tolist(),
    "sparse": sparse.csr_array(SETS * 3),
    "sparse bytes": sparse.coo_matrix((SETS * 200).astype(np.uint8)),
}


@pytest.mark.parametrize("form", COUNTED_AS_SET)
@pytest.mark.parametrize(
    ("method", "solver"), [("fit", "adam"), ("partial_fit", "adam"), ("fit", "lbfgs")]
)
def test_labels_are_set_or_not_whatever_the_number(form: str, method: str, solver: str) -> None:
    models = []
    for y in (SETS, COUNTED_AS_SET[form]):
        model = MLPClassifier(**USUAL, solver=solver)
        given = {"classes": [0, 1, 2]} if method == "partial_fit" else {"X_val": X, "y_val": y}
        models.append(fit_quietly(model, X, y, method=method, **given))
    assert same(*models)
    assert models[0].loss_curve_ == models[1].loss_curve_
    assert models[0].validation_loss_curve_ == models[1].validation_loss_curve_
    found = models[1].predict(X)
    assert set(np.unique(found.toarray() if sparse.issparse(found) else found)) <= {0, 1}


def test_labels_of_later_calls_are_set_or_not_too() -> None:
    for method in ("fit", "partial_fit"):
        plain, other = (classifier(SETS, method).set_params(warm_start=True) for _ in range(2))
        fit_quietly(plain, X, SETS, method=method)
        fit_quietly(other, X, SETS * 255, method=method)
        assert same(plain, other)


@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (-1.0, 1.0)])
def test_labels_without_a_zero_are_refused(values: tuple[float, float]) -> None:
    y = np.where(SETS, values[1], values[0])
    with pytest.raises(
        ValueError, match=r"y must hold 0 and one other .*pass for example \(y > 0\)"
    ):
        classifier(y)
    with pytest.raises(ValueError, match="y must hold 0 and one other value"):
        classifier(y, "partial_fit")
    with pytest.raises(ValueError, match="y_val must hold 0 and one other value"):
        classifier(SETS, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="y must hold 0 and one other value"):
        fit_quietly(classifier(SETS).set_params(warm_start=True), X, y)


@pytest.mark.parametrize("values", [(0, 2), (-1, 1), (0, 255), (0, 1, 2)])
def test_fastmlps_own_datasets_refuse_labels_other_than_0_and_1(values: tuple[int, ...]) -> None:
    y = np.array(values)[np.arange(3 * len(X)).reshape(-1, 3) % len(values)]
    with pytest.raises(DataError, match="must hold"):
        fastmlp.Dataset(X, y, task="multilabel")
    with pytest.raises(DataError, match="one label per row"):
        fastmlp.Dataset(X, y)


# --- the shape of later targets ---

FORMS = {
    "classes": CLASSES,
    "two classes": CLASSES % 2,
    "one-hot": np.eye(3, dtype=int)[CLASSES],
    "two labels": SETS[:, :2],
    "three labels": SETS,
    "sparse labels": sparse.csr_array(SETS),
}
KIND = {"one-hot": "three labels", "sparse labels": "three labels", "two classes": "classes"}
REFUSAL = "multilabel input|mismatch with the labels|same classes|warm_start can only"


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("later", FORMS)
@pytest.mark.parametrize("door", ["partial_fit", "warm_start", "y_val"])
def test_classifiers_refuse_targets_of_another_form(first: str, later: str, door: str) -> None:
    n_classes = 2 if first.startswith("two") else 3

    def tried() -> None:
        model = MLPClassifier(**USUAL, warm_start=door == "warm_start")
        if door == "y_val":
            fit_quietly(model, X, FORMS[first], X_val=X, y_val=FORMS[later])
        elif door == "partial_fit":
            names = range(n_classes)
            fit_quietly(model, X, FORMS[first], method="partial_fit", classes=names)
            fit_quietly(model, X, FORMS[later], method="partial_fit")
        else:
            fit_quietly(fit_quietly(model, X, FORMS[first]), X, FORMS[later])

    alike = KIND.get(first, first) == KIND.get(later, later)
    fewer_fit = (first, later) == ("classes", "two classes") and door != "warm_start"
    if first == later or fewer_fit or (alike and KIND.get(first, first) == "three labels"):
        tried()
        return
    message = REFUSAL
    if (first, later) == ("two classes", "classes"):
        message = "classes not in|warm_start can only|labels known from training"
    with pytest.raises(ValueError, match=message):
        tried()


@pytest.mark.parametrize("first", [ONE, ONE[:, None], TWO, THREE], ids=["1-D", "(n, 1)", "2", "3"])
@pytest.mark.parametrize("later", [ONE, ONE[:, None], TWO, THREE], ids=["1-D", "(n, 1)", "2", "3"])
@pytest.mark.parametrize("door", ["partial_fit", "warm_start", "y_val"])
def test_regressors_refuse_another_number_of_outputs(
    first: np.ndarray, later: np.ndarray, door: str
) -> None:
    X, _ = numbers()

    def tried() -> None:
        model = MLPRegressor(**USUAL, warm_start=door == "warm_start")
        if door == "y_val":
            fit_quietly(model, X, first, X_val=X, y_val=later)
            return
        method = "fit" if door == "warm_start" else door
        fit_quietly(fit_quietly(model, X, first, method=method), X, later, method=method)

    if first.size == later.size:
        tried()
        return
    name = "y_val" if door == "y_val" else "y"
    with pytest.raises(ValueError, match=rf"{name} must have \d output\(s\) per row"):
        tried()


# --- numbers that are none ---

DATES = np.datetime64("2024-01-01") + CLASSES
NO_NUMBERS = {
    "datetime64": (DATES, r"datetime64\[D\]"),
    "timedelta64": (CLASSES.astype("m8[s]"), r"timedelta64\[s\]"),
    "complex": (CLASSES + 1j, "complex128"),
    "text": (CLASSES.astype(str), "<U"),
    "bytes": (CLASSES.astype("S"), r"\|S"),
    "texts as objects": (CLASSES.astype(str).astype(object), "object with .*str"),
    "bytes as objects": (CLASSES.astype("S").astype(object), "object with .*bytes"),
    "dates as objects": (DATES.astype(object), "object with .*date"),
    "numpy's dates as objects": (np.array([*DATES, None], object)[:-1], "datetime64"),
    "a list of texts": (CLASSES.astype(str).tolist(), "<U"),
    "a list of dates": ([datetime.date(2024, 1, 1)] * len(X), "date"),
    "structures": (np.zeros(len(X), [("a", int)]), "'a'"),
    "two columns of text": (np.c_[CLASSES, CLASSES].astype(str), "<U"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("door", ["y", "y_val", "partial_fit", "warm_start"])
def test_regressors_take_only_numbers_and_name_the_dtype(kind: str, door: str) -> None:
    y, dtype = NO_NUMBERS[kind]
    model = MLPRegressor(**USUAL, warm_start=True)
    name = "y_val" if door == "y_val" else "y"
    with pytest.raises(ValueError, match=f"{name} must hold numbers, got dtype .*{dtype}"):
        if door == "y":
            model.fit(X, y)
        elif door == "y_val":
            model.fit(X, CLASSES, X_val=X, y_val=y)
        elif door == "warm_start":
            fit_quietly(model, X, CLASSES).fit(X, y)
        else:
            model.partial_fit(X, y)


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray, np.ndarray.tolist, lambda y: y.astype(object), lambda y: y.astype(np.uint8),
        lambda y: y.astype(np.float32), lambda y: sparse.csr_array(y[:, None]),
        lambda y: [Decimal(int(number)) for number in y],
        lambda y: np.array([Fraction(int(number)) for number in y]),
    ],
    ids=["array", "list", "objects", "bytes", "float32", "sparse", "decimals", "fractions"],
)  # fmt: skip
def test_numbers_of_any_type_are_targets(convert: Any) -> None:
    plain, other = (
        fit_quietly(MLPRegressor(**USUAL), X, y) for y in (CLASSES.astype(float), convert(CLASSES))
    )
    assert same(plain, other)


def test_truths_are_numbers() -> None:
    y = CLASSES > 0
    assert same(*(fit_quietly(MLPRegressor(**USUAL), X, t) for t in (y, y.astype(float))))


@pytest.mark.parametrize("missing", [None, np.nan, float("inf")])
def test_missing_numbers_are_refused(missing: Any) -> None:
    y = ONE.astype(object)
    y[3] = missing
    for targets in (y, y.tolist(), y.astype(float)):
        with pytest.raises(ValueError, match=r"Input y contains (NaN|infinity)"):
            MLPRegressor(**USUAL).fit(X, targets)


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[s]"])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_dates_are_no_features(dtype: str, cls: Any) -> None:
    dates = np.arange(4 * len(X)).reshape(-1, 4).astype(dtype)
    with pytest.raises(ValueError, match=r"X must hold numbers, got dtype .*64"):
        cls(**USUAL).fit(dates, CLASSES)
    with pytest.raises(ValueError, match=r"X must hold numbers, got dtype .*64"):
        fit_quietly(cls(**USUAL), X, CLASSES).predict(dates)
    with pytest.raises(ValueError, match=r"X_val must hold numbers, got dtype .*64"):
        cls(**USUAL).fit(X, CLASSES, X_val=dates, y_val=CLASSES)


# --- labels of rows for validation ---


@pytest.mark.parametrize(
    ("y", "y_val", "shown"),
    [
        (CLASSES, CLASSES + 1, "0, 1, 2.*got 3"),
        (CLASSES % 2, CLASSES, "0, 1.*got 2"),
        (np.array(list("abc"))[CLASSES], np.array(list("abz"))[CLASSES], "a, b, c.*got 'z'"),
        (np.array(list("abc"), object)[CLASSES], np.array(list("abz"), object)[CLASSES], "got 'z'"),
        (CLASSES, np.array(list("abc"), object)[CLASSES], "0, 1, 2.*got 'a'"),
        (np.array(list("abc"))[CLASSES], CLASSES, "a, b, c.*got 0"),
        (CLASSES % 2 > 0, CLASSES, "False, True.*got 2"),
    ],
)
def test_unknown_labels_for_validation_are_named(y: Any, y_val: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=rf"y_val must hold the labels known .*{shown}"):
        MLPClassifier(**USUAL).fit(X, y, X_val=X, y_val=y_val)


def test_labels_for_validation_may_have_another_dtype() -> None:
    texts = np.array(["a", "bb", "ccc"])[CLASSES]
    for y, y_val in (
        (texts, texts.astype(object)), (texts.astype(object), texts), (CLASSES, CLASSES * 1.0),
        (CLASSES, CLASSES.astype(np.uint8)), (texts, texts.tolist()), (texts, texts.astype("<U9")),
    ):  # fmt: skip
        model = classifier(y, X_val=X, y_val=y_val)
        assert model.validation_scores_[-1] == model.score(X, y)
        fit_quietly(model, X, y_val, method="partial_fit")


def test_fewer_classes_may_be_validated() -> None:
    few = CLASSES < 2
    model = classifier(CLASSES, X_val=X[few], y_val=CLASSES[few])
    assert model.validation_scores_[-1] == model.score(X[few], CLASSES[few])


# --- one class ---


def test_only_class_has_its_own_column() -> None:
    model = classifier(np.full(len(X), "only"))
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((len(X), 1)))
    assert set(model.predict(X)) == {"only"} and model.score(X, np.full(len(X), "only")) == 1
    again = fit_quietly(MLPClassifier(**USUAL), X, CLASSES * 0, method="partial_fit", classes=[0])
    assert again.predict_proba(X).shape == (len(X), 1)


# --- masked arrays ---


@pytest.mark.parametrize("name", ["X", "y", "sample_weight", "X_val", "y_val"])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_masked_values_are_refused(name: str, cls: Any) -> None:
    arrays = {"X": X, "y": CLASSES, "sample_weight": CLASSES + 1.0, "X_val": X, "y_val": CLASSES}
    mask = np.zeros(arrays[name].shape, bool)
    mask.flat[0] = True
    arrays[name] = np.ma.array(arrays[name], mask=mask)
    with pytest.raises(ValueError, match=rf"{name} must have no masked values, got 1; .*filled"):
        cls(**USUAL).fit(**arrays)
    if name == "X":
        model = fit_quietly(cls(**USUAL), X, CLASSES)
        with pytest.raises(ValueError, match="X must have no masked values"):
            model.predict(arrays["X"])
    arrays[name] = np.ma.array(arrays[name].data, mask=False)
    fit_quietly(cls(**USUAL), **arrays)


def test_masked_weights_are_refused_by_fastmlps_own_fit() -> None:
    data, weights = fastmlp.Dataset(X, CLASSES), np.ma.masked_equal(CLASSES + 1.0, 1.0)
    with pytest.raises(DataError, match="sample_weight must have no masked values, got 20"):
        fastmlp.fit(fastmlp.TrainConfig(epochs=1, batch_size=16), data, sample_weight=weights)


# --- beyond the range of the network ---


@pytest.mark.parametrize("door", ["fit", "y_val", "partial_fit", "fastmlp.fit", "X"])
def test_overflow_of_float32_is_distinguished_from_divergence(door: str) -> None:
    narrow, large = X.astype(np.float32), ONE * 1e39
    model = MLPRegressor(**USUAL)
    config = fastmlp.TrainConfig(epochs=1, batch_size=16, scale="none", target_scale="none")
    with pytest.raises(ValueError, match=r"exceed float32.*; use dtype float64 .*scale"):
        if door == "fit":
            model.fit(narrow, large)
        elif door == "y_val":
            model.fit(narrow, ONE, X_val=narrow, y_val=large)
        elif door == "partial_fit":
            fit_quietly(model, narrow, ONE, method="partial_fit").partial_fit(narrow, large)
        elif door == "fastmlp.fit":
            fastmlp.fit(config, fastmlp.Dataset(X, large))
        else:
            fastmlp.fit(config, fastmlp.Dataset(X * 1e39, ONE))


def test_float64_takes_what_exceeds_float32() -> None:
    assert np.isfinite(fit_quietly(MLPRegressor(**USUAL), X, ONE * 1e39).loss_)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_dates_beside_numbers_are_no_targets(frame: Any) -> None:
    dates = np.datetime64("2024-01-01", "ms") + np.arange(len(X))
    y = frame({"price": ONE, "sold": dates})
    with pytest.raises(DataError, match=r"y must hold columns of one kind, got 'price' \(float"):
        MLPRegressor(**USUAL).fit(X, y)


def test_integers_beyond_float64_are_named() -> None:
    y = np.array([10**400] * len(X), dtype=object)
    with pytest.raises(DataError, match="y must hold numbers in the range of float64, got larger"):
        MLPRegressor(**USUAL).fit(X, y)


def test_texts_of_any_dtype_are_no_targets_of_a_regression() -> None:
    for dtype in (np.dtypes.StringDType(), "U", "S"):
        with pytest.raises(DataError, match=r"y must hold numbers, got .*; convert numbers with"):
            MLPRegressor(**USUAL).fit(X, ONE.astype(str).astype(dtype))
