"""Command lines found in texts, run in this process: an epoch each, and no run folder."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import Dataset
from fastmlp.data import load as load_module
from fastmlp.train import main
from toys import friedman

COMMANDS = (["fastmlp", "train"], ["python", "-m", "fastmlp.train"])


def lines_in(text: str) -> Iterator[str]:
    """Every command line of training that has a line to itself."""
    for line in map(str.strip, text.splitlines()):
        if line.startswith(tuple(map(" ".join, COMMANDS))):
            yield line


def arguments_of(line: str) -> list[str]:
    """The arguments of a command line, its comment left out."""
    words = shlex.split(line, comments=True)
    (command,) = (command for command in COMMANDS if words[: len(command)] == command)
    return words[len(command) :]


@contextmanager
def started(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, which does not outlive the test, whatever fails."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def need(line: str) -> str:
    """What a line says that it needs; "" if it runs as it stands."""
    found = re.search(r"# needs (.+)$", line)
    return found[1] if found else ""


def run(arguments: list[str]) -> int:
    """The exit code of a command line whose run is cut short."""
    more = [] if {"--out", "--resume"} & {*arguments} else ["--no-out"]
    more += ["--no-plots"] if not more else []
    return main([*arguments, "--epochs", "1", *more])


def stand_in_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small sets stand for what may not be here: MNIST, and files of the reader's own."""
    load_dataset = load_module.load_dataset

    def load(name: str = "auto", **others: Any) -> Dataset:
        if name == "pixels.csv":
            return Dataset(np.random.default_rng(0).random((60, 784)), np.arange(60) % 3)
        if name.endswith((".csv", ".npz", ".npy")):
            return friedman(100)
        is_large = name in ("auto", "mnist", "emnist-letters")
        return load_dataset("digits" if is_large else name, **others)

    monkeypatch.setattr(load_module, "load_dataset", load)
