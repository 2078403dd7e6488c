"""Loading executes no code: watched from within the interpreter, on files that try to."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastmlp import run_sweep
from toys import blobs, model

ROOT = Path(__file__).parents[2]

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

paths = [Path(path) for path in sys.argv[1:] if path != "--really"]
try:
    Predictor.load(paths[0])  # imports what loading needs
except FastMLPError:
    pass
sys.addaudithook(watch)
readers = (
    Predictor.load, read_idx, lambda path: load_dataset(str(path), notify=lambda note: None),
    lambda path: read_toml(path, "config"), lambda path: read_pngs([path], 4),
    lambda path: stored_sweep(path.parent) != (None, {}) or None,
    lambda path: Store(path.parent, resume=True).trials(),
)
for path in paths:
    loaded = 0
    for read in readers:
        try:
            loaded += read(path) is not None
        except FastMLPError as error:
            pass
    print(path.name, loaded)
if "--really" in sys.argv:
    np.load(paths[0], allow_pickle=True)
"""


class Trap:
    """Unpickling it would run a command."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, ...]]:
        return print, ("code was executed",)


def watched(*arguments: str | Path) -> list[str]:
    """What a process prints in which every reader there is loads some files."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCHED, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def pickled_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Trap()] * 3, object), allow_pickle=True)


def test_no_reader_executes_anything(tmp_path: Path) -> None:
    for name in ("pickle.safetensors", "pickle.npz", "pickle.idx", "pickle.toml"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    for name in ("array.npy", "array.npz"):
        pickled_array(tmp_path / name)
    np.savez(tmp_path / "archive.npz", X=np.zeros((3, 2)), y=np.array([Trap()] * 3, object))
    model().save(tmp_path / "model.safetensors")
    cells = "=cmd|'/c calc'!A0,__import__('os'),1\n"
    (tmp_path / "table.csv").write_text("a,b,y\n" + 5 * cells)
    bad = sorted(tmp_path.iterdir())
    run_sweep({"hidden_layer_sizes": 2, "epochs": 1}, blobs(), out=tmp_path / "run", plots=False)
    loaded = dict(line.split() for line in watched(*bad, tmp_path / "run" / "sweep.sqlite"))
    assert {name for name, count in loaded.items() if count != "0"} == {
        "model.safetensors", "sweep.sqlite",
    }  # fmt: skip
    assert len(loaded) == len(bad) + 1


def test_what_is_executed_would_be_noticed(tmp_path: Path) -> None:
    pickled_array(tmp_path / "file.npz")
    assert watched(tmp_path / "file.npz", "--really") == [
        "file.npz 0", "executed: pickle.find_class",
    ]  # fmt: skip
