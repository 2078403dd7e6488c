"""scripts/compare_peers.py: a smoke run, and the arithmetic and judgement behind its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference

SCRIPTS = Path(__file__).parents[2] / "scripts"


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
        assert 1 < case["peak_gflops"]["1"] < 1000
        assert set(case["shares_of_peak"]) == {"fastmlp", "numpy", "scikit-learn"}
        assert [result["contender"] for result in case["results"]] == [
            "fastmlp", "scikit-learn", "numpy",
        ]  # fmt: skip
        for result in case["results"]:
            assert len(result["samples"]) == 2 and min(result["samples"]) > 0
            assert 0 < result["loss"] < 2.3  # less than by guessing
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path) not in out.read_text(encoding="utf-8")


def test_a_smoke_run_covers_tables_fits_and_reading(tmp_path: Path) -> None:
    out = tmp_path / "peers.json"
    names = ["deep-adam", "table-gelu-dropout", "narrow", "fit-iris", "first-fit", "read-csv"]
    done = compare(
        "--quick", "--data", "digits", "--peers", "numpy,scikit-learn,pandas", "--threads", "1",
        "--rounds", "1", "--seeds", "1", "--cases", ",".join(names), "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text(encoding="utf-8"))
    assert [case["name"] for case in report["cases"]] == names
    layers = {case["name"]: case["layers"] for case in report["cases"]}
    assert layers["deep-adam"] == [28, 300, 300, 300, 300, 300, 1]
    assert layers["narrow"] == [4, 32, 16, 4]
    assert layers["fit-iris"] == [4, 100, 3]
    assert layers["read-csv"] == []
    contenders = {
        case["name"]: {result["contender"] for result in case["results"]}
        for case in report["cases"]
    }
    assert contenders["deep-adam"] == {"fastmlp", "scikit-learn", "numpy"}
    assert contenders["table-gelu-dropout"] == {"fastmlp"}
    assert contenders["fit-iris"] == contenders["first-fit"] == {"fastmlp", "scikit-learn"}
    assert contenders["read-csv"] == {"fastmlp", "numpy", "pandas"}
    (fit,) = [case for case in report["cases"] if case["name"] == "fit-iris"]
    ours, theirs = (result["loss"] for result in fit["results"])
    assert ours == pytest.approx(theirs, rel=0.01)  # the same estimator


def test_a_smoke_run_covers_convolutional_networks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(320) % 8
    X = rng.integers(0, 256, (320, 28, 28), np.uint8)
    X[y == 7, :14] = 0  # so that something can be learned
    np.savez(tmp_path / "images.npz", X=X, y=y)
    out = tmp_path / "peers.json"
    run = (
        "--quick", "--data", str(tmp_path / "images.npz"), "--peers", "scikit-learn",
        "--threads", "1", "--rounds", "1", "--out", str(out), "--cases",
    )  # fmt: skip
    done = compare(*run, "lenet-32,predict-e2,fit-iris")
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text(encoding="utf-8"))
    lenet, prediction, _ = report["cases"]
    assert lenet["layers"] == ["28x28x1", "24x24x6", "12x12x6", "8x8x16", "4x4x16", 120, 84, 8]
    assert lenet["multiply_adds"] == [86_400, 153_600, 30_720, 10_080, 672]
    assert prediction["layers"][-2:] == ["5x5x64", 1]
    assert prediction["results"][0]["rows"] == 640  # more than there are of two classes
    # scikit-learn has no convolution.
    assert [r["contender"] for case in (lenet, prediction) for r in case["results"]] == [
        "fastmlp", "fastmlp",
    ]  # fmt: skip
    assert out.with_suffix(".png").exists()
    done = compare(*run, "predict-e2", "--merge")
    assert done.returncode == 0, done.stderr
    merged = json.loads(out.read_text(encoding="utf-8"))
    assert merged["cases"][0] == lenet and merged["cases"][2] == report["cases"][2]
    assert merged["cases"][1]["results"][0]["samples"] != prediction["results"][0]["samples"]


@pytest.mark.parametrize(
    ("data", "case", "message"),
    [
        ("digits", "lenet-32", "kernel_size must be at most the input, 2x2, got 5x5"),
        ("blobs", "e3-32", "needs an image of height, width and channels"),
        ("moons", "e2-512", "classes"),
    ],
)
def test_named_case_that_does_not_fit_the_data_is_refused(
    data: str, case: str, message: str
) -> None:
    done = compare("--quick", "--data", data, "--cases", case, "--out", "-")
    assert done.returncode == 2
    assert case in done.stderr and message in done.stderr


def test_cases_that_do_not_fit_the_data_are_left_out_unless_named(
    comparisons: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from peers.cases import named
    from peers.command import _fitting
    from peers.data import Store

    chosen = named(["batch32", "e3-32", "lenet-32"])
    kept = _fitting(chosen, Store(tmp_path, "digits"), is_named=False)
    assert [case.name for case in kept] == ["batch32", "e3-32"]
    assert "lenet-32 is left out: " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--cases", "batch33"), ("--peers", "numpie")])
def test_wrong_name_lists_known_names(arguments: tuple[str, str]) -> None:
    done = compare(*arguments)
    assert done.returncode == 2
    assert repr(arguments[1]) in done.stderr and "known: " in done.stderr


def test_the_published_report_has_a_chart_and_names_no_machine() -> None:
    docs = SCRIPTS.parent / "docs"
    text = (docs / "peers.json").read_text(encoding="utf-8")
    assert json.loads(text)["cases"]
    assert "/" not in text
    assert (docs / "peers.png").exists()


@pytest.mark.parametrize(
    ("arguments", "missing", "is_published"),
    [
        ([], [], True),
        (["--draw"], ["jax"], True),
        ([], ["jax"], False),
        (["--data", "digits"], [], False),
        (["--threads", "1"], [], False),
        (["--cases", "batch32"], [], False),
        (["--cases", "convolutional", "--merge"], [], True),
    ],
)
def test_only_a_complete_comparison_is_published(
    comparisons: None, arguments: list[str], missing: list[str], is_published: bool
) -> None:
    from peers.command import _out
    from peers.options import parser

    assert (_out(parser().parse_args(arguments), missing) is not None) == is_published


@pytest.mark.parametrize(
    ("arguments", "missing", "message"),
    [
        (["--merge"], ["jax"], "not installed: jax"),
        (["--merge", "--threads", "1"], [], "all peers and threads"),
        (["--merge", "--quick"], [], "without --quick"),
        (["--merge", "--out", "-"], [], "name of a JSON file"),
        (["--draw", "--out", "-"], [], "name of a JSON file"),
    ],
)
def test_incomplete_results_are_not_merged_into_the_published_ones(
    comparisons: None, arguments: list[str], missing: list[str], message: str
) -> None:
    from fastmlp.base.errors import ConfigError
    from peers.command import _out
    from peers.options import parser

    with pytest.raises(ConfigError, match=message):
        _out(parser().parse_args(arguments), missing)


def test_only_peers_of_the_cases_have_to_be_installed(comparisons: None) -> None:
    from peers.cases import named
    from peers.command import _peers

    there, missing = _peers([], named(["convolutional"]))
    assert {*there, *missing} == {"jax", "torch"}


FACTS = {"cpu": "Z", "cpus": 2, "system": "Linux", "threads": [1, 2], "data": "mnist", "rounds": 5}


def record(name: str, **others: Any) -> dict[str, Any]:
    results = [result(contender, 1, 2e3) for contender in ("fastmlp", "torch")]
    case = {"name": name, "title": name, "kind": "train", "in_chart": True, "results": results}
    ratios = {"torch": {"best": 2.44, "one_thread": 10.6}}
    return {**case, "ratios": ratios, "shares_of_peak": {"fastmlp": {"1": 0.5}}, **others}


def test_merging_replaces_cases_and_records_other_versions(comparisons: None) -> None:
    from peers.published import merged

    before = [record("batch22"), record("batch32"), record("fit-iris")]
    old = {**FACTS, "versions": {"fastmlp": "1", "torch": "2"}, "cases": before}
    after = [record("e3-32"), record("batch32", title="new")]
    new = {**FACTS, "versions": {"fastmlp": "1", "torch": "3"}, "cases": after, "rounds": 7}
    found = merged(old, new)
    assert [case["name"] for case in found["cases"]] == ["batch22", "batch32", "e3-32", "fit-iris"]
    assert found["cases"][0] == before[0] and found["cases"][3] == before[2]
    assert found["cases"][1] == {**after[1], "versions": {"torch": "3"}, "rounds": 7}
    assert found["versions"] == old["versions"]


@pytest.mark.parametrize("name", ["cpu", "cpus", "system", "threads", "data"])
def test_report_of_another_machine_is_not_merged(comparisons: None, name: str) -> None:
    from fastmlp.base.errors import ConfigError
    from peers.published import check_same_machine

    check_same_machine(FACTS, {**FACTS, "rounds": 7})
    with pytest.raises(ConfigError, match=f"the {name} of the report, .*, got other"):
        check_same_machine(FACTS, {**FACTS, name: "other"})


def test_file_that_is_no_report_is_refused(comparisons: None, tmp_path: Path) -> None:
    from fastmlp.base.errors import ConfigError
    from peers.published import read

    (tmp_path / "list.json").write_text("[]")
    for name in ("missing.json", "list.json"):
        with pytest.raises(ConfigError, match=name):
            read(tmp_path / name)


def test_tables_of_the_documentation_are_those_of_the_report(comparisons: None) -> None:
    from peers.documents import DOCUMENTS
    from peers.published import PATH, ROOT, read

    report = read(PATH)
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS.files]
    assert [DOCUMENTS.updated(text, report) for text in texts] == texts
    blocks = DOCUMENTS.blocks
    assert all(any(f"<!-- peers: {name} -->" in text for text in texts) for name in blocks)


def test_tables_show_convolutional_networks_beside_dense_ones(comparisons: None) -> None:
    from peers.documents import BLOCKS

    report = {
        **FACTS, "versions": {"fastmlp": "1", "torch": "2"},
        "cases": [record("batch32"), record("e3-32", versions={"torch": "3"}, title="E3")],
    }  # fmt: skip
    assert BLOCKS["convolutional"](report) == "\n".join(
        [
            "| work | fastmlp, 1 thread | 2 threads | PyTorch | PyTorch, 1 thread each |",
            "|---|---|---|---|---|",
            "| E3 | 2.00 ms |  | 2.4 | 11 |",
            "",
            "fastmlp 1, PyTorch 3; 5 rounds.",
            "",
            "| share of the peak | fastmlp, 1 thread | 2 threads | JAX, 1 thread | 2 threads "
            "| PyTorch, 1 thread | 2 threads |",
            "|---|---|---|---|---|---|---|",
            "| E3 | 50 % |  |  |  |  |  |",
        ]
    )
    assert "| batch32 | 2.00 ms |" in BLOCKS["dense"](report)
    assert "E3" not in BLOCKS["dense"](report)
    report["cases"].pop()
    assert BLOCKS["convolutional"](report).startswith("Not measured yet")


def test_each_case_names_its_peers(comparisons: None) -> None:
    from peers.cases import CASES
    from peers.contenders import OURS, PEERS, offers

    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert offers(OURS, case)
        assert [name for name in PEERS if offers(name, case)], f"no peer for {case.name}"
        if case.in_chart:
            assert len(case.title) < 70


def result(contender: str, threads: int, *samples: float, **others: Any) -> dict[str, Any]:
    return {
        "contender": contender, "threads": threads, "samples": list(samples),
        "median": float(np.median(samples)), **others,
    }  # fmt: skip


def test_ratios_are_of_the_best_and_of_one_thread(comparisons: None) -> None:
    from peers.summary import own_speed_up, ratios

    case = {
        "results": [
            result("fastmlp", 1, 10, 11, 90), result("fastmlp", 2, 5, 5, 5),
            result("jax", 1, 22), result("jax", 2, 20), result("torch", 1, 1, failure="OSError"),
        ]
    }  # fmt: skip
    assert ratios(case) == {"jax": {"best": 4.0, "one_thread": 2.0}}
    assert own_speed_up(case) == 2.2


def test_shares_of_the_peak_count_the_products_of_dense_rows(comparisons: None) -> None:
    from peers.summary import shares_of_peak

    result = {"contender": "jax", "threads": 1, "rows": 10, "median": 2.0}
    slower = {**result, "median": 3.0}  # another memory format
    case = {
        "kind": "train", "multiply_adds": [12, 6], "peak_gflops": {"1": 1.0},
        "results": [result, slower],
    }  # fmt: skip
    # Forward 12 + 6, gradients of weights 12 + 6, of the hidden layer 6: 2 x 10 x 42 in 2 us.
    assert shares_of_peak(case) == {"jax": {"1": 0.42}}
    # Forward only: 2 x 10 x 18 in 2 ms.
    assert shares_of_peak({**case, "kind": "predict"}) == {"jax": {"1": 0.0}}
    result["rows"] = slower["rows"] = 10_000
    assert shares_of_peak({**case, "kind": "predict"}) == {"jax": {"1": 0.18}}


def test_contender_with_other_work_is_found(comparisons: None) -> None:
    from peers.measure import Result, out_of_line

    losses = {"a": 0.2, "b": 0.24, "c": 2.3, "d": 0.19}
    results = [Result(name, 1, loss=loss) for name, loss in losses.items()]
    assert [found.contender for found in out_of_line(results)] == ["c"]


@pytest.mark.parametrize(
    ("optimizer", "activation", "classes"),
    [
        ("sgd", "relu", 3), ("momentum", "relu", 3), ("adam", "relu", 3), ("adamw", "relu", 3),
        ("sgd", "tanh", 2), ("adamw", "tanh", 3), ("adam", "gelu", 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["numpy", "jax", "torch"])
def test_steps_written_by_hand_are_those_of_the_twin(
    comparisons: None, name: str, optimizer: str, activation: str, classes: int
) -> None:
    if name != "numpy":
        pytest.importorskip(name)
    from peers.cases import Case
    from peers.contenders import create, offers

    rng = np.random.default_rng(0)
    X = rng.normal(size=(48, 5)).astype(np.float32)
    y = rng.integers(0, classes, 48)
    y[0] = classes - 1  # so that the data have all classes
    case = Case(
        "c", "", layers="dense(7), dense(4)", batch_size=0, optimizer=optimizer, learning_rate=0.05,
        activation=activation,
    )  # fmt: skip
    if not offers(name, case):
        pytest.skip(f"{name} has no {activation} here")
    contender: Any = create(name, 1)
    contender.load(case, X, y)
    contender.start(48, 0)
    weights, biases = parameters(contender)
    output, loss, Y = ("softmax", "cross_entropy", reference.one_hot(y, classes))
    if classes == 2:
        output, loss, Y = ("sigmoid", "binary_cross_entropy", y[:, None].astype(np.float64))
    twin = "sgd" if optimizer == "momentum" else optimizer
    reference.train(
        weights, biases, [(activation, 0.0), (activation, 0.0), (output, 0.0)], loss,
        [(X.astype(np.float64), Y)] * 5, [0.05] * 5, twin, TWIN_PARAMETERS[optimizer],
    )  # fmt: skip
    for _ in range(5):
        contender.epoch(48)
    ours = parameters(contender)
    for one, other in zip([*ours[0], *ours[1]], [*weights, *biases], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    found = contender.probabilities(X)
    assert found.shape == (48, classes)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert (contender.labels(X) == found.argmax(axis=1)).all()


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_dropout_applies_in_training_only(comparisons: None, name: str) -> None:
    pytest.importorskip(name)
    from peers.cases import Case
    from peers.contenders import create

    X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    losses = []
    for dropout in (0.0, 0.5):
        contender: Any = create(name, 1)
        layers = f"dense(128), dropout({dropout})"
        contender.load(Case("c", "", layers=layers, batch_size=20), X, np.arange(40) % 3)
        contender.train(40, 30, 0)
        first = contender.probabilities(X)
        assert (first == contender.probabilities(X)).all()
        right = np.maximum(first[np.arange(40), np.arange(40) % 3], 1e-12)
        losses.append(-np.log(right).mean())
    assert losses[0] < losses[1]


TWIN_PARAMETERS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.0, "nesterov": False},
    "momentum": {"momentum": 0.9, "nesterov": False},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
}


def parameters(contender: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return copies of a contender's weights and biases in double precision."""
    if hasattr(contender, "params"):
        pairs = list(zip(contender.params.W, contender.params.b, strict=True))
    elif hasattr(contender, "model"):
        linear = [layer for layer in contender.model if hasattr(layer, "weight")]
        pairs = [(x.weight.detach().numpy().T, x.bias.detach().numpy()) for x in linear]
    else:
        pairs = contender.state["params"]
    return (
        [np.array(W, np.float64) for W, _ in pairs],
        [np.array(b, np.float64) for _, b in pairs],
    )
