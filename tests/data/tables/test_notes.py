from __future__ import annotations

from typing import Any

import pytest

FLOWERS = "length,width,species\n5.1,3.5,setosa\n4.9,3.0,setosa\n6.7,3.1,virginica\n"


def test_inferred_settings_are_reported(notes_on: Any) -> None:
    assert notes_on(FLOWERS) == [
        "header: line 1 (--header no if it holds data)",
        "target: column 'species', the last one (--target)",
        "data: flowers.csv, 3 rows, 2 features",
        "task: classification, since target 'species' holds 2 different texts",
    ]
    assert notes_on("1;0,5\n2;0,7\n") == [
        "separator: ';' (--separator)",
        "header: none (--header yes if line 1 holds the column names)",
        "target: column 1, the last one, counting from 0 (--target)",
        "data: flowers.csv, 2 rows, 1 features",
        "decimal sign: ',' (--decimal)",
        "task: regression, since target 1 holds 2 different numbers (--task classification to take "
        "them as classes)",
    ]


def test_given_settings_are_not_reported(notes_on: Any) -> None:
    options = {
        "header": "no", "target": "1", "separator": ";", "decimal": ",", "task": "regression",
    }  # fmt: skip
    assert notes_on("1;0,5\n2;0,7\n", **options) == ["data: flowers.csv, 2 rows, 1 features"]


def test_integer_labels_are_reported_either_way(notes_on: Any) -> None:
    few = "a,y\n" + "".join(f"{i},{i % 3}\n" for i in range(30))
    assert notes_on(few)[-1] == (
        "task: classification, since target 'y' holds 3 different whole numbers (--task regression "
        "to predict numbers)"
    )
    many = "a,y\n" + "".join(f"{i},{i % 26 + 1}\n" for i in range(260))
    assert notes_on(many)[-1] == (
        "task: regression, since target 'y' holds 26 different numbers (--task classification to "
        "take them as classes)"
    )


@pytest.mark.parametrize(
    ("content", "options", "note"),
    [
        ("2019,2020,y\n1,2,a\n3,4,b\n", {}, "header: line 1, '2019', '2020', 'y' (--header no if"),
        ("# a b c\n1 2 3\n4 5 6\n", {}, "header: the comment line above the data (--header no to"),
        ("a b c\n1 2 3\n4 5 6\n", {}, "separator: spaces and tabs (--separator)"),
        ("a\tb\n1\t3\n4\t6\n", {}, "separator: tabs (--separator)"),
        ("a,b\n#\n1,3\n#\n4,6\n", {}, "comments: 2 line(s) that begin with '#' left out"),
        ("#\n#\na,b\n1,3\n4,6\n", {}, "comments: 2 line(s) that begin with '#' left out"),
        ("a,y\n1,ä\n".encode("utf-16"), {}, "encoding: utf-16, from its byte order mark"),
        (",a,y\n0,1,2\n1,3,4\n", {}, "row names: the first column, without a name, left out"),
        ("rownames,a,y\n1,1,2\n2,3,4\n", {}, "row names: the first column, 'rownames', left out"),
        ("y,a,b\n1,2,3\n4,5,6\n", {}, "target: column 'y', by its name (--target)"),
        ("a,b,c\n1,2,3\n4,5,6\n", {"drop": ("c",)}, "target: column 'b', the last one (--target)"),
        ("a,y,z\n1,0,1\n2,1,1\n", {"target": "y,z"}, "task: multilabel, since targets 'y', 'z'"),
        ("a,y,z\n1,0,7\n2,1,1\n", {"target": "y,z"}, "task: regression, since there are several"),
    ],
)
def test_notes(content: str | bytes, options: dict[str, Any], note: str, notes_on: Any) -> None:
    assert sum(line.startswith(note) for line in notes_on(content, **options)) == 1


def test_a_comment_that_holds_the_names_is_not_counted(notes_on: Any) -> None:
    assert not any(line.startswith("comments") for line in notes_on("# a b c\n1 2 3\n4 5 6\n"))


def test_header_and_target_are_reported_before_rows_are_refused(read: Any) -> None:
    said: list[str] = []
    with pytest.raises(ValueError, match="must hold a finite number"):
        read("a,y\n1,2\ninf,3\n4,5\n", notify=said.append)
    assert [line.partition(":")[0] for line in said] == ["header", "target"]
