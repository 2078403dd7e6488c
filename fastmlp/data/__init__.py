"""Level 2: datasets by name, their readers, and splits."""

from __future__ import annotations

from .dataset import Dataset
from .load import load_dataset

__all__ = ["Dataset", "load_dataset"]
