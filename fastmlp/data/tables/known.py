"""The columns of a table that belong to what is known already: a model, or a training part."""

from __future__ import annotations

from typing import NamedTuple

from ...base.errors import ConfigError, DataError
from ...base.named_columns import further_columns, match_columns
from ...base.table_options import TableOptions
from ...base.wording import listed
from .head import Head
from .layout import Columns, Layout, find_layout, target_list


class KnownColumns(NamedTuple):
    """The columns that a model was trained on.

    Attributes
    ----------
    feature_names, target_names : tuple of str or None
        None where the table had no header.
    n_features, n_targets : int
    is_regression : bool
        Whether targets are numbers, and not labels.
    labels_are_texts : bool
        Whether labels are texts, even those of numbers.
    """

    feature_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None
    n_features: int
    n_targets: int = 1
    is_regression: bool = False
    labels_are_texts: bool = False

    @property
    def all_names(self) -> tuple[str, ...]:
        """The names of features and targets, as far as they are known."""
        return (*(self.feature_names or ()), *(self.target_names or ()))


def known_layout(
    head: Head, options: TableOptions, columns: Columns, known: KnownColumns
) -> tuple[Layout, tuple[str, ...]]:
    """Return where the known columns are, and the names of those that are left out.

    By name where both have names, in any order; else by position.

    Raises
    ------
    ConfigError
        If there is no such target column.
    DataError
        If a feature is missing, or the number of columns does not fit.
    """
    if columns.names is None or known.feature_names is None:
        return _by_position(head, options, columns, known), ()
    return _by_name(options, columns, known)


def _by_name(
    options: TableOptions, columns: Columns, known: KnownColumns
) -> tuple[Layout, tuple[str, ...]]:
    names = columns.names or ()
    features = match_columns(names, known.feature_names or (), columns.source)
    targets = _named_targets(options, columns, known)
    layout = Layout(columns.names, columns.width, tuple(features), targets)
    return layout, tuple(further_columns(names, {*features, *targets}))


def _named_targets(options: TableOptions, columns: Columns, known: KnownColumns) -> tuple[int, ...]:
    names = columns.names or ()
    asked = target_list(options.target, names)
    trained = known.target_names or ()
    # Those of training, which need not be there, or others, which were asked for.
    if not asked or tuple(asked) == trained or not trained:
        found = trained or tuple(asked)
        there = all(name in names for name in found)
        return tuple(names.index(name) for name in found) if there else ()
    if all(name.lstrip("+-").isdigit() and name not in names for name in asked):
        # An index of the training table, whose columns may have stood elsewhere.
        there = all(name in names for name in trained)
        return tuple(names.index(name) for name in trained) if there else ()
    targets = tuple(columns.indices(asked, "target"))
    if len(targets) != known.n_targets:
        raise ConfigError(
            f"target must name {known.n_targets} column(s), as the model has outputs for, got "
            f"{options.target!r}; name those that were trained on"
        )
    return targets


def _by_position(
    head: Head, options: TableOptions, columns: Columns, known: KnownColumns
) -> Layout:
    width, wanted = columns.width, known.n_features
    everything = tuple(range(width))
    if width == wanted:
        return Layout(columns.names, width, everything)
    if options.features or options.drop:
        layout = find_layout(head, options, columns)
        if len(layout.features) == wanted and len(layout.targets) == known.n_targets:
            return layout
    elif width == wanted + known.n_targets:
        layout = _with_targets(head, options, columns, known)
        if len(layout.targets) == known.n_targets:
            return layout
    named = "" if known.feature_names is None else f" ({listed(known.feature_names)})"
    n_targets = "one" if known.n_targets == 1 else str(known.n_targets)
    raise DataError(
        f"{columns.source} must have {wanted} columns of features{named}, as the model has, and at "
        f"most {n_targets} of targets, got {width} columns; select those that were trained on"
    )


def _with_targets(
    head: Head, options: TableOptions, columns: Columns, known: KnownColumns
) -> Layout:
    """The layout of a table that has as many columns as the one that was trained on."""
    if columns.names is not None and not as_numbers(options.target):
        return find_layout(head, options, columns)
    # The last columns, as by default, where it is not known which they were in training.
    width, places = columns.width, Columns(None, columns.width, columns.source)
    targets = list(range(width - known.n_targets, width))
    if as_numbers(options.target):
        targets = places.indices(target_list(options.target, None), "target")
    features = tuple(i for i in range(width) if i not in targets)
    return Layout(columns.names, width, features, tuple(targets))


def as_numbers(target: str) -> bool:
    """Whether target columns are given by their indices."""
    parts = target_list(target, None)
    return bool(parts) and all(part.lstrip("+-").isdigit() for part in parts)
