"""Threads, warnings, errors and exit codes around a command."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

from fastmlp.base.errors import ConfigError, DataError, DivergenceError, FastMLPError
from fastmlp.commands.machine import set_threads
from fastmlp.commands.running import run_command
from fastmlp.commands.tables import peak_rss_mb


def raising(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FastMLPError("x"), 1),
        (OSError("disk full"), 1),
        (MemoryError(), 1),
        (ConfigError("x"), 2),
        (DataError("x"), 3),
        (DivergenceError("x"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_exit_code_and_one_line(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(lambda: raising(error)) == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: raising(ZeroDivisionError()))


def test_warnings_become_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        warnings.warn("look out", stacklevel=1)
        return 0

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run_command(work) == 0
    assert capsys.readouterr().err == "warning: look out\n"


def test_fewer_than_one_thread_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        set_threads(0)


@pytest.mark.parametrize("value", ["0", "two", ""])
def test_a_useless_environment_variable_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", value)
    with pytest.raises(ConfigError, match="NUMBA_NUM_THREADS must be"):
        set_threads(None)


def test_numba_starts_with_the_threads_asked_for() -> None:
    code = (
        "from fastmlp.commands.machine import set_threads; set_threads(3); "
        "import numba; print(numba.config.NUMBA_NUM_THREADS)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_NUM_THREADS"}
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert printed.strip() == "3"


@pytest.mark.skipif(os.name == "nt", reason="unknown on Windows")
def test_peak_memory_is_in_megabytes() -> None:
    peak = peak_rss_mb()
    assert peak is not None
    assert 20 < peak < 20_000
