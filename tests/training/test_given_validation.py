"""Validation rows that come with the data serve wherever held-out rows do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp import ConfigError, Dataset, TrainConfig
from fastmlp.reports.evaluation import evaluate_run
from fastmlp.sweeps.cells import Datasets
from toys import blobs

SETTINGS = {"hidden_layer_sizes": (8,), "epochs": 3, "batch_size": 16}


def pooled() -> Dataset:
    """100 rows, of which the last 20 may be held out, and a test part."""
    data = blobs(120)
    return Dataset(data.X[:100], data.y[:100], data.X[100:], data.y[100:])


def given(form: Any = np.asarray) -> Dataset:
    """The same rows, of which the last 20 are the validation part."""
    data = pooled()
    return Dataset(
        form(data.X[:80]), data.y[:80], form(data.X_test), data.y_test,
        X_validation=form(data.X[80:]), y_validation=data.y[80:],
    )  # fmt: skip


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
def test_given_rows_train_like_the_same_rows_held_out(form: Any) -> None:
    known = fastmlp.fit(TrainConfig(**SETTINGS, scale="maxabs"), given(form))
    whole = replace(pooled(), X=form(pooled().X), X_test=form(pooled().X_test))
    held_out = fastmlp.fit(
        TrainConfig(**SETTINGS, scale="maxabs", validation=20, hold_out="last"), whole
    )
    assert known.metrics == held_out.metrics
    assert known.metrics["validation_loss"] is not None
    network, other = known.predictor.network, held_out.predictor.network
    np.testing.assert_array_equal(network.params, other.params)


def test_given_rows_are_monitored_and_choose_the_kept_weights() -> None:
    config = fastmlp.fit(TrainConfig(**SETTINGS), given()).config
    assert config.monitor == "validation_loss"
    assert config.restores_best


def test_reports_evaluate_the_given_rows() -> None:
    result = fastmlp.fit(TrainConfig(**SETTINGS), given())
    by_part = evaluate_run(result, given()).metrics()
    assert {name: found["rows"] for name, found in by_part.items()} == {
        "training": 80, "validation": 20, "test": 20,
    }  # fmt: skip
    assert by_part["validation"]["loss"] == pytest.approx(result.metrics["validation_loss"])


@pytest.mark.parametrize(("name", "value"), [("validation", 0.2), ("validation", 0),
                                             ("hold_out", "last")])  # fmt: skip
def test_settings_that_choose_other_rows_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be left out for data with validation rows"):
        fastmlp.fit(TrainConfig(**SETTINGS, **{name: value}), given())


def test_kept_classes_reach_the_given_rows() -> None:
    result = fastmlp.fit(TrainConfig(**SETTINGS, classes=("0", "1")), given())
    kept = given().keep_classes("0,1")
    assert kept.y_validation is not None and len(kept.y_validation) < 20
    assert result.data["n_validation"] == len(kept.y_validation)


def test_a_sweep_ranks_by_the_given_rows() -> None:
    assert Datasets(given()).of(TrainConfig()) != Datasets(pooled()).of(TrainConfig())
    found = fastmlp.run_sweep({"learning_rate": [0.1, 0.001], "epochs": 2}, given())
    for trial in found.trials:
        alone = fastmlp.fit(TrainConfig.from_dict(trial.config), given(), threads=1)
        assert trial.metrics["validation_loss"] == alone.metrics["validation_loss"] is not None
