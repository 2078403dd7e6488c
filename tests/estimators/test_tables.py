"""Frames with categories, dates and gaps, to the estimators."""

from __future__ import annotations

import io
from typing import Any

import joblib
import numpy as np
import pytest
from problems import fit_quietly
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from fastmlp import MLPClassifier, MLPRegressor

pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
USUAL: dict[str, Any] = {
    "hidden_layer_sizes": (8,), "max_iter": 5, "batch_size": 16, "random_state": 0
}  # fmt: skip
N = 120


def frame(seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return pandas.DataFrame({
        "x": np.where(rng.random(N) < 0.1, np.nan, rng.normal(1000, 300, N)),
        "colour": pandas.Categorical(rng.choice(["red", "green", "blue"], N)),
        "city": rng.choice(np.array(["Rome", "Bern", None], object), N),
        "day": pandas.date_range("2020-01-01", periods=N, freq="5h"),
        "flag": rng.random(N) < 0.5,
    })  # fmt: skip


ROWS = frame()
LABELS = np.where(ROWS.colour == "red", "yes", "no")


def fitted(cls: Any = MLPClassifier, rows: Any = ROWS, y: Any = LABELS, **more: Any) -> Any:
    return fit_quietly(cls(**{**USUAL, **more}), rows, y)


def test_a_table_trains_as_its_column_transformer_does() -> None:
    rows = ROWS[["x", "colour"]].fillna({"x": 1000.0})
    encode = ColumnTransformer([
        ("x", StandardScaler(), ["x"]), ("colour", OneHotEncoder(), ["colour"]),
    ])  # fmt: skip
    numbers = encode.fit_transform(rows)
    model, plain = fitted(rows=rows), fitted(rows=numbers)
    np.testing.assert_allclose(model.predict_proba(rows), plain.predict_proba(numbers), atol=1e-9)


def test_the_encoding_is_learned_on_training_rows_alone() -> None:
    rows = ROWS.copy()
    rows["colour"] = rows.colour.astype(object)
    model = MLPClassifier(**USUAL, early_stopping=True, min_frequency=1)
    rows.loc[0, "colour"] = "only once"
    n = set()
    for seed in range(30):
        n.add(len(fit_quietly(model.set_params(random_state=seed), rows, LABELS).coefs_[0]))
    assert len(n) > 1  # where the row is held out, its level has no feature


def test_rows_to_predict_may_have_gaps_and_new_levels() -> None:
    model = fitted()
    rows = frame(1)
    rows["colour"] = rows.colour.astype(object)
    rows.loc[:3, "colour"], rows.loc[2:5, "flag"] = "violet", rows.flag[2:6].astype(object)
    rows["flag"] = rows.flag.astype(object).where(rows.index > 2, None)
    assert len(model.predict(rows)) == N
    with pytest.raises(ValueError, match="feature names"):
        model.predict(rows[rows.columns[::-1]])


def test_models_work_in_searches_pipelines_and_after_joblib() -> None:
    search = GridSearchCV(MLPClassifier(**USUAL), {"min_frequency": [1, 5]}, cv=2)
    assert fit_quietly(search, ROWS, LABELS).best_score_ > 0.2
    pipe = make_pipeline(FunctionTransformer(), MLPRegressor(**USUAL))
    scores = cross_validate(pipe, ROWS, ROWS.x.fillna(0), cv=2, error_score="raise")
    assert np.isfinite(scores["test_score"]).all()
    model = fitted()
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).predict_proba(ROWS), model.predict_proba(ROWS))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("chosen", [[0], [True, False], ["code"], [-2]])
def test_chosen_columns_are_categories(chosen: Any) -> None:
    rows = pandas.DataFrame({"code": np.arange(N) % 4, "x": ROWS.x.fillna(0)})
    given = rows if "code" in chosen else rows.to_numpy()
    assert len(fitted(rows=given, categorical_features=chosen).coefs_[0]) == 5
    assert len(fitted(rows=given, categorical_features=None).coefs_[0]) == 2


@pytest.mark.parametrize(
    ("chosen", "words"), [(["cod"], "got 'cod'"), ([7], "got 7"), ([True], "boolean mask")]
)
def test_unknown_columns_are_refused(chosen: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fitted(categorical_features=chosen)


def test_later_fits_keep_the_encoding_or_learn_a_new_one() -> None:
    model = MLPClassifier(**USUAL).partial_fit(ROWS, LABELS, classes=["no", "yes"])
    model.partial_fit(frame(1), LABELS)
    n = len(model.coefs_[0])
    fit_quietly(model.set_params(warm_start=True), ROWS[:50], LABELS[:50])
    assert len(model.coefs_[0]) == n
    plain = np.arange(2.0 * N).reshape(N, 2)
    fit_quietly(model.set_params(warm_start=False), plain, LABELS)
    assert len(model.coefs_[0]) == 2 and len(model.predict(plain)) == N
    validated = MLPClassifier(**USUAL)
    validated.fit(ROWS, LABELS, X_val=frame(1), y_val=LABELS)
    assert validated.validation_scores_ is not None
    fit_quietly(MLPClassifier(**USUAL, solver="lbfgs"), ROWS, LABELS)
