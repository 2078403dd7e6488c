"""Runs on tables with columns of several kinds: encoded once, with the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import Callback, ConfigError, DataError, Dataset, TrainConfig, fit, run_sweep
from fastmlp.ops.table_encoding import TableEncoding
from fastmlp.training.fit import start

pandas = pytest.importorskip("pandas")
N = 200
RNG = np.random.default_rng(0)
Y = np.where(RNG.random(N) < 0.5, "u", "v")
CONFIG = TrainConfig(hidden_layer_sizes=(8,), epochs=3, batch_size=16)


def frame(levels: int = 120) -> Any:
    rng = np.random.default_rng(1)
    return pandas.DataFrame({
        "x": np.where(rng.random(N) < 0.2, np.nan, rng.normal(size=N)),
        "level": np.char.add("level ", rng.integers(0, levels, N).astype(str)),
        "flag": rng.random(N) < 0.5,
    })  # fmt: skip


DATA = Dataset(frame(), Y)


def params(config: TrainConfig = CONFIG, data: Dataset = DATA, **more: Any) -> bytes:
    return fit(config, data, **more).predictor.network.params.tobytes()


@pytest.mark.parametrize("mode", ["minibatch", "batch", "stochastic"])
@pytest.mark.parametrize("least", [1, 5])  # sparse rows and dense ones
def test_threads_change_no_bit(mode: str, least: int) -> None:
    config = CONFIG.replace(mode=mode, min_frequency=least)
    assert params(config, threads=1) == params(config, threads=2)
    run = start(config, DATA)
    assert ("lists" in run.plan.inputs.kind) == (least == 1 or mode == "stochastic")


def test_rows_of_many_levels_stay_sparse() -> None:
    data = Dataset(frame(10_000), Y, categorical=["level"])
    run = start(CONFIG.replace(min_frequency=1), data)
    assert run.prepared.n_features > 64
    assert run.prepared.train.sparse.values.size <= 4 * run.n_train


class CtrlC(Callback):
    """Interrupts a run in its second epoch."""

    def on_epoch_end(self, run: Any, row: dict[str, Any]) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    config = CONFIG.replace(epochs=4)
    broken = fit(config, DATA, checkpoint_dir=tmp_path, callbacks=[CtrlC()])
    assert broken.status == "interrupted"
    other = Dataset(frame(81), Y)
    for changed, data in ((config.replace(min_frequency=2), DATA), (config, other)):
        with pytest.raises(ConfigError, match="was"):
            params(changed, data, checkpoint_dir=tmp_path, resume=True)
    assert params(config, checkpoint_dir=tmp_path, resume=True) == params(config)


def test_a_sweep_learns_the_encoding_once_for_each_split(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []
    learn = TableEncoding.fit.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        TableEncoding, "fit", classmethod(lambda cls, *a: fitted.append(a) or learn(cls, *a))
    )
    data = Dataset(frame(33), Y)
    grid = {
        "activation": ["relu", "tanh"],
        "seed": [0, 1],
        "epochs": 1,
        "hidden_layer_sizes": [(4,)],
    }
    result = run_sweep(grid, data, jobs=1)
    assert all(trial.is_good for trial in result.trials) and len(result.trials) == 4
    assert len(fitted) == 2
    assert result.best.metrics["test_accuracy"] is not None


def test_rows_with_gaps_can_be_dropped_with_their_weights() -> None:
    config = CONFIG.replace(missing="drop", split="none", validation=0)
    complete = frame().dropna()
    weights = np.arange(1.0, N + 1)
    run = start(config, DATA, sample_weight=weights)
    assert run.n_train == len(complete) < N
    np.testing.assert_array_equal(run.prepared.train.weights, weights[complete.index])
    expected = params(config, Dataset(complete, Y[complete.index]))
    assert params(config) == expected
    nothing = Dataset(pandas.DataFrame({"x": [np.nan, 1.0] * 9, "z": [1.0, np.nan] * 9}), Y[:18])
    with pytest.raises(DataError, match="must leave rows in X"):
        params(config, nothing)
    with pytest.raises(DataError, match=r"got gaps in column\(s\) x \(\d+\)"):
        params(CONFIG.replace(missing="error"))


def test_given_parts_are_encoded_as_in_training() -> None:
    other = frame(90)[["flag", "level", "x"]].assign(flag=None)
    data = Dataset(frame(), Y, other, Y, X_validation=other, y_validation=Y)
    result = fit(CONFIG, data)
    assert result.metrics["test_loss"] == pytest.approx(result.metrics["validation_loss"])
    with pytest.raises(DataError, match="got none for 'x'"):
        Dataset(frame(), Y, other.drop(columns="x"), Y)


def test_classes_can_be_chosen() -> None:
    labels = np.array(["a", "b", "c", "d"])[np.arange(N) % 4]
    kept = Dataset(frame(), labels).keep_classes("a,c")
    assert len(kept.X) == len(kept.y) == N // 2
    assert params(CONFIG, kept) == params(
        CONFIG.replace(classes=("a", "c")), Dataset(frame(), labels)
    )


def test_columns_are_chosen_and_left_out() -> None:
    rows = frame().assign(id=np.arange(N), code=np.arange(N) % 3, same=1)
    with pytest.warns(UserWarning, match="column id: left out, since it identifies rows"):
        data = Dataset(rows, Y, categorical="code")
    assert data.X.names == ("x", "level", "flag", "code")
    assert data.X.kinds == ("number", "category", "boolean", "category")
    assert [fact.kind for fact in data.column_facts][-3:] == ["identifier", "category", "constant"]
    assert Dataset(rows, Y, numeric=["id"], drop=["same"]).X.names == (
        "x", "level", "flag", "id", "code",
    )  # fmt: skip
    assert Dataset(rows, Y, features=["flag", -2]).feature_names == ("flag", "code")
    for options, words in (
        ({"drop": ["sme"]}, "did you mean 'same'"),
        ({"numeric": "level"}, "numeric must name columns of numbers"),
        ({"categorical": "code", "numeric": "code"}, "must not name the same column"),
        ({"features": "x", "drop": "x"}, "must not name the same column"),
    ):
        with pytest.raises(ConfigError, match=words):
            Dataset(rows, Y, **options)
    array = np.c_[np.arange(N) % 3, np.arange(N) / 7]
    assert Dataset(array, Y, categorical=[0]).X.kinds == ("category", "number")


def test_rows_without_a_target_are_left_out_and_counted() -> None:
    y = pandas.Series(np.arange(N) / 7, name="price")
    y[:3] = np.nan
    with pytest.warns(UserWarning, match="rows without a target: 3 of 200, left out"):
        data = Dataset(frame(), y)
    assert len(data.X) == len(data.y) == N - 3 and data.target_names == ("price",)
    labels = pandas.Series(Y, dtype=object)
    labels[5] = None
    with pytest.warns(UserWarning, match="rows without a target: 1 of 200"):
        assert Dataset(frame(), labels).y.tolist() == np.delete(Y, 5).tolist()
