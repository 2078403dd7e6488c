"""How many CPUs this process may use, from made-up containers and affinities."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from fastmlp.base import cpus
from fastmlp.base.cpus import quota_cpus, usable_cpus


def version_2(folder: Path, text: str) -> Path:
    (folder / "cpu.max").write_text(text)
    return folder


def version_1(folder: Path, quota: str, period: str) -> Path:
    (folder / "cpu").mkdir()
    (folder / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (folder / "cpu" / "cpu.cfs_period_us").write_text(period)
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200000 100000\n", 2.0),
        ("150000 100000\n", 1.5),
        ("5000 100000", 0.05),
        ("max 100000\n", math.inf),
        ("", math.inf),
        ("200000", math.inf),
        ("what is this", math.inf),
    ],
)
def test_the_quota_of_a_version_2_container(tmp_path: Path, text: str, expected: float) -> None:
    assert quota_cpus(version_2(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [
        ("200000\n", "100000\n", 2.0),
        ("50000\n", "100000\n", 0.5),
        ("-1\n", "100000\n", math.inf),
        ("100000\n", "0\n", math.inf),
        ("max\n", "100000\n", math.inf),
        ("", "", math.inf),
    ],
)
def test_the_quota_of_a_version_1_container(
    tmp_path: Path, quota: str, period: str, expected: float
) -> None:
    assert quota_cpus(version_1(tmp_path, quota, period)) == expected


def test_version_2_wins_if_both_exist(tmp_path: Path) -> None:
    version_1(tmp_path, "100000", "100000")
    assert quota_cpus(version_2(tmp_path, "300000 100000")) == 3


def test_outside_a_container_there_is_no_quota(tmp_path: Path) -> None:
    assert quota_cpus(tmp_path) == math.inf
    assert quota_cpus(tmp_path / "missing") == math.inf


def test_half_a_version_1_container_has_no_quota(tmp_path: Path) -> None:
    version_1(tmp_path, "100000", "100000")
    (tmp_path / "cpu" / "cpu.cfs_period_us").unlink()
    assert quota_cpus(tmp_path) == math.inf


@pytest.mark.parametrize(
    ("allowed", "quota", "expected"),
    [
        (8, math.inf, 8),
        (8, 2.0, 2),
        (8, 2.9, 2),  # a third thread would wait most of the time
        (8, 0.05, 1),
        (2, 16.0, 2),
        (1, 1.0, 1),
    ],
)
def test_affinity_or_quota_whichever_is_less(
    monkeypatch: pytest.MonkeyPatch, allowed: int, quota: float, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(allowed)), raising=False)
    monkeypatch.setattr(cpus, "quota_cpus", lambda: quota)
    assert usable_cpus() == expected


@pytest.mark.parametrize(("count", "expected"), [(6, 6), (None, 1)])
def test_without_affinities_all_cpus_count(
    monkeypatch: pytest.MonkeyPatch, count: int | None, expected: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    monkeypatch.setattr(cpus, "quota_cpus", lambda: math.inf)
    assert usable_cpus() == expected


def test_this_process_may_use_some() -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
