"""Reader of NPY files, whose names tell features from targets."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..base.errors import DataError
from ..base.paths import find_path
from .array_names import TRAINING, Role, arrays_by_role, role_of, split_name
from .dataset import Dataset
from .idx import unreadable
from .idx_sets import entries
from .npy_format import SUFFIX, read_array
from .npz_table import GivenRows, check_targets, dataset_of_arrays

SEPARATOR = ","


def read_npy(
    name: str, *, task: str = "auto", notify: Callable[[str], None] | None = None
) -> Dataset:
    """Read features and targets from NPY files, as ``np.save`` writes them, as a dataset.

    Parameters
    ----------
    name : str
        Two files, ``X.npy,y.npy``; or the file of features. Those of targets are then found by
        name in its folder: ``X.npy`` and ``y.npy``, ``train_images.npy`` and
        ``train_labels.npy``, ``iris_X.npy`` and ``iris_y.npy``, ``iris.npy`` and ``iris_y.npy``.
        Test and validation arrays (``X_test.npy`` and ``y_test.npy``) are read, too, if both files
        exist. The names are those of :func:`~fastmlp.data.npz_table.read_npz`.
    task, notify
        As for :func:`~fastmlp.data.npz_table.read_npz`.

    Returns
    -------
    Dataset
        Its name is the stem of the first file.

    Raises
    ------
    ConfigError
        For an unknown task.
    DataError
        If a file is missing, damaged or holds Python objects, if no file with targets is there, or
        if the arrays cannot be trained on.
    """
    files = _files(name)
    arrays = {parameter: read_npy_array(file, parameter) for parameter, file in files.items()}
    names = {parameter: file.name for parameter, file in files.items()}
    return dataset_of_arrays(files["X"], arrays, names, task, notify)


def read_npy_rows(path: Path) -> GivenRows:
    """Return rows to predict from, and their targets if a file beside them holds any.

    Parameters
    ----------
    path : Path
        The file of features; that of the targets is found as by :func:`read_npy`.

    Raises
    ------
    DataError
        As for :func:`read_npy`, except that targets may be missing.
    """
    y_path = _targets_beside(path)
    X = read_npy_array(path, "X")
    y = None if y_path is None else read_npy_array(y_path, "y")
    check_targets(path, X, y)
    return GivenRows(X, y, tuple(file.name for file in (path, y_path) if file is not None))


def read_npy_array(path: Path, name: str) -> np.ndarray:
    """Return the array in a file; ``name`` is what error messages call it.

    Raises
    ------
    DataError
        If the file is missing, damaged, or holds neither numbers nor texts.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return read_array(file, size, name, path)
    except OSError as error:
        raise unreadable(path, error) from error


def _files(name: str) -> dict[str, Path]:
    """Return the files by the parameters of a dataset."""
    path = find_path(name, "data")
    first, *others = name.split(SEPARATOR)
    if others and not path.is_file():
        if len(others) > 1:
            raise DataError(
                f"data must be one file of features and one of targets, got {len(others) + 1} in "
                f"{name!r}; write for example X.npy,y.npy"
            )
        return {"X": find_path(first.strip(), "data"), "y": find_path(others[0].strip(), "data")}
    y_path = _targets_beside(path)
    if y_path is None:
        read_npy_array(path, "X")  # a missing file is reported first
        raise DataError(
            f"{path} must come with a file of targets, got none named like it in its folder; name "
            f"both (--data {name},y.npy), or name them X.npy and y.npy"
        )
    return {"X": path, "y": y_path, **_parts_beside(path)}


def _targets_beside(path: Path) -> Path | None:
    """Return the file of targets that belongs to one of features; None if there is none."""
    prefix, role = _prefix_and_role(path)
    if role.kind == "y":
        raise DataError(
            f"{path} must hold features, got a name for targets; name the file of features, or "
            f"both (--data X.npy,{path.name})"
        )
    wanted = role._replace(kind="y").parameter
    files = _beside(path, prefix)
    targets = {rest: found for rest, (found, _) in files.items() if found.parameter == wanted}
    alike = [rest for rest, found in targets.items() if found.word == role.word]
    if not targets:
        return None
    rest = arrays_by_role(alike or targets, path.parent)[wanted]
    return files[rest][1]


def _parts_beside(path: Path) -> dict[str, Path]:
    """Return test and validation files beside training features, if both of a part exist."""
    prefix, role = _prefix_and_role(path)
    if role.part != TRAINING:
        return {}
    files = _beside(path, prefix)
    others = [rest for rest, (found, _) in files.items() if found.part != TRAINING]
    found = arrays_by_role(others, path.parent)
    return {
        parameter: files[rest][1]
        for parameter, rest in found.items()
        if {f"X{parameter[1:]}", f"y{parameter[1:]}"} <= found.keys()
    }


def _prefix_and_role(path: Path) -> tuple[str, Role]:
    """Return the prefix of the file and of those beside it, and the file's role."""
    return split_name(path.stem) or (f"{path.stem}_", Role("X", TRAINING, 0, ""))


def _beside(path: Path, prefix: str) -> dict[str, tuple[Role, Path]]:
    """Return the NPY files with a prefix and a role, by what follows the prefix."""
    found = {}
    for file in sorted(entries(path.parent)):
        if file.suffix.lower() == SUFFIX and file.stem.lower().startswith(prefix.lower()):
            rest = file.stem[len(prefix) :]
            role = role_of(rest)
            if role is not None:
                found[rest] = (role, file)
    return found
