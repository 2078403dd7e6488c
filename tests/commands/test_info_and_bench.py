"""``fastmlp info`` and ``fastmlp bench``."""

from __future__ import annotations

import json
import platform

import numpy as np
import pytest

from fastmlp import __version__, bench, info
from fastmlp.commands import bench_cases
from fastmlp.training.kernel_folder import kept_in


def test_info_prints_what_a_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert info.main(["--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["versions"]["fastmlp"] == __version__
    assert facts["versions"]["python"].startswith(platform.python_version())
    assert facts["versions"]["numpy"] == np.__version__
    assert {"numba", "llvmlite", "scipy", "scikit-learn"} <= {*facts["versions"]}
    assert facts["machine"]["cpu"] and facts["machine"]["kernels for"]
    assert facts["threads"]["threading layer"] in ("tbb", "omp", "workqueue")
    assert 1 <= facts["threads"]["used by default"] <= facts["threads"]["cpus"]
    assert facts["folders"]["kernels"] == kept_in()
    assert facts["variables"]["NUMBA_NUM_THREADS"] == "4"

    assert info.main([]) == 0
    text = capsys.readouterr().out
    for rows in facts.values():
        for name, value in rows.items():
            shown = "none" if value is None else str(value)
            assert any(line.split(maxsplit=1)[0] in name and shown in line
                       for line in text.splitlines() if line.strip()), name  # fmt: skip


def test_info_says_that_no_threading_layer_loads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("fastmlp.commands.machine_facts.importlib.import_module", refuse)
    from fastmlp.commands.machine_facts import machine_facts

    assert machine_facts()["threads"]["threading layer"] is None


def test_bench_measures_each_case_on_one_thread_and_on_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {name: case._replace(rows=300) for name, case in bench_cases.CASES.items()}
    monkeypatch.setattr(bench_cases, "CASES", small)
    arguments = ["--cases", "table,images", "--rounds", "2", "--threads", "2", "--json"]
    assert bench.main(arguments) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    pairs = [("table", 1), ("table", 2), ("images", 1), ("images", 2)]
    assert [(row["case"], row["threads"]) for row in found] == pairs
    assert all(row["update_us"] > 0 and row["predicted_per_second"] > 0 for row in found)
    assert captured.err.splitlines()[1:] == ["round 1 of 2", "round 2 of 2"]

    assert bench.main(["--cases", "images", "--rounds", "1", "--threads", "1", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0].split("  ")[0] == "case" and captured.err == ""
    assert captured.out.splitlines()[1].startswith("images")


def test_rows_of_bench_are_those_that_were_asked_for() -> None:
    for case in bench_cases.CASES.values():
        X, y = case.draw(np.random.default_rng(0), 50)
        assert len(X) == len(y) == 50
        assert case.config.epochs == 1
    X, _ = bench_cases.CASES["images"].draw(np.random.default_rng(0), 50)
    assert X.dtype == np.uint8 and 0.1 < (X > 0).mean() < 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cases", "image"], "--cases: unknown case 'image'; did you mean 'images'?"),
        (["--rounds", "0"], "--rounds must be from 1 to 1000, got 0"),
        (["--threads", "0"], "--threads must be at least 1, got 0"),
    ],
)
def test_options_of_bench_that_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(arguments) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
