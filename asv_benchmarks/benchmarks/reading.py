"""Reading files into datasets."""

import contextlib
import io

import numpy as np

import fastmlp

from ._cases import missing

FEATURES = 28
ROWS = 200_000
_BLOCK = 4000  # rows that are written as text once, and repeated: writing takes longer than reading


def _write(path, rows):
    """Write a table of numbers with a class in its last column, and a header."""
    rng = np.random.default_rng(0)
    block = min(rows, _BLOCK)
    numbers = np.column_stack([rng.normal(size=(block, FEATURES)), np.arange(block) % 2])
    text = io.StringIO()
    np.savetxt(text, numbers, delimiter=",", fmt=["%.6f"] * FEATURES + ["%d"])
    with open(path, "w", encoding="ascii") as file:
        file.write(",".join([f"x{k}" for k in range(FEATURES)] + ["class"]) + "\n")
        for _ in range(rows // block):
            file.write(text.getvalue())


def _load(path):
    # What is inferred from the columns is printed.
    with contextlib.redirect_stderr(io.StringIO()):
        return fastmlp.load_dataset(path)


class Csv:
    """A CSV file of 200,000 rows, 28 numbers and a class: 52 MB."""

    number = 1
    repeat = (3, 5, 10.0)
    warmup_time = 0

    def setup_cache(self):
        _write("table.csv", ROWS)
        _write("few.csv", 100)

    def setup(self):
        try:
            _load("few.csv")
        except fastmlp.FastMLPError as error:
            raise missing(str(error)) from error

    def time_load(self):
        _load("table.csv")
