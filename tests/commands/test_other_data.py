"""``--config`` of one dataset with ``--data`` of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.train import main


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tables with the same features: three classes, two classes, and prices."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    prices = 1000 + 300 * (X @ [1, 2, -1])
    cuts = np.digitize(X[:, 0], [-0.5, 0.5])
    targets: dict[str, Any] = {
        "classes.csv": np.array(["x", "y", "z"])[cuts],
        "two.csv": np.array(["no", "yes"])[(cuts > 0).astype(int)],
        "prices.csv": prices.round(2),
    }
    for name, y in targets.items():
        lines = [
            ",".join(map(str, [*row.round(3), label])) for row, label in zip(X, y, strict=True)
        ]
        Path(name).write_text("\n".join(["a,b,c,target", *lines]), encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """The settings of a run, and what it wrote to stderr."""
    assert main([*arguments, "--epochs", "1", "--lr", "0.001", "--json", "--no-out"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out)["config"], err


@pytest.fixture
def of_classes(capsys: pytest.CaptureFixture[str]) -> Path:
    """The saved settings of a run on three classes."""
    arguments = ["--data", "classes.csv", "--epochs", "1", "--out", "old", "--no-plots", "--quiet"]
    assert main(arguments) == 0
    capsys.readouterr()
    return Path("old", "config.toml")


def test_the_task_is_inferred_again(of_classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, err = run(capsys, "--config", str(of_classes), "--data", "prices.csv")
    assert (config["task"], config["loss"]) == ("regression", "squared_error")
    assert "inferred again for prices.csv, since config.toml is for other data: task (was " in err
    assert (config["target_scale"], config["schedule"]) == ("standard", "cosine")


def test_an_optimizer_that_was_chosen_stays(
    of_classes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = of_classes.read_text(encoding="utf-8").replace('"sgd"', '"adam"')
    of_classes.write_text(text, encoding="utf-8")
    config, _ = run(capsys, "--config", str(of_classes), "--data", "prices.csv")
    assert config["optimizer"].startswith("adam") and config["clip_norm"] == 2


def test_how_a_task_is_trained_is_inferred_again(
    of_classes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, _ = run(capsys, "--config", str(of_classes), "--data", "prices.csv")
    assert config["target_scale"] == "standard"
    assert config["optimizer"] == "sgd(momentum=0.9, nesterov=true)"
    assert (config["schedule"], config["clip_norm"]) == ("cosine", 2.0)
    arguments = ["--config", str(of_classes), "--data", "prices.csv", "--optimizer", "adam"]
    assert run(capsys, *arguments)[0]["optimizer"] == "adam"


def test_a_task_that_is_given_stays(of_classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--config", str(of_classes), "--data", "prices.csv", "--task", "classification"]
    config, err = run(capsys, *arguments)
    assert (config["task"], config["loss"]) == ("classification", "cross_entropy")
    assert "inferred again" not in err


def test_settings_that_fit_the_other_data_stay(
    of_classes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = of_classes.read_text(encoding="utf-8").replace('"standard"', '"minmax"')
    of_classes.write_text(text, encoding="utf-8")
    config, err = run(capsys, "--config", str(of_classes), "--data", "two.csv")
    assert (config["scale"], config["loss"]) == ("minmax", "cross_entropy")
    assert "inferred again" not in err


def test_the_same_data_repeat_the_run(of_classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, err = run(capsys, "--config", str(of_classes), "--data", "classes.csv")
    assert config["task"] == "classification" and "inferred again" not in err


def test_an_official_split_and_a_known_range_belong_to_their_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("images.toml").write_text(
        'data = "mnist"\nsplit = "official"\nscale = "unit"\n', encoding="utf-8"
    )
    config, err = run(capsys, "--config", "images.toml", "--data", "two.csv")
    assert (config["split"], config["scale"]) == ("80-20", "standard")
    assert "split (was official), scale (was unit)" in err
