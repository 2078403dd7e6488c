"""What --warm-up prints, and what a run says while it compiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fastmlp.commands import introduction, warming
from fastmlp.train import main
from fastmlp.training.warm_up import WarmedUp


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is asked to be compiled; nothing is, and it is kept in /kept."""
    calls: list[Any] = []

    def warm_up(dtypes: Any, threads: Any) -> Iterator[WarmedUp]:
        calls.append((tuple(dtypes), threads))
        yield from (WarmedUp(dtype, "7 losses", 1.5) for dtype in dtypes)

    monkeypatch.setattr(warming, "warm_up", warm_up)
    monkeypatch.setattr(warming, "kept_in", lambda: "/kept")
    return calls


def test_a_line_for_each_group_and_where_they_are_kept(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--warm-up"]) == 0
    captured = capsys.readouterr()
    first, second, total, kept = captured.out.splitlines()
    assert first == "float32    7 losses                            1.50 s"
    assert second == "float64    7 losses                            1.50 s"
    assert total.startswith("all ") and len(total) == len(first)
    assert kept == "kept in /kept"
    assert captured.err.startswith("compiling all kernels for float32 and float64 for this CPU, ")


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ([], (("float32", "float64"), None)),
        (["--dtype", "float32"], (("float32",), None)),
        (["--dtype", "float64", "--threads", "1"], (("float64",), 1)),
    ],
)
def test_options_choose_what_is_compiled(
    options: list[str], call: Any, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: Any, **__: Any) -> None:
        raise AssertionError("no data are needed")

    monkeypatch.setattr("fastmlp.data.load.load_dataset", load)
    assert main(["--warm-up", *options]) == 0
    assert asked == [call]


def test_quiet_leaves_stderr_empty(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--warm-up", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "kept in" in captured.out


def test_missing_cache_folder_is_reported(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(warming, "kept_in", lambda: None)
    assert main(["--warm-up"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("kernels are not kept")


@pytest.mark.parametrize(
    ("folder", "says"), [("/kept", "once, then they are kept on disk"), (None, "at every start")]
)
def test_a_run_promises_only_what_can_be_kept(
    folder: str | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "kept_in", lambda: folder)
    assert says in introduction.compiling_text()
