"""Notes on what was inferred about a table, a line each, with the option that changes it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...base.settings import AUTO
from ...base.table_options import WHITESPACE, TableOptions
from ...base.wording import quoted
from .head import Head
from .layout import TARGET_NAMES, TableColumns, TableLayout
from .reading import Reading
from .targets import TargetKind

_REMEDIES = {
    TargetKind.NUMBERS: " (--task classification to take them as classes)",
    TargetKind.WHOLE_LABELS: " (--task regression to predict numbers)",
    TargetKind.TEXT_LABELS: "",
}
_SEPARATORS = {"\t": "tabs", " ": "spaces", WHITESPACE: "spaces and tabs"}


def notes_on_text(
    head: Head, options: TableOptions, columns: TableColumns, layout: TableLayout
) -> Iterator[str]:
    """Yield what was inferred from the first rows: encoding, separator, header, columns.

    Parameters
    ----------
    head : Head
    options : TableOptions
        Options that were given were not inferred.
    columns : TableColumns
    layout : TableLayout
    """
    dialect = head.dialect
    if options.encoding == AUTO and not head.encoding.startswith("utf-8"):
        yield f"encoding: {head.encoding}, from its byte order mark (--encoding)"
    if options.separator == AUTO and dialect.separator != ",":
        shown = _SEPARATORS.get(dialect.separator, repr(dialect.separator))
        yield f"separator: {shown} (--separator)"
    if columns.is_named_by_comment:
        yield "header: the comment line above the data (--header no to leave it out)"
    elif options.header == AUTO:
        line, fields = head.records[0]
        if columns.names is None:
            yield f"header: none (--header yes if line {line} holds the column names)"
        else:
            # Names that are numbers are shown, since they may be data.
            numbers = any(map(dialect.cells.is_number, fields))
            shown = f", {quoted([cell.strip() for cell in fields])}" if numbers else ""
            yield f"header: line {line}{shown} (--header no if it holds data)"
    if layout.row_names:
        name = repr(columns.names[0]) if columns.names and columns.names[0] else "without a name"
        yield f"row names: the first column, {name}, left out (--features to keep it)"
    if n_empty := columns.n_fields - columns.width:
        yield f"empty columns: {n_empty} without a name at the end of each row, left out"
    if not options.target:
        (target,) = layout.targets
        name = "" if columns.names is None else columns.names[target].lower()
        why = "by its name" if name in TARGET_NAMES else "the last one"
        unnamed = ", counting from 0" if columns.names is None else ""
        yield f"target: column {layout.column(target)}, {why}{unnamed} (--target)"


def notes_on_values(reading: Reading, options: TableOptions, found_task: str) -> Iterator[str]:
    """Yield what was inferred from all rows: decimal sign, number of comments, and task.

    Parameters
    ----------
    reading : Reading
    options : TableOptions
        Options that were given were not inferred.
    found_task : str
        As inferred.
    """
    dialect = reading.head.dialect
    if options.decimal == AUTO and dialect.cells.decimal == ",":
        yield "decimal sign: ',' (--decimal)"
    n_comments = reading.n_comments - reading.columns.is_named_by_comment
    if n_comments and options.comment == AUTO:
        yield (
            f"comments: {n_comments} line(s) that begin with {dialect.comment!r} left out "
            "(--comment none to read them)"
        )
    if reading.task == AUTO:
        yield f"task: {found_task}, since {_why_task(reading, found_task)}"


def _why_task(reading: Reading, found_task: str) -> str:
    layout, kind = reading.layout, reading.kinds[0]
    shown = ", ".join(map(layout.column, layout.targets))
    if found_task == "multilabel":
        return f"targets {shown} hold only 0 and 1 (--task regression)"
    if len(layout.targets) > 1:
        return f"there are several targets, {shown}"
    target = reading.values.targets[0]
    n = len(np.unique(target)) if isinstance(target, np.ndarray) else len(set(target))
    return f"target {shown} holds {n} different {kind.value}{_REMEDIES[kind]}"
