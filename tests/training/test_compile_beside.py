"""A cold run is helped by a second process, and does without one that cannot help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
from fastmlp.kernels.machine.launch import signature_of
from fastmlp.kernels.machine.team import new_sync
from fastmlp.training import compile_beside, slices
from fastmlp.training.compile_beside import Helper, compiled_beside, is_cold, step_of
from fastmlp.training.compile_share import jobs
from fastmlp.training.fit import start
from fastmlp.training.plan import updates_of
from toys import blobs, settings

ROOT = Path(__file__).parents[2]
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands of helpers; none is started."""
    seen: list[tuple[str, ...]] = []

    def record(command: tuple[str, ...] = ()) -> Helper:
        seen.extend([command] if command else [])
        return Helper()

    monkeypatch.setattr(compile_beside, "Helper", record)
    monkeypatch.setattr(compile_beside, "usable_cpus", lambda: 2)
    monkeypatch.setattr(compile_beside, "is_cold", lambda config: True)
    return seen


def asked(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a helper is asked to compile, after the folder of its claims."""
    return command[command.index("fastmlp.training.compile_share") + 2 :]


@pytest.mark.parametrize(
    "step",
    [{}, {"mode": "stochastic"}, {"mode": "stochastic", "optimizer": "adam"}],
    ids=["batches", "samples", "batches of one"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_is_cold_until_its_step_was_compiled_for_its_type(
    monkeypatch: pytest.MonkeyPatch, step: dict[str, str], dtype: str
) -> None:
    config = settings(dtype=dtype, **step)
    run, launched = start(config, blobs(), threads=1), []
    launch = slices.launch
    monkeypatch.setattr(slices, "launch", lambda *a: launched.append(a) or launch(*a))
    run.compile()
    assert not is_cold(config)
    worker, _, *arguments = launched[0]
    given = {worker: {signature_of((new_sync(), *arguments))}}
    monkeypatch.setattr(compile_beside, "signatures_compiled", lambda worker: given.get(worker, ()))
    assert not is_cold(config)
    assert is_cold(config.replace(dtype="float64" if dtype == "float32" else "float32"))
    given.clear()
    assert is_cold(config)


@pytest.mark.parametrize(
    ("changes", "step", "update"),
    [
        ({"task": "classification"}, "batch", "one_pass"),
        ({"mode": "stochastic"}, "stochastic", "passes,one_pass"),
        ({"optimizer": "adam"}, "batch", "passes"),
        ({"task": "classification", "mode": "batch"}, "batch", "passes,one_pass"),
        ({}, "batch", "passes"),
        ({"l1": 0.1}, "batch", "passes"),
    ],
    ids=str,
)
def test_a_run_is_helped_where_that_can_be(
    monkeypatch: pytest.MonkeyPatch,
    commands: list[tuple[str, ...]],
    changes: dict[str, str],
    step: str,
    update: str,
) -> None:
    def command(threads: int | None = None) -> tuple[str, ...]:
        monkeypatch.setattr(compile_beside, "_seen", set())
        with compiled_beside(settings(dtype="float64", **changes), threads):
            return commands.pop() if commands else ()

    assert asked(command()) == asked(command(2)) == ("float64", step, update, "dense")
    assert command(1) == ()
    with monkeypatch.context() as changed:
        changed.setattr(compile_beside, "kept_in", lambda: None)
        assert command() == ()
    with monkeypatch.context() as changed:
        changed.setattr(sys, "executable", "/usr/bin/uwsgi")
        assert command() == ()
    monkeypatch.setattr(compile_beside, "usable_cpus", lambda: 1)
    assert command() == ()


@pytest.mark.parametrize(
    ("layers", "shape", "kernels"),
    [
        ("dense(7), dropout(0.1), dense(3)", (), ("dense", "dropout", "dense_narrow")),
        (
            "max_pool2d(2), dense(3)", (),
            ("unflatten", "max_pool2d", "dense_on_images", "dense"),
        ),
        (
            "conv2d(8, 3), max_pool2d(2), conv2d(16, 3)", (),
            ("unflatten", "conv2d_max_pool2d", "winograd", "dense_on_images"),
        ),
        (
            "conv2d(16, 3), conv2d(5, 2)", (9, 9, 8),
            ("unflatten", "winograd", "conv2d", "dense_on_images"),
        ),
        ("conv2d(16, 30)", (), ("dense",)),
    ],
    ids=str,
)  # fmt: skip
def test_the_helper_is_told_the_forms_of_all_layers(
    monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]],
    layers: str, shape: tuple[int, ...], kernels: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr(compile_beside, "_seen", set())
    config = settings(layers=layers, input_shape=shape, hidden_layer_sizes=())
    with compiled_beside(config, None):
        command = commands.pop()
    assert asked(command)[3:] == kernels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("changes", "forms"),
    [
        ({}, ["dense"]),
        ({"optimizer": "adam"}, ["dense"]),
        ({"mode": "stochastic"}, ["dense"]),
        ({"layers": "conv2d(4, 3), dense(3)", "input_shape": (5, 5, 1)},
         ["unflatten", "conv2d", "dense_on_images", "dense"]),
    ],
    ids=["batches", "moments", "samples", "images"],
)  # fmt: skip
def test_the_helper_compiles_kernels_that_the_run_uses(
    changes: dict[str, Any], forms: list[str], dtype: str
) -> None:
    config = settings(dtype=dtype, **changes)
    n_features = 25 if "layers" in changes else 2
    rows = fastmlp.Dataset(np.random.default_rng(0).random((120, n_features)), np.arange(120) % 3)
    run = start(config, rows, threads=2)
    run.compile()
    run.evaluate(run.prepared.train, rows=1)
    listed = list(jobs(np.dtype(dtype), step_of(config), updates_of(run.config), forms))
    unused = {kernel.__name__ for kernel, types in listed if types not in kernel.overloads}
    # The first layer with weights needs no gradients of inputs, and a small run no team.
    assert unused <= {"conv2d_backward", "run_region"}
    assert len({kernel for kernel, _ in listed}) == len(listed)


def test_a_process_is_helped_once_for_each_step(
    monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]]
) -> None:
    monkeypatch.setattr(compile_beside, "_seen", set())
    for changes in ({}, {}, {"mode": "stochastic"}, {"dtype": "float32"}, {"epochs": 3}):
        with compiled_beside(settings(**changes), None):
            pass
    assert [asked(command)[:2] for command in commands] == [
        ("float64", "batch"),
        ("float64", "stochastic"),
        ("float32", "batch"),
    ]


COLD = {
    "fit": "fastmlp.fit(fastmlp.TrainConfig(epochs=1), blobs())",
    "estimators": "fastmlp.MLPClassifier(max_iter=1, tol=9.0).fit(blobs().X, blobs().y)",
    "sweeps": "fastmlp.run_sweep({'epochs': [1]}, blobs(), jobs=2)",
}


@pytest.mark.parametrize("what", COLD)
def test_every_way_to_train_is_helped(
    monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]], what: str
) -> None:
    monkeypatch.setattr(compile_beside, "_seen", set())
    monkeypatch.setattr("fastmlp.estimators.running._ready", set())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        eval(COLD[what], {"fastmlp": fastmlp, "blobs": blobs})
    assert [asked(command)[1] for command in commands] == ["batch"]


@pytest.mark.parametrize(
    "command", [(), ("no such program",), (sys.executable, "-c", "raise SystemExit(3)")], ids=str
)
def test_a_helper_that_fails_is_done_without(command: tuple[str, ...]) -> None:
    helper = Helper(command)
    while helper.is_running():
        time.sleep(0.01)
    helper.compile(start(settings(), blobs(), threads=1))
    helper.stop()


def test_a_helper_does_not_outlive_the_run_it_helps() -> None:
    helper = Helper(SLEEP)
    assert helper.is_running()
    helper.stop()
    assert not helper.is_running()
    assert helper._process is not None and helper._process.returncode != 0


@pytest.mark.parametrize("layers", [[], ["conv2d(4, 3)", "max_pool2d(2)", "dropout(0.1)"]])
def test_cold_command_says_that_it_compiles_and_equals_warm_one(
    layers: list[str], tmp_path: Path
) -> None:
    settings_file = tmp_path / "settings.toml"
    settings_file.write_text(f"layers = {json.dumps(layers)}" if layers else "")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fastmlp.train", "--data", "digits", "--epochs", "1", "--json",
               "--config", str(settings_file)]  # fmt: skip
    cold, warm = (
        subprocess.run(
            [*command, "--no-out"], env={**environment, "NUMBA_DEBUG_CACHE": "1"}, cwd=tmp_path,
            capture_output=True, text=True, timeout=600,
        )
        for _ in range(2)
    )  # fmt: skip
    assert (cold.returncode, warm.returncode) == (0, 0)
    assert cold.stderr.startswith("compiling kernels: once")
    assert "compiling" not in warm.stderr
    # The run itself has compiled the first ones, and has found the last ones.
    for kernel, event in {
        "cross_entropy": "data saved to",
        "update_in_": "data loaded from",
        "train_batches": "data loaded from",
    }.items():
        found = [line for line in cold.stdout.splitlines() if f".{kernel}" in line]
        assert event in found[-1]
        assert not any("data saved to" in line for line in found) or event == "data saved to"
    results = [json.loads(run.stdout.splitlines()[-1]) for run in (cold, warm)]
    assert results[0]["test_loss"] == results[1]["test_loss"]
