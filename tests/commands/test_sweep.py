"""``python -m fastmlp.sweep`` from its options to its exit code."""

from __future__ import annotations

import io
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_lines import started
from fastmlp.commands.axes import split_values
from fastmlp.commands.sweep_options import build_sweep_parser, grid_values, parse_sweep_arguments
from fastmlp.commands.sweep_progress import LiveTable, sweep_progress, time_text
from fastmlp.sweep import main
from fastmlp.sweeps.grid import DEFAULT_AXES, FIELDS
from fastmlp.sweeps.leaderboard import rank
from fastmlp.sweeps.progress import Standing
from fastmlp.sweeps.sweep import run_sweep
from toys import blobs, lines

QUICK = ["--data", "blobs(n=90)", "--hidden", "6", "--epochs", "2"]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def grid(*arguments: str) -> dict[str, Any]:
    return grid_values(parse_sweep_arguments(list(arguments)), None)


def test_the_default_grid_is_changed_by_what_is_given() -> None:
    assert grid() == DEFAULT_AXES
    found = grid("--mode", "batch", "--lr", "0.1,auto", "--seeds", "0-2,7")
    assert found["mode"] == ["batch"]
    assert found["learning_rate"] == [0.1, "auto"]
    assert found["seed"] == [0, 1, 2, 7]
    assert found["activation"] == DEFAULT_AXES["activation"]


def test_every_setting_is_an_option() -> None:
    options = {action.dest for action in build_sweep_parser()._actions}
    assert set(FIELDS) - options == {"rules"}  # which are written in files


@pytest.mark.parametrize(
    ("arguments", "name", "values"),
    [
        (["--hidden", "128,64"], "hidden_layer_sizes", [(128,), (64,)]),
        (["--hidden", "128-64,none"], "hidden_layer_sizes", [(128, 64), ()]),
        (["--hidden", "128,64; 32"], "hidden_layer_sizes", [(128, 64), (32,)]),
        (["--activation", "relu,tanh;"], "activation", [("relu", "tanh")]),
        (["--optimizer", "sgd(momentum=0.9, nesterov=true),adam"], "optimizer",
         ["sgd(momentum=0.9, nesterov=true)", "adam"]),
        (["--split", "90-10,80-20,70-30"], "split", ["90-10", "80-20", "70-30"]),
        (["--dropout", "0,0.2"], "dropout", [0, 0.2]),
        (["--accumulate"], "accumulate", [True]),
        (["--accumulate", "true,false"], "accumulate", [True, False]),
        (["--keep-last", "true,false"], "restore_best", [False, True]),
        (["--lr", "loguniform(0.01, 1)"], "learning_rate", "loguniform(0.01, 1)"),
        (["--batch-size", "16,32"], "batch_size", [16, 32]),
    ],
)  # fmt: skip
def test_values_are_read_as_fastmlp_train_reads_each(
    arguments: list[str], name: str, values: Any
) -> None:
    assert grid(*arguments)[name] == values


