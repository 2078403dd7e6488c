"""Search by Optuna, with the real library; not in the default run, since Optuna is an extra."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fastmlp import ConfigError, run_sweep
from fastmlp.sweep import main
from fastmlp.sweeps.leaderboard import PRUNED
from toys import blobs, noise

pytest.importorskip("optuna")
pytestmark = pytest.mark.soak

GRID: dict[str, Any] = {
    "mode": "minibatch",
    "learning_rate": "loguniform(0.0001, 1)",
    "hidden_layer_sizes": "integers(2, 12)",
    "activation": ["relu", "tanh"],
    "epochs": 9,
}
SEARCH: dict[str, Any] = {"search": "tpe", "trials": 14, "rank_by": "validation_loss"}
RESULTS = ("sweep.csv", "ranking.csv")
ROOT = Path(__file__).parents[2]


def results_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


@pytest.mark.parametrize("prune", ["none", "median", "hyperband"])
def test_trials_depend_on_the_seed_alone(prune: str) -> None:
    search = {**SEARCH, "prune": prune}
    one = run_sweep(GRID, blobs(), **search, jobs=1)
    two = run_sweep(GRID, blobs(), **search, jobs=2, backend="threading")
    processes = run_sweep(GRID, blobs(), **search, jobs=2, backend="loky")
    other = run_sweep(GRID, blobs(), **search, search_seed=1)
    shown = [
        [{**row, "train_seconds": 0} for row in found.cells] for found in (one, two, processes)
    ]
    assert shown[0] == shown[1] == shown[2]
    assert len(one.trials) == 14
    assert {trial.key for trial in other.trials} != {trial.key for trial in one.trials}


def test_later_trials_are_better_than_the_first() -> None:
    result = run_sweep(GRID, blobs(), **{**SEARCH, "trials": 32})
    keys = {trial.key for trial in run_sweep(GRID, blobs(), **{**SEARCH, "trials": 8}).trials}
    losses = {trial.key: trial.metrics["validation_loss"] for trial in result.trials}
    first = sorted(loss for key, loss in losses.items() if key in keys)
    later = sorted(loss for key, loss in losses.items() if key not in keys)
    assert len(first) == 8
    assert later[len(later) // 2] < first[4]


def test_pruned_trials_end_early_and_rank_behind() -> None:
    result = run_sweep(GRID, blobs(), **{**SEARCH, "trials": 24}, prune="hyperband")
    pruned = [trial for trial in result.trials if trial.status == PRUNED]
    assert pruned and all(trial.metrics["epochs_run"] < 9 for trial in pruned)
    statuses = [entry.status for entry in result.leaderboard.configurations]
    assert statuses == sorted(statuses, key=lambda status: status == PRUNED)
    assert result.best.config.epochs == 9


def test_more_trials_extend_a_search(tmp_path: Path) -> None:
    search = {**SEARCH, "prune": "median", "plots": False}
    run_sweep(GRID, blobs(), **{**search, "trials": 6}, out=tmp_path / "grown")
    run_sweep(GRID, blobs(), **search, out=tmp_path / "grown", resume=True)
    run_sweep(GRID, blobs(), **search, out=tmp_path / "whole")
    assert results_of(tmp_path / "grown") == results_of(tmp_path / "whole")
    with pytest.raises(ConfigError, match="search must be that of the sweep to resume, with prune"):
        run_sweep(GRID, blobs(), **SEARCH, out=tmp_path / "grown", resume=True)


def test_study_killed_five_times_has_each_trial_once(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "sys.path[:0] = ['tests']\n"
        "from fastmlp import run_sweep\n"
        "from fastmlp.sweeps.progress import Watcher\n"
        "from sweeps_study import GRID, SEARCH\n"
        "from toys import blobs\n"
        "class Shown(Watcher):\n"
        "    def on_trial(self, trial, standing, board):\n"
        "        print(trial.key, flush=True)\n"
        "run_sweep(GRID, blobs(), **SEARCH, prune='hyperband', plots=False, resume=True,\n"
        "          out=sys.argv[1], watcher=Shown(), jobs=2)\n"
    )
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "sweeps_study.py").write_text(f"GRID, SEARCH = {GRID!r}, {SEARCH!r}\n")
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    finished = []
    for to_finish in (1, 2, 2, 3, 2, None):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "killed")],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, start=1):
            finished.append(line.strip())
            if number == to_finish:
                process.send_signal(signal.SIGKILL)
                break
        finished += [line.strip() for line in process.stdout]
        process.stdout.close()
        assert process.wait() == (0 if to_finish is None else -signal.SIGKILL)
    assert len(set(finished)) == len(finished) <= 14
    run_sweep(GRID, blobs(), **SEARCH, prune="hyperband", plots=False, out=tmp_path / "whole")
    assert results_of(tmp_path / "killed") == results_of(tmp_path / "whole")


def test_modes_have_axes_of_their_own() -> None:
    grid = {
        "mode": ["minibatch", "batch"],
        "minibatch": {"batch_size": [8, 16], "learning_rate": "loguniform(0.01, 0.1)"},
        "batch": {"learning_rate": "loguniform(0.1, 1)"},
        "hidden_layer_sizes": [(4,), (4, 4)],
        "epochs": 2,
    }
    result = run_sweep(grid, blobs(), **SEARCH)
    for trial in result.trials:
        low, high = (0.01, 0.1) if trial.config["mode"] == "minibatch" else (0.1, 1)
        assert low <= trial.config["learning_rate"] <= high


def test_several_seeds_are_one_trial() -> None:
    result = run_sweep({**GRID, "epochs": 2, "seed": [0, 1]}, blobs(), **{**SEARCH, "trials": 5})
    assert [len(entry.trials) for entry in result.leaderboard.configurations] == [2] * 5
    with pytest.raises(ConfigError, match="prune needs a single seed, got 2"):
        run_sweep({**GRID, "seed": [0, 1]}, blobs(), **SEARCH, prune="median")
    with pytest.raises(ConfigError, match="epochs must be one number with prune"):
        run_sweep({**GRID, "epochs": [2, 3]}, blobs(), **SEARCH, prune="median")


def test_diverged_trials_are_the_worst() -> None:
    grid = {**GRID, "learning_rate": "loguniform(0.01, 1e6)", "loss_limit": 100.0}
    result = run_sweep(grid, noise(), **SEARCH)
    assert any(trial.status == "diverged" for trial in result.trials)
    assert result.best.metrics["validation_loss"] < 10


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", "blobs", "--mode", "minibatch", "--activation", "relu", "--init", "he"]
    arguments += ["--epochs", "3", "--rank-by", "f1_macro", "--search", "tpe", "--prune", "median"]
    arguments += ["--no-plots", "--out"]
    axes = ["--lr", "loguniform(0.01, 1)", "--hidden", "integers(2, 9)"]
    folder = str(tmp_path / "found")
    assert main([*arguments, folder, *axes, "--trials", "5"]) == 0
    assert "f1 macro" in capsys.readouterr().out
    assert main(["--out", folder, "--resume", "--trials", "7"]) == 0
    assert len((tmp_path / "found" / "sweep.csv").read_text().splitlines()) == 8
