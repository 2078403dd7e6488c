"""``fastmlp``, and ``python -m fastmlp``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp import __version__
from fastmlp.__main__ import COMMANDS, command, main


def test_help_describes_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, what in COMMANDS.items():
        assert any(f"fastmlp {name} " in line and what in line for line in text.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_parser_and_its_module_runs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(name).parser().prog == f"fastmlp {name}"
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"usage: fastmlp {name} " in capsys.readouterr().out


def test_without_arguments_help_goes_to_stderr() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fastmlp"],
        cwd=Path(__file__).parents[1], capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "fastmlp train" in done.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fastmlp {__version__}\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("trian", "did you mean 'train'?"), ("pred", "'predict'"), ("x", "known: "),
        ("--print-completions", "did you mean '--print-completion'?"),
    ],
)  # fmt: skip
def test_a_wrong_name_gets_the_nearest(
    name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: unknown command {name!r}") and hint in error


def test_a_command_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--print-config", "--epochs", "3"]) == 0
    assert "epochs = 3" in capsys.readouterr().out
