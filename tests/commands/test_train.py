"""The command line as a user meets it: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
from command_lines import started
from fastmlp.data.load import load_dataset
from fastmlp.data.split import parts
from fastmlp.reports.run_folder import RunFolder
from fastmlp.train import main
from fastmlp.training.callbacks import CsvLog
from fastmlp.training.run import Run

SMALL = ["--data", "digits", "--hidden", "16", "--epochs", "2"]
QUICK = [*SMALL, "--no-out", "--quiet"]

JSON_KEYS = {
    "version", "config", "data", "model", "epochs_run", "best_epoch", "train_loss",
    "validation_loss", "validation_accuracy", "test_loss", "test_accuracy", "prepare_seconds",
    "compile_seconds", "step_seconds", "train_seconds", "samples_per_second", "predict_seconds",
    "peak_rss_mb", "run_dir", "phase_seconds", "updates_run",
}  # fmt: skip


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*QUICK, "--json", *arguments]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_json_is_one_object_with_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    result = run_json(capsys)
    assert result.keys() >= JSON_KEYS
    assert result["run_dir"] is None
    assert result["data"] == {
        "name": "digits", "n_train": 1294, "n_validation": 144, "n_test": 359,
        "n_features": 64, "n_classes": 10,
    }  # fmt: skip
    assert result["model"]["n_parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    assert result["config"]["output_activation"] == "softmax"
    assert result["samples_per_second"] == pytest.approx(2 * 1294 / result["step_seconds"])


def test_the_run_folder_repeats_the_run_to_the_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main([*SMALL, "--quiet", "--log-every", "20", "--out", str(first)]) == 0
    config = str(first / "config.toml")
    assert main(["--config", config, "--quiet", "--threads", "2", "--out", str(second)]) == 0
    results = {
        "config.toml", "history.csv", "iterations.csv", "metrics.json", "model.safetensors",
        "curves.png", "confusion.png", "samples.png", "predictions.png", "mistakes.png",
        "weights.png", "calibration.png",
    }  # fmt: skip
    assert {path.name for path in first.iterdir()} == results | {"timings.json", "report.html"}
    for name in results:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert "test accuracy" in capsys.readouterr().out


def test_data_are_freed_before_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[weakref.ref[np.ndarray]] = []
    reported = []

    def load(*arguments: Any, **options: Any) -> fastmlp.Dataset:
        dataset = load_dataset("digits")
        loaded.append(weakref.ref(dataset.X))
        return dataset

    def report(*arguments: Any, **options: Any) -> None:
        reported.append([data() for data in loaded])

    monkeypatch.setattr("fastmlp.data.load.load_dataset", load)
    monkeypatch.setattr(RunFolder, "write_evaluation", report)
    assert main([*SMALL, "--quiet", "--out", str(tmp_path / "run")]) == 0
    assert reported == [[None]]


def test_the_saved_model_has_the_printed_accuracy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main([*SMALL, "--quiet", "--no-plots", "--json", "--out", str(folder)]) == 0
    printed = json.loads(capsys.readouterr().out)
    split = parts(fastmlp.load_dataset("digits"), seed=0)
    assert split.X_test is not None
    predictor = fastmlp.Predictor.load(folder / "model.safetensors")
    accuracy = (predictor.predict(split.X_test) == split.y_test).mean()
    assert accuracy == pytest.approx(printed["test_accuracy"])


def test_options_override_the_config_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('activation = "tanh"\nseed = 3\nlearning_rate = 0.05\n')
    config = run_json(capsys, "--config", str(path), "--seed", "4")["config"]
    assert (config["activation"], config["seed"], config["learning_rate"]) == ("tanh", 4, 0.05)


def test_print_config_shows_the_documented_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--print-config"]) == 0
    printed = capsys.readouterr().out
    for line in (
        'activation = "relu"', 'weight_init = "he_normal"', 'bias_init = "zeros"',
        'optimizer = "sgd"', "learning_rate = 0.1", 'mode = "minibatch"', "batch_size = 32",
        "epochs = 10", "validation = 0.1", "seed = 0", 'dtype = "float32"',
    ):  # fmt: skip
        assert line in printed.splitlines()
    assert main(["--print-config", "--mode", "stochastic", "--activation", "tanh"]) == 0
    printed = capsys.readouterr().out
    assert "learning_rate = 0.01" in printed
    assert 'weight_init = "glorot_uniform"' in printed
    assert main(["--print-config", "--data", "prices.csv"]) == 0
    printed = capsys.readouterr().out
    assert 'task = "auto"' in printed and 'optimizer = "auto"' in printed


def test_explain_prints_data_layers_and_plan_and_trains_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*QUICK, "--explain", "--mode", "stochastic"]) == 0
    captured = capsys.readouterr()
    assert "step: per_sample" in captured.out
    assert "epoch" not in captured.err
    assert "1,184 weights + 26 biases = 1,210 parameters, 4.73 KB in float32" in captured.out


def test_quiet_leaves_stderr_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(QUICK) == 0
    assert capsys.readouterr().err == ""


def test_without_a_terminal_there_is_a_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--no-out"]) == 0
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert "output shape" in captured.err
    assert not any(line.startswith("epoch ") for line in captured.out.splitlines())


def test_auto_reports_data_and_reason_on_stderr(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert main(["--epochs", "1", "--hidden", "4", "--no-out"]) == 0
    assert "digits, because" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--activation", "rellu"], 2, "did you mean 'relu'"),
        (["--optimizer", "adam(beta=1)"], 2, "no parameter 'beta'"),
        (["--optimizer", "adam(beta1=2)"], 2, "beta1 must be"),
        (["--init", "he("], 2, "cannot read 'he('"),
        (["--data", "mnits"], 2, "did you mean 'mnist'"),
        (["--epoch", "3"], 2, "did you mean --epochs"),
        (["--epochs", "three"], 2, "--epochs"),
        (["--output", "tanh", "--loss", "cross_entropy"], 2, "does not go with"),
        (["--output", "leaky_relu"], 2, "does not go with"),
        (["--hidden", "0,-3"], 2, "--hidden: hidden_layer_sizes must be"),
        (["--hidden", "wide"], 2, "whole numbers like 128,64"),
        (["--layers", "dense(8)"], 2, "--hidden: hidden_layer_sizes does not go with layers"),
        (["--layers", "dense(8),, dense(4)"], 2, "must be layers like 'conv2d(8, 3), dense(64)'"),
        (["--layers", ""], 2, "must be layers like"),
        (["--input-shape", "8,8,1"], 2, "--input-shape: input_shape is the shape of the images"),
        (["--lr", "0"], 2, "--lr: learning_rate must be above 0"),
        (["--lr", "fast"], 2, "--lr"),
        (["--threads", "0"], 2, "--threads must be at least 1"),
        (["--threads", "999"], 2, "threads must be at most"),
        (["--threshold", "0.9"], 2, "two classes"),
        (["--mode", "batch", "--batch-size", "5"], 2, "--batch-size does not apply"),
        (["--mode", "batch", "--sampling", "replacement"], 2, "does not go with mode batch"),
        (["--split", "80-30"], 2, "sum to 100"),
        (["--split", "official"], 2, "80-20"),
        (["--validation", "0", "--early-stopping", "3"], 2, "needs a validation set"),
        (["--validation", "0", "--monitor", "validation_loss"], 2, "needs a validation set"),
        (["--validation", "5000"], 2, "validation must"),
        (["--config", "no-such.toml"], 2, "cannot be read"),
        (["--out", "somewhere"], 2, "--out does not go with --no-out"),
        (["--overwrite"], 2, "--overwrite does not go without --out"),
        (["--no-plots"], 2, "--no-plots does not go with --no-out"),
        (["--json", "--explain"], 2, "--json does not go with --explain"),
        (["--profile", "--explain"], 2, "--profile does not go with --explain"),
        (["--profile", "--print-config"], 2, "--profile does not go with --print-config"),
        (["--warm-up", "--explain"], 2, "--warm-up does not go with --explain"),
        (["--warm-up", "--print-config"], 2, "--warm-up does not go with --print-config"),
        (["--warm-up", "--profile"], 2, "--warm-up does not go with --profile"),
        (["--warm-up", "--json"], 2, "--warm-up does not go with --json"),
        (["--warm-up", "--dtype", "half"], 2, "unknown dtype 'half'"),
        (["--data-dir", "."], 2, "--data-dir does not apply to --data digits"),
        (["--data", "emnist-letters", "--data-dir", "."], 2, "unknown dataset 'emnist-letters'"),
        (["--data", "x.npy", "--data-dir", "."], 2, "--data-dir does not apply to --data x.npy"),
        (["--classes", ""], 2, "names like 3,7"),
        (["--classes", "3"], 3, "at least two"),
        (["--classes", "3,77"], 3, "'77'"),
        (["--lr", "1e9"], 4, "diverged in epoch 1"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_the_right_code(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUICK, *arguments]) == code
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert says in errors[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("learning_rat = 0.1", "did you mean 'learning_rate'"),
        ("epochs = 'x'", "epochs must be a whole number"),
        ("epochs = = 3", "not valid TOML"),
        ("hidden_layer_sizes = [1.5]", "hidden_layer_sizes"),
    ],
)
def test_a_bad_config_file_is_refused(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert main(["--config", str(path)]) == 2
    assert says in capsys.readouterr().err


def test_history_grows_in_folder_during_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, seen = tmp_path / "run", []
    on_epoch_end = CsvLog.on_epoch_end

    def write_and_look(log: CsvLog, run: Run, row: dict[str, Any]) -> None:
        on_epoch_end(log, run, row)
        seen.append((folder / "history.csv").read_text().count("\n"))

    monkeypatch.setattr(CsvLog, "on_epoch_end", write_and_look)
    assert main([*SMALL, "--quiet", "--no-plots", "--out", str(folder)]) == 0
    assert seen == [2, 3]  # the header and a row per epoch


def test_no_plots_leaves_a_page_without_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert main([*SMALL, "--quiet", "--no-plots", "--out", str(folder)]) == 0
    assert not list(folder.glob("*.png"))
    page = (folder / "report.html").read_text()
    assert "<img" not in page and "<svg" not in page
    assert "macro average" in page


def test_the_classification_report_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(QUICK) == 0
    printed = capsys.readouterr().out
    test_row = next(line for line in printed.splitlines() if line.startswith("test  "))
    assert test_row.split()[1] == "359"
    for text in ("test set by class", "precision", "macro average", "most frequent confusions: "):
        assert text in printed


def test_a_diverged_run_leaves_its_report(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    arguments = [*SMALL, "--quiet", "--init", "random_normal(1e30)", "--out", str(folder)]
    assert main(arguments) == 4
    metrics = json.loads((folder / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert metrics["sets"]["test"]["loss"] is None
    assert "diverged" in (folder / "report.html").read_text()


IMPORTS = """
import sys
from fastmlp.train import main
for more in (["--no-out", "--json"], ["--out", "first", "--no-plots"], ["--out", "second"]):
    assert main(["--data", "moons", "--epochs", "1", "--quiet", *more]) == 0
    slow = ("matplotlib", "matplotlib.pyplot", "sklearn.metrics")
    print("loaded:", [name for name in slow if name in sys.modules])
