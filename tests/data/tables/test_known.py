from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastmlp.base.errors import ConfigError, DataError
from fastmlp.base.table_options import Positions, TableOptions
from fastmlp.data.tables import KnownColumns, Rows, read_rows

NAMED = KnownColumns(("length", "width"), ("species",), 2)
UNNAMED = KnownColumns(None, None, 2)
PRICES = KnownColumns(("rooms", "area"), ("price",), 2, is_regression=True)


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    """A function that stores a content and returns rows of known columns and the notes."""

    def store_and_read(content: str, known: KnownColumns, **options: Any) -> tuple[Rows, list[str]]:
        (tmp_path / "new.csv").write_text(content)
        said: list[str] = []
        return read_rows(tmp_path / "new.csv", TableOptions(**options), known, said.append), said

    return store_and_read


@pytest.fixture
def refusal(rows: Any) -> Any:
    """The function that returns the message with which a content is refused."""

    def message_of(content: str, known: KnownColumns, **options: Any) -> str:
        with pytest.raises((DataError, ConfigError)) as caught:
            rows(content, known, **options)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return message_of


@pytest.mark.parametrize(
    "content",
    [
        "length,width\n1,2\n3,4\n",
        "width,length\n2,1\n4,3\n",
        '"width"," length "\n2,1\n4,3\n',
        "\ufeffwidth\tlength\n2\t1\n4\t3\n",
        "# width length\n2 1\n4 3\n",
        "1,2\n3,4\n",  # by position
    ],
)
def test_features_are_found_by_name_in_any_order(content: str, rows: Any) -> None:
    found, said = rows(content, NAMED)
    assert (found.X.tolist(), found.y, found.left_out, said) == ([[1, 2], [3, 4]], None, (), [])


@pytest.mark.parametrize(
    "content",
    [
        "length,width,species\n1,2,a\n3,4,b\n",
        "species,width,length\na,2,1\nb,4,3\n",
        "1,2,a\n3,4,b\n",
    ],
)
@pytest.mark.parametrize("target", ["", "species"])
def test_the_target_is_found_by_name(content: str, target: str, rows: Any) -> None:
    options = {"target": target} if "species" in content else {}
    found, said = rows(content, NAMED, **options)
    assert (found.X.tolist(), found.y.tolist(), said) == ([[1, 2], [3, 4]], ["a", "b"], [])


def test_the_target_of_training_need_not_be_there(rows: Any) -> None:
    found, _ = rows("width,length\n2,1\n", NAMED, target="species")
    assert (found.X.tolist(), found.y) == ([[1, 2]], None)
    # An index of training is none of this table, where columns are found by name.
    found, _ = rows("price,area,rooms,age\n9,2,1,7\n", PRICES, target="0")
    assert (found.X.tolist(), found.y.tolist()) == ([[1, 2]], [9])


def test_another_target_can_be_named(rows: Any, refusal: Any) -> None:
    found, _ = rows("width,length,kind\n2,1,b\n", NAMED, target="kind")
    assert found.y.tolist() == ["b"]
    assert "target must be a column of" in refusal("width,length\n2,1\n", NAMED, target="kind")
    assert "must name 1 column(s)" in refusal("width,length,a,b\n2,1,1,1\n", NAMED, target="a,b")


def test_further_columns_are_left_out_and_named_once(rows: Any) -> None:
    found, said = rows("Id,width,note,length\n7,2,x,1\n8,4,,3\n", NAMED)
    assert (found.X.tolist(), found.left_out) == ([[1, 2], [3, 4]], ("Id", "note"))
    assert len(said) == 1 and said[0].endswith("left out 'Id', 'note', which training did not use")


def test_row_names_are_further_columns(rows: Any) -> None:
    found, said = rows("length width\nr1 1 2\nr2 3 4\n", NAMED)
    assert (found.X.tolist(), len(said)) == ([[1, 2], [3, 4]], 1)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("length,breadth", "got none for 'width' (it has 'length', 'breadth')"),
        ("length,Width", "got none for 'width' (perhaps 'Width' for 'width')"),
        ("lengths,width", "got none for 'length' (perhaps 'lengths' for 'length')"),
    ],
)
def test_a_missing_feature_is_named(header: str, words: str, refusal: Any) -> None:
    assert words in refusal(f"{header}\n1,2\n", NAMED)


def test_names_that_recur_are_refused(refusal: Any) -> None:
    assert "got 'width' more than once" in refusal("length,width,width\n1,2,3\n", NAMED)


def test_a_single_row_of_names_has_no_rows(refusal: Any) -> None:
    assert "got only the header" in refusal("length,width\n", NAMED)


@pytest.mark.parametrize("content", ["1,2\n3,4\n", "a,b\n1,2\n3,4\n"])
def test_a_model_without_names_goes_by_position(content: str, rows: Any) -> None:
    found, said = rows(content, UNNAMED)
    assert (found.X.tolist(), found.y, said) == ([[1, 2], [3, 4]], None, [])


@pytest.mark.parametrize(
    ("content", "target", "X"),
    [
        ("1,2,7\n3,4,8\n", "", [[1, 2], [3, 4]]),
        ("7,1,2\n8,3,4\n", "0", [[1, 2], [3, 4]]),
        ("7,1,2\n8,3,4\n", "-3", [[1, 2], [3, 4]]),
        ("a,b,c\n1,2,7\n3,4,8\n", "", [[1, 2], [3, 4]]),
        ("label,b,c\n7,1,2\n8,3,4\n", "", [[1, 2], [3, 4]]),
        ("z,b,c\n7,1,2\n8,3,4\n", "z", [[1, 2], [3, 4]]),
    ],
)
def test_one_column_more_is_the_target(
    content: str, target: str, X: list[list[int]], rows: Any
) -> None:
    found, _ = rows(content, UNNAMED, target=target)
    assert (found.X.tolist(), found.y.tolist()) == (X, [7, 8])


