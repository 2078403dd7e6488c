"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io
from typing import Any

import pytest

import fastmlp
from fastmlp.training.progress import LiveProgress, epoch_text
from fastmlp.training.run import Run
from toys import blobs, settings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, epochs: int = 3) -> str:
    """What following a run writes to stderr."""
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    fastmlp.fit(settings(epochs=epochs), blobs(), callbacks=[fastmlp.Progress()])
    return stream.getvalue()


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    assert "epoch 3/3" in text and "samples/s" in text and "  val 0." in text
    assert "\x1b[2K" in text  # the line is erased in the end


def test_a_pipe_gets_a_line_per_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, io.StringIO(), epochs=10)
    lines = text.splitlines()
    assert [line[:11] for line in lines] == [f"epoch {n:>2}/10" for n in range(1, 11)]
    assert all("  val loss 0." in line and " samples/s  " in line for line in lines)
    assert lines[-1].endswith("  0 s left")
    assert "\x1b" not in text


def test_a_run_that_fails_gives_the_terminal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run: Run, row: dict[str, Any]) -> None:
        raise ValueError

    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    callbacks = [fastmlp.LambdaCallback(on_epoch_end=fail), fastmlp.Progress()]
    with pytest.raises(fastmlp.CallbackError):
        fastmlp.fit(settings(), blobs(), callbacks=callbacks)
    live = callbacks[1].shown
    assert isinstance(live, LiveProgress)
    assert not live.progress.live.is_started


def test_what_there_is_not_is_not_shown() -> None:
    row = {
        "train_loss": 0.5,
        "train_accuracy": None,
        "validation_loss": 2,
        "validation_accuracy": None,
    }
    assert epoch_text(row) == "loss 0.5000  val loss 2.0000"


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
