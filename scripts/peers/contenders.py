"""The contenders by name, without importing any of them."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from typing import NamedTuple

from .cases import FIT, READ, START, Case
from .contender import Contender


class Entry(NamedTuple):
    """Where a contender lives, and what it is called in tables."""

    home: str
    class_name: str
    title: str
    module: str
    package: str


OURS = "fastmlp"
ENTRIES = {
    OURS: Entry("with_fastmlp", "Fastmlp", "fastmlp", "fastmlp", "fastmlp"),
    "jax": Entry("with_jax", "Jax", "JAX", "jax", "jax"),
    "torch": Entry("with_torch", "Torch", "PyTorch", "torch", "torch"),
    "scikit-learn": Entry("with_sklearn", "ScikitLearn", "scikit-learn", "sklearn", "scikit-learn"),
    "numpy": Entry("with_numpy", "Numpy", "NumPy + BLAS", "numpy", "numpy"),
    "pandas": Entry("", "", "pandas", "pandas", "pandas"),  # a reader, no contender in training
}
PEERS = [name for name in ENTRIES if name != OURS]


def offers(name: str, case: Case) -> bool:
    """Return whether a contender can do a case's work."""
    if case.kind in (FIT, START):
        return name in (OURS, "scikit-learn")
    if case.kind == READ:
        return name in (OURS, "numpy", "pandas")
    if name == "pandas":
        return False
    if name == "scikit-learn" and case.optimizer == "adamw":
        return False
    if name in ("scikit-learn", "numpy"):
        return case.activation in ("relu", "tanh") and not case.dropout
    return True


def create(name: str, threads: int) -> Contender:
    """Import a contender and make one."""
    entry = ENTRIES[name]
    home = importlib.import_module(f".{entry.home}", __package__)
    contender: Contender = getattr(home, entry.class_name)(threads)
    return contender


def is_installed(name: str) -> bool:
    """Return whether a contender could be imported, without importing it."""
    return importlib.util.find_spec(ENTRIES[name].module) is not None


def version(name: str) -> str:
    """Return the version of a contender's package."""
    if name == OURS:
        # The clone's own: what is installed under that name may be another.
        return str(importlib.import_module(OURS).__version__)
    return importlib.metadata.version(ENTRIES[name].package)
