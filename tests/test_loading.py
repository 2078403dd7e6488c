"""Loading executes no code: watched from within the interpreter, on files that try to."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import run_sweep
from toys import blobs, model

ROOT = Path(__file__).parents[1]

# A process in which these events end it. What is imported, is before.
WATCHED = """
import os, sys, warnings
from pathlib import Path
import numpy as np
import fastmlp, fastmlp.train
from fastmlp import FastMLPError, Predictor, load_dataset, run_sweep
from fastmlp.base.toml import read_toml
from fastmlp.data.idx import read_idx
from fastmlp.data.png import read_pngs
from fastmlp.sweeps.store import Store, stored_sweep

FORBIDDEN = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen")
def watch(event, arguments):
    if event in FORBIDDEN:
        print("executed:", event, flush=True)
        os._exit(9)

path = Path(sys.argv[1])
try:
    Predictor.load(path)  # imports what loading needs
except FastMLPError:
    pass
sys.addaudithook(watch)
for read in (
    Predictor.load, read_idx, lambda path: load_dataset(str(path)),
    lambda path: read_toml(path, "config"), lambda path: read_pngs([path], 4),
    lambda path: stored_sweep(path.parent),
    lambda path: Store(path.parent, resume=True).trials(),
):
    try:
        read(path)
    except FastMLPError as error:
        pass
if "--really" in sys.argv:
    np.load(path, allow_pickle=True)
print("quiet")
"""


class Trap:
    """Unpickling it would run a command."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return print, ("code was executed",)


def watched(path: Path, *arguments: str) -> str:
    """What a process prints in which a file is loaded by every reader there is."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCHED, str(path), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Trap()))


def pickled_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Trap()] * 3, object), allow_pickle=True)


def pickled_archive(path: Path) -> None:
    np.savez(path, X=np.zeros((3, 2)), y=np.array([Trap()] * 3, object))


def good_model(path: Path) -> None:
    model().save(path)


def good_table(path: Path) -> None:
    path.write_text("a,b,y\n" + "=cmd|'/c calc'!A0,__import__('os'),1\n" * 5)


def good_store(path: Path) -> None:
    run_sweep({"hidden_layer_sizes": 2, "epochs": 1}, blobs(), out=path.parent, plots=False)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (pickled, "file.safetensors"), (pickled, "file.npz"), (pickled_array, "file.npy"),
        (pickled_array, "file.npz"), (pickled_archive, "file.npz"), (good_model, "file"),
        (good_table, "file.csv"), (good_store, "sweep.sqlite"),
    ],
)  # fmt: skip
def test_no_reader_executes_anything(make: Any, name: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    assert watched(tmp_path / name) == "quiet"


def test_what_is_executed_would_be_noticed(tmp_path: Path) -> None:
    pickled_array(tmp_path / "file.npy")
    shutil.copy(tmp_path / "file.npy", tmp_path / "file.npz")
    assert watched(tmp_path / "file.npz", "--really") == "executed: pickle.find_class"
