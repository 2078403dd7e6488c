"""Estimators with a recipe: ``fastmlp.fit`` trains them, and the predictor is kept."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import _check_y, check_consistent_length, validate_data

from ..base.errors import ConfigError, DivergenceError
from ..base.frames import frame_columns_at, read_frame
from ..data.dataset import Dataset
from ..model.predictor import Predictor
from ..ops.activations import ACTIVATIONS
from ..ops.kinds import KINDS
from ..training.callbacks import Callback
from ..training.config import TrainConfig
from ..training.fit import fit
from ..training.result import TrainResult
from .callbacks import LossPrinter, sort_callbacks
from .constraints import valid_defaults
from .recipe_settings import config_of, open_parameters
from .running import NOT_FINITE
from .translate import dataset_task


class TakesRecipe:
    """The part of an estimator that takes the name of a recipe."""

    _parameter_constraints: dict[str, Any]
    recipe: Any = None

    @classmethod
    def from_recipe(cls, name: str, **parameters: Any) -> Self:
        """Return an estimator with the settings of a recipe, which may depend on the data.

        Parameters
        ----------
        name : str
            Such as ``"tabular"``, as ``TrainConfig.from_recipe`` takes it.
        **parameters
            Parameters of the estimator. Those given take precedence; the others that a recipe may
            choose are None, which leaves the choice to it when ``fit`` knows the data.

        Returns
        -------
        estimator
            Its fit is that of ``fastmlp.fit``: all rows are for training, and numbers are scaled.

        Raises
        ------
        ConfigError
            If there is no recipe of that name.
        """
        TrainConfig.from_recipe(name)
        return cls(**(dict.fromkeys(open_parameters(cls)) | {"recipe": name} | parameters))

    def _validate_params(self) -> None:
        given = self.get_params(deep=False)  # type: ignore[attr-defined]
        valid = valid_defaults(type(self))  # type: ignore[arg-type]
        parameters = {name: v for name, v in given.items() if v is not valid.get(name, valid)}
        if self.recipe is not None:  # which chooses those that are None
            is_open = {name for name in open_parameters(self) if parameters.get(name) is None}
            parameters = {name: v for name, v in parameters.items() if name not in is_open}
        validate_parameter_constraints(
            self._parameter_constraints, parameters, caller_name=type(self).__name__
        )


def fit_recipe(estimator: Any, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any) -> None:
    """Train an estimator by its recipe, and keep the predictor and the curves.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X, y, sample_weight, X_val, y_val
        As ``fit`` takes them.
    """
    own, theirs = sort_callbacks(estimator.callbacks)
    if theirs or getattr(estimator, "_skl_callbacks", None):
        raise ConfigError(
            "callbacks of scikit-learn's protocol do not go with a recipe; use fastmlp.Callback"
        )
    config = config_of(estimator, _seed(estimator.random_state))
    validate_data(estimator, X, reset=True, skip_check_array=True, y="no_validation")
    y = _checked_target(estimator, X, y, "y")
    target, task = estimator._check_target(y, True, False)
    dataset = Dataset(
        X, _coded(estimator, target), task=dataset_task(task.kind), **_categories(estimator, X),
        **_validation(estimator, X_val, y_val),
    )  # fmt: skip
    weights = estimator._row_weights(target, sample_weight, False)
    callbacks: list[Callback] = [*own, *([LossPrinter()] if estimator.verbose else [])]
    try:
        result = fit(
            config, dataset, threads=estimator.n_threads, callbacks=callbacks,
            sample_weight=weights,
        )  # fmt: skip
    except DivergenceError as error:
        raise ValueError(f"{NOT_FINITE} ({error})") from error
    _keep(estimator, result)
    estimator._taken_columns = _columns_taken(dataset)


def _seed(random_state: Any) -> int:
    """Return the seed of a run; a whole number is the seed itself."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _checked_target(estimator: Any, X: Any, y: Any, name: str) -> Any:
    y = _check_y(
        estimator._plain_target(y, name), multi_output=True, estimator=estimator,
        **estimator._target_checks,
    )  # fmt: skip
    check_consistent_length(X, y)
    return y


