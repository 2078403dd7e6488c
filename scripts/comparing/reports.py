"""Reports as JSON files: reading earlier ones, and merging only what one machine measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastmlp.base.errors import ConfigError
from fastmlp.base.files import write_text

from .documents import Report

ROOT = Path(__file__).resolve().parents[2]


def read(path: Path, *needed: str) -> Report:
    """Return an earlier report, which has these keys.

    Raises
    ------
    ConfigError
        If the file is missing or no report.
    """
    try:
        report: Report = json.loads(path.read_text(encoding="utf-8"))
        _ = [report[name] for name in needed]
    except (OSError, ValueError, TypeError, KeyError):
        raise ConfigError(
            f"--out must name a JSON file of an earlier comparison for --draw and --merge, got "
            f"{path}; measure into it first, without --merge"
        ) from None
    return report


def check_same(report: Report, facts: dict[str, Any], names: tuple[str, ...]) -> None:
    """Raise ConfigError unless a run with these facts may be merged into a report.

    Parameters
    ----------
    report, facts : dict
    names : tuple of str
        The facts that must be equal.
    """
    for name in names:
        if report[name] != facts[name]:
            raise ConfigError(
                f"--merge needs the {name} of the report, {report[name]}, got {facts[name]}; "
                "measure everything again, or write to another file with --out"
            )


def write(report: Report, path: Path) -> None:
    """Write a report."""
    write_text(path, json.dumps(report, indent=1) + "\n")
