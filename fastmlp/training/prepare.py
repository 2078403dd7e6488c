"""From a dataset to the arrays for kernels: split, scaled, encoded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import Features, canonical, density, is_sparse
from ..base.errors import ConfigError, DataError
from ..base.table_options import TableOptions
from ..base.table_rows import is_table
from ..data.dataset import Dataset
from ..data.split import Parts, parts
from ..kernels.buffers import Data
from ..model.encoding import (
    LISTS_SHIFT,
    clipped_rows,
    encode,
    encoded_table,
    largest_shift,
    shift_advice,
)
from ..model.features import FeatureInfo
from ..model.task import Task
from ..ops.kinds import ColumnFacts
from ..ops.scalers import NO_SCALING, SCALERS, Scaling
from ..ops.table_encoding import TableEncoding
from .config import TrainConfig
from .network_checks import check_network
from .plan import Inputs, plan_inputs, why_dense
from .targets import encode_targets, fit_target_scaling
from .weighting import class_weights


class Prepared(NamedTuple):
    """The parts of a dataset for kernels; None for a missing part."""

    train: Data
    validation: Data | None
    test: Data | None
    scaling: Scaling
    task: Task
    n_features: int
    inputs: Inputs
    features: FeatureInfo | None = None
    target_names: tuple[str, ...] | None = None
    table: TableOptions | None = None
    encoding: TableEncoding | None = None
    column_facts: tuple[ColumnFacts, ...] = ()
    y_validation: np.ndarray | None = None  # as in the data, for metrics
    y_test: np.ndarray | None = None


def prepare(
    dataset: Dataset,
    config: TrainConfig,
    task: Task,
    sample_weight: np.ndarray | None = None,
) -> Prepared:
    """Split, fit the scaling on the training part, scale and encode.

    Parameters
    ----------
    dataset : Dataset
    config : TrainConfig
        Resolved.
    task : Task
    sample_weight : array_like of shape (n,), optional
        A weight for each row of the dataset's ``X``.

    Raises
    ------
    ConfigError
        If the data cannot be split, are too few for a validation set, or all have weight 0; or if
        settings select validation rows although the dataset has its own.
    DataError
        If labels are unknown, the training part has a single class, a scaled feature or a target
        is outside the range of the network's dtype, or sparse features are too large for the dense
        rows that input_dropout needs.
    """
    if dataset.has_validation_part:
        _check_no_validation_settings(config)
    split = parts(dataset, **config.split_settings, sample_weight=sample_weight, copy=False)
    if split.X_validation is None and config.validation > 0:
        raise ConfigError(
            f"validation must be 0 with a single training row, got {config.validation}; "
            "use more rows, or set it to 0"
        )
    features = None
    if not is_table(split.X_train):  # whose encoding knows the names
        features = FeatureInfo.of(split.X_train, dataset.feature_names, dataset.image_shape)
    prepared = prepare_parts(split, config, task, dataset.feature_range)
    return prepared._replace(
        features=features, target_names=dataset.target_names, table=_table(dataset, config),
        column_facts=dataset.column_facts,
    )  # fmt: skip


def _table(dataset: Dataset, config: TrainConfig) -> TableOptions:
    """Return how the training table was read, with the positions of its columns.

    Predictions use them to find the columns of a table without a header.
    """
    positions = dataset.positions
    return config.table if positions is None else positions.in_options(config.table)


def prepare_parts(
    split: Parts,
    config: TrainConfig,
    task: Task,
    feature_range: tuple[float, float] | None = None,
    scaling: Scaling | None = None,
) -> Prepared:
    """Fit the scaling on the training part, scale and encode.

    Parameters
    ----------
    split : Parts
        Features may be selections, SciPy sparse matrices of any format, and rows of a table, whose
        encoding is then learned on the training part.
    config : TrainConfig
        Resolved.
    task : Task
    feature_range : (float, float), optional
        The known range of the features.
    scaling : Scaling, optional
        That was fitted before, on other rows; not for tables.

    Raises
    ------
    ConfigError
        If all weights are 0, or there are weights in stochastic mode.
    DataError
        If labels are unknown, a scaled feature or a target is beyond the range of the network's
        dtype, or sparse features are too large for the dense rows that the settings need.
    """
    if is_table(split.X_train):
        return _prepare_table(split, config, task)
    return _prepare(split, config, task, feature_range, scaling=scaling)


def _prepare(
    split: Parts,
    config: TrainConfig,
    task: Task,
    feature_range: tuple[float, float] | None,
    encoding: TableEncoding | None = None,
    scaling: Scaling | None = None,
) -> Prepared:
    """Prepare parts; with an encoding, validation and test rows are tables still."""
    if config.input_dropout:  # dropout draws for every feature, also for zeros
        split = _alike(split, "input_dropout", "set input_dropout to 0")
    elif why_dense(config):
        split = _alike(split, "the first layer", "use a dense layer first")
    else:
        split = _alike(split)
    if scaling is None:
        scaling = SCALERS.parse(config.scale).fit(split.X_train, feature_range)
    fitted = scaling
    dtype = np.dtype(config.dtype)
    if fitted.clip:
        scaled = {
            name: clipped_rows(X, fitted, dtype)
            for name, X in split._asdict().items()
            if name.startswith("X_") and X is not None
        }
        split, scaling = split._replace(**scaled), NO_SCALING
    shift = largest_shift(scaling)
    if shift > LISTS_SHIFT:
        split = _alike(split, *shift_advice(scaling))
    if config.target_scale != "none":
        task = replace(task, target_scaling=fit_target_scaling(config, split.y_train))
    if config.limit_outputs and task.kind == "regression":
        targets = split.y_train.reshape(len(split.y_train), -1).astype(float)
        task = replace(task, target_range=np.array([targets.min(axis=0), targets.max(axis=0)]))
    n_features = split.X_train.shape[1]
    inputs = plan_inputs(
        config,
        n_features,
        density(split.X_train),
        shift,
        is_sparse(split.X_train),
        split.X_train.dtype == np.uint8,
        scaling.factor.size == 1 and shift == 0,
    )

    def encoded(X: Features, y: np.ndarray) -> Data:
        if encoding is not None and is_table(X):
            # Not before: at any time there are the features of one part alone.
            X = encoded_table(encoding, X, dtype)
            X = X if is_sparse(split.X_train) else as_dense(X, "X")
        labels, targets = encode_targets(task, y, config)
        is_owned = encoding is not None
        return encode(
            X, scaling, dtype, labels, targets, inputs=inputs.kind, is_owned=is_owned
        )  # fmt: skip

    def encoded_if_given(X: Features | None, y: np.ndarray | None) -> Data | None:
        return None if X is None or y is None else encoded(X, y)

    train = encoded(split.X_train, split.y_train)
    weights = _weights(split, config, task)
    if encoding is not None:  # which has its own copy of the training rows
        split = split._replace(X_train=split.X_train[:0])
    validation = encoded_if_given(split.X_validation, split.y_validation)
    if validation is not None and split.weight_validation is not None:
        validation = validation._replace(weights=split.weight_validation)
    return Prepared(
        train._replace(weights=weights),
        validation,
        encoded_if_given(split.X_test, split.y_test),
        fitted,
        task,
        n_features,
        inputs,
        encoding=encoding,
        y_validation=split.y_validation,
        y_test=split.y_test,
    )


def _prepare_table(split: Parts, config: TrainConfig, task: Task) -> Prepared:
    """Learn the encoding of a table on its training rows, and prepare the encoded parts."""
    dtype = np.dtype(config.dtype)
    encoding = TableEncoding.fit(split.X_train, SCALERS.parse(config.scale), config.min_frequency)
    if not encoding.n_features:
        raise DataError(
            "the columns must make a feature, got none: in the training rows, each has a single "
            "value or only rare levels; add columns or rows, or lower min_frequency (now "
            f"{config.min_frequency})"
        )
    check_network(config, encoding.n_features, task.n_outputs)
    # Kept by no name here, so that they can be freed before other parts are encoded.
    return _prepare(
        split._replace(X_train=encoded_table(encoding, split.X_train, dtype)),
        config.replace(scale="none"), task, None, encoding,
    )  # fmt: skip


def _check_no_validation_settings(config: TrainConfig) -> None:
    for name in ("validation", "hold_out"):
        value = getattr(config, name)
        if value != getattr(TrainConfig, name):
            raise ConfigError(
                f"{name} must be left out for data with validation rows of their own, got {value}; "
                "leave it out, or pass the data without these rows"
            )


def _alike(split: Parts, why: str = "", remedy: str = "") -> Parts:
    """Return the parts with all features sparse, or all dense, like the training features.

    With a reason ``why``, all become dense.
    """

    def converted(X: Features) -> Features:
        if is_table(X):  # its turn comes later
            return X
        if why:
            return as_dense(X, "X", why, remedy)
        if is_sparse(split.X_train):
            return canonical(X, "X")
        return as_dense(X, "X", "a dense training part", "train on a sparse matrix")

    features = {name: X for name, X in split._asdict().items() if name.startswith("X_")}
    if not any(is_sparse(X) for X in features.values()):
        return split
    changes: dict[str, Any] = {name: converted(X) for name, X in features.items() if X is not None}
    return split._replace(**changes)


def _weights(split: Parts, config: TrainConfig, task: Task) -> np.ndarray:
    """Return the sample weights of the training rows times class weights; empty: all 1."""
    no_weights: np.ndarray = np.empty(0)
    given = split.weight_train
    if config.class_weight != "none" and task.classes is not None:
        by_class = class_weights(config.class_weight, split.y_train, task.classes)
        given = by_class if given is None else given * by_class
    if given is None:
        return no_weights
    if config.mode == "stochastic":
        raise ConfigError(
            "sample weights do not go with mode stochastic: the weighted mean over a batch of one "
            "sample does not depend on its weight; use mode minibatch or batch"
        )
    if not given.any():
        raise ConfigError(
            "some row of the training part must have a weight above 0, got 0 for all; raise a "
            "sample weight or the class_weight"
        )
    limits, largest = np.finfo(config.dtype), float(given.max())
    least = float(limits.smallest_normal) / float(limits.eps)
    with np.errstate(over="ignore"):
        is_counted = largest >= least and float(given.sum()) <= float(limits.max)
    if not is_counted:
        raise DataError(
            f"sample weights must be in the range of {config.dtype}, and so must their sum, got up "
            f"to {largest:.3g}; divide them by their largest"
        )
    return given
