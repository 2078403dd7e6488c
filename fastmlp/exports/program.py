"""A model as a sequence of operations, which each export writes in its language."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ..base.levels import MISSING
from ..model.network import Network
from ..model.predictor import Predictor
from ..model.task import Task
from ..ops.fitted_category import FittedCategory
from ..ops.operations import Affine, Apply, Convolve, Operation, Pool, Select, Shape, Sort
from ..ops.table_encoding import TableEncoding

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Program:
    """What a Predictor computes.

    Attributes
    ----------
    n_features : int
        Of the rows of numbers, after ``encoding`` if there is one.
    encoding : TableEncoding or None
        Of the columns of a table of several kinds.
    scaling : Apply or None
        Of the features, in float64.
    members : tuple of tuple of Operation
        Of each network; their outputs are averaged.
    task : Task
    target : Apply or None
        From scaled targets to predictions of a regression, in float64.
    dtype : dtype
        Of the networks.
    names : tuple of str or None
        Of the columns trained on.
    """

    n_features: int
    encoding: TableEncoding | None
    scaling: Apply | None
    members: tuple[tuple[Operation, ...], ...]
    task: Task
    target: Apply | None
    dtype: np.dtype
    names: tuple[str, ...] | None

    @classmethod
    def of(cls, predictor: Predictor) -> Program:
        """Return the program of a model."""
        task, scaling, network = predictor.task, predictor.scaling, predictor.network
        features, outputs = (network.n_inputs,), (task.n_outputs,)
        is_scaled = scaling.kind != "none"
        constants = {"offset": scaling.offset, "factor": scaling.factor}
        target = None
        if (targets := task.target_scaling) is not None and targets.kind != "none":
            width = {"width": targets.width, "offset": targets.offset}
            target = Apply(outputs, outputs, "z * width + offset", width)
        return cls(
            network.n_inputs,
            predictor.encoding,
            Apply(features, features, scaling.formula, constants) if is_scaled else None,
            tuple((*_operations(network), *_ordered(task)) for network in predictor.networks),
            task,
            target,
            network.dtype,
            predictor.feature_names,
        )

    @property
    def title(self) -> str:
        """The program in a line; without labels, which could end a comment."""
        outputs = self.task.n_outputs if self.task.classes is None else len(self.labels)
        what = "outputs" if self.task.classes is None else "classes"
        return f"{self.task.kind}, {self.n_columns} columns, {outputs} {what}"

    @property
    def n_columns(self) -> int:
        """Number of columns of rows to predict from."""
        return self.n_features if self.encoding is None else self.encoding.n_columns

    def predicted_dtype(self, dtype: str) -> np.dtype:
        """Return the dtype of predictions that are made of outputs of a dtype."""
        return self.task.decode(np.empty((0, self.task.n_outputs), dtype)).dtype

    @property
    def feature_order(self) -> np.ndarray:
        """The position of each feature among those of all columns, column by column."""
        assert self.encoding is not None
        order: np.ndarray = np.argsort(np.concatenate(self.encoding.places))
        return order

    @property
    def labels(self) -> np.ndarray:
        """The classes, for tasks that have them."""
        assert self.task.classes is not None
        return self.task.classes


def _operations(network: Network) -> tuple[Operation, ...]:
    matrices = dict(
        zip(network.weighted, zip(network.weights, network.biases, strict=True), strict=True)
    )
    nothing = np.empty((0, 0), network.dtype), np.empty(0, network.dtype)
    return tuple(
        operation
        for index, layer in enumerate(network.layers)
        for operation in layer.exported(network.shapes[index], *matrices.get(index, nothing))
    )


def _ordered(task: Task) -> Iterator[Operation]:
    """Yield what sorts quantiles, and limits predictions of a regression to a range of targets.

    Both come before the mean over networks, as in the Predictor; here the targets are still scaled.
    """
    shape = (task.n_outputs,)
    if task.quantiles:
        yield Sort(shape, shape)
    if task.target_range is None:
        return
    limits = task.target_range
    if task.target_scaling is not None:
        limits = task.target_scaling.apply(limits, np.dtype(np.float64))
    low, high = limits.astype(np.float32)
    constants = {"low": low, "high": high}
    yield Apply(shape, shape, "minimum(maximum(z, low), high)", constants)


class Writer(Generic[T]):
    """Writes operations in a language, in which a T stands for rows or images.

    Subclasses define a method for each operation, and the change from rows to images and back.
    """

    def write(self, operations: Sequence[Operation], rows: T) -> T:
        """Return the outputs of operations, as rows."""
        found, image = rows, None
        for operation in operations:
            takes_image = isinstance(operation, Convolve | Pool) or (
                isinstance(operation, Apply) and len(operation.inputs) == 3
            )
            if takes_image and image is None:
                found = self.as_images(found, operation.inputs)
            elif not takes_image and image is not None:
                found = self.as_rows(found, image)
            found = self._operation(operation, found)
            image = operation.outputs if takes_image else None
            if image is not None and len(image) == 1:  # one pixel
                found, image = self.as_rows(found, (1, 1, *image)), None
        return found if image is None else self.as_rows(found, image)

    def _operation(self, operation: Operation, found: T) -> T:
        match operation:
            case Affine():
                return self.affine(operation, found)
            case Select():
                return self.select(operation, found)
            case Convolve():
                return self.convolve(operation, found)
            case Pool():
                return self.pool(operation, found)
            case Sort():
                return self.sort(operation, found)
            case Apply():
                return self.apply(operation, found)
        raise NotImplementedError(f"{type(operation).__name__} cannot be exported")

    def as_images(self, rows: T, shape: Shape) -> T:
        """Return rows as images of a shape (height, width, channels)."""
        raise NotImplementedError

    def as_rows(self, images: T, shape: Shape) -> T:
        """Return images of a shape as rows: pixel by pixel, channels last."""
        raise NotImplementedError

    def affine(self, operation: Affine, found: T) -> T:
        """Return ``x W + b``."""
        raise NotImplementedError

    def select(self, operation: Select, found: T) -> T:
        """Return some elements of each row."""
        raise NotImplementedError

    def convolve(self, operation: Convolve, found: T) -> T:
        """Return a convolution."""
        raise NotImplementedError

    def pool(self, operation: Pool, found: T) -> T:
        """Return the maximum or the mean of each window."""
        raise NotImplementedError

    def sort(self, operation: Sort, found: T) -> T:
        """Return rows whose elements ascend."""
        raise NotImplementedError

    def apply(self, operation: Apply, found: T) -> T:
        """Return a formula of each element."""
        raise NotImplementedError


def size_of(shape: Shape) -> int:
    """Return the number of elements of a row."""
    return math.prod(shape)


def features_of_texts(fitted: FittedCategory) -> dict[str, int]:
    """Return the feature of each known text, gaps included, counted within the column's; -1: none.

    Languages that only compare texts know the usual spellings of a missing value.
    """
    index, _, gap = fitted.level_features()
    gaps = {form(text) for text in MISSING for form in (str, str.upper, str.capitalize)}
    return {**dict.fromkeys(sorted(gaps | {"NaN", "N/a"}), gap), **index}