def test_values_are_split_outside_parentheses() -> None:
    assert split_values("a(1, 2), b") == ["a(1, 2)", "b"]
    assert split_values("a(x=1; y), b; c") == ["a(x=1; y), b", "c"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "2,many"], "argument --epochs: must be whole numbers, got 'many'"),
        (["--lr", ""], "axis learning_rate must have at least one value"),
        (["--lr", "0.1,,0.2"], "must be values without gaps"),
        (["--accumulate", "maybe"], "must be true, false or both"),
        (["--activaton", "relu"], "did you mean --activation"),
        (["--mode", "batch", "--batch-size", "8"], "batch_size applies to no cell"),
        (["--activation", "rleu"], "did you mean 'relu'"),
        (["--resume"], "--resume does not go without --out"),
        (["--out", "x", "--resume", "--overwrite"], "--resume does not go with --overwrite"),
        (["--no-out", "--retrain-best"], "--retrain-best does not go with --no-out"),
        (["--retrain-epochs", "3"], "--retrain-epochs does not go without --retrain-best"),
        (["--retry-failed"], "--retry-failed does not go without --resume"),
        (["--grid", "a.toml", "--recipe", "mnist-98"], "do not go together"),
        (["--grid", "a.toml"], "grid a.toml cannot be read"),
        (["--backend", "slurm"], "unknown backend 'slurm'"),
        (["--jobs", "0"], "jobs must be at least 1"),
        (["--halving", "1"], "halving must be"),
        (["--rank-by", "speed"], "unknown rank_by 'speed'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*QUICK, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_prints_its_ranking_and_leaves_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = [*QUICK, "--init", "he", "--activation", "relu,tanh", "--out", "mine"]
    assert main([*arguments, "--retrain-best"]) == 0
    printed = capsys.readouterr()
    assert "6 cells" in printed.err
    assert printed.err.count("val accuracy") == 6
    assert printed.out.startswith("rank  activation  ")
    for text in ("test accuracy", "the winner, trained again", "sweep folder         mine"):
        assert text in printed.out
    left = {path.name for path in (tmp_path / "mine").iterdir()}
    assert left >= {
        "sweep.sqlite", "sweep.csv", "ranking.csv", "timings.csv", "report.html", "overview.png",
        "heat-activation-mode.png", "parallel.png", "modes.png", "configurations", "best",
    }  # fmt: skip
    assert len(list((tmp_path / "mine" / "configurations").iterdir())) == 6
    # Its grid is known: what is given besides is added.
    assert main(["--out", "mine", "--resume", "--seeds", "0-1", "--quiet", "--no-plots"]) == 0
    header, *rows = (tmp_path / "mine" / "sweep.csv").read_text().splitlines()
    assert len(rows) == 12
    assert "seconds" not in header


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["--mode", "batch", "--init", "he", "--activation", "relu,tanh"]
    assert main([*QUICK, *grid, "--json", "--quiet", "--no-out"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == ""
    assert found["status"] == "finished"
    assert found["best"]["config"]["activation"] == found["table"][0]["activation"]
    assert found["best"]["metrics"]["test_accuracy"] is not None


def test_cells_are_listed_and_nothing_is_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*QUICK, "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 28
    assert lines[0].split()[:4] == ["cell", "activation", "init", "mode"]
    assert list(tmp_path.iterdir()) == []


def test_settings_of_a_run_and_of_a_recipe_are_for_all_cells(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('hidden_layer_sizes = [8, 4]\nactivation = "tanh"\n')
    assert grid("--config", "config.toml", "--l2", "0,0.1") == {
        "hidden_layer_sizes": (8, 4), "activation": "tanh", "l2": [0, 0.1],
    }  # fmt: skip
    assert "mode" not in grid("--recipe", "mnist-98")


def test_no_good_cell_is_a_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    dataset = lines()
    np.savez(tmp_path / "lines.npz", X=dataset.X, y=dataset.y)
    grid = ["--mode", "minibatch", "--init", "he", "--activation", "relu", "--lr", "1e25"]
    assert main(["--data", "lines.npz", *grid, "--no-out"]) == 1
    printed = capsys.readouterr()
    assert "training diverged" in printed.out
    assert "no cell has finished" in printed.out


def test_the_live_table_shows_the_best_the_progress_and_the_time_left() -> None:
    from rich.console import Console

    board = run_sweep({"activation": ["relu", "tanh"], "epochs": 1}, blobs()).leaderboard
    table = LiveTable()
    table.standing, table.board = Standing("", ["activation"], 9, 4, cost=8.0), board
    table.standing.done, table.standing.cost_done = 1, 2.0
    console = Console(file=io.StringIO(), width=120)
    console.print(table.render())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for shown in ("rank", "activation", "relu", "tanh", "validation accuracy", "seconds",
                  "9 cells, 5 of them done before; 1 of 4 finished", "left"):  # fmt: skip
        assert shown in text
    assert any(line.startswith("9 cells") for line in text.splitlines())
    table.board = rank([], "validation_loss")
    console.print(table.render())


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 160])
def test_the_live_table_fits_the_terminal_progress_first(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    monkeypatch.setenv("COLUMNS", str(columns))
    axes = {"activation": ["relu", "tanh"], "weight_init": ["he_normal", "glorot_uniform"]}
    board = run_sweep({**axes, "epochs": 1}, blobs()).leaderboard
    table = LiveTable()
    table.standing, table.board = Standing("", list(axes), 4, 4, cost=8.0), board
    table.standing.done, table.standing.cost_done = 1, 2.0
    console = Console(file=io.StringIO(), width=columns)
    console.print(table.render())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert " ".join(lines[:4]).startswith("4 cells; 1 of 4")
    assert all(len(line) <= columns for line in lines)
    head = next(line for line in lines if "rank" in line)
    assert ("validation accuracy" in head) == (columns >= 40)
    assert ("seconds" in head) == (columns >= 160)
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize(("kind", "live"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_gets_a_line_for_each_cell(
    kind: str, live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(sweep_progress(), LiveTable) == live


def test_times_are_short() -> None:
    assert [time_text(s) for s in (None, 3.4, 65, 3700)] == ["", "3 s", "1:05 min", "1:01 h"]


@pytest.mark.skipif(os.name == "nt", reason="signals end processes there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_sweep_with_endless_cells(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    with started(
        "fastmlp.sweep", "--data", "digits", "--hidden", "8", "--epochs", "1,1000000",
        "--activation", "relu", "--init", "he_normal", "--mode", "minibatch", "--jobs", "2",
        "--out", str(tmp_path / "sweep"),
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if "1/2" in line:  # one is done, the other at work
                break
        process.send_signal(number)
        out, _ = process.communicate(timeout=300)
    assert process.returncode == code
    assert "interrupted after 1 cells; resume with" in out
