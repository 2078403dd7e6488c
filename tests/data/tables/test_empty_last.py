"""Tables whose rows end with separators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastmlp.base.errors import DataError
from fastmlp.base.table_options import Positions, TableOptions
from fastmlp.data import Dataset, load_dataset
from fastmlp.data.tables import KnownColumns, read_rows

ROWS = [[1.0, 2.5], [3.0, 4.5], [5.0, 6.5]]
Y = ["u", "v", "u"]


def text(separator: str, n_in_names: int | None, n_in_rows: int) -> str:
    """A table with additional separators at the end of its header and of its rows."""
    lines = [] if n_in_names is None else [separator.join("aby") + separator * n_in_names]
    for row, label in zip(ROWS, Y, strict=True):
        lines.append(separator.join([*map(str, row), label]) + separator * n_in_rows)
    return "\n".join(lines) + "\n"


def load(path: Path, content: str, **options: Any) -> tuple[Dataset, list[str]]:
    path.write_text(content)
    said: list[str] = []
    return load_dataset(path, notify=said.append, **options), said


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", [(0, 1), (1, 1), (2, 2), (None, 1)])
@pytest.mark.parametrize("options", [{}, {"target": "-1"}, {"target": "2"}])
def test_separators_at_the_ends_of_rows_make_no_column(
    separator: str, ends: tuple[int | None, int], options: dict[str, Any], tmp_path: Path
) -> None:
    data, said = load(tmp_path / "t.csv", text(separator, *ends), **options)
    assert (data.X.tolist(), data.y.tolist()) == (ROWS, Y)
    assert data.feature_names == (None if ends[0] is None else ("a", "b"))
    assert data.positions == Positions((2,))
    assert sum(line.startswith(f"empty columns: {ends[1]} ") for line in said) == 1


@pytest.mark.parametrize("names", [("a", "b"), None])
@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (1, 1), (None, 1), (None, 0)])
def test_further_rows_may_end_with_separators(
    ends: tuple[int | None, int], names: tuple[str, ...] | None, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(text(",", *ends))
    said: list[str] = []
    known = KnownColumns(names, names and ("y",), 2, labels_are_texts=True)
    rows = read_rows(tmp_path / "t.csv", TableOptions(), known, said.append)
    assert rows.y is not None and (rows.X.tolist(), rows.y.tolist()) == (ROWS, Y)
    assert said == []


def test_a_column_with_a_name_or_a_value_is_none_of_them(tmp_path: Path) -> None:
    data, _ = load(tmp_path / "t.csv", "a,y,z\n1,u,\n2,v,\n")
    assert data.feature_names == ("a",)
    with pytest.raises(DataError, match="must have rows with a target, got none"):
        load(tmp_path / "t.csv", "a,y,z\n1,u,\n2,v,\n", target="z")
    with pytest.raises(DataError, match="every column must have a name"):
        load(tmp_path / "t.csv", "a,y,\n1,u,\n2,v,3\n", target="y")
    with pytest.raises(DataError, match="a single column"):
        load(tmp_path / "t.csv", "a,\n1,\n2,\n")


@pytest.mark.parametrize("names", ["a,y,\n", ""])
def test_values_below_the_first_rows_are_not_passed_over(names: str, tmp_path: Path) -> None:
    content = names + "1,2,\n" * 50 + "3,4,5\n"
    line = content.count("\n")
    with pytest.raises(DataError, match=f"column 2 .* got '5' in line {line}"):
        load(tmp_path / "t.csv", content)
