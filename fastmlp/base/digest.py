"""Checksums of records: a flipped bit would pass for another value."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest(*values: Any) -> str:
    """Return a SHA-256 over what JSON can hold."""
    # What is no text in a damaged file has no digest that could be noted there.
    return hashlib.sha256(json.dumps(values, default=repr).encode()).hexdigest()
