"""Metrics asked for by name or as a function: scikit-learn's scorers, and ``f(y_true, y_output)``.

They are computed on outputs that are there already; nothing is computed where none is asked for.
"""

from __future__ import annotations

import itertools
import math
import numbers
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import CallbackError, ConfigError, close_match

if TYPE_CHECKING:
    from ..model.task import Task

MetricFunction = Callable[[np.ndarray, np.ndarray], float]
Metric = str | MetricFunction  # as users give them
VALIDATION = "validation_"
_LOWER, _HIGHER = ("_error", "_loss", "_deviance"), ("_score",)


@dataclass(frozen=True)
class Scorer:
    """A metric of a part of the data.

    Attributes
    ----------
    name : str
        A scorer's of scikit-learn, or the function's.
    function : callable or None
        ``f(y_true, y_output) -> float``; None: scikit-learn's scorer.
    """

    name: str
    function: MetricFunction | None = None

    @property
    def column(self) -> str:
        """The column of the history: the metric on the validation part."""
        return VALIDATION + self.name

    @property
    def higher_is_better(self) -> bool:
        """Whether higher is better: of all of scikit-learn's scorers; of functions, by their name.

        Raises
        ------
        ConfigError
            For a function whose name does not tell.
        """
        if self.function is None or self.name.endswith((*_HIGHER, *_LOWER)):
            return is_higher_better(self.name)
        raise ConfigError(
            f"metric {self.name} must have a name that ends in {', '.join(_HIGHER)} if higher is "
            f"better, or in {', '.join(_LOWER[:-1])} or {_LOWER[-1]} if lower is better, as "
            "scikit-learn's functions have, to be monitored or ranked by; rename the function"
        )

    def __call__(self, task: Task, y: np.ndarray, outputs: np.ndarray) -> float | None:
        """Return the value for some rows; None where it is undefined.

        Parameters
        ----------
        task : Task
        y : ndarray, shape (n,) or (n, n_outputs)
            Labels or numbers as in the data.
        outputs : ndarray, shape (n, n_outputs)
            The network's.

        Raises
        ------
        CallbackError
            If the metric raises an exception, or returns something else than a number.
        """
        try:
            value = self._value(task, y, outputs)
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            raise CallbackError(
                f"metric {self.name} failed: {type(error).__name__}: {first}"
            ) from error
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise CallbackError(
                f"metric {self.name} must return a number, got {value!r:.80} of type "
                f"{type(value).__name__}; return a float"
            )
        return float(value) if math.isfinite(value) else None

    def _value(self, task: Task, y: np.ndarray, outputs: np.ndarray) -> Any:
        if self.function is not None:
            return self.function(y, shown_outputs(task, outputs))
        from sklearn.metrics import get_scorer

        # Numbers of classes, of which the second of two is the positive one, whatever their labels.
        y = y if task.classes is None else np.searchsorted(task.classes, y)
        return get_scorer(self.name)(_estimator(task), outputs, y)


def is_higher_better(name: str) -> bool:
    """Whether higher values of a metric are better, by scikit-learn's rule for names."""
    name = name.removeprefix(VALIDATION)
    return name.startswith("neg_") or not f"_{name}".endswith(_LOWER)


def shown_outputs(task: Task, outputs: np.ndarray) -> np.ndarray:
    """Return outputs as functions of users receive them.

    Parameters
    ----------
    task : Task
    outputs : ndarray, shape (n, n_outputs)

    Returns
    -------
    ndarray, shape (n,) or (n, n_outputs)
        Predictions in the units of the targets for regression, all quantiles if there are; for two
        classes the output for the second; an output for each of more classes, or for each label.
    """
    if task.kind == "regression":
        return task.decode(outputs)
    return outputs[:, 0] if task.kind == "binary" else outputs


def scorer_of(metric: Metric) -> Scorer:
    """Return the scorer of a name or a function.

    Raises
    ------
    ConfigError
        For an unknown name, with the nearest one; for a function without a name.
    """
    if isinstance(metric, str):
        if metric not in scorer_names():
            raise ConfigError(f"unknown metric {metric!r}{close_match(metric, scorer_names())}")
        return Scorer(metric)
    if not metric_name(metric).isidentifier():
        raise ConfigError(
            f"metrics must have names for their columns, got {metric!r:.80}; define a function "
            "with def"
        )
    return Scorer(metric_name(metric), metric)


def metric_name(metric: Metric) -> str:
    """Return the name of a metric; empty for a function without one."""
    return metric if isinstance(metric, str) else str(getattr(metric, "__name__", ""))


def scorer_names() -> list[str]:
    """Return the names of scikit-learn's scorers."""
    from sklearn.metrics import get_scorer_names

    names: list[str] = get_scorer_names()
    return names


def scorers_of(metrics: Iterable[Metric], measured: Iterable[str]) -> tuple[Scorer, ...]:
    """Return the scorers of metrics, each once, without those that a run measures anyway.

    Parameters
    ----------
    metrics : iterable of str or callable
    measured : iterable of str
        Columns of every history.

    Raises
    ------
    ConfigError
        As for :func:`scorer_of`; for two functions of one name, or one named as a column.
    """
    found: dict[str, Scorer] = {}
    taken = set(measured)
    for metric in metrics:
        scorer = scorer_of(metric)
        is_taken = scorer.column in taken
        if scorer.function is None and is_taken:  # accuracy
            continue
        if is_taken or found.get(scorer.name, scorer) != scorer:
            raise ConfigError(
                f"metrics must have different names, got {scorer.name} twice; rename the function"
            )
        found[scorer.name] = scorer
    return tuple(found.values())


def check_scorers(
    scorers: Iterable[Scorer], task: Task, parts: dict[str, np.ndarray | None]
) -> None:
    """Try metrics on the targets of each part, before anything is trained.

    Parameters
    ----------
    scorers : iterable of Scorer
    task : Task
    parts : dict of str to ndarray or None
        Targets by the name of the part; None for a missing part.

    Raises
    ------
    ConfigError
        If scikit-learn refuses the task or the targets; functions of users are not called.
    """
    named = [scorer for scorer in scorers if scorer.function is None]
    for scorer, (part, y) in itertools.product(named, parts.items()):
        if y is None:
            continue
        outputs = np.full((len(y), task.n_outputs), 1.0 / max(2, task.n_outputs))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of outputs that are all the same
                scorer(task, y, outputs)
        except CallbackError as error:
            raise ConfigError(
                f"metric {scorer.name} cannot be computed on the {part} part: "
                f"{error.__cause__}; choose another{_variants(scorer.name)}"
            ) from None


def _variants(name: str) -> str:
    """Return the names of variants of a scorer, such as those for several classes."""
    found = [other for other in scorer_names() if other.startswith(f"{name}_")]
    return f", such as {' or '.join(found)}" if found else ""


def _estimator(task: Task) -> Any:
    """Return an estimator as scikit-learn's scorers call it, whose rows are a network's outputs."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def predict(self, outputs: np.ndarray) -> np.ndarray:
            return task.decode_one(outputs)

    class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        # Of several labels; at least three, since scikit-learn takes two for a binary task.
        classes_ = np.arange(max(3, task.n_outputs) if task.classes is None else len(task.classes))

        def predict(self, outputs: np.ndarray) -> np.ndarray:
            predicted = task.decode(outputs)
            return predicted if task.classes is None else np.searchsorted(task.classes, predicted)

        def predict_proba(self, outputs: np.ndarray) -> np.ndarray:
            return task.probabilities(outputs)

    return Regressor() if task.kind == "regression" else Classifier()
