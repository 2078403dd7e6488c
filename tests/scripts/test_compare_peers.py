"""scripts/compare_peers.py: a smoke run, and the arithmetic and judgement behind its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the package importable as the script does."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "peers"]:
        del sys.modules[name]


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script; JAX and PyTorch may be there or not, so no test asks for them."""
    environment = dict(os.environ)
    environment.pop("FORCE_COLOR", None)
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "compare_peers.py"), *arguments],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip


def test_a_smoke_run_measures_writes_and_draws(tmp_path: Path) -> None:
    out = tmp_path / "peers.json"
    done = compare(
        "--quick", "--data", "digits", "--peers", "numpy,scikit-learn", "--threads", "1",
        "--rounds", "2", "--cases", "batch32,predict", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "scikit-learn" in done.stdout and "batch32" in done.stdout
    report = json.loads(out.read_text(encoding="utf-8"))
    assert set(report["versions"]) == {"fastmlp", "numpy", "scikit-learn"}
    assert [case["name"] for case in report["cases"]] == ["batch32", "predict"]
    for case in report["cases"]:
        assert case["layers"] == [64, 128, 64, 10]
        assert set(case["ratios"]) == {"numpy", "scikit-learn"}
        assert [result["contender"] for result in case["results"]] == [
            "fastmlp", "scikit-learn", "numpy",
        ]  # fmt: skip
        for result in case["results"]:
            assert len(result["samples"]) == 2 and min(result["samples"]) > 0
            assert 0 < result["loss"] < 2.3  # less than by guessing
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path) not in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [("--cases", "batch33"), ("--peers", "numpie")])
def test_a_wrong_name_is_answered_with_those_there_are(arguments: tuple[str, str]) -> None:
    done = compare(*arguments)
    assert done.returncode == 2
    assert repr(arguments[1]) in done.stderr and "known: " in done.stderr


def test_the_published_report_has_a_chart_and_names_no_machine() -> None:
    docs = SCRIPTS.parent / "docs"
    text = (docs / "peers.json").read_text(encoding="utf-8")
    assert json.loads(text)["cases"]
    assert "/" not in text
    assert (docs / "peers.png").exists()


def result(contender: str, threads: int, *samples: float, **others: Any) -> dict[str, Any]:
    return {
        "contender": contender, "threads": threads, "samples": list(samples),
        "median": float(np.median(samples)), **others,
    }  # fmt: skip


def test_ratios_are_of_the_best_and_of_one_thread(peers: None) -> None:
    from peers.summary import own_speed_up, ratios

    case = {
        "results": [
            result("fastmlp", 1, 10, 11, 90), result("fastmlp", 2, 5, 5, 5),
            result("jax", 1, 22), result("jax", 2, 20), result("torch", 1, 1, failure="OSError"),
        ]
    }  # fmt: skip
    assert ratios(case) == {"jax": {"best": 4.0, "one_thread": 2.0}}
    assert own_speed_up(case) == 2.2


def test_who_does_other_work_is_found(peers: None) -> None:
    from peers.measure import Result, out_of_line

    losses = {"a": 0.2, "b": 0.24, "c": 2.3, "d": 0.19}
    results = [Result(name, 1, loss=loss) for name, loss in losses.items()]
    assert [found.contender for found in out_of_line(results)] == ["c"]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("name", ["numpy", "jax"])
def test_steps_written_by_hand_are_those_of_the_twin(
    peers: None, name: str, optimizer: str
) -> None:
    if name == "jax":
        pytest.importorskip("jax")
    from peers.cases import Case
    from peers.contenders import create

    rng = np.random.default_rng(0)
    X = rng.normal(size=(48, 5)).astype(np.float32)
    y = rng.integers(0, 3, 48)
    y[0] = 2  # so that the data have all three classes
    case = Case("c", "", hidden=(7, 4), batch_size=0, optimizer=optimizer, learning_rate=0.05)
    contender: Any = create(name, 1)
    contender.load(case, X, y)
    contender.start(48, 0)
    weights, biases = parameters(contender)
    reference.train(
        weights, biases, [("relu", 0.0), ("relu", 0.0), ("softmax", 0.0)], "cross_entropy",
        [(X.astype(np.float64), reference.one_hot(y, 3))] * 5, [0.05] * 5,
        "adam" if optimizer == "adam" else "sgd", TWIN_PARAMETERS[optimizer],
    )  # fmt: skip
    for _ in range(5):
        contender.epoch(48)
    ours = parameters(contender)
    for one, other in zip([*ours[0], *ours[1]], [*weights, *biases], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


TWIN_PARAMETERS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.0, "nesterov": False},
    "momentum": {"momentum": 0.9, "nesterov": False},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
}


def parameters(contender: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return copies of a contender's weights and biases in double precision."""
    if hasattr(contender, "params"):
        pairs = list(zip(contender.params.W, contender.params.b, strict=True))
    else:
        pairs = contender.state["params"]
    return (
        [np.array(W, np.float64) for W, _ in pairs],
        [np.array(b, np.float64) for _, b in pairs],
    )
