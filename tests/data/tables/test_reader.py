from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.base.table_options import TableOptions
from fastmlp.base.table_rows import TableRows
from fastmlp.data import Dataset
from fastmlp.data.tables import read_csv

Read = Callable[..., Dataset]
fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
FLOWERS = "length,width,species\n5.1,3.5,setosa\n4.9,3.0,setosa\n6.7,3.1,virginica\n"


def test_a_table_with_text_labels(read: Read, any_reader: str) -> None:
    data = read(FLOWERS)
    np.testing.assert_array_equal(data.X, [[5.1, 3.5], [4.9, 3.0], [6.7, 3.1]])
    assert data.X.dtype == np.float64
    assert data.X.flags.writeable
    assert data.y.tolist() == ["setosa", "setosa", "virginica"]
    assert (data.name, data.task) == ("flowers", "classification")
    assert (data.feature_names, data.target_names) == (("length", "width"), ("species",))


def test_a_table_without_a_header_by_tabs_in_utf8_with_bom(read: Read, refusal: Any) -> None:
    data = read("\ufeff1\t2\tä\n3\t4\tö\n".encode())
    assert (data.feature_names, data.X.tolist()) == (None, [[1, 2], [3, 4]])
    assert data.y.tolist() == ["ä", "ö"]
    X = read("1\t2\tä\n3\t4\tö\n", target="0").X
    assert (X.kinds, X.column(0).shown()) == (("number",), ["2", "4"])


def test_the_target_may_be_any_column(read: Read, any_reader: str) -> None:
    table = "a,b,c\n1,2,30.5\n4,5,60\n"
    for target, y, names in (("0", [1, 4], "bc"), ("b", [2, 5], "ac"), ("", [30.5, 60], "ab")):
        data = read(table, target=target)
        assert (data.task, data.y.tolist()) == ("regression", y)
        assert data.y.dtype == np.float64
        assert data.feature_names == tuple(names)
    np.testing.assert_array_equal(read(table, target="b").X, [[1, 30.5], [4, 60]])


def test_the_task_can_be_forced(read: Read, refusal: Any, any_reader: str) -> None:
    table = "a,y\n" + "1,0\n2,1\n" * 4
    assert read(table).y.dtype == np.int64
    assert read(table, task="regression").y.dtype == np.float64
    halves = read("a,y\n1,0.5\n2,1.50\n", task="classification")
    assert halves.y.tolist() == ["0.5", "1.50"]
    assert "'y' must hold a number, got 'setosa'" in refusal(
        FLOWERS.replace("species", "y"), task="regression"
    )
    with pytest.raises(ConfigError, match="task multilabel takes several target columns"):
        read(table, task="multilabel")
    with pytest.raises(ConfigError, match="did you mean 'regression'"):
        read(table, task="regresion")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("# only\n", "is empty"),
        ("a,b\n", "got only the header"),
        ("a\n1\n", "got a single column"),
        ("a,a,y\n1,2,3\n", "got 'a' more than once"),
        ("a,y\n1,2\n3\n", "got 1 in line 3"),
        ("a,y\n1,2\n3,4,5\n", "got 3 in line 3"),
        ("a,y\n1,2\n3,\0\n", "NUL"),
        (b"a,y\n1,\xff\n", "0xFF"),
        ("a,y\n,2\n\n,3\n", "must have a column that makes a feature, got none (a is constant)"),
        ("a,y\n1,?\n3,NA\n", "must have rows with a target, got none in column(s) 'y'"),
        ("a,y\n1,0.5\ninf,0.5\n", "line 3, column 'a' must hold a finite number, got 'inf'"),
        ("a,y\n1,0.5\n2,inf\n", "line 3, column 'y' must hold a finite number, got 'inf'"),
        ("a,y\n1,2\n1_0,2\n", "must have a column that makes a feature, got none (a is identi"),
        ('"a\nb",y\n"1\n",2\n"3\n",x4\nq,1\n', "got none ('a\\nb' is identifier)"),
        ("a,y\n" + '1,2\n"1,5",2\n' * 5, "use --decimal ,"),
        # Numbers in another notation are no classes.
        ("a,y\n" + '1,"1,5"\n2,"2,5"\n' * 5, "use --decimal ,"),
        ("a;y\n" + "1;1,250,000\n2;2,500,000\n" * 5, "use --thousands ,"),
        ("a;y\n" + "1;1.250,5\n2;2.500,5\n" * 5, "use --thousands . --decimal ,"),
    ],
)
def test_bad_tables_are_refused(
    content: str | bytes, words: str, refusal: Any, any_reader: str
) -> None:
    assert words in refusal(content)


