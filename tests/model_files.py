"""Model files taken apart, changed and put together again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save_file

DELETED = type("Deleted", (), {"__repr__": lambda _: "DELETED"})()


def change_entries(header: dict[str, Any], entries: dict[str, Any]) -> dict[str, Any]:
    """Change entries of a header, each named by its path; DELETED takes one out."""
    for path, value in entries.items():
        *sections, name = path.split(".")
        store = header
        for section in sections:
            store = store[section]
        store[name] = value
        if value is DELETED:
            del store[name]
    return header


def parts_of(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the tensors of a model file."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["fastmlp"])
    return header, load_tensors(content)


def write_parts(path: Path, header: dict[str, Any], tensors: dict[str, np.ndarray]) -> Path:
    """Write a model file whose checksum holds, so that what else is wrong with it shows."""
    digest = hashlib.sha256(json.dumps({**header, "sha256": ""}).encode())
    for name in sorted(tensors):
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    if "sha256" in header:
        header = {**header, "sha256": digest.hexdigest()}
    save_file(tensors, path, {"fastmlp": json.dumps(header)})
    return path
