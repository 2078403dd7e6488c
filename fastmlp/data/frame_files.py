"""Tables in Parquet and Arrow files, read by pyarrow or polars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import target_as_plain
from ..base.errors import DataError
from ..base.frame_columns import category_columns, frame_column, frame_rows
from ..base.frames import frame_columns_at
from ..base.named_columns import further_columns, further_note
from ..base.paths import as_text, find_path
from ..base.table_options import TableOptions
from ..base.table_rows import Column, Numbers, Texts
from .dataset import Dataset
from .table_columns import Chosen, table_features
from .tables.known import KnownColumns, by_name
from .tables.layout import TableColumns, default_target, target_list
from .tables.reader import Rows
from .tables.targets import kind_of_numbers, several_targets, target_values

MAGICS = (b"PAR1", b"ARROW1")
Notify = Callable[[str], None]


class Targets(NamedTuple):
    """Targets of the rows that have them, their task, and which rows these are."""

    y: np.ndarray
    task: str
    are_given: np.ndarray


def read_frame_file(name: str, table: TableOptions, task: str, notify: Notify | None) -> Dataset:
    """Read a Parquet or Arrow file as a dataset; errors as for :func:`read_csv`."""
    say = notify or (lambda note: None)
    path = find_path(name, "data")
    frame = _frame(path)
    columns = _columns(frame, path)
    targets = columns.indices(target_list(table.target, columns.names), "target")
    features = sorted(columns.indices(table.features, "features"))
    dropped = columns.indices(table.drop, "drop")
    if not targets:
        left = [i for i in range(columns.width) if i not in (*features, *dropped)]
        targets = [default_target(columns, left)]
    kept = [i for i in features or range(columns.width) if i not in (*targets, *dropped)]
    names = tuple(columns.names or ())
    found = _targets(frame, targets, columns, task)
    frame = frame_columns_at(frame, kept)
    n = len(found.are_given)
    if not found.are_given.all():
        frame = frame.filter(found.are_given.tolist())
    chosen = Chosen((), (), table.categorical, table.numeric)
    given = table_features(frame, chosen, as_text(path))
    dataset = Dataset(
        given.X, found.y, name=as_text(path.stem), task=found.task, feature_names=given.names,
        target_names=tuple(names[i] for i in targets), column_facts=given.facts,
    )  # fmt: skip
    say(f"data: {path.name}, {len(found.y)} rows, {dataset.n_features} features")
    if len(found.y) < n:
        say(f"rows without a target: {n - len(found.y):,} of {n:,}, left out of training")
    for note in given.warnings:
        say(note)
    return dataset


def read_frame_rows(
    path: Path,
    table: TableOptions,
    known: KnownColumns,
    notify: Notify | None = None,
    keep: Iterable[str] = (),
) -> Rows:
    """Read rows whose columns are known; parameters and errors as for :func:`read_rows`."""
    frame = _frame(path)
    columns = _columns(frame, path)
    if known.feature_names is None:
        features: tuple[int, ...] = tuple(range(columns.width))
        targets: tuple[int, ...] = ()
        left_out: tuple[str, ...] = ()
        if columns.width != known.n_features:
            raise DataError(
                f"{columns.source} must have {known.n_features} columns, as in training, got "
                f"{columns.width}; select the columns of training"
            )
    else:
        layout, left_out = by_name(table, columns, known)
        features, targets = layout.features, layout.targets
    kept = columns.indices(keep, "keep")
    names = columns.names or ()
    if targets:
        task = "regression" if known.is_regression else "classification"
        task = "multilabel" if len(targets) > 1 and not known.is_regression else task
        found = _targets(frame, targets, columns, "texts" if known.labels_are_texts else task)
    left_out = tuple(further_columns(names, {*features, *targets, *kept})) if left_out else ()
    if notify is not None and left_out:
        notify(further_note(left_out, columns.source))
    shown = {names[i]: _column(frame, i).shown() for i in kept}
    rows = frame_rows(frame_columns_at(frame, features), columns.source)
    if not targets or not found.are_given.any():
        return Rows(rows, None, left_out, None, shown)
    some = None if found.are_given.all() else found.are_given
    return Rows(rows, found.y, left_out, some, shown)


def _frame(path: Path) -> Any:
    """Return a file as a narwhals frame."""
    import narwhals.stable.v2 as nw

    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == MAGICS[0]
        native = _with_pyarrow(path, is_parquet) or _with_polars(path, is_parquet)
    except (OSError, ValueError, RuntimeError) as error:  # also pyarrow's own
        raise DataError(
            f"{as_text(path)} cannot be read: {' '.join(str(error).split())[:200]}; check its name "
            "and folder, or write it again"
        ) from error
    if native is None:
        raise DataError(
            f"{as_text(path)} is a Parquet or Arrow file, which needs pyarrow or polars; install "
            "fastmlp[tables], or write it as CSV"
        )
    return nw.from_native(native, eager_only=True)


def _with_pyarrow(path: Path, is_parquet: bool) -> Any:
    try:
        import pyarrow
    except ImportError:
        return None
    if is_parquet:
        from pyarrow import parquet

        return parquet.read_table(path)
    with pyarrow.memory_map(str(path)) as file:
        return pyarrow.ipc.open_file(file).read_all()


def _with_polars(path: Path, is_parquet: bool) -> Any:
    try:
        import polars
    except ImportError:
        return None
    try:
        return polars.read_parquet(path) if is_parquet else polars.read_ipc(path)
    except polars.exceptions.PolarsError as error:
        raise ValueError(str(error)) from error


def _columns(frame: Any, path: Path) -> TableColumns:
    names = tuple(map(str, frame.columns))
    return TableColumns(names, len(names), as_text(path), len(names))


def _column(frame: Any, index: int) -> Column:
    return frame_column(frame.get_column(frame.columns[index]), "data")


def _targets(frame: Any, targets: Sequence[int], columns: TableColumns, task: str) -> Targets:
    """Return the targets, by the rules for tables in text."""
    read = [_column(frame, i) for i in targets]
    missing = np.zeros(len(frame), bool)
    for column in read:
        missing |= column.missing()
    label = ", ".join(repr((columns.names or ())[i]) for i in targets)
    named = f"{columns.source}: target column(s) {label}"
    if missing.all():
        return Targets(np.empty(0), task, ~missing)
    if len(read) > 1:
        arrays = [column.numbers()[~missing].astype(float) for column in read]
        if any(np.isnan(array).any() for array in arrays):
            raise DataError(
                f"{named} must hold numbers, since there are several, got texts; train a model for "
                "each"
            )
        return Targets(*several_targets(arrays, task, named), ~missing)
    (column,) = read
    is_category = bool(category_columns(frame_columns_at(frame, targets)))
    if isinstance(column, Numbers) and column.values.dtype != bool and not is_category:
        values = column.values[~missing].astype(float)
        kind = kind_of_numbers(values, task)
        if kind.task == "regression" or task != "texts":
            y = values if kind.task == "regression" else target_values(values, kind, named)
            return Targets(y, kind.task, ~missing)
    texts = column if isinstance(column, Texts) else column.texts()
    labels = np.array(texts.take(~missing).shown())
    if task == "regression":
        numbers = target_as_plain(column.numbers()[~missing], named)
        if np.isnan(numbers).any():
            raise DataError(f"{named} must hold numbers for a regression, got {labels[0]!r}")
        return Targets(numbers, task, ~missing)
    return Targets(labels, "classification", ~missing)
