"""The examples of docs/start.md, docs/estimators.md and of the estimators' docstrings run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import fastmlp

ROOT = Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.filterwarnings("ignore::UserWarning")  # loky's, of short tasks; few epochs
@pytest.mark.parametrize("name", ["docs/start.md", "docs/estimators.md"])
def test_the_sessions_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # sessions write files
    failed, tried = doctest.testfile(str(ROOT / name), module_relative=False, optionflags=FLAGS)
    assert tried > 5 and failed == 0


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_the_examples_of_a_class_run(name: str) -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(optionflags=FLAGS)
    (found,) = finder.find(getattr(fastmlp, name), name)
    assert len(found.examples) >= 4
    assert runner.run(found).failed == 0


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_every_parameter_is_described(name: str) -> None:
    cls = getattr(fastmlp, name)
    described, _, attributes = cls.__doc__.partition("Attributes\n")
    listed = {
        word
        for line in described.splitlines()
        if line.startswith("    ") and not line.startswith("     ") and " : " in line
        for word in line.split(" : ")[0].strip().split(", ")
    }
    assert listed == set(cls().get_params())
    assert "loss_curve_" in attributes
