"""The contenders by name, without importing any of them."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from typing import NamedTuple

from fastmlp.base.errors import ConfigError, close_match
from fastmlp.recipes import recipe_names

from .contender import Contender


class Entry(NamedTuple):
    """Where a contender lives, and what it is called in tables."""

    home: str
    class_name: str
    title: str
    module: str
    package: str
    recipe: str = ""


OURS = "fastmlp"
BASE = "hist-gradient-boosting"  # gaps are measured from its errors
_SKLEARN = ("sklearn", "scikit-learn")
_PYTABKIT = ("with_pytabkit", "RealMLP")
ENTRIES = {
    BASE: Entry("with_sklearn", "HistGradientBoosting", "HistGradientBoosting", *_SKLEARN),
    "catboost": Entry("with_boosting", "CatBoost", "CatBoost", "catboost", "catboost"),
    "lightgbm": Entry("with_boosting", "LightGBM", "LightGBM", "lightgbm", "lightgbm"),
    "linear": Entry("with_sklearn", "Linear", "linear model", *_SKLEARN),
    "scikit-learn-mlp": Entry("with_sklearn", "MLP", "scikit-learn MLP", *_SKLEARN),
    "realmlp-td-s": Entry(*_PYTABKIT, "RealMLP-TD-S", "pytabkit", "pytabkit"),
    "realmlp-td": Entry(*_PYTABKIT, "RealMLP-TD", "pytabkit", "pytabkit"),
    OURS: Entry("with_fastmlp", "Fastmlp", "fastmlp, defaults", OURS, OURS),
    **{
        name: Entry("with_fastmlp", "Fastmlp", f"fastmlp, {name}", OURS, OURS, name)
        for name in ("tabular-fast", "tabular")
    },
}


def chosen(names: list[str]) -> list[str]:
    """Return contenders by their names, in the order of the table; all without names.

    Raises
    ------
    ConfigError
        For an unknown name.
    """
    for name in names:
        if name not in ENTRIES:
            raise ConfigError(f"unknown contender {name!r}{close_match(name, ENTRIES)}")
    return [name for name in ENTRIES if not names or name in names]


def create(name: str, n_classes: int, seed: int) -> Contender:
    """Import a contender and make one; parameters as for Contender."""
    entry = ENTRIES[name]
    home = importlib.import_module(f".{entry.home}", __package__)
    contender: Contender = getattr(home, entry.class_name)(name, n_classes, seed)
    return contender


def why_missing(name: str) -> str:
    """Return why a contender cannot be measured; empty if it can."""
    entry = ENTRIES[name]
    if importlib.util.find_spec(entry.module) is None:
        return f"{entry.package} is not installed"
    if entry.recipe and entry.recipe not in recipe_names():
        return f"there is no recipe {entry.recipe}"
    return ""


def version(name: str) -> str:
    """Return the package of a contender with its version."""
    entry = ENTRIES[name]
    if entry.package == OURS:
        # The clone's own: what is installed under that name may be another.
        return f"{OURS} {importlib.import_module(OURS).__version__}"
    return f"{entry.package} {importlib.metadata.version(entry.package)}"
