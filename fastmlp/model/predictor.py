"""A trained model: scaling, network, classes and threshold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from ..base.csr import Features
from ..base.errors import DataError
from ..base.notebook import html_of
from ..base.table_options import TableOptions
from ..base.wording import listed
from ..kernels.buffers import Data
from ..ops.losses import Loss
from ..ops.optimizers import SGD
from ..ops.scalers import Scaling
from ..ops.table_encoding import TableEncoding
from .averaging import check_several, deviation_of, evaluate_mean, mean_of, predicted, spread
from .encoding import encode_for_outputs, encoded_table
from .evaluation import Evaluation
from .evaluator import NetworkLayout, borrowed
from .exporting import Exporting
from .features import FeatureInfo
from .functions import objective
from .launch import WORTH_A_TEAM, check_threads
from .network import Network
from .table_inputs import matrix_of, plain_of, table_of
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
    more_networks : sequence of Network, optional
        Of an ensemble: networks of the same layers, whose outputs are averaged with those of
        ``network``.
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
        more_networks: Sequence[Network] = (),
    ):
        self.network, self.scaling, self.task = network, scaling, task
        self.features, self.target_names, self.encoding = features, target_names, encoding
        self.table = TableOptions() if table is None else table
        self.more_networks = tuple(more_networks)

    def replace(self, **parts: Any) -> Predictor:
        """Return a copy with other parts, each named as a parameter of the class."""
        return type(self)(**{**vars(self), **parts})

    def __repr__(self) -> str:
        facts = [] if self.n_models == 1 else [f"{self.n_models} models"]
        facts += [self.network.describe(), self.network.dtype.name, self.task.describe()]
        if self.network.is_dense:
            facts[-3] += f" ({', '.join(map(str, self.network.activations))})"
        if (names := self.feature_names) is not None:
            facts.append(f"features {listed(names)}")
        if self.target_names is not None:
            facts.append(f"target {listed(self.target_names)}")
        return f"<Predictor {'; '.join(facts)}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks, several of an ensemble."""
        return self.network, *self.more_networks

    @property
    def n_models(self) -> int:
        """Number of networks that are averaged."""
        return 1 + len(self.more_networks)

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

        Those of an ensemble are the mean of its networks' outputs.

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
        return mean_of(self.outputs_of_models(X, threads))

    def outputs_of_models(self, X: Features, threads: int | None = None) -> list[np.ndarray]:
        """Return the outputs of each network, an array of shape (n, n_outputs) for each.

        Parameters and errors as for :meth:`outputs`.
        """
        X = self._checked(X)
        n_outputs, dtype = self.task.n_outputs, self.network.dtype
        if not X.shape[0]:
            return [np.empty((0, n_outputs), dtype) for _ in self.networks]
        data = encode_for_outputs(
            X, self.scaling, dtype, n_outputs=n_outputs, needs_dense=self._layout.needs_dense_rows
        )
        return self._outputs(data, self._team(data, threads))

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
        return self.evaluate_data(data, loss, threads)

    def evaluate_data(self, data: Data, loss: Loss, threads: int | None = None) -> Evaluation:
        """Return the same as :meth:`evaluate` for rows in the form of kernels.

        Parameters
        ----------
        data : Data
            Without sample weights.
        loss : Loss
        threads : int, optional
        """
        network, task, team = self.network, self.task, self._team(data, threads)
        goal = objective(loss, SGD(), network.dtype, task.code, threshold=task.threshold)
        if self.n_models == 1:
            with borrowed(self._layout, data) as evaluator:
                evaluator.take_params(network.params)
                return evaluator.run(data, team, self.scaling, goal)
        of_models = self._outputs(data, team)
        return evaluate_mean(of_models, data, network.activations[-1], task, goal, team)

    @overload
    def predict(self, X: Features, threads: int | None = ...) -> np.ndarray: ...

    @overload
    def predict(
        self, X: Features, threads: int | None = ..., *, return_std: bool
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...

    def predict(
        self, X: Features, threads: int | None = None, *, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the predicted label or value of each row, shape (n,) or (n, n_outputs).

        An ensemble predicts the mean value, or the label of the mean probabilities.

        Parameters
        ----------
        X, threads
            As for :meth:`outputs`.
        return_std : bool, default False
            Whether to return a pair of the predictions and the standard deviation between the
            models: of the values, with the shape of the predictions; of the probability of the
            predicted class, shape (n,); of the probability of each label, shape (n, n_outputs).

        Raises
        ------
        ConfigError
            For ``return_std`` without an ensemble.
        DataError
            As for :meth:`outputs`.
        """
        if return_std:
            check_several(self.n_models)
        outputs = self.outputs_of_models(X, threads)
        values = predicted(self.task, outputs)
        return (values, spread(self.task, outputs)) if return_std else values

    @overload
    def predict_proba(self, X: Features, threads: int | None = ...) -> np.ndarray: ...

    @overload
    def predict_proba(
        self, X: Features, threads: int | None = ..., *, return_std: bool
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...

    def predict_proba(
        self, X: Features, threads: int | None = None, *, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the probability of each class, shape (n, n_classes), or of each label.

        Parameters and errors as for :meth:`predict`, where ``return_std`` adds the standard
        deviation of each probability; DataError for regression. Outputs are probabilities if the
        output activation is softmax or sigmoid; others are returned as they are.
        """
        if self.task.kind == "regression":
            raise DataError("predict_proba needs a classification, got a regression; use predict")
        if return_std:
            check_several(self.n_models)
        outputs = self.outputs_of_models(X, threads)
        probabilities = list(map(self.task.probabilities, outputs))
        if not return_std:
            return mean_of(probabilities)
        return mean_of(probabilities), deviation_of(probabilities)

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

    def _team(self, data: Data, threads: int | None) -> int:
        """Return the number of threads; by default one for a few rows."""
        if threads is None and len(data.order) * self.network.row_work < WORTH_A_TEAM:
            threads = 1
        return check_threads(threads)

    def _outputs(self, data: Data, threads: int) -> list[np.ndarray]:
        """Return the outputs of each network."""
        data = data._replace(labels=data.labels[:0], targets=data.targets[:0])
        outputs = []
        with borrowed(self._layout, data) as evaluator:
            for network in self.networks:
                evaluator.take_params(network.params)
                outputs.append(evaluator.run(data, threads, self.scaling).outputs)
        return outputs

    def _checked(self, X: Features) -> Features:
        """Return X as a numeric matrix of the right width, a sparse one as CSR."""
        if self.encoding is not None:
            rows = table_of(X, self.encoding, self.target_names, stacklevel=5)
            return encoded_table(self.encoding, rows, self.network.dtype)
        X = plain_of(X, self.features, self.target_names, stacklevel=5)
        return matrix_of(X, self.network.input_shape)
