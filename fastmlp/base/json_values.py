"""Values as JSON can hold them, their text, and checksums of records."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any


def finite(value: Any) -> Any:
    """Return a tree of dictionaries and lists with None in place of NaN and infinity."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(value: Any, indent: int | None = None) -> str:
    """Return the JSON of a tree, with null for NaN and infinity."""
    return json.dumps(finite(value), indent=indent, allow_nan=False)


def digest(*values: Any) -> str:
    """Return a SHA-256 of JSON values, which detects a flipped bit in a stored record."""
    # Only a damaged record has values that JSON cannot hold; its digest then differs anyway.
    return hashlib.sha256(json.dumps(values, default=repr).encode()).hexdigest()
