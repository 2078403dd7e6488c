"""A table written in any dialect is read back, by defaults or with the options that it needs."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.base.table_options import TableOptions
from fastmlp.data import load_dataset
from fastmlp.data.tables import KnownColumns, read_rows

fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NAMES = ("one", "größe", "the third", "2020")


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("t.csv", content)
    return file.getvalue()


COMPRESSIONS: list[Callable[[bytes], bytes]] = [
    bytes, gzip.compress, lzma.compress, bz2.compress, zipped,
]  # fmt: skip


class Written(NamedTuple):
    """How a table is written, and the options that reading it back needs."""

    separator: str
    decimal: str
    thousands: str
    encoding: str
    end: str
    compress: Callable[[bytes], bytes]
    quoting: int
    header: bool
    named_separator: bool
    comments: bool
    blanks: bool
    label: bool

    @property
    def options(self) -> dict[str, Any]:
        """What the file does not show by itself."""
        options: dict[str, Any] = {"header": "yes" if self.header else "no"}
        if self.thousands:
            options |= {"thousands": self.thousands, "decimal": self.decimal}
        if self.separator == "," and self.decimal == ",":
            options["decimal"] = ","
        if self.encoding == "latin-1":
            options["encoding"] = "latin-1"
        return options

    def number(self, value: float) -> str:
        text = f"{value:{',' if self.thousands else ''}.17g}"
        return text.translate({ord(","): self.thousands, ord("."): self.decimal})

    def content(self, names: list[str], rows: list[list[str]]) -> bytes:
        text = io.StringIO()
        lines = [names, *rows] if self.header else rows
        writer = csv.writer(
            text, delimiter=self.separator, quoting=self.quoting, lineterminator="\n"
        )
        for fields in lines:
            if self.comments:
                text.write("# no, row; of\tthe | table\n")
            if self.blanks:
                text.write("\n")
            writer.writerow(fields)
        whole = f"sep={self.separator}\n" * self.named_separator + text.getvalue()
        return self.compress(whole.replace("\n", self.end).encode(self.encoding))


writings = st.builds(
    Written,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", "", "'", " "]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    compress=st.sampled_from(COMPRESSIONS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    header=st.booleans(),
    named_separator=st.booleans(),
    comments=st.booleans(),
    blanks=st.booleans(),
    label=st.booleans(),
)
# A fraction each, so that a decimal comma shows in every column.
numbers = st.integers(-(10**9), 10**9).map(lambda n: n + 0.5) | st.floats(-1e12, 1e12).map(
    lambda x: x if x != round(x) else x + 0.25
)
tables = st.lists(st.tuples(numbers, numbers, numbers), min_size=2, max_size=5)


@fuzz
@given(written=writings, table=tables)
def test_written_tables_are_read_back(
    written: Written, table: list[tuple[float, ...]], tmp_path: Path, any_reader: str
) -> None:
    labels = [("ja", "nein")[i % 2] for i in range(len(table))]
    rows = [
        [written.number(value) for value in row[:2]]
        + [label if written.label else written.number(row[2])]
        for row, label in zip(table, labels, strict=True)
    ]
    (tmp_path / "t.csv").write_bytes(written.content(list(NAMES[:3]), rows))
    data = load_dataset(
        tmp_path / "t.csv",
        task="auto" if written.label else "regression",
        notify=lambda message: None,
        **written.options,
    )
    np.testing.assert_array_equal(data.X, [row[:2] for row in table])
    assert data.y.tolist() == (labels if written.label else [row[2] for row in table])
    assert data.feature_names == (NAMES[:2] if written.header else None)


@fuzz
@given(
    written=writings,
    table=tables,
    order=st.permutations(range(5)),
    has_target=st.booleans(),
)
def test_columns_are_found_in_any_order(
    written: Written,
    table: list[tuple[float, ...]],
    order: list[int],
    has_target: bool,
    tmp_path: Path,
    any_reader: str,
) -> None:
    written = written._replace(header=True, label=False)
    names = [*NAMES, "note"]  # two features, the target, a further number, a further text
    columns = [column for column in order if has_target or column != 2]
    cells = [[*(written.number(value) for value in (*row, 7.5)), "some text"] for row in table]
    rows = [[row[column] for column in columns] for row in cells]
    (tmp_path / "t.csv").write_bytes(written.content([names[i] for i in columns], rows))
    known = KnownColumns(NAMES[:2], (NAMES[2],), 2, is_regression=True)
    said: list[str] = []
    found = read_rows(tmp_path / "t.csv", TableOptions(**written.options), known, said.append)
    np.testing.assert_array_equal(found.X, [row[:2] for row in table])
    if has_target:
        np.testing.assert_array_equal(found.y, [row[2] for row in table])
    else:
        assert found.y is None
    assert set(found.left_out) == {"2020", "note"}
    assert len(said) == 1


@pytest.mark.parametrize("separator", ["  ", " \t", "\t "])
def test_columns_of_even_width_are_read_back(
    separator: str, tmp_path: Path, any_reader: str
) -> None:
    X = np.random.default_rng(0).normal(size=(50, 3))
    lines = [separator.join(f"{value:>24.17g}" for value in row) for row in X]
    (tmp_path / "t.txt").write_text("\n".join(lines) + "\n")
    data = load_dataset(tmp_path / "t.txt", notify=lambda message: None)
    np.testing.assert_array_equal(np.c_[data.X, data.y], X)
