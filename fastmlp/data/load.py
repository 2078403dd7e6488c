"""Datasets by name, by recipe, or from a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..base.errors import ConfigError, DataError, close_match
from ..base.paths import find_path
from ..base.table_options import TableOptions
from . import digits, mnist
from .dataset import Dataset
from .files import FRAME, KINDS, TABLE, Notify, kind_of_file, read_file, with_part
from .idx_sets import MNIST
from .synthetic import SYNTHETIC
from .tables.source import STDIN

DataDir = str | os.PathLike[str] | None

_SUFFIXES = ".csv, .tsv, .parquet, .arrow, .npz or .npy"
_NO_COLUMNS: dict[str, Any] = {
    "target": "", "features": (), "drop": (), "categorical": (), "numeric": ()
}  # fmt: skip


def load_dataset(
    name: str | os.PathLike[str] = "auto",
    *,
    data_dir: DataDir = None,
    classes: Iterable[object] | None = None,
    task: str = "auto",
    test_file: str | os.PathLike[str] = "",
    validation_file: str | os.PathLike[str] = "",
    notify: Notify | None = None,
    target: str | int | Iterable[str | int] | None = None,
    **options: Any,
) -> Dataset:
    """Load a dataset by name, draw one by its recipe, or read one from a file.

    Parameters
    ----------
    name : str or path-like, default "auto"
        auto: MNIST if its files are found, else digits. mnist: found, else downloaded. Other sets
        of four such files by their names, see :class:`~fastmlp.data.idx_sets.IdxSet`. digits:
        scikit-learn's 1797 embedded images of 8 x 8. ``blobs(n=1000, classes=3, std=1.0, seed=0)``,
        ``moons(n=1000, noise=0.1, seed=0)`` and ``spirals(n=1000, noise=0.1, turns=1.5, seed=0)``,
        with any or none of these parameters: points of two features. Else a file, whose kind
        is recognised by its content: see :func:`~fastmlp.data.tables.read_csv`,
        :func:`~fastmlp.data.npz_table.read_npz` and :func:`~fastmlp.data.npy_files.read_npy`. ``-``
        is a table from standard input.
    data_dir : path-like, optional
        The folder of MNIST's files; default: ``$FASTMLP_DATA``, then the per-user cache.
    classes : iterable of labels, or comma-separated str, optional
        Keep only these classes, see :meth:`Dataset.keep_classes`.
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        The task of a file; all other data are classifications.
    test_file, validation_file : path-like, optional
        Files with the test and the validation rows, of the kind and with the columns of the file
        ``name``; an error unless ``name`` is a file.
    notify : callable taking one str, optional
        Called with a line for each note: which dataset "auto" took, that a download begins, what
        was inferred from a file. Default: print to stderr.
    target : str, int or list of these, optional
        The target columns of a table in text; an error for anything else.
    **options
        How a table in text is read, see :class:`~fastmlp.base.table_options.TableOptions`:
        ``load_dataset("prices.csv", target="price", drop=["id"], decimal=",")``.

    Returns
    -------
    Dataset

    Raises
    ------
    ConfigError
        For an unknown name, target or task, or a recipe's parameter out of its range.
    DataError
        If files are missing or damaged, or a class is unknown.
    """
    table = table_options(target=target, **options)
    parts = {"validation": os.fspath(validation_file), "test": os.fspath(test_file)}
    parts = {part: file for part, file in parts.items() if file}
    name = os.fspath(name)
    if [name, *parts.values()].count(STDIN) > 1:
        raise ConfigError(
            "data, test_file and validation_file must not all be standard input, got '-' more than "
            "once; write one of them to a file"
        )
    dataset = _load(name, data_dir, table, task, parts, notify or _print_to_stderr)
    return dataset if classes is None else dataset.keep_classes(classes)


def table_options(
    *, target: str | int | Iterable[str | int] | None = None, **options: Any
) -> TableOptions:
    """Return options from keywords; ConfigError for an unknown one, with the nearest name."""
    for name in options:
        if name not in TableOptions.names():
            raise ConfigError(f"unknown option {name!r}{close_match(name, TableOptions.names())}")
    targets = [target] if isinstance(target, (str, int)) else list(target or ())
    if len(targets) == 1:
        text = str(targets[0])
    else:  # names may hold commas
        text = ",".join(f'"{name}"' if "," in str(name) else str(name) for name in targets)
    texts = {name: _as_texts(options[name]) for name in TableOptions.lists() if name in options}
    return TableOptions(target=text, **{**options, **texts})


def _as_texts(value: object) -> tuple[str, ...]:
    if isinstance(value, (str, int)):
        return (str(value),)
    return tuple(map(str, value)) if isinstance(value, Iterable) else ()


def _load(
    name: str,
    data_dir: DataDir,
    table: TableOptions,
    task: str,
    parts: dict[str, str],
    notify: Notify,
) -> Dataset:
    if _is_file(name):
        kind = kind_of_file(name)
        if kind == FRAME:  # which needs no options but those that name columns
            given = replace(table, **_NO_COLUMNS).changed()
            _refuse_options(given, name)
        elif kind != TABLE:
            _refuse_options(table.changed(), name)
        dataset = read_file(name, kind, table, task, notify)
        for part, file in parts.items():
            dataset = with_part(dataset, part, file, kind, table, notify)
        return dataset
    _refuse_options({**table.changed(), **{f"{part}_file": f for part, f in parts.items()}}, name)
    if task not in ("auto", "classification"):
        raise ConfigError(
            f"task must be auto or classification unless the data are a file, got {task!r} with "
            f"{name!r}; leave it out"
        )
    if name in LOADERS:
        return LOADERS[name](data_dir, notify)
    if _is_recipe(name):
        return SYNTHETIC.parse(name).draw()
    if name and (found := mnist.find(data_dir, name)) is not None:
        return mnist.load_set(found)
    known = [*LOADERS, *SYNTHETIC.names(), *mnist.names_in(data_dir)]
    hint = close_match(name.partition("(")[0].strip(), known)
    raise ConfigError(f"unknown dataset {name!r}{hint} (files end in {_SUFFIXES})")


def _refuse_options(given: dict[str, Any], name: str) -> None:
    """Raise ConfigError for options of files or tables that do not apply to the data."""
    for option, value in given.items():
        what = "a file" if option.endswith("_file") else "a table in a text file, such as CSV"
        raise ConfigError(
            f"{option} must be left out unless the data are {what}, got {value!r} with {name!r}; "
            "name such a file, or leave it out"
        )


def is_known(name: str) -> bool:
    """Whether a name is that of a dataset, a recipe, or a kind of file."""
    return holds_classes(name) or Path(name).suffix.lower() in KINDS


def _is_file(name: str) -> bool:
    """Whether a name is that of a file to read.

    Raises
    ------
    DataError
        If it is the path of a folder, or of a file that is not there.
    """
    if name == STDIN or Path(name).suffix.lower() in KINDS:
        return True
    # Before files are looked for: a folder "mnist" must not hide the dataset.
    if not name or holds_classes(name):
        return False
    path = find_path(name, "data")
    if os.path.exists(path) and not os.path.isdir(path):
        return True
    if os.path.isdir(path) or path.name != name or path.suffix:
        what = "a folder" if os.path.isdir(path) else "a path that does not exist"
        raise DataError(
            f"data must be a name or a file, got {name!r}, {what}; name a file that ends in "
            f"{_SUFFIXES}, or any other (folders of MNIST's files: --data-dir)"
        )
    return False


def holds_classes(name: str) -> bool:
    """Whether a dataset is known to be a classification: any that is no file."""
    return name in LOADERS or _is_recipe(name)


def _is_recipe(name: str) -> bool:
    return name.partition("(")[0].strip().lower() in SYNTHETIC.records


def _auto(data_dir: DataDir, notify: Notify) -> Dataset:
    found = mnist.find(data_dir)
    if found is not None:
        name = "MNIST" if found.name == MNIST else found.name
        notify(f"data: {name}, found in {found.folder} (for the embedded digits: --data digits)")
        return mnist.load_set(found)
    if data_dir is not None:
        raise mnist.no_set_in(data_dir)
    notify(
        "data: the embedded digits, because MNIST's files are neither in FASTMLP_DATA nor "
        f"in {mnist.user_cache_folder() / mnist.SUBFOLDER} (to download them: --data mnist)"
    )
    return digits.load()


def _print_to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


LOADERS: dict[str, Callable[[DataDir, Notify], Dataset]] = {
    "auto": _auto,
    "mnist": lambda data_dir, notify: mnist.load(data_dir, notify=notify),
    "digits": lambda data_dir, notify: digits.load(),
}
