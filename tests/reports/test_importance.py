"""Permutation importance: what it finds, and its budget of time."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp
from fastmlp.base.table_rows import TableRows
from fastmlp.reports import importance
from fastmlp.reports.evaluation import RunEvaluation, evaluate_run
from fastmlp.reports.importance import with_importance
from fastmlp.reports.pictures import without_data
from fastmlp.reports.run_page import run_page
from toys import settings

NAMES = ("noise", "deciding", "<b>")


def decided(mixed: bool, n: int = 240, n_noise: int = 1) -> RunEvaluation:
    """A run on a table whose second column alone decides the class."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2 + n_noise))
    y = (X[:, 1] > 0).astype(int)
    data = fastmlp.Dataset(X, y, feature_names=NAMES if n_noise == 1 else None)
    if mixed:
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(X, columns=NAMES)
        frame["deciding"] = np.where(X[:, 1] > 0, "high", "low")
        frame.loc[::9, "noise"] = np.nan
        data = fastmlp.Dataset(frame, y)
        assert isinstance(data.X, TableRows)
    config = settings(hidden_layer_sizes=(8,), epochs=20, learning_rate=0.1, batch_size=8)
    return evaluate_run(fastmlp.fit(config, data), data)


@pytest.mark.parametrize("mixed", [False, True])
def test_deciding_column_comes_first(mixed: bool) -> None:
    evaluation = with_importance(decided(mixed), 60)
    found = evaluation.importance
    assert found is not None
    assert (found.part, found.rows, found.n_columns) == ("test", 48, 3)
    first, *others = found.columns
    assert first.name == "deciding" and first.mean > 0.5 and first.sd > 0
    assert all(abs(column.mean) < first.mean / 5 for column in others)
    assert {column.repeats for column in found.columns} == {5}
    text = run_page(without_data(evaluation), None)
    assert "Importance of columns" in text and "&lt;b&gt;" in text and "width:100.0%" in text


def test_importance_is_that_of_scikit_learn() -> None:
    from sklearn.inspection import permutation_importance

    evaluation = decided(False)
    part, predictor = evaluation.judged, evaluation.result.predictor
    found = with_importance(evaluation, 60).importance
    assert found is not None

    class Model:
        def fit(self, X: np.ndarray, y: np.ndarray) -> Model:
            return self

        def score(self, X: np.ndarray, y: np.ndarray) -> float:
            p = predictor.predict_proba(X)[np.arange(len(y)), y]
            return float(np.log(np.maximum(p, 1e-12)).mean())

    wanted = permutation_importance(Model(), part.X, part.y, n_repeats=30, random_state=1)
    by_name = {column.name: column for column in found.columns}
    for name, mean in zip(NAMES, wanted.importances_mean, strict=True):
        assert by_name[name].mean == pytest.approx(mean, rel=0.4, abs=0.05)


def test_no_time_measures_nothing_and_little_time_some_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluation = decided(False, n_noise=5)
    assert with_importance(evaluation, 0) is evaluation
    clock = iter(np.arange(0, 100.0, 0.5))
    monkeypatch.setattr(importance.time, "perf_counter", lambda: next(clock))
    evaluation = with_importance(evaluation, 2.0)
    found = evaluation.importance
    assert found is not None and len(found.columns) == 4 and found.n_columns == 7
    assert "There was time for 4 of 7 columns." in run_page(evaluation, None)


def test_images_and_sparse_rows_have_no_importance(bars: RunEvaluation) -> None:
    assert with_importance(bars).importance is None


@pytest.mark.parametrize("seconds", [-1, np.inf, np.nan])
def test_time_must_be_finite_and_not_negative(seconds: float, bars: RunEvaluation) -> None:
    with pytest.raises(fastmlp.ConfigError, match="importance_seconds must be at least 0"):
        fastmlp.save_run(bars.result, fastmlp.Dataset([[1.0]], [1.0]), importance_seconds=seconds)
