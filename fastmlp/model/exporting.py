"""The methods of a Predictor that export and import models."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import Features
from ..base.exporters import exporters

PathLike = str | os.PathLike[str]


class Exporting:
    """Exports to other formats; see :class:`~fastmlp.Predictor`."""

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Any:
        """Return the Predictor of a fitted MLPClassifier or MLPRegressor.

        Predictions are the same, except for rounding.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Of scikit-learn or fastmlp. A pipeline may have a StandardScaler, MinMaxScaler or
            MaxAbsScaler before it, which becomes the Predictor's scaling.

        Raises
        ------
        ConfigError
            If it is not fitted, is no such estimator, has one class, or another step.
        """
        from .from_sklearn import predictor_of

        return predictor_of(estimator)

    def to_onnx(self, path: PathLike | None = None) -> Any:
        """Return the model as ONNX, of opset 18, with scaling, encodings, classes and threshold.

        A model of numbers has one input ``X``, float32 of shape (n, n_features). One of a table
        has an input for each column, shape (n, 1): float64 numbers, NaN for gaps; times as float64
        seconds since 1970; texts, empty for gaps. Outputs are ``label``, shape (n,), and
        ``probabilities``, a float32 tensor of shape (n, n_classes); with several labels, both have
        a column for each; of a regression ``predictions``, shape (n,) or (n, n_outputs).

        Parameters
        ----------
        path : path-like, optional
            A file to write the model to, besides.

        Returns
        -------
        onnx.ModelProto

        Raises
        ------
        FastMLPError
            If onnx is not installed, or the file cannot be written.
        """
        return exporters["to_onnx"](self, path)

    def to_numpy(self, path: PathLike | None = None) -> str:
        """Return the source of a Python module that predicts and needs NumPy alone.

        It has ``predict(X)`` and, for classes and labels, ``predict_proba(X)``, which return what
        the methods of the same names do. X is an array; of a table, a frame or a dict of columns.

        Parameters
        ----------
        path : path-like, optional
            A file to write the module to, besides.

        Raises
        ------
        FastMLPError
            If the file cannot be written.
        """
        source: str = exporters["to_numpy"](self, path)
        return source

    def to_c(self, path: PathLike | None = None, name: str = "model") -> str:
        """Return a header of C99 that predicts, in float32, without dependencies or allocation.

        Its comment says what to call: ``model_predict``, ``model_probabilities``. The row of a
        table is a struct with a member for each column.

        Parameters
        ----------
        path : path-like, optional
            A file to write the header to, besides.
        name : str, default "model"
            The beginning of all names that it defines.

        Raises
        ------
        ConfigError
            If ``name`` is no name in C.
        FastMLPError
            If the file cannot be written.
        """
        source: str = exporters["to_c"](self, path, name)
        return source

    def to_torch(self) -> Any:
        """Return the model as a module of PyTorch, with weights that can be trained further.

        It takes a tensor of rows, shape (n, n_features), or images; scaling is inside. Of a table
        of several kinds it takes what :meth:`encoded` returns. It returns the probabilities of
        classes, shape (n, n_classes), or of labels, or predictions, shape (n, n_outputs).

        Returns
        -------
        torch.nn.Sequential

        Raises
        ------
        FastMLPError
            If torch is not installed.
        """
        return exporters["to_torch"](self)

    def encoded(self: Any, X: Features) -> np.ndarray:
        """Return rows as the network takes them, scaled: (n, n_features), in its dtype.

        Parameters and errors as for :meth:`Predictor.outputs`.
        """
        rows = as_dense(self._checked(X), "X", "its rows as an array", "encode fewer rows at once")
        found: np.ndarray = self.scaling.apply(rows, self.network.dtype)
        return found
