"""How a table in a text file is read: its dialect, and its feature and target columns."""

from __future__ import annotations

import codecs
import dataclasses
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from .errors import ConfigError, close_match
from .settings import AUTO, documented, rows, setting

HEADERS = (AUTO, "yes", "no")
WHITESPACE = "whitespace"
SEPARATOR_NAMES = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
DECIMALS = (AUTO, ".", ",")
THOUSANDS = ("", ",", ".", "'", " ", "_")
# Pairs of options that must not name the same column.
_APART = (
    ("features", "drop"), ("categorical", "numeric"), ("categorical", "drop"), ("numeric", "drop"),
)  # fmt: skip


@documented
@dataclass(frozen=True)
class TableOptions:
    """How a table in a text file is read; ``auto`` means that it is inferred from the file.

    {parameters}

    Raises
    ------
    ConfigError
        For an unknown value, or options that contradict each other.
    """

    target: str = setting(
        "", "tables", "target column of a table, by name or index (from 0, negative from the end), "
        "or several: y1,y2; default: a column named target, label, class or y, else the last",
        "COLUMN", takes_integers=True,
    )  # fmt: skip
    features: tuple[str, ...] = setting(
        (), "tables", "feature columns, by name or index; default: all columns except the target",
        "A,B", takes_integers=True,
    )  # fmt: skip
    drop: tuple[str, ...] = setting(
        (), "tables", "columns to leave out, by name or index", "A,B", takes_integers=True
    )
    categorical: tuple[str, ...] = setting(
        (), "tables", "columns to take as categories, by name or index, such as codes; default: "
        "columns of texts", "A,B", takes_integers=True,
    )  # fmt: skip
    numeric: tuple[str, ...] = setting(
        (), "tables", "columns to take as numbers, by name or index: texts among them are gaps, "
        "and identifiers are kept; default: columns that hold numbers", "A,B", takes_integers=True,
    )  # fmt: skip
    header: str = setting(
        AUTO, "tables", "yes or no: whether the first row of a table holds column names; auto: "
        "inferred from the file", "WHETHER", choices=HEADERS,
    )  # fmt: skip
    separator: str = setting(
        AUTO, "tables", "field separator: one character, tab, comma, semicolon, pipe, space, or "
        "whitespace for any number of spaces and tabs; auto: inferred from the file", "CHAR",
    )  # fmt: skip
    decimal: str = setting(
        AUTO, "tables", "decimal sign, . or ,; auto: inferred from the file", "SIGN",
        choices=DECIMALS,
    )  # fmt: skip
    thousands: str = setting(
        "", "tables", "sign between groups of three digits, such as the comma in 1,250; default: "
        "none", "SIGN", choices=THOUSANDS,
    )  # fmt: skip
    encoding: str = setting(
        AUTO, "tables", "encoding of a table, such as latin-1; auto: from its byte order mark, "
        "else UTF-8", "NAME",
    )  # fmt: skip
    na_values: tuple[str, ...] = setting(
        (), "tables", "texts that mean a missing value, in addition to NA, NaN, null, none, ? and "
        "empty cells", "A,B", flag="--na",
    )  # fmt: skip
    comment: str = setting(
        AUTO, "tables", "skip lines that begin with this text; auto: #; none: skip no line", "TEXT"
    )

    def __post_init__(self) -> None:
        for name, row in rows(TableOptions).items():
            value = getattr(self, name)
            if row.choices and value not in row.choices:
                raise ConfigError(
                    f"{name} must be one of {', '.join(map(repr, row.choices))}, got {value!r}"
                    f"{close_match(value, row.choices)}"
                )
        _check_separator(self.separator)
        _check_encoding(self.encoding)
        if not self.comment.strip():
            raise ConfigError(
                f"comment must be a text such as '#', auto or none, got {self.comment!r}; "
                "the default is 'auto'"
            )
        if self.thousands and self.decimal == self.thousands:
            raise ConfigError(
                f"thousands and decimal must differ, got {self.thousands!r} for both; "
                "the usual pairs are ',' with '.' and '.' with ','"
            )
        for one, other in _APART:
            if both := sorted(set(getattr(self, one)) & set(getattr(self, other))):
                raise ConfigError(
                    f"{one} and {other} must not name the same column, got {both[0]!r} in both; "
                    "remove it from one of them"
                )

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all options."""
        return tuple(field.name for field in dataclasses.fields(cls))

    @classmethod
    def lists(cls) -> tuple[str, ...]:
        """Return the names of the options that hold several texts."""
        return tuple(field.name for field in dataclasses.fields(cls) if field.default == ())

    def changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, as JSON holds them."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    def without_columns(self) -> TableOptions:
        """Return the options that do not name columns."""
        return replace(self, target="", features=(), drop=(), categorical=(), numeric=())

    @property
    def delimiter(self) -> str:
        """The separator as one character, ``whitespace`` or ``auto``."""
        return SEPARATOR_NAMES.get(self.separator, self.separator)


class Positions(NamedTuple):
    """The positions of a table's columns, to read similar tables without a header.

    Attributes
    ----------
    targets : tuple of int
        Empty where they are unknown.
    left_out : tuple of int
        Columns that are neither features nor targets.
    """

    targets: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()

    @classmethod
    def of(cls, options: TableOptions) -> Positions:
        """Return the positions that options hold: see :meth:`in_options`."""
        targets = options.target.split(",") if options.target else []
        if not all(text.isdecimal() for text in (*targets, *options.drop)):
            return cls()
        return cls(tuple(map(int, targets)), tuple(map(int, options.drop)))

    def in_options(self, options: TableOptions) -> TableOptions:
        """Return options with these positions instead of the columns that they name."""
        target, drop = ",".join(map(str, self.targets)), tuple(map(str, self.left_out))
        kinds: dict[str, Any] = {"categorical": (), "numeric": ()}
        return replace(options, target=target, features=(), drop=drop, **kinds)

    def completing(self, options: TableOptions, width: int, n_features: int) -> TableOptions:
        """Return options with these positions for the columns that they do not name.

        Parameters
        ----------
        options : TableOptions
        width : int
            Columns of the table to read: all, or those that were not left out.
        n_features : int
        """
        names_columns = bool(options.target or options.features or options.drop)
        n_kept = n_features + len(self.targets)
        if names_columns or not self.targets:
            return options
        if width == n_kept + len(self.left_out):
            return self.in_options(options)
        if width != n_kept:
            return options
        kept = [i for i in range(n_kept + len(self.left_out)) if i not in self.left_out]
        return Positions(tuple(map(kept.index, self.targets))).in_options(options)


def _check_separator(separator: str) -> None:
    if separator in (AUTO, WHITESPACE) or separator in SEPARATOR_NAMES:
        return
    if len(separator) != 1 or separator in '"\r\n\0' or separator.isalnum():
        names = (AUTO, WHITESPACE, *SEPARATOR_NAMES)
        raise ConfigError(
            f"separator must be one character that is no letter, digit, quote or line end, or one "
            f"of {', '.join(names)}, got {separator!r}{close_match(separator, names)}"
        )


def _check_encoding(encoding: str) -> None:
    if encoding == AUTO:
        return
    try:
        is_text = codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise ConfigError(
            f"encoding must be auto or an encoding that Python knows, got {encoding!r}; use for "
            "example utf-8, utf-16, latin-1 or cp1252"
        )
