"""Callbacks: scikit-learn's protocol, fastmlp's own, and the lines of verbose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import both, classes, fit_quietly, numbers
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

USUAL = {"hidden_layer_sizes": (5,), "max_iter": 4, "batch_size": 16, "random_state": 0}


class Recorder:
    """A scikit-learn callback that is propagated to sub-estimators and records its calls."""

    max_propagation_depth = None

    def __init__(self, stop_after: int | None = None):
        self.events: list[tuple[str, str]] = []
        self.scores: list[float] = []
        self.metadata: Any = None
        self.stop_after = stop_after

    def setup(self, estimator: Any, context: Any) -> None:
        self.events.append(("setup", context.task_name))

    def teardown(self, estimator: Any, context: Any) -> None:
        self.events.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.events.append(("begin", context.task_name))

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, y: Any, metadata: Any, fitted_estimator: Any
    ) -> bool:
        self.events.append(("end", context.task_name))
        self.metadata = metadata
        if context.task_name in ("epoch", "lbfgs-iter"):
            self.scores.append(fitted_estimator.score(X, y))
        return self.stop_after is not None and len(self.scores) >= self.stop_after


@pytest.mark.parametrize(("solver", "task"), [("adam", "epoch"), ("lbfgs", "lbfgs-iter")])
def test_every_epoch_is_a_task(solver: str, task: str) -> None:
    X, y = classes()
    recorder = Recorder()
    model = MLPClassifier(**USUAL, solver=solver).set_callbacks(recorder)
    fit_quietly(model, X, y)
    assert recorder.events == [
        ("setup", "fit"), ("begin", "fit"),
        *[("begin", task), ("end", task)] * 4,
        ("end", "fit"), ("teardown", "fit"),
    ]  # fmt: skip
    assert recorder.scores[-1] == model.score(X, y)
    assert recorder.metadata is None


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_a_callback_can_stop_a_fit(solver: str) -> None:
    X, y = numbers()
    recorder = Recorder(stop_after=2)
    model = MLPRegressor(**USUAL, solver=solver, callbacks=[recorder])
    model.fit(X, y)  # without a warning: it did not run out of epochs
    assert model.n_iter_ == len(recorder.scores) == 2


def test_callbacks_of_the_parameter_are_those_of_set_callbacks() -> None:
    X, y = classes()
    given, registered = Recorder(), Recorder()
    model = MLPClassifier(**USUAL, callbacks=[given]).set_callbacks(registered)
    fit_quietly(model, X, y, np.ones(len(X)))
    assert given.events == registered.events != []
    assert set(given.metadata) == {"sample_weight"}
    assert model._skl_callbacks == [registered]


def test_partial_fit_is_a_task_of_one_epoch() -> None:
    X, y = classes()
    recorder = Recorder()
    model = MLPClassifier(**USUAL, callbacks=[recorder])
    model.partial_fit(X, y, classes=[0, 1, 2])
    assert [event for event in recorder.events if event[1] == "epoch"] == [
        ("begin", "epoch"), ("end", "epoch"),
    ]  # fmt: skip


def test_a_failing_callback_ends_the_fit_with_its_own_error() -> None:
    class Failing(Recorder):
        def on_fit_task_end(self, estimator: Any, context: Any) -> None:
            raise KeyError("mine")

    recorder = Failing()
    with pytest.raises(KeyError, match="mine"):
        MLPClassifier(**USUAL, callbacks=[recorder]).fit(*classes())
    assert recorder.events[-1] == ("teardown", "fit")


def test_scikit_learns_monitor_follows_a_fit() -> None:
    X, y = classes()
    monitor = ScoringMonitor(scoring="accuracy")
    model = fit_quietly(MLPClassifier(**USUAL).set_callbacks(monitor), X, y)
    logged = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(logged) == 4 and logged[-1] == model.score(X, y)


def test_callbacks_come_down_to_us_through_others() -> None:
    recorder = Recorder()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**USUAL))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2)
    fit_quietly(search.set_callbacks(recorder), *classes())
    epochs = [event for event in recorder.events if event == ("end", "epoch")]
    assert len(epochs) == (2 * 2 + 1) * 4


def test_fastmlps_own_callbacks_follow_a_fit_too() -> None:
    X, y = classes()
    rows: list[dict[str, Any]] = []
    log = fastmlp.LambdaCallback(on_epoch_end=lambda run, row: rows.append(row))
    model = fit_quietly(MLPClassifier(**USUAL, callbacks=[log]), X, y)
    assert [row["train_objective"] for row in rows] == model.loss_curve_

    class Stop(fastmlp.Callback):
        def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
            run.request_stop()

    for solver in ("adam", "lbfgs"):
        stopped = MLPClassifier(**USUAL, solver=solver, callbacks=[Stop()]).fit(X, y)
        assert stopped.n_iter_ == 1


def test_clone_has_its_own_callbacks() -> None:
    model = MLPClassifier(callbacks=[Recorder()])
    assert [type(callback) for callback in clone(model).callbacks] == [Recorder]


@pytest.mark.parametrize(
    "parameters",
    [
        {"tol": 0.5, "n_iter_no_change": 2},
        {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 40},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1,
         "learning_rate_init": 1e-4},
    ],
    ids=str,
)  # fmt: skip
def test_verbose_prints_what_scikit_learn_prints(
    parameters: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for model in both("MLPClassifier", verbose=True, **{"max_iter": 15, **parameters}):
        fit_quietly(model, *classes())
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""
