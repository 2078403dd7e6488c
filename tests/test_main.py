"""``python -m fastmlp``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp import __version__
from fastmlp.__main__ import COMMANDS, main


def test_help_describes_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert list(COMMANDS) == ["train", "sweep", "predict"]
    for name, what in COMMANDS.items():
        assert any(f"fastmlp.{name} " in line and what in line for line in text.splitlines())


def test_without_arguments_help_goes_to_stderr() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fastmlp"],
        cwd=Path(__file__).parents[1], capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "python -m fastmlp.train" in done.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fastmlp {__version__}\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("trian", "did you mean 'train'?"), ("pred", "'predict'"), ("x", "known: predict, sweep")],
)
def test_a_wrong_name_gets_the_nearest(
    name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: unknown command {name!r}") and hint in error


def test_a_command_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--print-config", "--epochs", "3"]) == 0
    assert "epochs = 3" in capsys.readouterr().out