"""


def test_what_is_slow_to_import_waits_until_it_is_needed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("loaded:")] == [
        "loaded: []",
        "loaded: ['sklearn.metrics']",
        "loaded: ['matplotlib', 'sklearn.metrics']",
    ]


def test_out_must_be_new_or_be_overwritten_on_purpose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    (tmp_path / "roc.png").write_text("old")
    arguments = [*SMALL, "--quiet", "--no-plots", "--out", str(tmp_path)]
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert not (tmp_path / "roc.png").exists()  # of an older run, which was another
    assert (tmp_path / "model.safetensors").exists()


def test_an_unwritable_out_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([*SMALL, "--quiet", "--out", str(tmp_path / "file" / "run")]) == 2
    captured = capsys.readouterr()
    assert "cannot be written to" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x00\x08\x03", b"not idx at all", gzip.compress(b"\x00\x00\x08\x03")[:-4]],
    ids=["empty", "truncated", "corrupt", "cut gzip"],
)
def test_damaged_image_files_are_a_data_error(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte").write_bytes(content)
    assert main(["--data", "mnist", "--data-dir", str(tmp_path), "--no-out", "--quiet"]) == 3
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert "ubyte" in errors[0]


def test_divergence_leaves_the_best_weights_in_the_run_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main([*SMALL, "--quiet", "--no-plots", "--lr", "1e9", "--out", str(folder)]) == 4
    fastmlp.Predictor.load(folder / "model.safetensors")  # refuses weights that are not finite
    assert json.loads((folder / "metrics.json").read_text())["status"] == "diverged"
    assert "lower learning_rate" in capsys.readouterr().err


def test_a_failing_callback_leaves_the_run_folder_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr("fastmlp.training.progress.PlainProgress.on_epoch_end", fail)
    folder = tmp_path / "run"
    assert main([*SMALL, "--no-plots", "--out", str(folder)]) == 1
    captured = capsys.readouterr()
    message = "error: callback Progress failed in on_epoch_end: ValueError: no ink"
    assert captured.err.splitlines()[-1] == message
    assert "(failed)" in captured.out
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["status"], metrics["epochs_run"]) == ("failed", 1)
    assert fastmlp.Predictor.load(folder / "model.safetensors").network.layer_sizes[1] == 16


def test_every_new_option_survives_the_run_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = {
        "--activation": "elu(0.5),gelu", "--dropout": "0.1,0.2", "--input-dropout": "0.1",
        "--max-norm": "3", "--clip-norm": "1", "--clip-value": "0.5", "--label-smoothing": "0.1",
        "--class-weight": "3=2,7=0.5", "--schedule": "one_cycle(warmup=0.5)",
        "--optimizer": "adamw(weight_decay=0.1)", "--init": "orthogonal",
    }  # fmt: skip
    given = [word for pair in options.items() for word in pair]
    out = ["--quiet", "--no-plots", "--out"]
    assert main([*SMALL, "--hidden", "9,8", *given, *out, str(folder)]) == 0
    config = str(folder / "config.toml")
    assert main(["--config", config, *out, str(tmp_path / "again")]) == 0
    for name in ("config.toml", "history.csv", "model.safetensors"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.filterwarnings("always")
def test_a_batch_larger_than_the_data_is_clipped_with_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [*SMALL, "--no-out", "--batch-size", "100000"]
    assert main(arguments) == 0
    assert "\nwarning: batch_size 100000" in "\n" + capsys.readouterr().err
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_version_and_help_exit_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as stop:
            main([option])
        assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert fastmlp.__version__ in printed
    assert "exit codes:" in printed


def test_json_has_null_and_not_nan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--json", "--init", "random_normal(1e30)"]) == 4
    described = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert described["train_loss"] is None


def test_two_classes_get_one_output_with_every_loss_that_allows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--classes", "3,7", "--threshold", "0.9", "--loss", "squared_error"]
    assert run_json(capsys, *arguments)["config"]["output_activation"] == "sigmoid"


def test_the_kept_epoch_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    result = run_json(capsys, "--validation", "0", "--epochs", "3")
    assert result["kept_epoch"] == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line_and_exit_code_1() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fastmlp.train", "--print-config"], stdout=full,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": ""},
        )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_during_the_test_evaluation_keeps_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate = Run.loss_and_accuracy

    def interrupted(run: Run, prefix: str, data: Any) -> dict[str, float | None]:
        if prefix == "test" and data is not None:
            raise KeyboardInterrupt
        return evaluate(run, prefix, data)

    monkeypatch.setattr(Run, "loss_and_accuracy", interrupted)
    folder = tmp_path / "run"
    assert main([*SMALL, "--quiet", "--out", str(folder)]) == 130
    assert "validation accuracy" in capsys.readouterr().out
    assert (folder / "model.safetensors").exists()


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_ctrl_c_keeps_what_was_trained_and_exits_130(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    arguments = ["--data", "digits", "--epochs", "1000000", "--out", str(folder)]
    with started("fastmlp.train", *arguments) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("epoch"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in output
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["status"] == "interrupted"
    assert metrics["epochs_run"] >= 1
    assert fastmlp.Predictor.load(folder / "model.safetensors").network.layer_sizes[0] == 64
