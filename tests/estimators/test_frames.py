"""Frames and series of pandas, polars and pyarrow, to the estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import classes, fit_quietly, numbers

from fastmlp import MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (5,), "max_iter": 3, "batch_size": 16, "random_state": 0}
X, Y = classes()
NAMES = list("abcd")


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def frame(request: pytest.FixtureRequest) -> Any:
    """What makes a frame of a dictionary."""
    module = pytest.importorskip(request.param)
    return module.table if request.param == "pyarrow" else module.DataFrame


def columns(names: Any = NAMES) -> dict[str, Any]:
    return {name: X[:, NAMES.index(name)] for name in names}


def fitted(rows: Any, y: Any, cls: Any = MLPClassifier, **fit: Any) -> Any:
    return fit_quietly(cls(**USUAL), rows, y, **fit)


def same(one: Any, other: Any) -> bool:
    return all(map(np.array_equal, one.coefs_, other.coefs_))


def test_a_frame_gives_names_and_numbers(frame: Any) -> None:
    rows = frame(columns())
    model = fitted(rows, Y, X_val=rows, y_val=Y)
    assert list(model.feature_names_in_) == NAMES and model.n_features_in_ == 4
    plain = fitted(X, Y)
    assert same(model, plain)
    np.testing.assert_array_equal(model.predict_proba(rows), plain.predict_proba(X))
    assert model.score(rows, Y) == plain.score(X, Y) == model.validation_scores_[-1]
    fit_quietly(model, rows, Y, method="partial_fit")


def test_reordered_missing_and_other_columns_are_refused(frame: Any) -> None:
    model = fitted(frame(columns()), Y)
    for names in ("badc", "abc"):
        with pytest.raises(ValueError, match=r"feature names|features"):
            model.predict(frame(columns(names)))
    renamed = {name.upper(): values for name, values in columns().items()}
    for call in (
        lambda: model.predict_proba(frame(renamed)),
        lambda: model.partial_fit(frame(renamed), Y),
        lambda: model.set_params(warm_start=True).fit(frame(columns("badc")), Y),
        lambda: MLPClassifier(**USUAL).fit(
            frame(columns()), Y, X_val=frame(columns("badc")), y_val=Y
        ),
    ):
        with pytest.raises(ValueError, match="feature names should match"):
            call()


def test_targets_may_be_columns_and_frames(frame: Any) -> None:
    texts = np.array(["ant", "bee", "cow"])[Y]
    rows = frame(columns())
    labelled = fitted(rows, frame({"y": texts.tolist()})["y"])
    assert labelled.classes_.tolist() == ["ant", "bee", "cow"]
    assert same(labelled, fitted(X, Y))
    number = numbers()[1]
    plain = fitted(X, number, MLPRegressor)
    assert same(plain, fitted(rows, frame({"y": number})["y"], MLPRegressor))
    assert same(plain, fitted(rows, frame({"y": number}), MLPRegressor))
    several = numbers(outputs=2)[1]
    both = frame({"u": several[:, 0], "v": several[:, 1]})
    assert same(fitted(X, several, MLPRegressor), fitted(rows, both, MLPRegressor))


def test_weights_may_be_columns(frame: Any) -> None:
    weights = np.linspace(0.1, 2, len(X))
    given = frame({"weight": weights})["weight"]
    assert same(fitted(X, Y, sample_weight=weights), fitted(X, Y, sample_weight=given))


def test_columns_of_several_types_are_numbers(frame: Any) -> None:
    mixed = {"flag": (Y > 0).tolist(), "whole": Y.tolist(), "number": X[:, 0]}
    plain = np.c_[Y > 0, Y, X[:, 0]].astype(float)
    assert same(fitted(frame(mixed), Y), fitted(plain, Y))


def test_columns_without_numbers_are_named(frame: Any) -> None:
    texts = {**columns(), "city": ["Rome"] * len(X)}
    rows = frame({**texts, "city": [["Rome"]] * len(X)})
    with pytest.raises(ValueError, match="'city' of X must hold numbers, texts, dates or bool"):
        fitted(rows, Y)
    with pytest.raises(ValueError, match="X must have a column that makes a feature"):
        fitted(frame({"city": ["Rome"] * len(X)}), Y)
    model = fitted(frame(columns()), Y)
    with pytest.raises(ValueError, match=r"X must hold numbers, got columns 'd' \("):
        model.predict(frame({**columns(), "d": ["Rome"] * len(X)}))
    with pytest.raises(ValueError, match=r"X_val must hold numbers, got columns 'd' \("):
        rows = frame({**columns(), "d": ["Rome"] * len(X)})
        fitted(frame(columns()), Y, X_val=rows, y_val=Y)


@pytest.mark.parametrize("dtype", ["M8[us]", "m8[us]"])
def test_columns_of_dates_are_parts_or_durations(frame: Any, dtype: str) -> None:
    dates = Y.astype(dtype)
    model = fitted(frame({**columns(), "day": (Y * 86_400_000_000).astype(dtype)}), Y)
    assert model.n_features_in_ == 5
    assert len(model.coefs_[0]) == (6 if dtype[0] == "M" else 5)  # weekday and days
    with pytest.raises(ValueError, match="y must hold numbers, got dtype"):
        fitted(frame(columns()), frame({"day": dates})["day"], MLPRegressor)
    with pytest.raises(ValueError, match="y must hold numbers, got dtype"):
        fitted(frame(columns()), frame({"day": dates}), MLPRegressor)


def test_missing_values_are_refused_as_in_scikit_learn(frame: Any) -> None:
    rows = frame({**columns("abc"), "d": [None, *X[1:, 3].tolist()]})
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fitted(rows, Y)


def test_lazy_frames_are_refused_with_advice() -> None:
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"X must be in memory, .*; pass X.collect\(\)"):
        fitted(polars.LazyFrame(columns()), Y)
    model = fitted(polars.DataFrame(columns()), Y)
    with pytest.raises(ValueError, match=r"X must be in memory, .*; pass X.collect\(\)"):
        model.predict(polars.LazyFrame(columns()))


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_target_columns_of_held_out_rows_must_be_in_order(frame: Any, cls: Any) -> None:
    flags = {"u": (X[:, 0] > 0).astype(int), "v": (X[:, 1] > 0).astype(int)}
    y, swapped = frame(flags), frame({"v": flags["v"], "u": flags["u"]})
    with pytest.raises(ValueError, match=r"y_val must have the columns of y .* 'u', 'v', got 'v'"):
        fitted(X, y, cls, X_val=X, y_val=swapped)
    array = np.column_stack(list(flags.values()))
    one = fitted(X, y, cls, X_val=X, y_val=y)
    assert same(one, fitted(X, y, cls, X_val=X, y_val=array))
    assert same(one, fitted(X, array, cls, X_val=X, y_val=y))
