"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmlp
from fastmlp.training.pace import epoch_text
from fastmlp.training.progress import LiveProgress, fitting
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


def test_absent_values_are_not_shown() -> None:
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


def live(monkeypatch: pytest.MonkeyPatch, columns: str | None, **variables: str) -> str:
    """What following a run on a terminal so wide leaves of its last epoch."""
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    fastmlp.fit(settings(epochs=3), blobs(), callbacks=[fastmlp.Progress()])
    return stream.getvalue()


@pytest.mark.parametrize("columns", ["40", "60", "80", "120"])
def test_epoch_loss_and_time_left_fit_any_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = live(monkeypatch, columns)
    last = [part for part in re.split(r"[\r\n]|\x1b\[[0-9;?]*[A-Za-z]", text) if part.strip()][-1]
    assert re.match(r"epoch 3/3  loss \d\.\d{4}  0 s left", last)
    assert len(last.rstrip()) < int(columns)
    assert ("samples/s" in last) == (int(columns) >= 80)


@pytest.mark.parametrize("columns", [None, "", "0", "wide", "-3", "1e3"])
def test_unknown_or_absurd_width_becomes_80(
    columns: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "samples/s" in live(monkeypatch, columns)


@pytest.mark.parametrize("variables", [{"TTY_COMPATIBLE": "0"}, {"TTY_INTERACTIVE": "0"}])
def test_terminal_is_detected_independently_of_rich(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "epoch 3/3" in live(monkeypatch, "80", **variables)


@pytest.mark.parametrize("kind", ["dumb", "unknown", "DUMB", ""])
def test_a_terminal_that_cannot_rewrite_lines_gets_plain_ones(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = live(monkeypatch, "40", TERM=kind)
    lines = text.splitlines()
    assert [line[:9] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert all(re.search(r"loss \d\.\d{4}  \d+ s left", line) for line in lines)
    assert all(len(line) < 40 for line in lines)
    assert "\x1b" not in text and "\r" not in text


@given(st.lists(st.text("ab ", max_size=12), max_size=8), st.integers(0, 60))
def test_parts_are_left_out_from_the_end(parts: list[str], width: int) -> None:
    line = fitting(parts, width)
    first = next(filter(None, parts), "")
    assert line.startswith(first)
    assert len(line) <= max(width, len(first))


class Notebook:
    """What IPython offers in a kernel."""

    version_info = (9, 0)

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.display = SimpleNamespace(HTML=str, display=self._display)

    def get_ipython(self) -> SimpleNamespace:
        return SimpleNamespace(kernel=object())

    def _display(self, html: str, display_id: bool) -> SimpleNamespace:
        assert display_id
        self.shown.append(html)
        return SimpleNamespace(update=self.shown.append)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    found = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", found)
    return found


def test_a_notebook_gets_an_element_that_is_updated(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    fastmlp.fit(settings(epochs=4), blobs(), callbacks=[fastmlp.Progress()])
    first, *_, last = notebook.shown
    assert '<progress value="0.000" max="4"' in first and "<svg" not in first
    assert '<progress value="4.000"' in last and "epoch 4/4" in last and "val loss" in last
    assert last.count("<polyline") == 2
    assert capsys.readouterr().err == ""


def test_a_sweep_in_a_notebook_shows_its_ranking(notebook: Notebook) -> None:
    grid = {"activation": ["relu", "tanh"], "epochs": 1, "hidden_layer_sizes": (4,)}
    fastmlp.run_sweep(grid, blobs(), watcher=fastmlp.SweepProgress(), jobs=1)
    assert "2 of 2 finished" in notebook.shown[-1] and "tanh" in notebook.shown[-1]


def test_a_run_that_fails_before_training_shows_nothing(notebook: Notebook) -> None:
    def fail(run: Run) -> None:
        raise ValueError

    callbacks = [fastmlp.LambdaCallback(on_setup=fail), fastmlp.Progress()]
    with pytest.raises(fastmlp.CallbackError):
        fastmlp.fit(settings(), blobs(), callbacks=callbacks)
    assert not notebook.shown
