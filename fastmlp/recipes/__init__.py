"""Tuned settings as TOML files: ``--recipe NAME``, or :func:`recipe`."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from ..base.errors import ConfigError, close_match


def recipe_names() -> list[str]:
    """Return the names of all recipes."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files(__name__).iterdir()
        if entry.name.endswith(".toml")
    )


def table_recipes() -> list[str]:
    """Return the names of the recipes for any table: those that name no data."""
    return [name for name in recipe_names() if "data" not in recipe(name)]


def recipe(name: str) -> dict[str, Any]:
    """Return the settings of a recipe, for ``TrainConfig.from_dict``.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    names = recipe_names()
    if name not in names:
        raise ConfigError(f"unknown recipe {name!r}{close_match(name, names)}")
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
