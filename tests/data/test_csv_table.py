from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.data import Dataset
from fastmlp.data.csv_table import read_csv

fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
finite = st.floats(allow_nan=False, allow_infinity=False)
FLOWERS = "length,width,species\n5.1,3.5,setosa\n4.9,3.0,setosa\n6.7,3.1,virginica\n"


def read(tmp_path: Path, content: str | bytes, **options: Any) -> Dataset:
    path = tmp_path / "flowers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_csv(path, **options)


def refusal(tmp_path: Path, content: str | bytes, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, **options)
    message = str(caught.value)
    assert "flowers.csv" in message
    assert "\n" not in message
    return message


def test_a_table_with_text_labels(tmp_path: Path) -> None:
    data = read(tmp_path, FLOWERS)
    np.testing.assert_array_equal(data.X, [[5.1, 3.5], [4.9, 3.0], [6.7, 3.1]])
    assert data.X.dtype == np.float64
    assert data.X.flags.writeable
    assert data.y.tolist() == ["setosa", "setosa", "virginica"]
    assert (data.name, data.task) == ("flowers", "classification")
    assert data.feature_names == ("length", "width")


def test_a_table_without_a_header_by_tabs_in_utf8_with_bom(tmp_path: Path) -> None:
    data = read(tmp_path, "\ufeff1\t2\tä\n3\t4\tö\n".encode())
    assert (data.feature_names, data.X.tolist()) == (None, [[1, 2], [3, 4]])
    assert data.y.tolist() == ["ä", "ö"]
    assert "column(s) 2, as in line 1: 'ä'" in refusal(tmp_path, "1\t2\tä\n3\t4\tö\n", target=0)


def test_the_target_may_stand_anywhere(tmp_path: Path) -> None:
    table = "a,b,c\n1,2,30.5\n4,5,60\n"
    for target, y, names in ((0, [1, 4], "bc"), ("b", [2, 5], "ac"), (None, [30.5, 60], "ab")):
        data = read(tmp_path, table, target=target)
        assert (data.task, data.y.tolist()) == ("regression", y)
        assert data.y.dtype == np.float64
        assert data.feature_names == tuple(names)
    np.testing.assert_array_equal(read(tmp_path, table, target="b").X, [[1, 30.5], [4, 60]])


def test_the_task_can_be_forced(tmp_path: Path) -> None:
    table = "a,y\n" + "1,0\n2,1\n" * 4
    assert read(tmp_path, table).y.dtype == np.int64
    assert read(tmp_path, table, task="regression").y.dtype == np.float64
    halves = read(tmp_path, "a,y\n1,0.5\n2,1.50\n", task="classification")
    assert halves.y.tolist() == ["0.5", "1.50"]
    assert "'y' must hold a number, got 'setosa'" in refusal(
        tmp_path, FLOWERS.replace("species", "y"), task="regression"
    )
    with pytest.raises(ConfigError, match="for a CSV file, got 'multilabel'"):
        read(tmp_path, table, task="multilabel")
    with pytest.raises(ConfigError, match="did you mean 'regression'"):
        read(tmp_path, table, task="regresion")


