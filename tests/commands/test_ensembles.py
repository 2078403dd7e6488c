"""Ensembles on the command lines: training, resuming, predicting."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import Predictor, load_dataset
from fastmlp.data.split import parts
from fastmlp.predict import main as predict
from fastmlp.train import main
from fastmlp.training.progress import LiveProgress, PlainProgress
from fastmlp.training.run import Run

SMALL = ["--data", "digits", "--hidden", "16", "--epochs", "2", "--n-models", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of an ensemble."""
    path = tmp_path_factory.mktemp("run") / "first"
    assert main([*SMALL, "--quiet", "--checkpoint-every", "1", "--out", str(path)]) == 0
    return path


def test_the_run_folder_repeats_the_run_to_the_byte(folder: Path, tmp_path: Path) -> None:
    config, second = str(folder / "config.toml"), tmp_path / "second"
    second.mkdir()
    (second / "history-9.csv").touch()  # of an older run
    arguments = ["--quiet", "--threads", "1", "--overwrite", "--out", str(second)]
    assert main(["--config", config, *arguments]) == 0
    names = {path.name for path in second.iterdir()} - {"timings.json", "report.html"}
    assert {"history.csv", "history-1.csv", "history-3.csv", "spread.png"} <= names
    assert "history-9.csv" not in names
    for name in names:
        assert (folder / name).read_bytes() == (second / name).read_bytes(), name


def test_resuming_a_finished_ensemble_gives_the_same_files(folder: Path) -> None:
    names = ("metrics.json", "model.safetensors", "history.csv", "history-2.csv")
    before = [(folder / name).read_bytes() for name in names]
    assert main(["--resume", str(folder), "--quiet"]) == 0
    assert [(folder / name).read_bytes() for name in names] == before


def test_json_and_metrics_have_a_row_for_each_model(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "--no-out", "--quiet", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert printed["models"] == written["models"]
    assert printed["models"][0]["seed"] == 0
    assert {model["status"] for model in printed["models"]} == {"finished"}
    assert printed["test_accuracy"] == written["sets"]["test"]["accuracy"]
    assert written["sets"]["test"]["spread"] > 0


def test_progress_and_explain_name_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--no-out"]) == 0
    shown = capsys.readouterr().err
    assert shown.count("3 models side by side, seeds 0, ") == 1
    for number in (1, 2, 3):
        assert shown.count(f"model {number}/3  epoch 2/2") == 1
    assert main([*SMALL, "--explain"]) == 0
    assert "3 models side by side, seeds 0, " in capsys.readouterr().out


def test_predictions_have_the_spread_with_std(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder), "digits", "--part", "test", "--std"]
    assert predict([*arguments, "--quiet"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    split = parts(load_dataset("digits"), seed=0)
    predictor = Predictor.load(folder / "model.safetensors")
    labels, spread = predictor.predict(split.X_test, return_std=True)
    assert [row["prediction"] for row in rows] == [str(label) for label in labels]
    np.testing.assert_array_equal(np.float32([row["std"] for row in rows]), spread)
    probabilities = predictor.predict_proba(split.X_test)
    np.testing.assert_array_equal(
        np.float32([[row[f"probability_{j}"] for j in range(10)] for row in rows]), probabilities
    )


def test_std_of_a_single_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.safetensors"
    predictor = Predictor.load(_saved_single(tmp_path))
    predictor.save(path)
    assert predict([str(path), "digits", "--std"]) == 2
    assert "--std needs a model of several networks" in capsys.readouterr().err


def _saved_single(tmp_path: Path) -> Path:
    folder = tmp_path / "single"
    arguments = ["--data", "digits", "--hidden", "8", "--epochs", "1", "--quiet", "--no-plots"]
    assert main([*arguments, "--out", str(folder)]) == 0
    return folder / "model.safetensors"


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="sends a signal to a thread")
def test_ctrl_c_keeps_what_was_trained_and_can_be_resumed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal in the main thread, while the models train in others."""
    seen, main_thread = threading.Event(), threading.get_ident()

    def interrupt(self: Any, run: Run, row: dict[str, Any]) -> None:
        if run.number == 2 and not seen.is_set():
            seen.set()
            signal.pthread_kill(main_thread, signal.SIGINT)
            while not run.turn._turns.is_stopped:  # type: ignore[attr-defined]
                seen.wait()  # gives the main thread its turn

    monkeypatch.setattr(PlainProgress, "on_epoch_end", interrupt)
    out = tmp_path / "run"
    arguments = [*SMALL, "--threads", "1", "--checkpoint-every", "1", "--out", str(out)]
    assert main(arguments) == 130
    assert seen.is_set()
    assert Predictor.load(out / "model.safetensors").n_models == 2
    assert main(["--resume", str(out), "--quiet"]) == 0
    for name in ("model.safetensors", "metrics.json", "history.csv", "history-3.csv"):
        assert (out / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_live_line_shows_the_first_model_that_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    shown = LiveProgress.on_progress

    def on_progress(self: LiveProgress, run: Run) -> None:
        shown(self, run)
        lines.append(self.progress.tasks[0].fields["line"])

    monkeypatch.setattr(LiveProgress, "on_progress", on_progress)
    monkeypatch.setattr("fastmlp.training.progress.is_live", lambda stream: True)
    assert main([*SMALL, "--no-out", "--threads", "1"]) == 0  # side by side, any may be last
    texts = [line for line in lines if line]
    assert texts and all(line.startswith("model ") for line in texts)
    assert texts[0].startswith("model 1/3")
    assert re.match(r"model [23]/3  epoch 2/2", texts[-1])  # two of them train at once
