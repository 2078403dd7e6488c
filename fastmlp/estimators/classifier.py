"""The classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from ..model.averaging import check_several, deviation_of, mean_of
from ..model.task import Task
from .base import BaseMLP
from .constraints import CLASSIFIER
from .documentation import documented
from .row_weights import times_class_weights
from .targets import (
    check_form,
    check_no_new_classes,
    check_same_classes,
    flat,
    indicators,
    known_labels,
    like,
)


@documented
class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multilayer perceptron for classification, a replacement of scikit-learn's class of this name.

    The parameters down to ``max_fun`` are scikit-learn 1.9's, with its meanings and defaults, and
    the same ``random_state`` gives its results but for rounding. docs/estimators.md says what is
    the same and what is new.

    Parameters
    ----------
    {parameters}
    loss : str, default="log_loss"
        The cross-entropy of the classes or labels, or another of fastmlp's losses that goes with
        softmax (several classes) or sigmoid (two, or labels), such as ``squared_error``.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the rows of each class, as elsewhere in scikit-learn.
    label_smoothing : float, default=0.0
        Share of each target spread over all classes, in training.
    {further_parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    validation_scores_, validation_loss_curve_ : list of float or None
        Accuracy and loss (without the penalty) on the validation rows after each epoch, if there
        are any.
    {attributes}

    Examples
    --------
    >>> from fastmlp import MLPClassifier
    >>> from sklearn.datasets import make_classification
    >>> X, y = make_classification(n_samples=100, random_state=1)
    >>> model = MLPClassifier(random_state=1, max_iter=300).fit(X[:80], y[:80])
    >>> model.predict(X[80:85])
    array([0, 0, 1, 0, 0])
    """

    _parameter_constraints: dict[str, Any] = CLASSIFIER
    loss: Any = "log_loss"
    class_weight: Any = None
    label_smoothing: Any = 0.0
    classes_: np.ndarray

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: str = "log_loss",
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        schedule: str | None = None,
        dropout: Any = 0.0,
        weight_init: str | None = None,
        bias_init: str | None = None,
        layers: Any = None,
        input_shape: Any = None,
        scale: str | None = None,
        categorical_features: Any = "from_dtype",
        min_frequency: int = 5,
        recipe: str | None = None,
        n_models: int = 1,
        n_threads: int | None = None,
        callbacks: Any = None,
    ):
        self._set_parameters(locals())

    @available_if(lambda estimator: estimator._is_stochastic())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Train one epoch more on some rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)
        y : array-like of shape (n,) or (n, n_labels)
        sample_weight : array-like of shape (n,), default=None
        classes : array-like of shape (n_classes,), default=None
            All classes that there will be; needed by the first call.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted class of each row, or its labels as a column of 0 and 1 each.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation between the models, too.

        Returns
        -------
        y : ndarray, shape (n,) or (n, n_labels)
        std : ndarray, shape (n,) or (n, n_labels)
            With ``return_std``, which needs ``n_models`` of 2 or more: of the probability of the
            predicted class, or of each label.
        """
        if not return_std:
            return self._labels(self._outputs(X))
        of_models = self._outputs_of_models(X)
        check_several(len(of_models))
        outputs = mean_of(of_models)
        deviation = deviation_of([self._probabilities(each) for each in of_models])
        if self._n_labels() is None:
            rows = np.arange(len(outputs))
            # The standard deviations of a probability p and of 1 - p are the same.
            columns = outputs.argmax(axis=1) if self.n_outputs_ > 1 else 0 * rows
            deviation = deviation[rows, columns]
        return self._labels(outputs), deviation

    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """Return the probability of each class, in the order of ``classes_``, or of each label.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation between the models, too.

        Returns
        -------
        probabilities : ndarray, shape (n, n_classes)
        std : ndarray of the same shape
            With ``return_std``, which needs ``n_models`` of 2 or more.
        """
        of_models = [self._probabilities(outputs) for outputs in self._outputs_of_models(X)]
        if return_std:
            check_several(len(of_models))
        probabilities = mean_of(of_models)
        if self.out_activation_ == "logistic" and self.n_outputs_ > 1:
            # Rounded to 0 or 1, the probability of a label would be none for scikit-learn's checks.
            limits = np.finfo(probabilities.dtype)
            np.clip(probabilities, limits.tiny, 1 - limits.epsneg, out=probabilities)
        return (probabilities, deviation_of(of_models)) if return_std else probabilities

    def _probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return a column for each class, or label, from the outputs of a network."""
        if len(self.classes_) == 1:
            return np.ones_like(outputs)
        return np.hstack([1 - outputs, outputs]) if self.n_outputs_ == 1 else outputs

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of :meth:`predict_proba`, with its parameters."""
        probabilities = self.predict_proba(X)
        return np.log(probabilities, out=probabilities)

    def _labels(self, outputs: np.ndarray) -> np.ndarray:
        """Return the label binarizer's inverse transform of outputs, without its type checks.

        They take longer than a few rows through the network.
        """
        binarizer = self._label_binarizer
        classes, kind = binarizer.classes_, binarizer.y_type_
        if binarizer.sparse_input_ or len(classes) < 2 or kind == "multilabel-indicator":
            outputs = outputs.ravel() if self.n_outputs_ == 1 else outputs
            return binarizer.inverse_transform(outputs)
        if kind == "multiclass":
            return classes.take(outputs.argmax(axis=1), mode="clip")
        return classes[(outputs[:, 0] > 0.5).astype(np.intp)]

    def _note_classes(self, y: Any, classes: Any) -> None:
        if _check_partial_fit_first_call(self, classes):
            several = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if several else classes)

    def _check_target(self, y: Any, first: bool, incremental: bool) -> tuple[Any, Task]:
        y = flat(y)
        if hasattr(self, "classes_") and (self.warm_start or incremental):
            check_form(y, "y", self._n_labels())
            check = check_no_new_classes if incremental else check_same_classes
            check(y, self.classes_)
        else:
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        if self._n_labels() is not None:
            target = indicators(y, "y")
            return target, Task("multilabel", target.shape[1])
        y = like(y, self.classes_)
        if self._label_binarizer.y_type_ == "multiclass":
            return y, Task("multiclass", len(self.classes_), self.classes_)
        return y, Task("binary", 1, self.classes_)

    def _n_labels(self) -> int | None:
        """Return the number of labels of a row; None if it has one class."""
        binarizer = self._label_binarizer
        return len(binarizer.classes_) if binarizer.y_type_ == "multilabel-indicator" else None

    def _check_validation_target(self, y: Any) -> np.ndarray:
        y = flat(y)
        check_form(y, "y_val", self._n_labels())
        if self._n_labels() is not None:
            return indicators(y, "y_val")
        return known_labels(y, "y_val", self.classes_)

    def _row_weights(
        self, y: np.ndarray, sample_weight: np.ndarray | None, incremental: bool
    ) -> np.ndarray | None:
        classes = self.classes_ if self._n_labels() is None else None
        return times_class_weights(self.class_weight, y, classes, sample_weight, incremental)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
