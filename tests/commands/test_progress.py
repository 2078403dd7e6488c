"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest

import fastmlp
from fastmlp.commands.progress import LiveProgress, PlainProgress, progress_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_live_line_and_a_pipe_plain_lines() -> None:
    assert isinstance(progress_for(Terminal()), LiveProgress)
    assert isinstance(progress_for(io.StringIO()), PlainProgress)


def test_the_live_line_shows_epoch_losses_and_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    config = fastmlp.TrainConfig(hidden_layer_sizes=(8,), epochs=3)
    fastmlp.fit(config, fastmlp.load_dataset("digits"), callbacks=[LiveProgress()])
    shown = terminal.getvalue()
    assert "epoch 3/3" in shown
    assert "  val " in shown
    assert "samples/s" in shown
    assert "left" in shown
