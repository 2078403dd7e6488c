"""Encodings of tables against scikit-learn's transformers."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from fastmlp.base.dates import find_format, parts_of, seconds_of
from fastmlp.base.levels import canonical
from fastmlp.base.table_rows import Column, Numbers, TableRows, Texts, Times, stacked
from fastmlp.ops.kinds import KINDS
from fastmlp.ops.scalers import SCALERS
from fastmlp.ops.table_encoding import TableEncoding

FLOAT = np.dtype(float)


def texts(values: Any) -> Texts:
    levels = sorted({value for value in values if value is not None})
    codes = [-1 if value is None else levels.index(value) for value in values]
    return Texts(np.array(codes, np.int32), tuple(levels))


def table(*columns: tuple[str, Column]) -> TableRows:
    return TableRows(tuple(c for _, c in columns), tuple(kind for kind, _ in columns))


def encoded(rows: TableRows, scale: str = "none", least: int = 5, other: Any = None) -> np.ndarray:
    encoding = TableEncoding.fit(rows, SCALERS.parse(scale), least)
    others = rows if other is None else other
    X = encoding.dense(others, FLOAT)
    np.testing.assert_array_equal(encoding.sparse(others, FLOAT).toarray(), X)
    assert X.shape == (len(others), encoding.n_features)
    assert len(encoding.feature_names()) == encoding.n_features
    return X


levels = st.sampled_from(["a", "b", "c", "d", "long level", "é", None])
columns = st.lists(levels, min_size=1, max_size=40)


@settings(deadline=None)
@given(values=columns, later=columns, least=st.integers(1, 4))
def test_categories_equal_one_hot_encoder(values: Any, later: Any, least: int) -> None:
    oracle = OneHotEncoder(
        min_frequency=least if least > 1 else None, sparse_output=False,
        handle_unknown="infrequent_if_exist",
    )  # fmt: skip
    expected = oracle.fit_transform(np.array(values, object)[:, None])
    found = encoded(table(("category", texts(values))), least=least)
    if expected.shape[1] > 2:
        np.testing.assert_array_equal(found, expected)
        after = table(("category", texts(later)))
        found = encoded(table(("category", texts(values))), least=least, other=after)
        wanted = oracle.transform(np.array(later, object)[:, None])
        np.testing.assert_array_equal(found, wanted)
    else:  # one column for two, none for one
        np.testing.assert_array_equal(found, expected[:, 1:])


@settings(deadline=None)
@given(
    values=hnp.arrays(float, st.integers(1, 30), elements=st.floats(-1e6, 1e6) | st.just(np.nan)),
    scale=st.sampled_from(["none", "standard", "minmax"]),
)
def test_numbers_equal_imputer_and_scaler(values: np.ndarray, scale: str) -> None:
    if np.isnan(values).all():
        return
    scaler = {"none": "passthrough", "standard": StandardScaler(), "minmax": MinMaxScaler()}[scale]
    oracle = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), scaler)
    if scale != "none":  # indicators are not scaled
        oracle = make_pipeline(
            oracle[0], ColumnTransformer([("x", scaler, [0])], remainder="passthrough")
        )
    found = encoded(table(("number", Numbers(values))), scale)
    expected = oracle.fit_transform(values[:, None])
    if np.ptp(values[~np.isnan(values)]) == 0 and scale != "none":
        expected[:, 0] = 0  # a constant has no information
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)


def test_a_whole_table_equals_column_transformer() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    n = 500
    x = np.where(rng.random(n) < 0.1, np.nan, rng.normal(10, 3, n))
    c = rng.choice(
        np.array([*"abcdefgh", None], object), n, p=[0.4, 0.2, 0.2, 0.1, *[0.004] * 4, 0.084]
    )
    b = rng.choice(["no", "yes"], n)
    rows = table(("number", Numbers(x)), ("category", texts(c)), ("category", texts(b)))
    oracle = ColumnTransformer([
        ("x", make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True),
            ColumnTransformer([("s", StandardScaler(), [0])], remainder="passthrough"),
        ), ["x"]),
        ("c", OneHotEncoder(
            min_frequency=5, handle_unknown="infrequent_if_exist", drop="if_binary"
        ), ["c", "b"]),
    ])  # fmt: skip
    frame = pandas.DataFrame({"x": x, "c": pandas.Series(c, dtype=object), "b": b})
    expected = oracle.fit_transform(frame)
    np.testing.assert_allclose(encoded(rows, "standard"), expected, atol=1e-12)


def test_values_in_other_rows_that_training_did_not_have() -> None:
    training = table(
        ("number", Numbers(np.array([1.0, 2, 6]))), ("category", texts(["u", "v", "w"])),
        ("boolean", Numbers(np.array([True, True, False]))),
        ("date", Times(np.array([0, 86400.0, 2 * 86400]))),
    )  # fmt: skip
    other = table(
        ("number", Numbers(np.array([np.nan]))), ("category", texts(["new"])),
        ("boolean", Numbers(np.array([np.nan]))), ("date", Times(np.array([np.nan]))),
    )  # fmt: skip
    X = encoded(training, least=1, other=other)
    # Numbers first: the number and the day of the week, or days since the first, of the date.
    assert X.tolist() == [[2, 4, 1, 0, 0, 0, 1]]
    encoding = TableEncoding.fit(training, SCALERS.parse("none"), 1)
    assert encoding.new_gaps(other).keys() == {"0", "2", "3"}
    # With rare levels in training, new ones are rare, too.
    rare = table(("category", texts(["u"] * 5 + ["v"] * 5 + ["w"])))
    new = table(("category", texts(["new", None, "w", "u"])))
    assert encoded(rare, least=5, other=new).tolist() == [[0, 0, 1]] * 3 + [[1, 0, 0]]


def test_scale_standard_global_is_one_for_all_numbers() -> None:
    a, b = np.array([1.0, 2, 3]), np.array([10.0, 20, 60])
    rows = table(("number", Numbers(a)), ("number", Numbers(b)))
    X = np.c_[a, b]
    np.testing.assert_allclose(encoded(rows, "standard_global"), (X - X.mean()) / X.std())


def test_equal_values_are_one_level() -> None:
    assert [canonical(text) for text in ("3", "3.0", " 3 ", "+3", "03", "3e0", "TRUE", "-0.0")] == [
        "3", "3", "3", "3", "03", "3e0", "True", "0",
    ]  # fmt: skip
    fitted = KINDS.parse("category").fit(texts(["3"] * 5 + ["3.0", "4"]), 1)
    assert getattr(fitted, "levels", ()) == ("3", "4")
    numbers = Numbers(np.array([3.0, 4, np.nan, 2.5])).texts()
    assert numbers.levels == ("2.5", "3", "4") and numbers.codes.tolist() == [1, 2, -1, 0]
    assert Numbers(np.array([0.1], np.float32)).texts().levels == ("0.1",)


def test_parts_of_dates_that_vary_become_features() -> None:
    days = texts(["2020-02-28", "2020-02-29", "2021-03-01", None])
    rows = table(("date", KINDS.parse("date").own(days)))
    encoding = TableEncoding.fit(rows, SCALERS.parse("none"), 5)
    assert encoding.feature_names() == [
        "0=year", "0=month", "0=weekday", "0=days", "0=missing",
    ]  # fmt: skip
    assert encoding.dense(rows, FLOAT).tolist() == [
        [2020, 2, 4, 0, 0], [2020, 2, 5, 1, 0], [2021, 3, 0, 367, 0], [2020, 2, 4, 1, 1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "format"),
    [
        (["2020-01-02", "2020-12-31"], "iso"),
        (["2020-01-02 03:04", "2020-01-02T03:04:05.5Z"], "iso"),
        (["31/12/2020", "01/02/2020"], "%d/%m/%Y"),
        (["1/2/2020", "12/31/2020"], "%m/%d/%Y"),
        (["31.12.2020 23:59"], "%d.%m.%Y %H:%M"),
        (["20201231", "20200101"], "%Y%m%d"),
        (["Jan 3, 2020"], "%b %d, %Y"),
        (["23:59", "00:01"], "%H:%M"),
        (["2020-02-30"], None), (["a1", "b2"], None), (["red"], None), ([], None),
        (["1", "2"], None), (["12345678"], None),
    ],
)  # fmt: skip
def test_formats_of_dates(values: list[str], format: str | None) -> None:
    assert find_format(values) == format


@given(st.datetimes(min_value=datetime.datetime(1, 1, 2)))
def test_parts_of_times_are_those_of_the_calendar(time: Any) -> None:
    found = parts_of(seconds_of([time.isoformat(" ")[:19]], "iso"))
    parts = (time.year, time.month, time.weekday(), time.hour)
    assert tuple(int(part[0]) for part in found) == parts


def test_stacked_rows_share_levels() -> None:
    one = TableRows((texts(["a", "b"]), Numbers(np.array([1.0, 2]))), ("category", "number"))
    two = TableRows((texts(["c", None, "b"]), Numbers(np.array([3.0, 4, 5]))), one.kinds)
    both = stacked([one[np.array([1, 0])], two])
    assert both.column(0).shown() == ["b", "a", "c", "", "b"]
    assert both.column(1).numbers().tolist() == [2, 1, 3, 4, 5]
    assert both[both.column(0).missing()].column(1).numbers().tolist() == [4]
