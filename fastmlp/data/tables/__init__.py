"""Tables in text files: CSV and its relatives."""

from .known import KnownColumns
from .reader import Rows, read_csv, read_rows

__all__ = ["KnownColumns", "Rows", "read_csv", "read_rows"]