def test_names_as_targets_are_refused(read: Read, refusal: Any) -> None:
    rows = "".join(f"{i},name {i}\n" for i in range(30))
    assert "got 30 different texts in 30 rows" in refusal("a,y\n" + rows)
    assert len(read("a,y\n" + rows, task="classification").y) == 30


def test_a_mistake_among_many_numeric_targets_is_named(refusal: Any, any_reader: str) -> None:
    rows = "".join(f"{i},{i / 7}\n" for i in range(30))
    assert "line 32, column 'y' must hold a number, got '4o'" in refusal(f"a,y\n{rows}5,4o\n")


def test_a_text_among_few_numbers_makes_classes(read: Read, any_reader: str) -> None:
    data = read("a,y\n" + "1,0\n2,1\n" * 40 + "3,x\n")
    assert set(data.y.tolist()) == {"0", "1", "x"}


def test_files_longer_than_the_sample_are_read_whole(tmp_path: Path, any_reader: str) -> None:
    X = np.random.default_rng(0).normal(size=(3000, 5))
    np.savetxt(tmp_path / "long.csv", X, delimiter=",")
    data = read_csv(tmp_path / "long.csv")
    np.testing.assert_array_equal(data.X, X[:, :-1])
    np.testing.assert_array_equal(data.y, X[:, -1])


@pytest.mark.parametrize("header", ["", "a b c", "# not a name"])
def test_what_numpy_writes_by_its_defaults_is_read(
    header: str, tmp_path: Path, any_reader: str
) -> None:
    X = np.random.default_rng(0).normal(size=(30, 3))
    np.savetxt(tmp_path / "t.txt", X, header=header)
    data = read_csv(tmp_path / "t.txt")
    np.testing.assert_array_equal(np.c_[data.X, data.y], X)
    assert data.feature_names == (("a", "b") if header == "a b c" else None)


def test_true_and_false_are_numbers_of_features_and_classes_of_targets(
    read: Read, any_reader: str
) -> None:
    data = read("a,b,y\nTrue,1,True\nFALSE,2,False\ntRuE,3,True\n")
    assert data.X.tolist() == [[1, 1], [0, 2], [1, 3]]
    assert data.y.tolist() == ["True", "False", "True"]
    several = read("a,y,z\n1,True,0\n2,False,1\n3,true,1\n", target="y,z")
    assert (several.task, several.y.tolist()) == ("multilabel", [[1, 0], [0, 1], [1, 1]])


def test_dummies_of_pandas_are_read(tmp_path: Path, any_reader: str) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"c": list("abca"), "x": [1.5, 2, 3, 4], "y": list("uvuv")})
    pandas.get_dummies(frame, columns=["c"]).to_csv(tmp_path / "t.csv", index=False)
    data = read_csv(tmp_path / "t.csv", TableOptions(target="y"))
    assert data.X.tolist() == [[1.5, 1, 0, 0], [2, 0, 1, 0], [3, 0, 0, 1], [4, 1, 0, 0]]


def test_several_targets(read: Read, refusal: Any, any_reader: str) -> None:
    data = read("a,y,z\n1,2,3.5\n4,5,6.5\n", target="z,y")
    assert (data.y.tolist(), data.target_names) == ([[3.5, 2], [6.5, 5]], ("z", "y"))
    words = "must hold numbers, since there are several, got 'u'"
    assert words in refusal("a,y,z\n1,u,3.5\n4,v,6.5\n", target="y,z")
    assert read("a,y,z\n1,2,\n4,3,6.5\n", target="y,z").y.tolist() == [[3, 6.5]]


def test_a_decimal_comma_may_show_late(read: Read, refusal: Any, any_reader: str) -> None:
    rows = "".join(f"{i};{i % 7};{i % 3}\n" for i in range(60))
    assert read(rows).y.dtype == np.int64
    assert read(rows + "1;2;0,5\n").y.tolist()[-2:] == [2, 0.5]
    assert read(rows + "1;2,5;1\n").X.tolist()[-1] == [1, 2.5]
    assert "must have one decimal sign, got '0,5' in line 62, column 2, and '2.5' in line 61" in (
        refusal(rows + "1;2.5;1\n1;1;0,5\n")
    )
    # A text label with a comma does not make it decimal where points are.
    assert "must have one decimal sign" in refusal("1.5;1;1,0\n2;3;0,5\n" * 30)
    assert read("1.5;1;1,0\n2;3;0,5\n" * 9, decimal=".", task="classification").y[0] == "1,0"


