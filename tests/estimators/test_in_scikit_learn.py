"""The estimators within scikit-learn: searches, pipelines, processes, and all kinds of data."""

from __future__ import annotations

import copy
import pickle
import signal
import warnings
from typing import Any

import joblib
import numpy as np
import pytest
from problems import both, classes, fit_quietly, labels, numbers
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.problem import team

USUAL = {"hidden_layer_sizes": (8,), "max_iter": 5, "batch_size": 16, "random_state": 0}
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# --- in other estimators ---


@quiet
def test_pipeline_and_search_work() -> None:
    X, y = classes(90)
    searches = [
        GridSearchCV(
            make_pipeline(StandardScaler(), model), {"mlp__alpha": [1e-4, 1.0, 30.0]}, cv=3
        )
        for model in both("MLPClassifier")
    ]
    for search in searches:
        search.estimator.steps[1] = ("mlp", search.estimator.steps[1][1])
        search.fit(X, y)
    theirs, ours = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_allclose(ours, theirs)
    assert searches[0].best_params_ == searches[1].best_params_


@quiet
def test_in_cross_validation_calibration_and_permutation_importance() -> None:
    X, y = classes(90)
    model = MLPClassifier(**{**USUAL, "max_iter": 60}, learning_rate_init=0.02)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.4
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    model.fit(X, y)
    importances = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert importances.importances_mean.shape == (4,) and importances.importances_mean.max() > 0


def compiled_in_this_process() -> int:
    """How many kernels this process has compiled, and not found on disk."""
    from fastmlp.kernels.steps.evaluation import evaluate_rows
    from fastmlp.kernels.steps.general_step import train_batches

    workers = (train_batches, evaluate_rows)
    assert sum(sum(worker.stats.cache_hits.values()) for worker in workers) > 0
    return sum(sum(worker.stats.cache_misses.values()) for worker in workers)


class Telling(MLPClassifier):
    """Scores with the state of its process."""

    def score(self, X: Any, y: Any) -> float:
        self.predict(X)
        return compiled_in_this_process() + 1000 * team(self, work=1e15)


