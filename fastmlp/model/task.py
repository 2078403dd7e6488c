"""The meaning of a network's outputs: targets from labels, labels from outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.errors import DataError
from ..base.wording import listed
from ..kernels.rules import codes
from ..ops.scalers import Scaling


@dataclass(frozen=True, eq=False)
class Task:
    """Multi-class (an output per class), binary (one output), multi-label or regression.

    Attributes
    ----------
    kind : {"multiclass", "binary", "multilabel", "regression"}
    n_outputs : int
    classes : ndarray, shape (n_classes,), or None
        The labels in the order of the outputs; for a binary task, the negative label first.
    threshold : float
        Least output for which a binary or multi-label task predicts a label.
    target_scaling : Scaling or None
        How the targets of a regression were scaled for training.
    quantiles : tuple of float
        Levels of the quantiles of a single target that the outputs are, ascending; empty: an output
        is a prediction of a target.
    target_range : ndarray of float64, shape (2, n_targets), or None
        The least and the largest target in training, to which predictions are limited.
    """

    kind: str
    n_outputs: int
    classes: np.ndarray | None = None
    threshold: float = 0.5
    target_scaling: Scaling | None = None
    quantiles: tuple[float, ...] = ()
    target_range: np.ndarray | None = None

    @property
    def code(self) -> int:
        """The task's kernel code."""
        return {
            "regression": codes.REGRESSION,
            "multiclass": codes.MULTICLASS,
            "binary": codes.BINARY,
            "multilabel": codes.BINARY,
        }[self.kind]

    @property
    def n_targets(self) -> int:
        """The number of target columns."""
        return 1 if self.quantiles else self.n_outputs

    @property
    def has_accuracy(self) -> bool:
        """Whether a prediction is right or wrong."""
        return self.kind != "regression"

    def describe(self) -> str:
        """Return the kind, and the classes or the number of outputs."""
        if self.classes is not None:
            return f"{self.kind}, {len(self.classes)} classes: {listed(self.classes)}"
        if self.quantiles:
            return f"{self.kind}, quantiles {', '.join(f'{level:g}' for level in self.quantiles)}"
        what = "labels" if self.kind == "multilabel" else "outputs"
        return f"{self.kind}, {self.n_outputs} {what if self.n_outputs > 1 else what[:-1]}"

    def encode(self, y: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """Return (labels, targets) for kernels; the one that is not used is empty.

        Parameters
        ----------
        y : ndarray, shape (n,) or (n, n_outputs)
        dtype : dtype
            Of the targets, shape (n, n_outputs); labels are int32 of shape (n,).
        """
        no_labels, no_targets = np.empty(0, np.int32), np.empty((0, self.n_outputs), dtype)
        if self.classes is None:
            y = y.reshape(len(y), self.n_targets)
            if self.quantiles:
                y = np.repeat(y, self.n_outputs, axis=1)
            return no_labels, self._numbers(y, dtype)
        numbers = np.searchsorted(self.classes, y)
        known = self.classes[np.minimum(numbers, len(self.classes) - 1)] == y
        if not known.all():
            raise DataError(
                f"y must hold the labels known from training ({listed(self.classes)}), "
                f"got {y[~known].tolist()[0]!r}"
            )
        if self.kind == "binary":
            return no_labels, numbers.astype(dtype).reshape(-1, 1)
        return numbers.astype(np.int32), no_targets

    def _numbers(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return targets (n, n_outputs), scaled, in ``dtype``.

        Unscaled they must be in its range, too, because predictions are returned in it.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            if self.target_scaling is not None:
                targets = self.target_scaling.apply(y, dtype)
            else:
                targets = np.ascontiguousarray(y, dtype)
        largest = float(np.abs(y).max())
        if largest > float(np.finfo(dtype).max) or not np.isfinite(targets).all():
            raise DataError(
                f"y must be finite and in the range of {dtype}, got {largest:g}: the targets "
                f"exceed {dtype}; use dtype float64 (an estimator uses that of X), or scale them"
            )
        return targets

    def hits(self, outputs: np.ndarray, labels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return whether predictions are right, int64 of shape (n,); 0 for regression.

        Parameters
        ----------
        outputs : ndarray, shape (n, n_outputs)
        labels, targets : ndarray
            As :meth:`encode` returns them.
        """
        if self.kind == "regression":
            right = np.zeros(len(outputs), bool)
        elif self.kind == "multiclass":
            right = outputs.argmax(axis=1) == labels
        else:
            right = np.all((outputs >= self.threshold) == (targets >= 0.5), axis=1)
        return right.astype(np.int64)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return a column for each class, or label, from outputs (n, n_outputs)."""
        return np.hstack([1 - outputs, outputs]) if self.kind == "binary" else outputs

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Return predictions, shape (n,) or (n, n_outputs), from outputs (n, n_outputs).

        Quantiles are sorted in each row, so that none cross: this never increases the loss
        (Chernozhukov et al. 2010).
        """
        if self.kind == "multilabel":
            return (outputs >= self.threshold).astype(np.int64)
        if self.classes is None:
            if self.target_scaling is not None:
                outputs = self.target_scaling.undo(outputs)
            if self.target_range is not None:
                outputs = np.clip(outputs, *self.target_range.astype(outputs.dtype))
            if self.quantiles:
                return np.sort(outputs, axis=1)
            return outputs[:, 0] if self.n_outputs == 1 else outputs
        if self.kind == "multiclass":
            numbers = outputs.argmax(axis=1)
        else:
            numbers = (outputs[:, 0] >= self.threshold).astype(np.intp)
        labels: np.ndarray = self.classes[numbers]
        return labels

    def decode_one(self, outputs: np.ndarray) -> np.ndarray:
        """Return predictions as :meth:`decode`, of quantiles the one nearest to the median."""
        predicted = self.decode(outputs)
        return predicted[:, self.central] if self.quantiles else predicted

    @property
    def central(self) -> int:
        """The index of the quantile nearest to the median."""
        return int(np.argmin(np.abs(np.array(self.quantiles) - 0.5)))
