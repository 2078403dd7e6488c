"""Safetensors files whose numbers are holes: they claim what takes no disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

needs_holes = pytest.mark.skipif(os.name == "nt", reason="needs a file with a hole")


def table_of(path: Path) -> dict:
    """What a file says of its tensors, by name; what else it says is under ``__metadata__``."""
    with path.open("rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))


def write_hole(path: Path, table: dict) -> None:
    """Write a file of zeros that take no disk."""
    text = json.dumps(table).encode()
    ends = [entry["data_offsets"][1] for name, entry in table.items() if name != "__metadata__"]
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + max(ends))


def stretch(path: Path, name: str, n_bytes: int) -> None:
    """Declare a tensor of ``n_bytes`` bytes in a file, all zero."""
    table, at = table_of(path), 0
    sizes = {"F64": 8, "F32": 4, "U8": 1, "I64": 8}
    entries = [entry for key, entry in table.items() if key != "__metadata__"]
    table[name]["shape"] = [n_bytes // sizes[table[name]["dtype"]]]
    for entry in sorted(entries, key=lambda entry: entry["data_offsets"]):
        begin, end = entry["data_offsets"]
        length = n_bytes if entry is table[name] else end - begin
        entry["data_offsets"] = [at, at + length]
        at += length
    write_hole(path, table)
