"""A cold run is helped by a second process, and does without one that cannot help."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fastmlp.training import compile_beside
from fastmlp.training.compile_beside import Helper, compiled_beside, is_cold
from fastmlp.training.fit import start
from toys import blobs, settings

ROOT = Path(__file__).parents[2]
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands of helpers; none is started."""
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(compile_beside, "Helper", lambda command: seen.append(command) or Helper())
    monkeypatch.setattr(compile_beside, "usable_cpus", lambda: 2)
    return seen


@pytest.mark.parametrize("mode", ["minibatch", "stochastic"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_is_cold_until_its_step_was_compiled_for_its_type(
    monkeypatch: pytest.MonkeyPatch, mode: str, dtype: str
) -> None:
    run = start(settings(mode=mode, dtype=dtype), blobs(), threads=1)
    run.compile()
    assert not is_cold(dtype, mode)
    signature = next(
        found
        for found in compile_beside.signatures_compiled(run.steps._worker)
        if dtype in str(found[4]) and ("float32" in str(found[4])) == (dtype == "float32")
    )
    monkeypatch.setattr(compile_beside, "signatures_compiled", lambda worker: {signature})
    assert is_cold("float64" if dtype == "float32" else "float32", mode)
    monkeypatch.setattr(compile_beside, "signatures_compiled", lambda worker: set())
    assert is_cold(dtype, mode)


def test_only_a_cold_run_is_helped_and_only_where_that_can_be(
    monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]]
) -> None:
    def command() -> tuple[str, ...]:
        with compiled_beside(settings(dtype="float64")):
            return commands.pop()

    start(settings(dtype="float64"), blobs(), threads=1).compile()
    assert command() == ()
    monkeypatch.setattr(compile_beside, "is_cold", lambda dtype, mode: True)
    assert command()[-2:] == ("float64", "minibatch")
    with monkeypatch.context() as changed:
        changed.setattr(compile_beside, "kept_in", lambda: None)
        assert command() == ()
    monkeypatch.setattr(compile_beside, "usable_cpus", lambda: 1)
    assert command() == ()


@pytest.mark.parametrize(
    "command", [(), ("no such program",), (sys.executable, "-c", "raise SystemExit(3)")], ids=str
)
def test_a_helper_that_fails_is_done_without(command: tuple[str, ...]) -> None:
    helper = Helper(command)
    helper.wait()
    helper.stop()


def test_a_helper_does_not_outlive_the_run_it_helps() -> None:
    helper = Helper(SLEEP)
    began = time.monotonic()
    helper.stop()
    helper.wait()
    assert time.monotonic() - began < 60
    assert helper._process is not None and helper._process.returncode != 0


def test_a_cold_command_says_so_and_the_next_one_is_warm(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fastmlp.train", "--data", "digits", "--epochs", "1", "--json"]
    cold, warm = (
        subprocess.run(
            [*command, "--no-out"], env=environment, cwd=tmp_path, capture_output=True, text=True,
            timeout=600,
        )
        for _ in range(2)
    )  # fmt: skip
    assert (cold.returncode, warm.returncode) == (0, 0)
    assert cold.stderr.startswith("compiling kernels: once")
    assert "compiling" not in warm.stderr
    # What the helper left was read, and nothing is compiled twice.
    for name in ("train_batches", "evaluate_rows", "gradients_and_update"):
        assert len(list(tmp_path.rglob(f"*.{name}-*.nbc"))) == 1
