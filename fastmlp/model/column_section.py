"""The section of a model file that holds the encoding of a table's columns."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, get_type_hints

from ..ops.kinds import KINDS
from ..ops.scalers import SCALERS
from ..ops.table_encoding import EncodedColumn, TableEncoding
from .tensor_file import Header, check_keys

KEYS = ("names", "scale", "numbers_first", "columns")


def column_section(encoding: TableEncoding) -> Header:
    """Return an encoding as plain numbers, texts and lists."""
    return {
        "names": None if encoding.names is None else list(encoding.names),
        "scale": encoding.scale,
        "numbers_first": encoding.numbers_first,
        "columns": [
            {"kind": column.kind, **_plain(dataclasses.asdict(column.fitted))}
            for column in encoding.columns
        ],
    }


def _plain(values: dict[str, Any]) -> Header:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


# What follows raises KeyError, TypeError or ValueError for what is missing or does not fit.


def encoding_of(section: Any) -> TableEncoding:
    """Return the encoding that a section holds."""
    if not isinstance(section, dict):
        raise TypeError("section columns must hold named values")
    section = {"numbers_first": False, **section}  # files written before lack it
    check_keys(section, KEYS, "section columns")
    names, columns = section["names"], section["columns"]
    if not isinstance(columns, list) or not columns:
        raise TypeError("columns must be a list of at least one")
    if names is not None:
        _check(names, tuple[str, ...], "names")
        if len(names) != len(columns) or len(set(names)) < len(names):
            raise ValueError(f"column names must be {len(columns)} different texts")
    scale = SCALERS.parse(section["scale"]).name
    fitted = tuple(map(_column, columns))
    _check(section["numbers_first"], bool, "numbers_first")
    return TableEncoding(
        fitted, None if names is None else tuple(names), scale, section["numbers_first"]
    )


def _column(values: Any) -> EncodedColumn:
    if not isinstance(values, dict):
        raise TypeError("a column must hold named values")
    kind = KINDS.parse(values["kind"])
    record: Any = kind.fitted
    if record is None:
        raise ValueError(f"columns of kind {kind.name} must be left out")
    hints = get_type_hints(record)
    # Files written before a field was added lack it.
    added = {f.name: f.default for f in dataclasses.fields(record) if f.name == "clip"}
    values = {**added, **values}
    fields = [field.name for field in dataclasses.fields(record)]
    check_keys(values, ("kind", *fields), "a column")
    for name in fields:
        _check(values[name], hints[name], name)
    given = {n: tuple(values[n]) if isinstance(values[n], list) else values[n] for n in fields}
    return EncodedColumn(kind.name, record(**given))


def _check(value: Any, wanted: Any, name: str) -> None:
    """Raise TypeError unless a value of JSON has the type of a field."""
    if wanted in (tuple[str, ...], tuple[float, ...]):
        part = str if wanted == tuple[str, ...] else float
        if not isinstance(value, list):
            raise TypeError(f"{name} must be a list, got {value!r:.80}")
        for item in value:
            _check(item, part, name)
    elif type(value) is not wanted or (wanted is float and not math.isfinite(value)):
        raise TypeError(f"{name} must be a finite {wanted.__name__}, got {value!r:.80}")