def test_commas_that_may_be_either_are_refused(read: Read, refusal: Any) -> None:
    rows = "1;1,250\n2;3,500\n" * 5
    message = refusal(rows)
    assert "got only values such as '1,250'; use --decimal , if that is 1.250" in message
    assert "--thousands , if it is 1250" in message
    assert read(rows, decimal=",").y[0] == 1.25
    assert read(rows, thousands=",").y.tolist()[:2] == [1250, 3500]
    assert read(rows + "1;0,125\n").y[0] == 1.25


def test_further_missing_values_are_missing(read: Read, any_reader: str) -> None:
    data = read("a,y\n1,2.5\n-999.0,4\nx,5\n3,6\n", na_values=("-999", "x"))
    np.testing.assert_array_equal(data.X.column(0).numbers(), [1, np.nan, np.nan, 3])
    assert read("a,y\n1,2.5\n2,4\n3,6\n", na_values=("4",)).y.tolist() == [2.5, 6]


def test_columns_can_be_chosen(read: Read, any_reader: str) -> None:
    content = 'id,a,b,y\n"x, y",1,2,3.5\nz,4,5,6.5\n'
    assert read(content, drop=("id",)).X.tolist() == [[1, 2], [4, 5]]
    data = read(content, features=("b",))
    assert (data.X.tolist(), data.feature_names) == ([[2], [5]], ("b",))


def test_comments_are_left_out_wherever_they_stand(read: Read, any_reader: str) -> None:
    data = read("# made,by,hand\n#\na,b,y\n# x,y,z\n1,2,3.5\n#4,5,6\n4,5,6.5\n")
    assert (data.X.tolist(), data.feature_names) == ([[1, 2], [4, 5]], ("a", "b"))
    assert read("%a b\n%%\n1 2.5\n3 4\n", comment="%").X.tolist() == [[1], [3]]


def test_a_column_that_is_called_like_a_comment(read: Read) -> None:
    data = read("#,a,y\n1,2,3.5\n2,5,6.5\n")
    assert (data.X.tolist(), data.feature_names) == ([[2], [5]], ("a",))
    assert read("#,a,y\n1,2,3.5\n2,5,6.5\n", comment="none").feature_names == ("#", "a")


def test_a_first_line_may_name_the_separator(read: Read, any_reader: str) -> None:
    for separator in ";|\t":
        data = read(f"sep={separator}\na,b{separator}y\n1{separator}2.5\n3{separator}4\n")
        assert (data.X.tolist(), data.feature_names) == ([[1], [3]], ("a,b",))


def test_rows_with_names_as_r_writes_them(read: Read, any_reader: str) -> None:
    data = read('"a" "y"\n"r 1" 1 2.5\n"r 2" 3 4\n')
    assert (data.X.tolist(), data.feature_names) == ([[1], [3]], ("a",))
    data = read('"","a","y"\n"1",1,2.5\n"2",3,4\n')
    assert (data.X.tolist(), data.feature_names) == ([[1], [3]], ("a",))


def assert_readable(data: Dataset) -> None:
    """A matrix of finite numbers, or a table of columns of known kinds."""
    assert len(data.y) == len(data.X) > 0
    if isinstance(data.X, TableRows):
        assert len(data.X.kinds) == len(data.X.columns) > 0
        assert all(len(column) == len(data.y) for column in data.X.selected())
    else:
        assert np.isfinite(data.X).all()


@fuzz
@given(
    content=st.binary(max_size=60)
    | st.text(st.sampled_from('01.-e,;| #=\t\n\r"ayNA_TrueF \ufeff'), max_size=60).map(str.encode),
    target=st.sampled_from(["", "0", "-1", "y", "a", "a,y"]),
)
def test_any_content_is_read_or_refused(content: bytes, target: str, read: Read) -> None:
    try:
        data = read(content, target=target)
    except (DataError, ConfigError) as error:
        assert "\n" not in str(error)
    else:
        assert_readable(data)


@fuzz
@given(data=st.data())
def test_mutated_tables_are_read_or_refused(data: st.DataObject, read: Read) -> None:
    mutated = bytearray(FLOWERS.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(mutated)))
        mutated[where : where + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read_back = read(bytes(mutated))
    except (DataError, ConfigError) as error:
        assert "\n" not in str(error)
    else:
        assert_readable(read_back)
