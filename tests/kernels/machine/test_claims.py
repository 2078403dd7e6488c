"""Claims: of two processes one compiles a kernel, and the other one finds it or does without."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from numba import float64, int64

from fastmlp.kernels.machine import claims as module
from fastmlp.kernels.machine.claims import Claims

KERNEL = "fastmlp.kernels.steps.evaluation.evaluate_rows"


def test_a_kernel_is_claimed_once_for_its_types(tmp_path: Path) -> None:
    one, other = Claims(tmp_path), Claims(tmp_path)
    assert one.take(KERNEL, (int64,))
    assert not one.take(KERNEL, (int64,)) and not other.take(KERNEL, (int64,))
    assert other.take(KERNEL, (float64,)) and other.take(f"{KERNEL}_again", (int64,))


def test_claims_in_a_folder_that_is_gone_are_granted(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "gone")
    assert claims.take(KERNEL, ()) and claims.take(KERNEL, ())


def test_a_process_waits_until_the_other_has_finished(tmp_path: Path) -> None:
    other = Claims(tmp_path)
    other.take(KERNEL, ())
    seen: list[str] = []

    def wait() -> None:
        Claims(tmp_path, lambda: True).wait(KERNEL, ())
        seen.append("finished")

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.05)
    assert not seen
    other.finish(KERNEL, ())
    waiting.join()
    assert seen


def test_a_process_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    Claims(tmp_path).take(KERNEL, ())
    Claims(tmp_path, lambda: False).wait(KERNEL, ())


def test_a_process_waits_for_limited_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_MOST_SECONDS", 0.01)
    Claims(tmp_path).take(KERNEL, ())
    Claims(tmp_path, lambda: True).wait(KERNEL, ())


def test_a_process_that_waits_does_what_it_was_given_once(tmp_path: Path) -> None:
    done: list[str] = []
    other = Claims(tmp_path)
    other.take(KERNEL, ())

    def finish() -> None:
        done.append("last")
        other.finish(KERNEL, ())

    claims = Claims(tmp_path, lambda: True, [lambda: done.append("first"), finish])
    claims.wait(KERNEL, ())
    claims.wait(KERNEL, ())
    assert done == ["first", "last"]
