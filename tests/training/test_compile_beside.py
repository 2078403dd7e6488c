"""A cold run is helped by a second process, and does without one that cannot help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

import fastmlp
from fastmlp.kernels.machine.launch import signature_of
from fastmlp.training import compile_beside, slices
from fastmlp.training.compile_beside import Helper, compiled_beside, is_cold
from fastmlp.training.fit import start
from toys import blobs, settings

ROOT = Path(__file__).parents[2]
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands of helpers; none is started."""
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(compile_beside, "Helper", lambda command: seen.append(command) or Helper())
    monkeypatch.setattr(compile_beside, "usable_cpus", lambda: 2)
    monkeypatch.setattr(compile_beside, "is_cold", lambda config: True)
    return seen


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
    given = {worker: {signature_of(tuple(arguments))}}
    monkeypatch.setattr(compile_beside, "signatures_compiled", lambda worker: given.get(worker, ()))
    assert not is_cold(config)
    assert is_cold(config.replace(dtype="float64" if dtype == "float32" else "float32"))
    given.clear()
    assert is_cold(config)


@pytest.mark.parametrize(
    ("changes", "step"),
    [({}, "batch"), ({"mode": "stochastic"}, "stochastic"), ({"optimizer": "adam"}, "batch")],
    ids=str,
)
def test_a_run_is_helped_where_that_can_be(
    monkeypatch: pytest.MonkeyPatch,
    commands: list[tuple[str, ...]],
    changes: dict[str, str],
    step: str,
) -> None:
    def command(threads: int | None = None) -> tuple[str, ...]:
        monkeypatch.setattr(compile_beside, "_seen", set())
        with compiled_beside(settings(dtype="float64", **changes), threads):
            return commands.pop()

    assert command()[-2:] == command(2)[-2:] == ("float64", step)
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
        ("max_pool2d(2), dense(3)", (), ()),
        ("conv2d(8, 3), max_pool2d(2), conv2d(16, 3)", (), ("conv2d_max_pool2d", "winograd")),
        ("conv2d(16, 3), conv2d(5, 2)", (9, 9, 8), ("winograd", "conv2d")),
    ],
    ids=str,
)
def test_gradients_of_filters_are_compiled_beside(
    monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]],
    layers: str, shape: tuple[int, ...], kernels: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr(compile_beside, "_seen", set())
    config = settings(layers=layers, input_shape=shape, hidden_layer_sizes=())
    with compiled_beside(config, None):
        command = commands.pop()
    place = command.index("batch")
    assert command[place + 1 :] == kernels


def test_a_process_is_helped_once_for_each_step(
    monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]]
) -> None:
    monkeypatch.setattr(compile_beside, "_seen", set())
    for changes in ({}, {}, {"mode": "stochastic"}, {"dtype": "float32"}, {"epochs": 3}):
        with compiled_beside(settings(**changes), None):
            pass
    assert [command[-2:] for command in filter(None, commands)] == [
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
    assert [command[-1] for command in commands] == ["batch"]


@pytest.mark.parametrize(
    "command", [(), ("no such program",), (sys.executable, "-c", "raise SystemExit(3)")], ids=str
)
def test_a_helper_that_fails_is_done_without(command: tuple[str, ...]) -> None:
    helper = Helper(command)
    helper.wait()
    helper.stop()


def test_a_helper_does_not_outlive_the_run_it_helps() -> None:
    helper = Helper(SLEEP)
    began = time.monotonic()
    helper.stop()
    helper.wait()
    assert time.monotonic() - began < 60
    assert helper._process is not None and helper._process.returncode != 0


def test_run_waits_for_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_beside, "_MOST_SECONDS", 0.01)
    helper = Helper(SLEEP)
    helper.wait()
    assert helper._process is not None and helper._process.poll() is None
    helper.stop()


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
    # The run itself has compiled the layers, and has found the update and what calls the passes.
    dense = "dense_on_images" if layers else "dense"
    for kernel, event in {
        f"{dense}_weight_gradient": "data saved to",
        "gradients_and_update": "data loaded from",
        "train_batches": "data loaded from",
        "evaluate_rows": "data loaded from",
    }.items():
        found = [line for line in cold.stdout.splitlines() if f".{kernel}-" in line]
        assert event in found[-1]
        assert not any("data saved to" in line for line in found) or event == "data saved to"
    results = [json.loads(run.stdout.splitlines()[-1]) for run in (cold, warm)]
    assert results[0]["test_loss"] == results[1]["test_loss"]
