"""Blocks of a table read by an installed library, with exactly the values of float().

A block is given to a library only if the exact reader would read it alike. If a cell is no number,
a quote is not around a whole field, or rows differ in length, the library gives up. Then the exact
reader reads the block, and reports what is wrong, if anything.

Times for 1,000,000 x 10 numbers of 18 digits in 196 MB, relative to pandas 3.1's read_csv of the
file with its defaults (0.24 s, two Zen 4 cores): load_dataset takes 3.4 with pandas, 2.6 with
polars (two threads) and 27 with csv and float() alone. pandas' parser itself takes 1.9 from blocks
in memory, of whatever size, and 1.0 only from a path. Rejected: pyarrow (1.7 times pandas' parser),
numpy.loadtxt (7.6), numpy.fromstring (8); and pandas before 3.1, which rounds correctly only with
float_precision="round_trip", slower than csv with float().
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...base.table_options import WHITESPACE
from .text import BLOCK_BYTES, count_of

# A file of less than half a block is read sooner than a library is imported. Not of a whole one:
# the first block lacks the header and the rest of its last row.
LEAST_CHARS = BLOCK_BYTES // 2
_RUNS = re.compile(r"[ \t]+")


class Request(NamedTuple):
    """How to read a block.

    Attributes
    ----------
    separator : str
        A character, or ``whitespace``.
    decimal : {".", ","}
    comment : str
        The start of comment lines; empty: there are none.
    width : int
        Number of columns.
    features, targets : tuple of int
        Indices of the columns to read.
    are_texts : tuple of bool
        Which targets are read as texts.
    gaps : tuple of str
        Texts that mean a missing number, which is NaN; empty: no number may be missing.
    """

    separator: str
    decimal: str
    comment: str
    width: int
    features: tuple[int, ...]
    targets: tuple[int, ...]
    are_texts: tuple[bool, ...]
    gaps: tuple[str, ...] = ()

    @property
    def texts(self) -> set[int]:
        """Indices of the targets that are read as texts."""
        return {i for i, is_text in zip(self.targets, self.are_texts, strict=True) if is_text}

    @property
    def numbers(self) -> set[int]:
        """Indices of the columns that are read as numbers."""
        return {*self.features, *self.targets} - self.texts


Target = np.ndarray | list[str]
Block = tuple[np.ndarray, list[Target]]
Reader = Callable[[bytes, str, Request], Sequence[Any] | None]


def read_block(block: str, request: Request, reader: Reader) -> Block | None:
    """Return features, shape (n, n_features), and targets of a block, or None to give up."""
    columns = read_columns(block, request, reader)
    if columns is None:
        return None
    X = np.empty((len(columns[request.features[0]]), len(request.features)))
    for j, i in enumerate(request.features):
        X[:, j] = columns[i]
    targets: list[Target] = [columns[i] for i in request.targets]
    return X, targets


def read_columns(block: str, request: Request, reader: Reader) -> Sequence[Any] | None:
    """Return the columns of a block that the request names, by index, or None to give up."""
    separator = request.separator
    if not _is_plain(block, request):
        return None
    if separator == WHITESPACE:
        block = _RUNS.sub(" ", block).replace(" \n", "\n").replace("\n ", "\n").lstrip(" ")
        separator = " "
    if request.decimal == ",":
        block = block.replace(",", ".")
    data = block.encode("utf-8", "surrogatepass")
    if '"' not in block:
        rows = count_of("\n", data) + (not block.endswith("\n"))
        if not separator.isascii() or count_of(separator, data) != rows * (request.width - 1):
            return None
    columns = reader(data, separator, request)
    first = (*request.features, *request.targets)[0]
    return None if columns is None or not len(columns[first]) else columns


def _is_plain(block: str, request: Request) -> bool:
    """Whether all readers interpret a block in the same way."""
    separator, texts = request.separator, request.texts
    if block.startswith("\ufeff"):  # a byte order mark within a file, which libraries skip
        return False
    # A search for one character is many times faster than one for two.
    if request.comment and request.comment[0] in block and _has_comments(block, request.comment):
        return False
    if request.decimal == "," and (separator == "," or texts or "." in block):
        return False
    # True and False are 1 and 0 as features, but no numbers as targets.
    if len(texts) < len(request.targets) and any(letter in block for letter in "tTfF"):
        return False
    if '"' in block:
        kept = {*request.features, *request.targets}
        if (
            separator == WHITESPACE
            or len(kept) < request.width
            or not _has_clean_quotes(block, separator)
        ):
            return False
    return True


def _has_comments(block: str, comment: str) -> bool:
    return block.startswith(comment) or f"\n{comment}" in block


def _has_clean_quotes(block: str, separator: str) -> bool:
    """Whether quotes only surround whole fields."""
    if block.count('"') % 2 or '""' in block:
        return False
    inside = f'[^{re.escape(separator)}\n"]'
    return re.search(f'{inside}"{inside}', block) is None


@cache
def fast_reader() -> Reader | None:
    """Return the reader of an installed library, or None."""
    # pandas first: it reads more (blanks around numbers, True and False), and starts no threads,
    # which a forked process would lose.
    for reader in READERS.values():
        if reader(b"1\n", ",", Request(",", ".", "", 1, (0,), (), ())) is not None:
            return reader
    return None


def with_pandas(data: bytes, separator: str, request: Request) -> Sequence[Any] | None:
    """Return the columns of a block, or None."""
    try:
        import pandas
    except ImportError:
        return None
    if tuple(map(int, pandas.__version__.split(".")[:2])) < (3, 1):
        return None
    numbers = request.numbers
    types = {i: np.float64 if i in numbers else object for i in range(request.width)}
    try:
        frame = pandas.read_csv(
            io.BytesIO(data), sep=separator, header=None, dtype=types,
            na_filter=bool(request.gaps), na_values=dict.fromkeys(numbers, request.gaps),
            keep_default_na=False, skipinitialspace=separator != " ", low_memory=False,
            engine="c", index_col=False,
        )  # fmt: skip
    except (ValueError, OverflowError):  # also pandas' own errors
        return None
    if frame.shape[1] != request.width:
        return None
    return [
        frame[i].to_numpy() if i in numbers else _stripped(frame[i].tolist(), i, request)
        for i in range(request.width)
    ]


def with_polars(data: bytes, separator: str, request: Request) -> Sequence[Any] | None:
    """Return the columns of a block, or None."""
    try:
        import polars
    except ImportError:
        return None
    numbers = request.numbers
    kinds = [polars.Float64 if i in numbers else polars.String for i in range(request.width)]
    try:
        frame = polars.read_csv(
            data, separator=separator, has_header=False, raise_if_empty=False,
            null_values=list(request.gaps) or None,
            schema={str(i): kind for i, kind in enumerate(kinds)},
        )  # fmt: skip
    except (polars.exceptions.PolarsError, OverflowError):
        return None
    columns = frame.get_columns()
    whole = request.texts if request.gaps else numbers | request.texts
    if request.gaps:
        columns = [c.fill_null("") if i in whole else c for i, c in enumerate(columns)]
    if len(columns) != request.width or any(columns[i].null_count() for i in whole):
        return None
    return [
        column.to_numpy() if i in numbers else _stripped(column.to_list(), i, request)
        for i, column in enumerate(columns)
    ]


def _stripped(cells: list[str], column: int, request: Request) -> list[str]:
    return [cell.strip() for cell in cells] if column in request.texts else []


READERS: dict[str, Reader] = {"pandas": with_pandas, "polars": with_polars}


def is_worth_it(n_chars: int) -> bool:
    """Whether a library is faster than the exact reader, its import included."""
    return n_chars >= LEAST_CHARS or "pandas" in sys.modules or "polars" in sys.modules
