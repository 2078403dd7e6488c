"""Reading a table's values: the attempts, and the errors if they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from ...base.errors import DataError
from ...base.settings import AUTO
from ...base.table_options import TableOptions
from ...base.table_rows import TableRows
from .faults import Explainer, is_other_number
from .fields import COMMA_NUMBER
from .first_rows import has_comma, is_odd, shows_texts, target_texts, text_columns
from .head import Head
from .late_checks import check_comma, check_empty_last
from .layout import TableColumns, TableLayout
from .mixed import MixedValues, StrayText, Wanted, read_mixed
from .records import Record, Records
from .source import Source
from .targets import (
    TargetKind,
    as_flags,
    check_classes,
    is_complete,
    kind_of_numbers,
    kind_of_texts,
    several_targets,
    target_gaps,
    target_values,
    without_gaps,
)
from .text import Text, lines_in
from .values import NotNumbers, Values, read_values

T = TypeVar("T", Values, MixedValues)


class Reading:
    """A table's values, and the kinds of its targets.

    Attributes
    ----------
    values : Values
        Of a table of finite numbers without gaps; else only the targets.
        Rows whose target is missing are not among the targets.
    table : TableRows or None
        The features of any other table, all rows.
    gaps : ndarray of bool, shape (n,), or None
        Which rows of ``table`` have no target.
    extras : dict of int to list of str
        The texts of further columns that were asked for.

    Parameters
    ----------
    source : Source
    head : Head
    options : TableOptions
    columns : TableColumns
    layout : TableLayout
    task : str
        auto, classification, multilabel, regression, or texts (labels are texts).
    texts : iterable of int, optional
        The features that are texts, where that is known.
    extras : iterable of int
        Further columns to read as texts.
    """

    def __init__(
        self,
        source: Source,
        head: Head,
        options: TableOptions,
        columns: TableColumns,
        layout: TableLayout,
        task: str,
        texts: Iterable[int] | None = None,
        extras: Iterable[int] = (),
    ):
        self.source, self.head, self.layout, self.columns = source, head, layout, columns
        self.task = task
        self.table: TableRows | None = None
        self.gaps: np.ndarray | None = None
        self.extras: dict[int, list[str]] = {}
        self._texts = None if texts is None else set(texts)
        self._extras = tuple(extras)
        asks_for_kinds = options.categorical or options.numeric
        self._is_mixed = bool(asks_for_kinds or self._extras) or texts is not None
        is_guessed = (
            options.decimal == AUTO and not options.thousands and head.dialect.separator != ","
        )
        self._read(try_comma=is_guessed and head.dialect.cells.decimal == ".")
        if is_guessed and self.head.dialect.cells.decimal == ",":
            check_comma(self._records(), self.layout, source.name)
        if columns.n_fields > columns.width:
            check_empty_last(self._records(), columns.width, source.name)

    @property
    def features(self) -> np.ndarray | TableRows:
        """All rows of the features."""
        return self.values.X if self.table is None else self.table

    @property
    def n_comments(self) -> int:
        """Number of comment lines."""
        return self.values.passed.comments + self.head.comments[self.columns.header_rows]

    @property
    def lines(self) -> np.ndarray | None:
        """The line of the file at which each row begins; None if it is not known."""
        lines = self._lines
        return lines if len(lines) == len(self.features) else None

    def targets(self) -> tuple[np.ndarray, str]:
        """Return the targets and their task."""
        columns = ", ".join(map(self.layout.column, self.layout.targets))
        if self.gaps is not None and self.gaps.all():
            raise DataError(
                f"{self.source.name} must have rows with a target, got none in column(s) "
                f"{columns or 'of targets'}; name another column with --target"
            )
        named = f"{self.source.name}: target column(s) {columns}"
        format_ = self.head.dialect.cells
        arrays = []
        for target, kind in zip(self.values.targets, self.kinds, strict=True):
            if len(self.kinds) == 1:
                check_classes(target, kind, self.task, named)
            elif kind is TargetKind.TEXT_LABELS and isinstance(target, list):
                text = next(cell for cell in target if not format_.is_number(cell))
                raise DataError(
                    f"{named} must hold numbers, since there are several, got {text!r}; train a "
                    "model for each, or encode texts as columns of 0 and 1, for example with "
                    "pandas.get_dummies"
                )
            arrays.append(target_values(target, kind, named, format_))
        if len(arrays) == 1:
            return arrays[0], self.kinds[0].task
        return several_targets([array.astype(np.float64) for array in arrays], self.task, named)

    def _read(self, try_comma: bool) -> None:
        """Read the values; with a decimal comma if a decimal point gives no numbers."""
        cells, features = self.head.dialect.cells, self.layout.features
        if self._is_mixed or shows_texts(self._first_rows, features, cells):
            return self._read_mixed(try_comma)
        try:
            self.values = self._with_targets(self._plain_values)
        except NotNumbers as error:
            if try_comma and COMMA_NUMBER.fullmatch(error.cell):
                return self._read_with_comma()
            return self._read_mixed(try_comma)
        X, self._lines = self.values.X, self.values.passed.lines
        is_whole = np.isfinite(X).all() and not self._are_na(X)
        if not (is_whole and all(map(self._has_no_gaps, self.values.targets))):
            return self._read_mixed(try_comma)
        return self._check_targets(try_comma)

    def _read_with_comma(self) -> None:
        self.head = self.head.with_decimal(",")
        self._read(try_comma=False)

    def _check_targets(self, try_comma: bool) -> None:
        """Find the kinds of the targets, which are complete."""
        texts = [target for target in self.values.targets if isinstance(target, list)]
        if try_comma and any(COMMA_NUMBER.fullmatch(c) for target in texts for c in set(target)):
            return self._read_with_comma()
        self.kinds = [self._kind(target) for target in self.values.targets]
        format_ = self.head.dialect.cells
        if self.task == AUTO and any(map(self._are_odd_numbers, self.values.targets)):
            raise self._explained([TargetKind.NUMBERS] * len(self.kinds), ())
        complete = all(
            is_complete(target, kind, format_)
            for target, kind in zip(self.values.targets, self.kinds, strict=True)
        )
        if not complete:
            raise self._explained(self.kinds, ())
        return None

    def _read_mixed(self, try_comma: bool) -> None:
        """Read columns of numbers, texts and gaps, and find the rows without a target."""
        cells, rows = self.head.dialect.cells, self._first_rows
        texts = self._texts
        if texts is None:
            texts = text_columns(rows, self.layout.features, cells)
        found = {*texts, *(i for i in self._extras if i in self.layout.features)}
        while True:
            try:
                mixed = self._with_targets(partial(self._mixed_values, found))
            except StrayText as stray:
                found.add(stray.column)
            except NotNumbers:
                raise self._explained(self._unknown_kinds) from None
            else:
                break
        self._lines = mixed.passed.lines
        columns = [mixed.columns[i] for i in self.layout.features]
        unknown = [i for i in self.layout.features if i not in (self._texts or ())]
        if try_comma and has_comma(mixed.columns[i] for i in unknown):
            return self._read_with_comma()
        if odd := [i for i in unknown if is_odd(mixed.columns[i])]:
            raise self._explained(self._unknown_kinds, odd)
        gaps = np.zeros(len(columns[0]), bool)
        for target in mixed.targets:
            gaps |= target_gaps(target)
        self.gaps = gaps
        self.table = TableRows(tuple(columns), (), self.layout.feature_names)
        by_index = dict(zip(self.layout.targets, mixed.targets, strict=True))
        self.extras = {
            i: mixed.columns[i].shown() if i in mixed.columns else list(map(str, by_index[i]))
            for i in self._extras
        }
        if gaps.all():
            return None
        targets = [without_gaps(target, gaps) for target in mixed.targets]
        self.values = Values(np.empty((0, 0)), targets, mixed.passed)
        return self._check_targets(try_comma)

    def _mixed_values(self, texts: set[int], are_texts: tuple[bool, ...]) -> MixedValues:
        layout = self.layout
        extras = [i for i in self._extras if i not in (*layout.features, *layout.targets)]
        wanted = Wanted(
            layout.width, tuple(i for i in layout.features if i not in texts),
            (*(i for i in layout.features if i in texts), *extras), layout.targets, are_texts,
            tuple(extras),
        )  # fmt: skip
        return read_mixed(self.source, self.head, wanted, self._first_line)

    def _plain_values(self, are_texts: tuple[bool, ...]) -> Values:
        return read_values(self.source, self.head, self.layout, self._first_line, are_texts)

    @property
    def _unknown_kinds(self) -> list[TargetKind]:
        """Kinds of targets before they are known: those of a classification must be present."""
        kind = TargetKind.NUMBERS if self.task == "regression" else TargetKind.TEXT_LABELS
        return [kind] * len(self.layout.targets)

    @property
    def _first_rows(self) -> list[list[str]]:
        return self.head.rows[self.columns.header_rows :]

    def _are_na(self, values: np.ndarray) -> bool:
        """Whether some numbers mean a missing value."""
        na_numbers = self.head.dialect.cells.na_numbers
        return bool(na_numbers) and bool(np.isin(values, na_numbers).any())

    def _has_no_gaps(self, target: np.ndarray | list[str]) -> bool:
        if isinstance(target, np.ndarray):
            return not (np.isnan(target).any() or self._are_na(target))
        return not any(map(self.head.dialect.cells.is_missing, set(target)))

    def _with_targets(self, read: Callable[[tuple[bool, ...]], T]) -> T:
        """Read targets as numbers if the first ones are numbers, else as texts."""
        are_texts = target_texts(self._first_rows, self.layout.targets, self.head.dialect.cells)
        while True:
            try:
                values = read(tuple(are_texts))
            except NotNumbers as error:
                if error.target is None:
                    raise
                are_texts[error.target] = True
                continue
            # Labels such as 0.5 and 1.50 are read as texts.
            wanted = [
                isinstance(target, np.ndarray)
                and len(values.targets) == 1
                and kind_of_numbers(target[~np.isnan(target)], self.task) is TargetKind.TEXT_LABELS
                for target in values.targets
            ]
            if not any(wanted):
                flags = list(map(as_flags, values.targets))
                return values if len(wanted) == 1 else values._replace(targets=flags)
            are_texts = wanted

    @property
    def _first_line(self) -> int:
        return self.head.records[self.columns.header_rows][0]

    def _kind(self, target: np.ndarray | list[str]) -> TargetKind:
        if len(self.layout.targets) > 1:
            is_text = isinstance(target, list) and not all(map(self._is_value, set(target)))
            return TargetKind.TEXT_LABELS if is_text else TargetKind.NUMBERS
        if isinstance(target, list):
            return kind_of_texts(target, self.task, self.head.dialect.cells)
        return kind_of_numbers(target, self.task)

    def _are_odd_numbers(self, target: np.ndarray | list[str]) -> bool:
        """Whether texts are numbers in another notation, such as 1.250,50, not classes."""
        if not isinstance(target, list):
            return False
        texts = {cell for cell in set(target) if not self._is_value(cell)}
        return bool(texts) and all(map(is_other_number, texts))

    def _is_value(self, cell: str) -> bool:
        format_ = self.head.dialect.cells
        return format_.is_number(cell) or format_.is_missing(cell)

    def _explained(
        self, kinds: list[TargetKind], features: Sequence[int] | None = None
    ) -> DataError:
        """Return why the rows are refused; ``features`` are those to blame, default: all."""
        are_numbers = tuple(kind is TargetKind.NUMBERS for kind in kinds)
        head, layout = self.head, self.layout
        if features is not None:
            layout = layout._replace(features=tuple(features))
        explainer = Explainer(head.dialect, layout, are_numbers, self.source.name)
        return explainer.explain(self._records())

    def _records(self) -> Iterator[Record]:
        """Read the rows exactly, once more."""
        dialect = self.head.dialect
        with self.source.open() as file:
            text = Text(file, self.source.name, self.head.encoding)
            reader = Records(text, dialect.separator, dialect.comment, self.layout.width)
            block = text.skip_to(self._first_line)
            while block is not None:
                yield from reader.of(block, text.line - lines_in(block))
                block = text.next_block()
