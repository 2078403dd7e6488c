"""Columns of a table that a model or a training part knows."""

from __future__ import annotations

from typing import NamedTuple

from ...base.errors import ConfigError, DataError
from ...base.named_columns import further_columns, match_columns
from ...base.table_options import Positions, TableOptions
from ...base.wording import listed
from .head import Head
from .layout import TableColumns, TableLayout, find_layout, target_list


class KnownColumns(NamedTuple):
    """The columns that a model was trained on.

    Attributes
    ----------
    feature_names, target_names : tuple of str or None
        None if the training table had no header.
    n_features, n_targets : int
    is_regression : bool
        Whether targets are numbers, not labels.
    labels_are_texts : bool
        Whether labels are texts, even if they look like numbers.
    positions : Positions
        Where the columns stood in the training table.
    are_numbers : tuple of bool or None
        Which features are numbers, the others texts; None: all, without gaps in training.
    image_shape : tuple of int or None
        Height, width and channels of the images that the model takes; None if it takes any rows.
    """

    feature_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None
    n_features: int
    n_targets: int = 1
    is_regression: bool = False
    labels_are_texts: bool = False
    positions: Positions = Positions()
    image_shape: tuple[int, ...] | None = None
    are_numbers: tuple[bool, ...] | None = None

    @property
    def all_names(self) -> tuple[str, ...]:
        """The known names of features and targets."""
        return (*(self.feature_names or ()), *(self.target_names or ()))


def known_layout(
    head: Head, options: TableOptions, columns: TableColumns, known: KnownColumns
) -> tuple[TableLayout, tuple[str, ...]]:
    """Return the layout of the known columns, and the names of further columns.

    Columns are found by name, in any order, if both have names; else by position.

    Raises
    ------
    ConfigError
        If a target column that an option names is missing.
    DataError
        If a feature is missing, or the number of columns does not fit.
    """
    if columns.names is None or known.feature_names is None:
        return _by_position(head, options, columns, known), ()
    return by_name(options, columns, known)


def by_name(
    options: TableOptions, columns: TableColumns, known: KnownColumns
) -> tuple[TableLayout, tuple[str, ...]]:
    """Return the layout of columns found by name, and the names of further columns."""
    names = columns.names or ()
    features = match_columns(names, known.feature_names or (), columns.source)
    dropped = columns.indices(options.drop, "drop")
    _check_features(columns.indices(options.features, "features"), dropped, features, columns)
    targets = _named_targets(options, columns, known)
    if any(target in dropped for target in targets):
        targets = ()
    layout = TableLayout(columns.names, columns.n_fields, tuple(features), targets)
    return layout, tuple(further_columns(names, {*features, *targets, *dropped}))


def _named_targets(
    options: TableOptions, columns: TableColumns, known: KnownColumns
) -> tuple[int, ...]:
    names = columns.names or ()
    asked = target_list(options.target, names)
    trained = known.target_names or ()
    # The targets of training may be missing.
    if not asked or tuple(asked) == trained:
        there = all(name in names for name in trained)
        return tuple(names.index(name) for name in trained) if there else ()
    targets = tuple(columns.indices(asked, "target"))
    for target in targets:
        if names[target] in (known.feature_names or ()):
            raise ConfigError(
                f"target must be no feature of the model, got {names[target]!r}; name the column "
                "with the right values, or leave it out"
            )
    if len(targets) != known.n_targets:
        raise ConfigError(
            f"target must name {known.n_targets} column(s), one for each of the model, got "
            f"{options.target!r}; name the target columns of training"
        )
    return targets


def _check_features(
    given: list[int], dropped: list[int], features: list[int], columns: TableColumns
) -> None:
    """Raise ConfigError for options that contradict the features that a model knows by name."""
    names = columns.names or ()
    if given and set(given) != set(features):
        raise ConfigError(
            f"features must be those of the model, {listed([repr(names[i]) for i in features])}, "
            f"got {listed([repr(names[i]) for i in given])}; leave it out, since columns are found "
            "by name"
        )
    if needed := [repr(names[i]) for i in dropped if i in features]:
        raise ConfigError(
            f"drop must leave the features of the model, got {listed(needed)}; leave it out, or "
            "train a model without them"
        )


def _by_position(
    head: Head, options: TableOptions, columns: TableColumns, known: KnownColumns
) -> TableLayout:
    width, wanted = columns.width, known.n_features
    options = known.positions.completing(options, width, wanted)
    everything = tuple(range(width))
    if width == wanted and not (options.features or options.drop):
        return TableLayout(columns.names, columns.n_fields, everything)
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
        f"{columns.source} must have {wanted} columns of features{named}, as in training, and at "
        f"most {n_targets} of targets, got {width} columns; select the columns of training"
    )


def _with_targets(
    head: Head, options: TableOptions, columns: TableColumns, known: KnownColumns
) -> TableLayout:
    """Return the layout of a table with as many columns as the training table."""
    if columns.names is not None and not as_numbers(options.target):
        return find_layout(head, options, columns)
    # By default the last columns, since those of training are not known.
    width, unnamed = columns.width, columns._replace(names=None)
    targets = list(range(width - known.n_targets, width))
    if as_numbers(options.target):
        targets = unnamed.indices(target_list(options.target, None), "target")
    features = tuple(i for i in range(width) if i not in targets)
    return TableLayout(columns.names, columns.n_fields, features, tuple(targets))


def as_numbers(target: str) -> bool:
    """Whether target columns are given by their indices."""
    parts = target_list(target, None)
    return bool(parts) and all(part.lstrip("+-").isdigit() for part in parts)
