"""A trained model: scaling, network, classes and threshold."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import Features, canonical, is_sparse
from ..base.errors import DataError
from ..base.image_rows import rows_of_images
from ..base.table_options import TableOptions
from ..base.wording import listed
from ..kernels.buffers import Data
from ..ops.losses import Loss
from ..ops.optimizers import SGD
from ..ops.scalers import Scaling
from ..ops.table_encoding import TableEncoding
from .encoding import encode_for_outputs, encoded_table
from .evaluation import Evaluation
from .evaluator import NetworkLayout, borrowed
from .exporting import Exporting
from .features import FeatureInfo
from .functions import objective
from .launch import WORTH_A_TEAM, check_threads
from .network import Network
from .table_inputs import plain_of, table_of
from .task import Task


class Predictor(Exporting):
    """Predicts from raw features: scales them, runs the network, and reads its outputs.

    Parameters
    ----------
    network : Network
    scaling : Scaling
        Fitted on the training part.
    task : Task
    features : FeatureInfo, optional
        Names of the features and statistics of the training part; None: not known.
    target_names : tuple of str, optional
        Names of the target columns in training.
    table : TableOptions, optional
        How the training table was read; the default for tables to predict from.
    encoding : TableEncoding, optional
        Of the columns of a table of several kinds, which it turns into scaled features; None: the
        model was trained on a matrix of numbers.
    """

    def __init__(
        self,
        network: Network,
        scaling: Scaling,
        task: Task,
        features: FeatureInfo | None = None,
        target_names: tuple[str, ...] | None = None,
        table: TableOptions | None = None,
        encoding: TableEncoding | None = None,
    ):
        self.network, self.scaling, self.task = network, scaling, task
        self.features, self.target_names = features, target_names
        self.table = TableOptions() if table is None else table
        self.encoding = encoding

    def replace(self, **parts: Any) -> Predictor:
        """Return a copy with other parts, each named as a parameter of the class."""
        return type(self)(**{**vars(self), **parts})

    def __repr__(self) -> str:
        facts = [self.network.describe(), self.network.dtype.name, self.task.describe()]
        if self.network.is_dense:
            facts[0] += f" ({', '.join(map(str, self.network.activations))})"
        if (names := self.feature_names) is not None:
            facts.append(f"features {listed(names)}")
        if self.target_names is not None:
            facts.append(f"target {listed(self.target_names)}")
        return f"<Predictor {'; '.join(facts)}>"

    @property
    def classes(self) -> np.ndarray | None:
        """The labels in the order of the outputs, shape (n_classes,); None for regression."""
        return self.task.classes

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of the columns trained on; None if they had none."""
        if self.encoding is not None:
            return self.encoding.names
        return None if self.features is None else self.features.names

    @property
    def n_columns(self) -> int:
        """Number of columns of rows to predict from."""
        return self.network.n_inputs if self.encoding is None else self.encoding.n_columns

    def outputs(self, X: Features, threads: int | None = None) -> np.ndarray:
        """Return the network's outputs, shape (n, n_outputs), in the network's dtype.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, n_features)
            Raw features, as in training before scaling. The columns of a frame (pandas, polars,
            Arrow) are found by name, in any order, if the model was trained on named columns;
            other columns are ignored with a warning. Gaps and levels that training did not have
            are allowed in frames, and in any rows of a model with an ``encoding``. A sparse matrix
            is made dense only where the first layer takes images. Images may have the shapes that
            :class:`~fastmlp.Dataset` takes.
        threads : int, optional
            Default: all CPUs that this process may use; one for a few rows.

        Raises
        ------
        DataError
            If X has the wrong shape, lacks a column, is not numeric, or holds NaN or infinity.
        """
        X = self._checked(X)
        if not X.shape[0]:
            return np.empty((0, self.task.n_outputs), self.network.dtype)
        dtype, n_outputs = self.network.dtype, self.task.n_outputs
        needs_dense = self._layout.needs_dense_rows
        data = encode_for_outputs(
            X, self.scaling, dtype, n_outputs=n_outputs, needs_dense=needs_dense
        )
        return self._evaluate(data, None, threads).outputs

    def evaluate(
        self, X: Features, y: np.ndarray, loss: Loss, threads: int | None = None
    ) -> Evaluation:
        """Return the outputs for rows and the mean loss with respect to their targets.

        Parameters
        ----------
        X : ndarray or sparse matrix, shape (n, n_features)
            As for :meth:`outputs`; at least one row.
        y : ndarray, shape (n,) or (n, n_outputs)
            Labels known from training, or numbers.
        loss : Loss
        threads : int, optional
            As for :meth:`outputs`.

        Raises
        ------
        DataError
            As for :meth:`outputs`, and for an unknown label.
        """
        dtype = self.network.dtype
        encoded = self.task.encode(y, dtype)
        needs_dense = self._layout.needs_dense_rows
        data = encode_for_outputs(
            self._checked(X), self.scaling, dtype, *encoded, needs_dense=needs_dense
        )
        return self._evaluate(data, loss, threads)

    def predict(self, X: Features, threads: int | None = None) -> np.ndarray:
        """Return the predicted label or value of each row, shape (n,) or (n, n_outputs).

        Parameters and errors as for :meth:`outputs`.
        """
        return self.task.decode(self.outputs(X, threads))

    def predict_proba(self, X: Features, threads: int | None = None) -> np.ndarray:
        """Return the probability of each class, shape (n, n_classes), or of each label.

        Parameters and errors as for :meth:`outputs`; DataError for regression. Outputs are
        probabilities if the output activation is softmax or sigmoid; others are returned as they
        are.
        """
        if self.task.kind == "regression":
            raise DataError(
                "predict_proba needs a classification, this is a regression; use predict"
            )
        return self.task.probabilities(self.outputs(X, threads))

    def encoded(self, X: Features) -> np.ndarray:
        """Return rows as the network takes them, scaled: (n, n_features), in its dtype.

        Parameters and errors as for :meth:`outputs`.
        """
        rows = as_dense(self._checked(X), "X", "its rows as an array", "encode fewer rows at once")
        return self.scaling.apply(rows, self.network.dtype)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as a safetensors file, atomically.

        Raises
        ------
        FastMLPError
            If the file cannot be written; no partial file remains.
        """
        from .storage import save_predictor

        save_predictor(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Predictor:
        """Read a model that :meth:`save` wrote.

        Raises
        ------
        DataError
            If the file is missing, damaged or not such a model. Loading executes no code.
        """
        from .storage import load_predictor

        return load_predictor(path)

    @property
    def _layout(self) -> NetworkLayout:
        network = self.network
        return NetworkLayout(network.layers, network.input_shape, network.dtype)

    def _evaluate(self, data: Data, loss: Loss | None, threads: int | None) -> Evaluation:
        network, task = self.network, self.task
        work = len(data.order) * network.row_work
        if threads is None and work < WORTH_A_TEAM:
            threads = 1
        goal = None
        if loss is not None:
            goal = objective(loss, SGD(), network.dtype, task.code, threshold=task.threshold)
        with borrowed(self._layout, data) as evaluator:
            evaluator.take_params(network.params)
            return evaluator.run(data, check_threads(threads), self.scaling, goal)

    def _checked(self, X: Features) -> Features:
        """Return X as a numeric matrix of the right width, a sparse one as CSR."""
        if self.encoding is not None:
            rows = table_of(X, self.encoding, self.target_names, stacklevel=5)
            return encoded_table(self.encoding, rows, self.network.dtype)
        n_features = self.network.n_inputs
        X = plain_of(X, self.features, self.target_names, stacklevel=5)
        try:
            given = X if is_sparse(X) else np.asarray(X)
        except ValueError:
            raise DataError(
                "X must be a matrix, got rows of different lengths; give every row the same length"
            ) from None
        shape = self.network.input_shape
        X, found = rows_of_images(given, shape)
        is_other = len(shape) == 3 and found not in (None, shape)
        if X.ndim != 2 or X.shape[1] != n_features or is_other:
            images = f" or (n, {', '.join(map(str, shape))})" if len(shape) == 3 else ""
            raise DataError(
                f"X must have shape (n, {n_features}){images} as in training, got {given.shape}; "
                "a single row is X.reshape(1, -1)"
            )
        if X.dtype.kind not in "fiub":
            raise DataError(
                f"X must hold numbers, got dtype {X.dtype}; convert it with X.astype(float)"
            )
        return canonical(X, "X") if is_sparse(X) else X
