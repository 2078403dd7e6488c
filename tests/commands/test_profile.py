"""The table of where a step's time went."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

import fastmlp
from fastmlp.commands.tables import NO_COUNTER, PER_SAMPLE, profile_lines
from fastmlp.kernels.machine.phases import NAMES
from fastmlp.train import main
from fastmlp.training.result import TrainResult
from image_models import pictures
from image_models import settings as image_settings
from toys import blobs, settings

QUICK = ["--data", "digits", "--hidden", "16", "--epochs", "1", "--no-out", "--quiet"]


@pytest.fixture(scope="module")
def result() -> TrainResult:
    return fastmlp.fit(settings(epochs=1), blobs(), threads=1)


def profiled(result: TrainResult, **changes: Any) -> list[str]:
    """The lines for 10 steps that took 0.01 s."""
    usual = {
        "phase_seconds": {}, "layer_seconds": [], "updates_run": 10,
        "timings": {"step_seconds": 0.01},
    }  # fmt: skip
    return profile_lines(dataclasses.replace(result, **{**usual, **changes}))


def test_each_phase_has_its_time_and_share(result: TrainResult) -> None:
    phases = {"gather": 0.001, "forward": 0.0055, "wait": 0.0}
    assert profiled(result, phase_seconds=phases) == [
        "phase                   us a step    share",
        "gather                     100.00    10.0%",
        "forward                    550.00    55.0%",
        "wait                         0.00     0.0%",
        "between slices             350.00    35.0%",
        "whole step               1,000.00   100.0%",
        "10 steps on 1 thread",
    ]


def test_what_clocks_disagree_on_is_not_less_than_nothing(result: TrainResult) -> None:
    lines = profiled(result, phase_seconds={"forward": 0.0101})
    assert "between slices               0.00     0.0%" in lines


def test_a_team_is_at_most_as_large_as_planned(result: TrainResult) -> None:
    plan = dataclasses.replace(result.plan, threads=4)
    assert profiled(result, plan=plan, updates_run=1)[-2] == "1 step on at most 4 threads"


@pytest.mark.parametrize(("step", "says"), [("per_sample", PER_SAMPLE), ("general", NO_COUNTER)])
def test_missing_phases_are_explained(step: str, says: str, result: TrainResult) -> None:
    assert profiled(result, plan=dataclasses.replace(result.plan, step=step)) == [
        "phase                   us a step    share",
        "whole step               1,000.00   100.0%",
        "10 steps on 1 thread",
        says,
    ]


def test_each_layer_has_its_time_and_share(result: TrainResult) -> None:
    layers = [
        {"name": "conv2d(3, 3)", "forward": 0.001, "backward": 0.0, "update": 0.0005},
        {"name": "dense(2)", "forward": 0.002, "backward": 0.02, "update": 0.0},
    ]
    assert profiled(result, phase_seconds={"forward": 0.003}, layer_seconds=layers)[-4:] == [
        "",
        "us a step     forward  backward  update   share",
        "conv2d(3, 3)   100.00      0.00   50.00   15.0%",
        "dense(2)       200.00  2,000.00    0.00  220.0%",
    ]


def test_the_table_of_a_run_has_all_its_layers() -> None:
    result = fastmlp.fit(image_settings(epochs=1), pictures(60))
    lines = profile_lines(result)
    conv, pool, *others = map(str, result.predictor.network.layers)
    names = [f"{conv}, {pool}", *others]  # computed together
    table = lines[lines.index("") + 2 :]
    assert [line.split("  ")[0] for line in table] == names


def test_no_steps_are_no_table(result: TrainResult) -> None:
    assert profiled(result, updates_run=0) == ["profile: 0 steps on 1 thread"]


def test_the_option_prints_the_table_after_the_results(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*QUICK, "--profile"]) == 0
    captured = capsys.readouterr()
    results, table, layers, *_ = captured.out.split("\n\n")
    assert "test accuracy" in results
    first = [line.partition("  ")[0] for line in table.splitlines()]
    assert first[:-1] == ["phase", *NAMES, "between slices", "whole step"]
    assert [line.partition("  ")[0] for line in layers.splitlines()] == [
        "us a step", "dense(16, activation=relu)", "dense(10, activation=softmax)",
    ]  # fmt: skip
    assert captured.err == ""
    assert main(QUICK) == 0
    assert "us a step" not in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
def test_json_holds_the_numbers_with_and_without_the_option(
    mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ([], ["--profile"]):
        assert main([*QUICK, "--json", "--mode", mode, *option]) == 0
        found = json.loads(capsys.readouterr().out)
        assert list(found["phase_seconds"]) == ([] if mode == "stochastic" else list(NAMES))
        layers = [] if mode == "stochastic" else [16, 10]
        assert [layer["name"][:8] for layer in found["layer_seconds"]] == [
            f"dense({units}" for units in layers
        ]
        assert found["updates_run"] == (1294 if mode == "stochastic" else 41)
