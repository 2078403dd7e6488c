"""Frames to predict from: columns are found by name, in any order, for frames of any library."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import DataError, Dataset, Predictor, TrainConfig, fit
from fastmlp.base.named_columns import match_columns
from toys import model

NAMES = ("rooms", "area", "größe m²", "4")
X = np.random.default_rng(3).normal(size=(12, 4))
MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
}
CONFIG = TrainConfig(hidden_layer_sizes=(3,), batch_size=4, epochs=1, split="none", validation=0)
each_maker = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture(scope="module")
def trained() -> Predictor:
    """A model of prices, trained on a frame."""
    frame = pd.DataFrame(dict(zip(NAMES, X.T, strict=True)))
    predictor = fit(
        CONFIG, Dataset(frame, pd.Series(X @ [1.0, 2.0, -1.0, 0.5], name="price"))
    ).predictor
    return predictor


def columns() -> dict[str, Any]:
    return dict(zip(NAMES, X.T, strict=True))


@each_maker
@given(order=st.permutations([*NAMES, "price", "Id", "note"]))
def test_columns_may_come_in_any_order_among_others(
    make: Callable[[dict[str, Any]], Any], trained: Predictor, order: list[str]
) -> None:
    others = {"price": X[:, 0], "Id": np.arange(12), "note": ["a", "b"] * 6}
    frame = make({name: {**columns(), **others}[name] for name in order})
    with pytest.warns(UserWarning) as caught:
        predicted = trained.predict(frame)
    np.testing.assert_array_equal(predicted, trained.predict(X))
    (warning,) = caught
    further = ", ".join(repr(name) for name in order if name in ("Id", "note"))
    assert str(warning.message) == f"X: left out {further}, which training did not use"
    assert warning.filename == __file__


@each_maker
def test_the_target_is_left_out_without_a_warning(
    make: Callable[[dict[str, Any]], Any], trained: Predictor
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained.predict(make({"price": ["?"] * 12, **columns()}))


@each_maker
@pytest.mark.parametrize("method", ["predict", "outputs"])
def test_a_missing_column_is_named(
    make: Callable[[dict[str, Any]], Any], trained: Predictor, method: str
) -> None:
    frame = make({"rooms": X[:, 0], "aera": X[:, 1], "größe m²": X[:, 2], "4": X[:, 3]})
    with pytest.raises(DataError, match=r"got none for 'area' .perhaps 'aera' for 'area'"):
        getattr(trained, method)(frame)


def test_arrays_and_columns_without_names_are_taken_by_position(trained: Predictor) -> None:
    expected = trained.predict(X)
    for rows in (X.tolist(), pd.DataFrame(X)):
        np.testing.assert_array_equal(trained.predict(rows), expected)
    with pytest.raises(DataError, match=r"must have shape \(n, 4\)"):
        trained.predict(pd.DataFrame(X[:, :3]))


def test_columns_counted_by_pandas_may_come_in_any_order() -> None:
    predictor = fit(CONFIG, Dataset(pd.DataFrame(X), X[:, 0])).predictor
    reordered = pd.DataFrame(X)[[2, 0, 3, 1]]
    np.testing.assert_array_equal(predictor.predict(reordered), predictor.predict(X))


def test_a_model_without_names_takes_a_frame_by_position() -> None:
    plain = model("regression", n_outputs=1)
    frame = pd.DataFrame(columns())
    np.testing.assert_array_equal(plain.predict(frame), plain.predict(X))


def test_a_repeated_name_is_refused() -> None:
    with pytest.raises(DataError, match=r"file\.csv must have each column once, got 'a' more than"):
        match_columns(["a", "b", "a"], ["a", "b"], "file.csv")


def test_many_names_are_cut_short() -> None:
    wanted = [f"x{i}" for i in range(40)]
    with pytest.raises(DataError, match=r"'x9', ... \(40 in all\) \(it has no column"):
        match_columns([], wanted, "X")


def test_a_predictor_shows_what_it_is(trained: Predictor) -> None:
    assert repr(trained) == (
        "<Predictor 4-3-1 (relu, identity); float32; regression, 1 output; "
        "features rooms, area, größe m², 4; target price>"
    )
