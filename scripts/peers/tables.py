"""Tables of numbers: drawn ones, scikit-learn's small ones, and one as a CSV file."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .case import Case

if TYPE_CHECKING:
    import fastmlp

ROWS = 50_000
CSV_FEATURES = 28
_BLOCK = 4000  # rows of a CSV file that are different from one another


@cache
def drawn(features: int, classes: int) -> fastmlp.Dataset:
    """Return dense float32 rows of classes that overlap."""
    import fastmlp

    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, ROWS)
    centres = rng.normal(0, 1 / np.sqrt(features), (classes, features)) * 2
    X = (rng.standard_normal((ROWS, features)) + centres[y]).astype(np.float32)
    return fastmlp.Dataset(X, y, name="table")


def well_known(name: str, estimator: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised rows of a well-known table, and targets of an estimator's kind."""
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    if name == "moons":
        X, y = datasets.make_moons(1000, noise=0.2, random_state=0)
    else:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if estimator == "MLPRegressor":
        y = y.astype(float)  # the numbers of the classes, where there are classes
    elif name == "diabetes":
        y = y > np.median(y)
    return StandardScaler().fit_transform(X), y


def csv_path(folder: Path, case: Case) -> Path:
    """Return the file that a case reads."""
    return folder / f"{case.rows}.csv"


def write_csv(path: Path, rows: int) -> None:
    """Write a table of numbers with a class in its last column, and a header."""
    rng = np.random.default_rng(0)
    block = min(rows, _BLOCK)
    numbers = np.column_stack([rng.normal(size=(block, CSV_FEATURES)), np.arange(block) % 2])
    text = io.StringIO()
    np.savetxt(text, numbers, delimiter=",", fmt=["%.6f"] * CSV_FEATURES + ["%d"])
    with path.open("w", encoding="ascii") as file:
        file.write(",".join([f"x{k}" for k in range(CSV_FEATURES)] + ["class"]) + "\n")
        for _ in range(rows // block):
            file.write(text.getvalue())
