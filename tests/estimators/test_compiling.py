"""One process at a time compiles what several need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from problems import classes, fit_quietly

from fastmlp import MLPClassifier, TrainConfig
from fastmlp.estimators import running


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which locks are taken."""
    taken: list[Path] = []

    @contextmanager
    def locked(path: Path) -> Iterator[None]:
        taken.append(path)
        yield

    monkeypatch.setattr(running, "locked", locked)
    monkeypatch.setattr(running, "_ready", set())
    return taken


def test_only_the_first_fit_of_a_kind_waits_for_others(locks: list[Path]) -> None:
    X, y = classes()
    for alpha in (0.1, 0.2):
        fit_quietly(MLPClassifier(max_iter=1, alpha=alpha), X, y)
    assert len(locks) == 1 and locks[0].parent.is_dir()
    fit_quietly(MLPClassifier(max_iter=1, solver="lbfgs"), X, y)
    assert locks == [locks[0]] * 2


def test_a_run_that_failed_was_not_the_first(locks: list[Path]) -> None:
    config = TrainConfig()
    with pytest.raises(KeyError), running.compiled_once(config) as first:
        assert first
        raise KeyError
    for expected in (True, False):
        with running.compiled_once(config) as first:
            assert first == expected
    assert len(locks) == 2


def test_without_cache_folder_there_is_no_lock(
    locks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "kept_in", lambda: None)
    fit_quietly(MLPClassifier(max_iter=1), *classes())
    assert locks == []
