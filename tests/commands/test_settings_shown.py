"""What a run says before training: how data are scaled and weights updated, and few updates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import TrainConfig
from fastmlp.commands.introduction import few_updates_lines, setting_lines
from fastmlp.data.dataset import Dataset
from fastmlp.train import main
from fastmlp.training.fit import start
from toys import blobs, lines


def described(dataset: Dataset, **given: Any) -> list[str]:
    config = TrainConfig(**given)
    return [line.strip() for line in setting_lines(config, start(config, dataset))]


def test_each_setting_that_was_inferred_names_its_option() -> None:
    assert described(lines()) == [
        "split 80-20 (--split)",
        "scale standard (--scale)",
        "target scale standard: losses are of scaled targets (--target-scale)",
        "training   sgd(momentum=0.9, nesterov=true), rate 0.1, schedule cosine, clip norm 2 "
        "(--optimizer, --lr, --schedule, --clip-norm)",
    ]


def test_settings_that_were_given_name_none() -> None:
    given = {
        "split": "70-30", "scale": "minmax", "target_scale": "none", "optimizer": "adam",
        "learning_rate": 0.01, "schedule": "constant", "clip_norm": 0.0,
    }  # fmt: skip
    assert described(lines(), **given) == [
        "split 70-30",
        "scale minmax",
        "target scale none",
        "training   adam, rate 0.01, schedule constant",
    ]


def test_classes_have_no_target_scale() -> None:
    found = described(blobs())
    assert found[-1] == "training   sgd, rate 0.1, schedule constant"
    assert not any("target scale" in line for line in found)


@pytest.mark.parametrize("dataset", [lines(500), blobs(500)], ids=["regression", "classes"])
def test_few_updates_with_defaults_are_reported(dataset: Dataset) -> None:
    (line,) = few_updates_lines(start(TrainConfig(), dataset))
    # 360 rows are 12 batches.
    assert line == (
        "few data: 120 updates in 10 epochs; fewer than 500 seldom suffice: try --epochs 42, a "
        "smaller --batch-size (now 32), or --optimizer adam"
    )
    assert few_updates_lines(start(TrainConfig(epochs=42), dataset)) == []


@pytest.mark.parametrize("given", [{"epochs": 3}, {"batch_size": 64}, {"mode": "batch"}])
def test_a_chosen_number_of_updates_gives_no_note(given: dict[str, Any]) -> None:
    assert few_updates_lines(start(TrainConfig(**given), lines(500))) == []


def test_many_updates_are_not_mentioned() -> None:
    assert few_updates_lines(start(TrainConfig(), lines(2300))) == []


def test_explain_shows_what_the_task_has_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = lines(100)
    np.savez(tmp_path / "lines.npz", X=dataset.X, y=dataset.y)
    assert main(["--data", str(tmp_path / "lines.npz"), "--explain"]) == 0
    printed = capsys.readouterr().out
    assert "target scale standard: losses are of scaled targets (--target-scale)" in printed
    assert "schedule cosine, clip norm 2 (--optimizer" in printed
    assert main(["--print-config"]) == 0
    assert 'target_scale = "auto"' in capsys.readouterr().out


def test_command_reports_it_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = lines(100)
    path = tmp_path / "lines.npz"
    np.savez(path, X=dataset.X, y=1e5 * dataset.y)
    assert main(["--data", str(path), "--no-out"]) == 0
    printed = capsys.readouterr()
    before = printed.err.partition("epoch  1/10")[0]
    assert "target scale standard: losses are of scaled targets (--target-scale)" in before
    assert "few data: " in before
    assert "losses are of targets scaled by standard" in printed.out
    assert "MAE and RMSE are in the units of " in printed.out
