"""scripts/bench at work: a kernel slowed by 15 % is caught, an unchanged commit raises no alarm.

In a clone of what is committed, with asv's own environment, on a machine that does nothing else:
some half an hour. Start it with scripts/test -m soak tests/scripts/test_bench_soak.py.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = "evaluate_rows"  # writes its results and changes nothing else: doing it twice is harmless
AGAIN = (3, 20)  # 3 of 20 blocks are computed twice: 15 % of the blocks, 11 to 15 % of the time
SLOWED = "prediction.Evaluate.time_evaluate"
UNCHANGED = "kernels.Forward.*128x64"
TRIES = 3

pytestmark = pytest.mark.soak


def git(clone: Path, *arguments: str) -> str:
    names = ["-c", "user.name=bench", "-c", "user.email=bench"]
    done = subprocess.run(
        ["git", *names, *arguments], cwd=clone, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "my clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def bench(clone: Path, patterns: list[str], *commits: str) -> tuple[int, str]:
    """Run the command line of scripts/bench, in the environment that runs the tests."""
    arguments = [argument for pattern in patterns for argument in ("--bench", pattern)]
    done = subprocess.run(
        [sys.executable, "-m", "_bench", *arguments, *commits],
        cwd=clone / "scripts", env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    print(done.stdout)
    return done.returncode, done.stdout


def slowed(source: str) -> str:
    """Put the body of the kernel's loop over blocks into one that does some blocks twice."""
    (function,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == KERNEL
    )
    loop = [node for node in function.body if isinstance(node, ast.For)][-1]
    assert ast.unparse(loop.target) == "block" and "block_rows" in ast.unparse(loop.iter)
    lines = source.splitlines()
    assert loop.end_lineno is not None
    body = ["    " + line for line in lines[loop.lineno : loop.end_lineno]]
    twice, of = AGAIN
    again = f"        for _ in range(1 + (block // block_rows % {of} < {twice})):"
    lines[loop.lineno : loop.end_lineno] = [again, *body]
    return "\n".join(lines) + "\n"


def plant_slowdown(clone: Path) -> str:
    """Commit the slowdown on a branch of its own and return the commit."""
    (path,) = (
        path
        for path in (clone / "fastmlp" / "kernels").rglob("*.py")
        if f"def {KERNEL}(" in path.read_text()
    )
    git(clone, "checkout", "--quiet", "-b", "slow")
    path.write_text(slowed(path.read_text()))
    git(clone, "commit", "--quiet", "--all", "-m", "Do some blocks twice")
    git(clone, "checkout", "--quiet", "-")
    return git(clone, "rev-parse", "slow")


def test_a_planted_slowdown_is_caught_and_named(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    slow = plant_slowdown(clone)
    code, output = bench(clone, [SLOWED, UNCHANGED], base, slow)
    assert code == 1
    worse = output.partition("Worse, in all of")[2]
    for dtype in ("float32", "float64"):
        assert f"{SLOWED}('{dtype}')" in worse
    assert "Forward" not in worse


@pytest.mark.parametrize("number", range(TRIES))
def test_an_unchanged_commit_raises_no_alarm(clone: Path, number: int) -> None:
    lines = (clone / "asv_benchmarks" / "recorded.txt").read_text().splitlines()
    recorded = [line for line in lines if line and not line.startswith("#")]
    code, output = bench(clone, recorded, "HEAD", "HEAD")
    assert (code, "Worse" in output) == (0, False)
