"""docs/sweeps.md: every command line is taken, every snippet runs, and no option is left out."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from fastmlp import load_dataset
from fastmlp.commands.sweep_options import build_sweep_parser, grid_values, parse_sweep_arguments
from fastmlp.sweeps.cells import Datasets
from fastmlp.sweeps.distributions import DISTRIBUTIONS
from fastmlp.sweeps.grid import Grid
from fastmlp.sweeps.search import Search
from fastmlp.sweeps.sweep import plan_cells

TEXT = (Path(__file__).parents[1] / "docs" / "sweeps.md").read_text(encoding="utf-8")
LINES = re.findall(r"^python -m fastmlp\.sweep .*$", TEXT, re.MULTILINE)
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def options_of(line: str) -> argparse.Namespace:
    return parse_sweep_arguments(shlex.split(line, comments=True)[3:])


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_has_cells(line: str) -> None:
    options = options_of(line)
    values = grid_values(options, {} if options.resume else None)
    given = {field: getattr(options, name) for name, field in (
        ("budget", "budget"), ("search_seed", "seed"), ("halving", "halving"),
        ("min_epochs", "min_epochs"), ("search", "method"), ("trials", "trials"),
        ("prune", "prune"), ("trial_batch", "batch"),
    )}  # fmt: skip
    search = Search(**{field: value for field, value in given.items() if value is not None})
    digits = load_dataset("digits")
    assert plan_cells(Grid(values), search, Datasets(None, lambda config: digits))


def test_a_grid_of_the_guide_has_cells() -> None:
    import tomllib

    (grid,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    cells = plan_cells(Grid(tomllib.loads(grid)), Search(), Datasets(load_dataset("digits")))
    assert len(cells) == 2 * 2 * (2 + 2)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_runs(snippet: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "docs/sweeps.md", "exec"), {})
    assert list(tmp_path.iterdir()) == []


def test_every_option_that_only_sweeps_have_is_explained() -> None:
    groups = {group.title: group for group in build_sweep_parser()._action_groups}
    flags = [
        action.option_strings[0]
        for title in ("searching", "running")
        for action in groups[title]._group_actions
    ]
    common = {"--jobs", "--overwrite", "--quiet", "--version", "--log-every"}
    assert [flag for flag in flags if flag not in TEXT and flag not in common] == []


def test_every_distribution_is_explained() -> None:
    assert all(f"`{name}(low, high)`" in TEXT for name in DISTRIBUTIONS.names())
