"""SIGKILL at any moment of a command: gone on with, it leaves the bytes of a run without."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest

from command_lines import started
from fastmlp.train import main

COMMON = ["--data", "digits", "--hidden", "32", "--no-plots"]
# Optimizers, modes, schedules and ways to end, all of a second or so with their checkpoints.
RUNS = (
    ["--optimizer", "adam", "--epochs", "120", "--log-every", "25"],
    ["--optimizer", "sgd(momentum=0.9)", "--mode", "batch", "--epochs", "400"],
    ["--optimizer", "rmsprop", "--mode", "stochastic", "--epochs", "40", "--schedule", "cosine"],
    ["--optimizer", "adamw", "--accumulate", "--dropout", "0.3", "--epochs", "120"],
    ["--optimizer", "nesterov", "--schedule", "plateau", "--epochs", "150", "--keep-last"],
    ["--optimizer", "adam", "--mode", "batch", "--epochs", "400", "--early-stopping", "350"],
)
# Of the files of a run only these may tell of time.
TIMED = {"timings.json", "report.html", "checkpoints"}


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in TIMED}


def killed(arguments: list[str], seconds: float, from_start: bool) -> bool:
    """Whether a command was killed, so long after its start or its first epoch, before its end."""
    with started("fastmlp.train", *arguments) as process:
        assert process.stderr is not None
        while not from_start and not process.stderr.readline().startswith("epoch"):
            assert process.poll() is None
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("count", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_sigkill_at_any_moment_changes_no_byte(count: int, tmp_path: Path) -> None:
    drawn = random.Random(count)
    alone: dict[int, dict[str, bytes]] = {}
    for number in range(count):
        run = number % len(RUNS)
        if run not in alone:
            folder = tmp_path / f"alone-{run}"
            assert main([*COMMON, *RUNS[run], "--quiet", "--out", str(folder)]) == 0
            alone[run] = results(folder)
        folder = tmp_path / str(number)
        arguments = [*COMMON, *RUNS[run], "--checkpoint-every", "0.03s", "--resume", str(folder)]
        seconds = drawn.uniform(0, 0.6)
        while not killed(arguments, seconds, from_start=number % 2 == 1):
            seconds, folder = seconds / 2, folder.with_name(f"{folder.name}-sooner")
            arguments[-1] = str(folder)
        if count == 2:
            assert main([*arguments, "--quiet"]) == 0
        else:
            with started("fastmlp.train", *arguments, "--quiet") as process:
                assert process.wait() == 0
        assert results(folder) == alone[run], (arguments, seconds)
