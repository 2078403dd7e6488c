"""Reading a table's values: the attempts, and the errors if they fail."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...base.errors import DataError
from ...base.settings import AUTO
from ...base.table_options import TableOptions
from .faults import Explainer, is_other_number
from .fields import COMMA_NUMBER, EITHER_NUMBER
from .head import Head
from .layout import TableColumns, TableLayout
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
    target_values,
)
from .text import Text, lines_in
from .values import NotNumbers, Values, read_values


class Reading:
    """A table's values, complete and finite, and the kinds of its targets."""

    def __init__(
        self,
        source: Source,
        head: Head,
        options: TableOptions,
        columns: TableColumns,
        layout: TableLayout,
        task: str,
    ):
        self.source, self.head, self.layout, self.columns = source, head, layout, columns
        self.task = task
        is_guessed = (
            options.decimal == AUTO and not options.thousands and head.dialect.separator != ","
        )
        self._read(try_comma=is_guessed and head.dialect.cells.decimal == ".")
        if is_guessed and self.head.dialect.cells.decimal == ",":
            self._check_comma()
        if columns.n_fields > columns.width:
            self._check_empty_last()

    @property
    def n_comments(self) -> int:
        """Number of comment lines."""
        return self.values.n_comments + self.head.comments[self.columns.header_rows]

    def targets(self) -> tuple[np.ndarray, str]:
        """Return the targets and their task."""
        columns = ", ".join(map(self.layout.column, self.layout.targets))
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
        try:
            self.values = self._values_as_texts_or_numbers()
        except NotNumbers as error:
            if try_comma and COMMA_NUMBER.fullmatch(error.cell):
                return self._read_with_comma()
            # The kinds are not known yet: targets of a classification must only be present.
            kind = TargetKind.NUMBERS if self.task == "regression" else TargetKind.TEXT_LABELS
            raise self._explained([kind] * len(self.layout.targets)) from None
        texts = [target for target in self.values.targets if isinstance(target, list)]
        if try_comma and any(COMMA_NUMBER.fullmatch(c) for target in texts for c in set(target)):
            return self._read_with_comma()
        self.kinds = [self._kind(target) for target in self.values.targets]
        format_ = self.head.dialect.cells
        if self.task == AUTO and any(map(self._are_odd_numbers, self.values.targets)):
            raise self._explained([TargetKind.NUMBERS] * len(self.kinds))
        complete = all(
            is_complete(target, kind, format_)
            for target, kind in zip(self.values.targets, self.kinds, strict=True)
        )
        X = self.values.X
        has_gaps = bool(format_.na_numbers) and np.isin(X, format_.na_numbers).any()
        if not complete or not np.isfinite(X).all() or has_gaps:
            raise self._explained(self.kinds)
        return None

    def _read_with_comma(self) -> None:
        self.head = self.head.with_decimal(",")
        self._read(try_comma=False)

    def _values_as_texts_or_numbers(self) -> Values:
        """Read targets as numbers if the first ones are numbers, else as texts."""
        format_ = self.head.dialect.cells
        rows = self.head.rows[self.columns.header_rows :]
        are_texts = [
            any(not (format_.is_number(row[i]) or format_.is_missing(row[i])) for row in rows)
            for i in self.layout.targets
        ]
        while True:
            try:
                values = read_values(
                    self.source, self.head, self.layout, self._first_line, tuple(are_texts)
                )
            except NotNumbers as error:
                if error.target is None:
                    raise
                are_texts[error.target] = True
                continue
            # Labels such as 0.5 and 1.50 are read as texts.
            wanted = [
                isinstance(target, np.ndarray)
                and len(values.targets) == 1
                and kind_of_numbers(target, self.task) is TargetKind.TEXT_LABELS
                for target in values.targets
            ]
            if not any(wanted):
                flags = map(as_flags, values.targets)
                return values if len(wanted) == 1 else values._replace(targets=list(flags))
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

    def _explained(self, kinds: list[TargetKind]) -> DataError:
        are_numbers = tuple(kind is TargetKind.NUMBERS for kind in kinds)
        head = self.head
        explainer = Explainer(
            head.dialect, self.layout, are_numbers, self.source.name, head.encoding
        )
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

    def _check_empty_last(self) -> None:
        """Refuse values in the columns that are empty in the first rows, and so were left out."""
        for line, fields in self._records():
            for i, cell in enumerate(fields[self.columns.width :], self.columns.width):
                if cell.strip():
                    raise DataError(
                        f"{self.source.name}: column {i} (counting from 0) has no name and is "
                        f"empty in the first rows, got {cell.strip()[:40]!r} in line {line}; name "
                        "the column, fill or remove it"
                    )

    def _check_comma(self) -> None:
        """Raise DataError if all commas may be decimal signs or thousands signs."""
        kept = {*self.layout.features, *self.layout.targets}
        first = ""
        for _, fields in self._records():
            for i in kept:
                text = fields[i].strip()
                if EITHER_NUMBER.fullmatch(text):
                    first = first or text
                elif COMMA_NUMBER.fullmatch(text):
                    return
        if first:
            raise DataError(
                f"{self.source.name} must show whether its commas are decimal signs, got only "
                f"values such as "
                f"{first!r}; use --decimal , if that is {first.replace(',', '.')}, or --thousands "
                f", if it is {first.replace(',', '')}"
            )