@quiet
@pytest.mark.filterwarnings("ignore::UserWarning")  # loky's, of short tasks
def test_worker_processes_compile_nothing_and_share_cpus() -> None:
    X, y = classes()
    fit_quietly(MLPClassifier(**USUAL), X, y).predict(X)  # whose kernels are on disk from here on
    scores = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(_fit_and_tell)(X, y, seed) for seed in range(2)
    )
    cpus = joblib.cpu_count()
    assert scores == [1000 * max(1, cpus // 2)] * 2


def _fit_and_tell(X: np.ndarray, y: np.ndarray, seed: int) -> float:
    return fit_quietly(Telling(**{**USUAL, "random_state": seed}), X, y).score(X, y)


@quiet
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_parallel_search_equals_serial_search(backend: str) -> None:
    X, y = classes()
    grid = {"alpha": [1e-3, 1.0], "solver": ["adam", "lbfgs"]}
    searches = [
        GridSearchCV(MLPClassifier(**USUAL), grid, cv=2, n_jobs=n_jobs) for n_jobs in (None, 2)
    ]
    with joblib.parallel_config(backend=backend):
        alone, together = (search.fit(X, y).cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(alone, together)


def test_fits_in_a_search_can_be_weighted() -> None:
    X, y = numbers()
    search = GridSearchCV(MLPRegressor(**USUAL), {"alpha": [0.1, 1.0]}, cv=2)
    fit_quietly(search, X, y, sample_weight=np.ones(len(X)))
    assert hasattr(search, "best_estimator_")


# --- copies ---


def test_pickle_predicts_and_continues_alike() -> None:
    X, y = classes()
    model = fit_quietly(MLPClassifier(**USUAL), X, y)
    thawed = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(thawed.predict_proba(X), model.predict_proba(X))
    for each in (model, thawed):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(thawed.coefs_[0], model.coefs_[0])
    assert copy.deepcopy(model).loss_curve_ == model.loss_curve_


def test_a_clone_is_not_fitted_and_has_the_parameters() -> None:
    model = fit_quietly(MLPRegressor(**USUAL, dropout=[0.1], schedule="cosine"), *numbers())
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "coefs_")
    assert fresh.set_params(alpha=2.0).alpha == 2.0


# --- data ---


def test_texts_as_labels() -> None:
    X, y = classes()
    names = np.array(["ant", "bee", "cow"])
    for labels_ in (names[y], names[y].astype(object)):
        model = fit_quietly(MLPClassifier(**USUAL), X, labels_)
        assert list(model.classes_) == ["ant", "bee", "cow"]
        assert set(model.predict(X)) <= set(names)


def test_a_frame_gives_its_names() -> None:
    pandas = pytest.importorskip("pandas")
    X, y = classes()
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    model = fit_quietly(MLPClassifier(**USUAL), frame, pandas.Series(y))
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"] and model.n_features_in_ == 4
    np.testing.assert_array_equal(
        model.predict(frame), fit_quietly(MLPClassifier(**USUAL), X, y).predict(X)
    )
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c", "d"]])


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_are_what_they_are_dense(container: Any) -> None:
    X, y = classes()
    X[np.abs(X) < 0.7] = 0
    dense = fit_quietly(MLPClassifier(**USUAL, early_stopping=True), X, y)
    model = fit_quietly(MLPClassifier(**USUAL, early_stopping=True), container(X), y)
    for one, other in zip(model.coefs_, dense.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(container(X)), dense.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse_rows_are_never_dense(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 150)) * (rng.rand(60, 150) < 0.1)
    y = (X[:, :50].sum(axis=1) > 0).astype(int)
    rows = sparse.csr_array(X)
    rows.data[::7] = 0  # stored all the same
    X = rows.toarray()
    dense = fit_quietly(MLPClassifier(**USUAL, solver=solver), X, y, X_val=X, y_val=y)
    expected = dense.predict_proba(X)
    for name in ("toarray", "todense"):
        monkeypatch.setattr(sparse.csr_array, name, None)
    model = fit_quietly(MLPClassifier(**USUAL, solver=solver), rows, y, X_val=rows, y_val=y)
    np.testing.assert_array_equal(model.coefs_[0], dense.coefs_[0])
    np.testing.assert_array_equal(model.predict_proba(rows), expected)
    assert model.validation_scores_ == dense.validation_scores_
    assert rows.nnz == np.count_nonzero(rows.data) + len(rows.data[::7])  # left as they were


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr"])
def test_entries_of_one_cell_are_added_up_whatever_their_type(form: str) -> None:
    X, y = classes()
    whole = (40 * np.abs(X)).clip(0, 120).astype(np.uint8)
    rows, columns = whole.nonzero()
    numbers_ = np.repeat(whole[rows, columns], 3)  # up to 360
    index = (np.repeat(rows, 3), np.repeat(columns, 3))
    if form == "coo":
        value = sparse.coo_matrix((numbers_, index), shape=X.shape)
    else:
        along = 1 if form == "csc" else 0
        order = np.argsort(index[along], kind="stable")
        starts = np.searchsorted(index[along][order], np.arange(X.shape[along] + 1))
        data = numbers_[order][:, None, None] if form == "bsr" else numbers_[order]
        make = getattr(sparse, f"{form}_matrix")
        value = make((data, index[1 - along][order], starts), shape=X.shape)
    dense = 3.0 * whole
    model, plain = (fit_quietly(MLPClassifier(**USUAL), rows, y) for rows in (value, dense))
    np.testing.assert_allclose(model.coefs_[0], plain.coefs_[0], rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(value), plain.predict_proba(dense), rtol=1e-9)
    np.testing.assert_array_equal(fastmlp.Dataset(value, y).X.toarray(), dense)


def test_rows_for_validation_become_what_those_for_training_are() -> None:
    X, y = classes()
    X[np.abs(X) < 0.7] = 0
    scores = [
        fit_quietly(MLPClassifier(**USUAL), rows, y, X_val=held_out, y_val=y).validation_scores_
        for rows, held_out in ((X, X), (sparse.csr_array(X), X), (X, sparse.csc_array(X)))
    ]
    for found in scores[1:]:
        np.testing.assert_allclose(found, scores[0], atol=1e-9)


def test_sparse_labels() -> None:
    X, Y = labels()
    model = fit_quietly(MLPClassifier(**USUAL), X, sparse.csr_matrix(Y))
    found = model.predict(X)
    assert sparse.issparse(found)
    np.testing.assert_array_equal(
        found.toarray(), fit_quietly(MLPClassifier(**USUAL), X, Y).predict(X)
    )


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_several_outputs(solver: str) -> None:
    X, Y = numbers(outputs=3)
    model = fit_quietly(MLPRegressor(**USUAL, solver=solver), X, Y)
    assert model.predict(X).shape == Y.shape and model.n_outputs_ == 3


# --- warnings and errors ---


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_too_few_epochs_warn_as_in_scikit_learn(solver: str) -> None:
    X, y = classes()
    said = []
    for model in both("MLPClassifier", solver=solver, max_iter=2):
        with pytest.warns(ConvergenceWarning) as caught:
            model.fit(X, y)
        said.append([str(warning.message) for warning in caught])
    assert said[0] == said[1]


def test_too_large_batch_warns_as_in_scikit_learn() -> None:
    said = []
    for model in both("MLPClassifier", batch_size=61, n_iter_no_change=1, tol=10.0):
        with pytest.warns(UserWarning) as caught:
            model.fit(*classes())
        said.append([str(warning.message) for warning in caught])
    assert said[0] == said[1] and len(said[0]) == 1


def errors_of(fit: Any, *arguments: Any, **parameters: Any) -> list[str]:
    said = []
    for model in both("MLPClassifier", **parameters):
        with pytest.raises((ValueError, AttributeError)) as caught, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit(model, *arguments)
        said.append(f"{type(caught.value).__name__}: {caught.value}")
    return said


def test_errors_equal_scikit_learns() -> None:
    X, y = classes()
    for fit, parameters in [
        (lambda m: m.partial_fit(X, y), {}),
        (lambda m: m.partial_fit(X, y, classes=[0, 1, 2]), {"early_stopping": True}),
        (lambda m: m.partial_fit(X, y, classes=[0, 1, 2]), {"solver": "lbfgs"}),
        (lambda m: m.partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y + 1), {}),
        (lambda m: m.fit(X, y).fit(X, y % 2), {"warm_start": True}),
        (lambda m: m.fit(X, y[:-1]), {}),
        (lambda m: m.fit(X, y + 0.5), {}),
        (lambda m: m.fit(X[:9], y[:9]), {"early_stopping": True}),
        (lambda m: m.predict(X), {}),
        (lambda m: m.fit(X, y).predict(X[:, :2]), {}),
        (lambda m: m.fit(X, y), {"hidden_layer_sizes": (-1,)}),
        (lambda m: m.fit(X, y), {"alpha": -1}),
    ]:
        theirs, ours = errors_of(fit, **parameters)
        assert ours == theirs


def test_weights_that_leave_the_finite_numbers_are_an_error() -> None:
    X, y = numbers()
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        fit_quietly(MLPRegressor(**USUAL, solver="sgd"), X * 1e155, y * 1e153)


def test_with_early_stopping_the_best_weights_survive_a_divergence() -> None:
    X, y = numbers()
    model = MLPRegressor(
        **{**USUAL, "max_iter": 40}, solver="sgd", activation="identity", learning_rate_init=2.0,
        early_stopping=True, n_iter_no_change=40,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="training diverged in epoch"):
        model.fit(10 * X, y)
    assert np.isfinite(model.predict(X)).all()
    assert np.isnan(model.validation_scores_[-1])
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_


# --- Ctrl-C ---


class Interrupt(fastmlp.Callback):
    """Presses Ctrl-C at the end of an epoch."""

    def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        if row["epoch"] == 3:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_keeps_the_fit(solver: str) -> None:
    X, y = classes()
    model = MLPClassifier(**{**USUAL, "max_iter": 50}, solver=solver, callbacks=[Interrupt()])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    shorter = fit_quietly(MLPClassifier(**{**USUAL, "max_iter": 3}, solver=solver), X, y)
    np.testing.assert_array_equal(model.predict_proba(X), shorter.predict_proba(X))


# --- threads ---


def test_threads_are_at_most_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmlp.estimators.problem.check_threads", lambda threads: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert team(MLPClassifier(), 1e15) == 8
    assert team(MLPClassifier(n_threads=3), 1e15) == 3
    assert team(MLPClassifier(n_threads=99), 1e15) == 8
    assert team(MLPClassifier(), 1000.0) == 1
    for allowed, threads in [("4", 4), ("0", 1), ("", 8), ("4,2", 8)]:
        monkeypatch.setenv("OMP_NUM_THREADS", allowed)
        assert team(MLPClassifier(), 1e15) == threads
