"""Same seed, same bits: for any number of threads, and run after run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp import TrainConfig, fit
from fastmlp.model.workspace import Workspace
from fastmlp.training import plan as plan_module
from fastmlp.training import run as run_module
from fastmlp.training.resolve import resolve_settings
from fastmlp.training.steps import Steps
from harness import poison
from toys import blobs, images, pictures, settings

IMAGES: dict[str, Any] = {"input_shape": (7, 5, 2)}
RUNS: dict[str, dict[str, Any]] = {
    "minibatch": {"batch_size": 50},
    "large batch": {"batch_size": 150},  # more than a block of rows
    "batch": {"mode": "batch"},
    "stochastic": {"mode": "stochastic"},
    "stochastic adam": {"mode": "stochastic", "optimizer": "adam"},
    "accumulate": {"accumulate": True},
    "dropout, clipping, weights": {
        "dropout": 0.3,
        "input_dropout": 0.1,
        "clip_norm": 0.5,
        "clip_value": 0.05,
        "max_norm": 2,
        "class_weight": "0=2,1=0.25",
        "label_smoothing": 0.1,
        "activation": ("gelu", "elu"),
        "optimizer": "adamw",
        "schedule": "one_cycle(warmup=0.5)",
        "batch_size": 150,
    },
    "numbers": {
        "layers": "diagonal(), periodic(5, sigma=1), dense(18, mish), dropout(0.2), dense(9, selu)",
        "optimizer": "adamw(weight_decay=0.1)",
        "bias_lr_factor": 0.1,
        "dropout_schedule": "cosine(flat=0.5)",
        "weight_decay_schedule": "cosine",
        "batch_size": 50,
    },
    "stochastic, deferred": {"mode": "stochastic", "l2": 0.01, "scale": "standard"},
    # The first layer a block of samples ahead.
    "stochastic, images": {"mode": "stochastic", "scale": "unit", "l2": 0.001, "log_every": 70},
    "stochastic dropout": {"mode": "stochastic", "dropout": 0.3, "clip_norm": 0.5, "max_norm": 1},
    "convolutions": {
        "layers": "conv2d(5, 3), max_pool2d(2), dropout(0.2), conv2d(18, 1, stride=2), dense(9)",
        "optimizer": "adam",
        "batch_size": 50,
        **IMAGES,
    },
    "convolutions, clipping, weights": {
        "layers": "dropout(0.1), conv2d(17, (1, 3), stride=2, activation=gelu), avg_pool2d(2), "
        "dropout(0.3), flatten(), dropout(0.1)",
        "batch_size": 150,
        "clip_norm": 0.5,
        "max_norm": 1,
        "l2": 0.01,
        "class_weight": "0=2",
        **IMAGES,
    },
    # Winograd's, with and without pooling; blocks of several groups of rows.
    "convolutions, 3x3": {
        "layers": "conv2d(9, 3, padding=same), conv2d(32, 3), conv2d(16, 3, padding=same), "
        "max_pool2d(2), dropout(0.2), dense(7)",
        "optimizer": "adam",
        "batch_size": 70,
        **IMAGES,
    },
    "convolutions, stochastic": {
        "layers": "conv2d(5, 3, stride=(1, 3), padding=same), dense(7)",
        "mode": "stochastic",
        **IMAGES,
    },
    "adam, l1": {"optimizer": "adam", "l1": 0.01, "batch_size": 32, "sampling": "replacement"},
}


@pytest.fixture(autouse=True)
def a_team_for_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few its rows and weights are."""
    monkeypatch.setattr(plan_module, "TEAM_LARGE_ROWS", 1)
    monkeypatch.setattr(plan_module, "TEAM_WEIGHTS", 1)


def bits(config: TrainConfig, threads: int | None) -> Any:
    """Everything that a run leaves behind, but for its timings."""
    dataset = images(310) if config.scale == "unit" else blobs(310)
    if config.layers:
        dataset = pictures(310, config.input_shape)
    result = fit(config, dataset, threads=threads)
    return (
        result.predictor.network.params.tobytes(),
        result.history.rows,
        result.iterations.rows,
        result.metrics,
        result.best_epoch,
        result.predictor.outputs(dataset.X, threads).tobytes(),
    )


def config_of(run: str, **changes: Any) -> TrainConfig:
    usual: dict[str, Any] = {"epochs": 2, "log_every": 3, "dtype": "float32"}
    if "layers" not in RUNS[run]:
        usual["hidden_layer_sizes"] = (19, 7)
    return settings(**{**usual, **RUNS[run], **changes})


@pytest.mark.parametrize("run", RUNS)
def test_runs_that_can_be_shared_are(run: str) -> None:
    config = resolve_settings(config_of(run, task="classification"))
    inputs = plan_module.plan_inputs(config, 200, 0.1)
    expected = 1 if config.accumulate or config.mode == "stochastic" else 3
    if plan_module.is_per_sample(config):
        expected = 2
    assert plan_module.plan(config, 310, 200, 3, inputs).threads == expected


@pytest.mark.parametrize("run", RUNS)
def test_threads_change_no_bit(run: str) -> None:
    alone = bits(config_of(run), 1)
    for threads in (2, 3, 4):
        assert bits(config_of(run), threads) == alone


@pytest.mark.parametrize("run", RUNS)
def test_a_run_can_be_repeated(run: str) -> None:
    first = bits(config_of(run), None)
    for _ in range(20):
        assert bits(config_of(run), None) == first


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("run", RUNS)
def test_scratch_may_hold_anything(run: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before every slice: a run that resumes in new buffers has the same bits."""
    clean = bits(config_of(run), threads)
    advance, evaluate_network = Steps.advance, run_module.evaluate_network
    poisoned = []

    def advance_in_dirt(steps: Steps, last_step: int | None = None) -> None:
        if steps.blocks_done % steps.blocks_per_batch == 0:  # else gradients are added up
            poison(steps.workspace)
            poisoned.append(steps)
        advance(steps, last_step)

    def evaluate_in_dirt(workspace: Workspace, *arguments: Any) -> Any:
        poison(workspace)
        return evaluate_network(workspace, *arguments)

    monkeypatch.setattr(Steps, "advance", advance_in_dirt)
    monkeypatch.setattr(run_module, "evaluate_network", evaluate_in_dirt)
    assert bits(config_of(run), threads) == clean
    assert len(poisoned) >= 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_seed_gives_another_run(dtype: str) -> None:
    first, second = (bits(config_of("minibatch", dtype=dtype, seed=seed), 1) for seed in (0, 1))
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_more_epochs_begin_like_fewer() -> None:
    short, long = (fit(settings(epochs=epochs), blobs()) for epochs in (2, 5))
    assert long.history.rows[:2] == short.history.rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_dtypes_start_from_the_same_weights(dtype: str) -> None:
    network = fit(settings(learning_rate=1e-300, dtype=dtype), blobs()).predictor.network
    wide = fit(settings(learning_rate=1e-300), blobs()).predictor.network
    for weights, expected in zip(network.weights, wide.weights, strict=True):
        np.testing.assert_array_equal(weights, expected.astype(dtype))
