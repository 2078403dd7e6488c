"""Options for reading tables, the same for training, sweeps and predictions."""

from __future__ import annotations

import argparse
from typing import Any

from ..base.table_options import TableOptions
from .setting import add_setting
from .values import texts

# Also true for predict, whose defaults a model file sets.
_AS_FILE = "auto: inferred from the file"


def given_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options for reading tables that were given."""
    return {name: value for name, value in vars(options).items() if name in TableOptions.names()}


def add_table_options(group: Any) -> None:
    """Add an option for each field of TableOptions."""
    add_setting(
        group, "--target", "target", metavar="COLUMN",
        help="target column of a table, by name or index from 0, or several: y1,y2 (default: a "
        "column named target, label, class or y, else the last)",
    )  # fmt: skip
    add_setting(
        group, "--features", "features", metavar="A,B", type=texts,
        help="feature columns, by name or index; default: all columns except the target",
    )  # fmt: skip
    add_setting(
        group, "--drop", "drop", metavar="A,B", type=texts,
        help="columns to leave out, by name or index",
    )  # fmt: skip
    add_setting(
        group, "--header", "header", metavar="WHETHER",
        help=f"yes or no: whether the first row of a table holds column names; {_AS_FILE}",
    )  # fmt: skip
    add_setting(
        group, "--separator", "separator", metavar="CHAR",
        help="one character, tab, comma, semicolon, pipe, space, or whitespace (any number of "
        f"spaces and tabs); {_AS_FILE}",
    )  # fmt: skip
    add_setting(
        group, "--decimal", "decimal", metavar="SIGN", help=f"decimal sign, . or ,; {_AS_FILE}"
    )
    add_setting(
        group, "--thousands", "thousands", metavar="SIGN",
        help="sign between groups of three digits, such as the comma in 1,250; default: none",
    )  # fmt: skip
    add_setting(
        group, "--encoding", "encoding", metavar="NAME",
        help="encoding of a table, such as latin-1; auto: by its byte order mark, else UTF-8",
    )  # fmt: skip
    add_setting(
        group, "--na", "na_values", metavar="A,B", type=texts,
        help="texts that mean a missing value, besides NA, NaN, null, none, ? and empty cells",
    )  # fmt: skip
    add_setting(
        group, "--comment", "comment", metavar="TEXT",
        help="skip lines that begin with this text; none: skip no line (default: #)",
    )  # fmt: skip
