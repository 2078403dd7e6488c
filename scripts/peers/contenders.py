"""The contenders by name, without importing any of them."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from typing import NamedTuple

from .case import FIT, READ, START, Case
from .contender import Contender


class Entry(NamedTuple):
    """Where a contender lives, and what it is called in tables."""

    home: str
    class_name: str
    title: str
    module: str
    package: str
    layer_kinds: frozenset[str] = frozenset({"dense"})
    memory_formats: tuple[str, ...] = ("",)  # of images; the first one for all other cases


OURS = "fastmlp"
KINDS = frozenset({"dense", "dropout", "conv2d", "max_pool2d"})
ENTRIES = {
    OURS: Entry("with_fastmlp", "Fastmlp", "fastmlp", "fastmlp", "fastmlp", KINDS),
    "jax": Entry("with_jax", "Jax", "JAX", "jax", "jax", KINDS, ("NHWC", "NCHW")),
    "torch": Entry(
        "with_torch", "Torch", "PyTorch", "torch", "torch", KINDS, ("contiguous", "channels_last")
    ),
    "scikit-learn": Entry("with_sklearn", "ScikitLearn", "scikit-learn", "sklearn", "scikit-learn"),
    "numpy": Entry("with_numpy", "Numpy", "NumPy", "numpy", "numpy"),
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
    if name in ("scikit-learn", "numpy") and case.activation not in ("relu", "tanh"):
        return False
    return case.layer_kinds <= ENTRIES[name].layer_kinds


def memory_formats(name: str, case: Case) -> tuple[str, ...]:
    """Return the memory formats in which a contender does a case's work; empty if it cannot."""
    known = ENTRIES[name].memory_formats
    return (known if case.takes_images else known[:1]) if offers(name, case) else ()


def create(name: str, threads: int, memory_format: str = "") -> Contender:
    """Import a contender and make one, in its first memory format unless another is given."""
    entry = ENTRIES[name]
    home = importlib.import_module(f".{entry.home}", __package__)
    chosen = memory_format or entry.memory_formats[0]
    contender: Contender = getattr(home, entry.class_name)(threads, chosen)
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
