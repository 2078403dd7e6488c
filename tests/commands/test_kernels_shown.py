"""``--explain`` and ``--profile`` say which kernels a run uses, and FASTMLP_KERNELS is checked."""

from __future__ import annotations

from collections import Counter

import pytest

from fastmlp.commands import machine
from fastmlp.kernels.machine import lookup
from fastmlp.train import main


@pytest.mark.parametrize(
    ("used", "line"),
    [
        ({}, []),
        ({"x86-64-v4": 24}, ["kernels: 24 shipped for x86-64-v4"]),
        (
            {lookup.COMPILED: 3, lookup.FROM_DISK: 12},
            ["kernels: 12 compiled for this CPU before, 3 compiled for this CPU now"],
        ),
    ],
)
def test_line_counts_kernels_by_their_source(
    used: dict[str, int], line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "used", Counter(used))
    assert machine.kernel_lines() == line


@pytest.mark.parametrize("option", ["--explain", "--profile"])
def test_option_shows_the_line(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", "digits", "--epochs", "1", "--no-out", "--quiet", option]
    assert main([*arguments, "--seed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("kernels: ") for line in lines) == 1


def test_unknown_level_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FASTMLP_KERNELS", "sse2")
    assert main(["--data", "digits", "--explain"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: FASTMLP_KERNELS must be one of host, ") and "'sse2'" in error


@pytest.mark.parametrize(("value", "code"), [("1", 2), ("0", 0), ("", 0)])
def test_a_compiler_that_is_turned_off_is_named(
    value: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", value)
    assert main(["--data", "digits", "--explain"]) == code
    assert ("NUMBA_DISABLE_JIT turns off the compiler" in capsys.readouterr().err) == bool(code)