def test_the_number_of_columns_must_be_right(refusal: Any) -> None:
    for content in ("1\n2\n", "1,2,3,4\n5,6,7,8\n"):
        assert "must have 2 columns of features, as in training" in refusal(content, UNNAMED)
        assert "features ('length', 'width')" in refusal(content, NAMED).replace(
            "(length, width)", "('length', 'width')"
        )


def test_options_choose_columns_by_index(rows: Any, refusal: Any) -> None:
    content = "9,1,2,7\n9,3,4,8\n"
    for options in ({"drop": ("0",)}, {"features": ("1", "2")}):
        found, _ = rows(content, UNNAMED, **options)
        assert (found.X.tolist(), found.y.tolist()) == ([[1, 2], [3, 4]], [7, 8])
    assert "must have 2 columns" in refusal(content, UNNAMED, features=("0", "1", "2"))
    assert "features must hold" in refusal("1,2\n3,4\n", UNNAMED, drop=("0",))


@pytest.mark.parametrize("known", [NAMED, UNNAMED])
@pytest.mark.parametrize(
    ("content", "y"),
    [
        ("9,7,1,2,5\n9,8,3,4,5\n", [7, 8]),  # all columns of training
        ("7,1,2\n8,3,4\n", [7, 8]),  # those that were not left out
        ("1,2\n3,4\n", None),
    ],
)
def test_columns_without_names_are_where_they_were_in_training(
    content: str, y: list[int] | None, known: KnownColumns, rows: Any
) -> None:
    known = known._replace(positions=Positions(targets=(1,), left_out=(0, 4)))
    found, said = rows(content, known)
    found_y = None if found.y is None else found.y.tolist()
    assert (found.X.tolist(), found_y, said) == ([[1, 2], [3, 4]], y, [])


@pytest.mark.parametrize("content", ["9,7,1,2\n9,8,3,4\n", "7,1,2,5,9,9\n8,3,4,5,9,9\n"])
def test_another_number_of_columns_without_names_is_refused(content: str, refusal: Any) -> None:
    known = NAMED._replace(positions=Positions(targets=(1,), left_out=(0, 4)))
    assert "must have 2 columns of features (length, width)" in refusal(content, known)


def test_positions_of_training_do_not_count_where_names_are_numbers(rows: Any) -> None:
    known = KnownColumns(("0", "1"), ("2",), 2, positions=Positions(targets=(0,)))
    found, _ = rows("2,0,1\n7,1,2\n8,3,4\n", known)
    assert (found.X.tolist(), found.y.tolist()) == ([[1, 2], [3, 4]], [7, 8])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": ("length",)}, "features must be those of the model, 'length', 'width'"),
        ({"features": ("length", "note")}, "got 'length', 'note'"),
        ({"drop": ("width",)}, "drop must leave the features of the model, got 'width'"),
        ({"target": "width"}, "target must be no feature of the model, got 'width'"),
    ],
)
def test_options_that_contradict_the_model_are_refused(
    options: dict[str, Any], words: str, refusal: Any
) -> None:
    assert words in refusal("length,width,note,species\n1,2,5,a\n", NAMED, **options)


def test_a_dropped_column_is_neither_target_nor_mentioned(rows: Any) -> None:
    content = "length,note,width,species\n1,5,2,a\n3,5,4,b\n"
    found, said = rows(content, NAMED, drop=("note",), features=("width", "length"))
    assert (found.X.tolist(), found.y.tolist(), said) == ([[1, 2], [3, 4]], ["a", "b"], [])
    assert rows(content, NAMED, drop=("species", "note"))[0].y is None


def test_several_targets_are_found_or_not(rows: Any) -> None:
    known = KnownColumns(("a",), ("y1", "y2"), 1, 2, is_regression=True)
    found, _ = rows("y2,a,y1\n5,1,4\n7,2,6\n", known)
    assert (found.X.tolist(), found.y.tolist()) == ([[1], [2]], [[4, 5], [6, 7]])
    found, said = rows("a,y1\n1,4\n2,6\n", known)
    assert found.y is None and "y1" in said[0]
    found, _ = rows("1,4,5\n2,6,7\n", known)
    assert found.y.tolist() == [[4, 5], [6, 7]]
    labels = KnownColumns(("a",), ("u", "v"), 1, 2)
    found, _ = rows("u,v,a\n1,0,1\n0,1,2\n", labels)
    assert found.y.tolist() == [[1, 0], [0, 1]]


def test_the_kind_of_targets_is_known(rows: Any, refusal: Any) -> None:
    content = "rooms,area,price\n1,2,3\n1,2,3\n"
    assert rows(content, PRICES)[0].y.dtype.kind == "f"
    labels = KnownColumns(("rooms", "area"), ("price",), 2)
    assert rows(content, labels)[0].y.dtype.kind == "i"
    texts = labels._replace(labels_are_texts=True)
    assert rows(content.replace("3", "03"), texts)[0].y.tolist() == ["03", "03"]
    assert "column 'price' must hold a number, got 'x'" in refusal(
        content.replace("3", "x"), PRICES
    )


def test_numbers_are_names_where_the_model_knows_them(rows: Any) -> None:
    known = KnownColumns(("2020", "7"), None, 2)
    found, _ = rows("7,2020\n2,1\n4,3\n", known)
    assert found.X.tolist() == [[1, 2], [3, 4]]