def test_how_it_was_understood_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    read(tmp_path, FLOWERS, notify=said.append)
    read(tmp_path, "1,0.5\n2,0.7\n", notify=said.append)
    assert said == [
        "data: flowers.csv, 3 rows, with a header; target: column 'species', classification "
        "(2 classes)",
        "data: flowers.csv, 2 rows, without a header; target: column 1 of 0 to 1, regression",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n", "got only the header"),
        ("a\n1\n", "got a single column"),
        ("a,a,y\n1,2,3\n", "got 'a' more than once"),
        ("a,y\n1,2\n3\n", "got 1 in line 3"),
        ("a,y\n1,2\n3,\0\n", "NUL"),
        (b"a,y\n1,\xff\n", "0xFF"),
        ("a,y\n1,2\n\n,3\n", "line 4, column 'a' must hold a value, got ''"),
        ("a,y\n1,2\n3,NA\n", "line 3, column 'y' must hold a value, got 'NA'"),
        ("a,y\n1,2\nnan,3\n", "line 3, column 'a' must hold a value, got 'nan'"),
        ("a,y\n1,0.5\ninf,0.5\n", "line 3, column 'a' must hold a finite number, got 'inf'"),
        ("a,y\n1,0.5\n2,inf\n", "line 3, column 'y' must hold a finite number, got 'inf'"),
        ("a,y\n1,2\n1_0,2\n", "line 3, column 'a' must hold a number, got '1_0'"),
        ("a,y\nred,2\nblue,2\n", "pandas.get_dummies(frame, columns=['a'])"),
        ("a;y\n1,5;2\n", "write points instead of commas"),
        ('"a\nb",y\n"1\n",2\n"3\n",x4\nq,1\n', "line 7, column 'a\\nb' must hold a number"),
    ],
)
def test_bad_tables_are_refused(content: str | bytes, words: str, tmp_path: Path) -> None:
    assert words in refusal(tmp_path, content)


def test_names_as_targets_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{i},name {i}\n" for i in range(30))
    assert "got 30 different texts in 30 rows" in refusal(tmp_path, "a,y\n" + rows)
    assert len(read(tmp_path, "a,y\n" + rows, task="classification").y) == 30


def test_a_mistake_among_many_numeric_targets_is_named(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i / 7}\n" for i in range(30))
    assert "line 32, column 'y' must hold a number, got '4o'" in refusal(
        tmp_path, f"a,y\n{rows}5,4o\n"
    )


def test_files_longer_than_the_sample_are_read_whole(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(3000, 5))
    np.savetxt(tmp_path / "long.csv", X, delimiter=",")
    data = read_csv(tmp_path / "long.csv")
    np.testing.assert_array_equal(data.X, X[:, :-1])
    np.testing.assert_array_equal(data.y, X[:, -1])


@fuzz
@given(
    rows=st.lists(st.tuples(finite, finite, finite), min_size=2, max_size=6),
    separator=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.booleans(),
    bom=st.booleans(),
    target=st.integers(-3, 2),
)
def test_what_is_written_is_read_back(
    rows: list[tuple[float, ...]],
    separator: str,
    end: str,
    header: bool,
    bom: bool,
    target: int,
    tmp_path: Path,
) -> None:
    lines = [separator.join(map(repr, row)) for row in rows]
    names = [separator.join(("one", '"two;2"', "y"))] if header else []
    content = ("\ufeff" if bom else "") + end.join(names + lines)
    data = read(tmp_path, content, target=target, task="regression")
    np.testing.assert_array_equal(data.y, [row[target] for row in rows])
    np.testing.assert_array_equal(data.X, np.delete(np.array(rows), target, axis=1))
    assert (data.feature_names is not None) == header


@fuzz
@given(
    content=st.binary(max_size=60)
    | st.text(st.sampled_from('01.-e,;\t\n\r"ayNA_ \ufeff'), max_size=60).map(str.encode),
    target=st.sampled_from([None, 0, -1, "y", "a"]),
)
def test_any_content_is_read_or_refused(
    content: bytes, target: str | int | None, tmp_path: Path
) -> None:
    try:
        data = read(tmp_path, content, target=target)
    except (DataError, ConfigError) as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(data.X).all()
        assert len(data.y) == len(data.X) > 0


@fuzz
@given(data=st.data())
def test_mutated_tables_are_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    mutated = bytearray(FLOWERS.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(mutated)))
        mutated[where : where + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read_back = read(tmp_path, bytes(mutated))
    except (DataError, ConfigError) as error:
        assert "\n" not in str(error)
    else:
        assert all(math.isfinite(value) for value in read_back.X.flat)