def _coded(estimator: Any, target: np.ndarray) -> np.ndarray:
    """Return the indices of classes, which may be of any type; other targets as they are."""
    classes = getattr(estimator, "classes_", None)
    if classes is None or target.ndim == 2:
        return target
    return np.searchsorted(classes, target)


def _categories(estimator: Any, X: Any) -> dict[str, Any]:
    """Return the columns that ``categorical_features`` chooses."""
    chosen = estimator.categorical_features
    if isinstance(chosen, str):  # by their types and values
        return {}
    if chosen is None:
        frame = read_frame(X, "X")
        return {"numeric": tuple(range(X.shape[1]))} if frame is not None else {}
    given = np.atleast_1d(np.asarray(chosen))
    return {"categorical": tuple(np.flatnonzero(given) if given.dtype == bool else given.tolist())}


def _validation(estimator: Any, X_val: Any, y_val: Any) -> dict[str, Any]:
    if (X_val is None) != (y_val is None):
        missing = "y_val" if y_val is None else "X_val"
        raise ValueError(f"X_val and y_val must be given together, got no {missing}.")
    if X_val is None:
        return {}
    y_val = _checked_target(estimator, X_val, y_val, "y_val")
    target = estimator._check_validation_target(y_val)
    return {"X_validation": X_val, "y_validation": _coded(estimator, target)}


def recipe_outputs(estimator: Any, X: Any) -> np.ndarray:
    """Return outputs, or a regression's values, of a fitted estimator, shape (n, n_outputs)."""
    predictor, X = _checked(estimator, X)
    if predictor.task.kind != "regression":
        return np.asarray(predictor.outputs(X, estimator.n_threads))
    values = predictor.predict(X, estimator.n_threads)  # outputs are of scaled targets
    return np.asarray(values).reshape(-1, estimator.n_outputs_)


def recipe_outputs_of_models(estimator: Any, X: Any) -> list[np.ndarray]:
    """Return the same of each model."""
    predictor, X = _checked(estimator, X)
    outputs = predictor.outputs_of_models(X, estimator.n_threads)
    if predictor.task.kind != "regression":
        return outputs
    return [predictor.task.decode(one).reshape(one.shape) for one in outputs]


def _checked(estimator: Any, X: Any) -> tuple[Predictor, Any]:
    """Return the predictor, and rows with the columns that it takes."""
    validate_data(estimator, X, reset=False, skip_check_array=True, y="no_validation")
    return estimator.predictor_, _taken(X, estimator._taken_columns)


def _taken(X: Any, columns: list[int] | None) -> Any:
    """Return rows without the columns that training left out; None: it left out none."""
    if columns is None:
        return X
    frame = read_frame(X, "X")
    if frame is None:
        return np.asarray(X)[:, columns]
    return frame_columns_at(frame, columns).to_native()


def _columns_taken(dataset: Dataset) -> list[int] | None:
    left_out = [KINDS.parse(facts.kind).is_left_out for facts in dataset.column_facts]
    return [j for j, is_out in enumerate(left_out) if not is_out] if any(left_out) else None


def forget_recipe(estimator: Any) -> None:
    """Remove what an earlier fit with a recipe left."""
    vars(estimator).pop("predictor_", None)


def _forget(estimator: Any) -> None:
    """Remove what an earlier fit without a recipe left."""
    for name in ("coefs_", "intercepts_", "n_layers_", "t_", "models_"):
        vars(estimator).pop(name, None)
    estimator._encoding, estimator._kinds, estimator._continuation = None, (), None


def _keep(estimator: Any, result: TrainResult) -> None:
    """Store the predictor, the curves and the counts in the estimator."""
    _forget(estimator)
    history, output = result.history, result.config.output_activation
    estimator.predictor_ = result.predictor
    estimator.n_outputs_ = result.predictor.task.n_outputs
    estimator.out_activation_ = ACTIVATIONS.parse(output).sklearn_name or output
    estimator.n_iter_ = len(history)
    estimator.loss_curve_ = list(history["train_loss"])
    estimator.loss_ = estimator.loss_curve_[-1]
    losses = [loss for loss in history["validation_loss"] if loss is not None]
    estimator.validation_loss_curve_ = losses or None
    estimator.best_loss_ = None if losses else min(estimator.loss_curve_)
