"""scripts/compare_tables.py: splits, scores, encodings, the arithmetic of its tables, and a run."""

from __future__ import annotations

import json
import math
import signal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fastmlp import ConfigError

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.usefixtures("comparisons")

HEAD = "name\ttarget\ttask\theader\tdropped_by_hand\n"
INDEX = f"{HEAD}houses\tprice\tregr\theader\tid,copy\nflowers\t2\tclass\tno header\t\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tables of 60 rows and their index."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    colours = np.where(x > 0, "red", "blue")
    houses = pd.DataFrame({"id": range(60), "x": x, "colour": colours, "price": 3 * x + 10})
    houses = houses.assign(copy=houses["price"])
    houses.loc[::7, "x"] = np.nan
    houses.loc[::9, "colour"] = "?"
    houses.to_csv(tmp_path / "houses.csv", index=False)
    kinds = np.where(x > 0, "rose", "lily")
    flowers = pd.DataFrame([x, rng.normal(size=60), kinds]).T
    flowers.to_csv(tmp_path / "flowers.csv", index=False, header=False)
    (tmp_path / "INDEX.tsv").write_text(INDEX)
    return tmp_path


def run(*arguments: Any) -> int:
    from table_peers.command import main

    handler = signal.getsignal(signal.SIGTERM)
    try:
        return main([str(argument) for argument in arguments])
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_a_run_measures_writes_and_draws(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out.json"
    names = "hist-gradient-boosting,fastmlp"
    assert run("--tables", folder, "--out", out, "--contenders", names, "--splits", 2) == 0
    printed = capsys.readouterr().out
    assert "| houses |" in printed and "| flowers |" in printed
    report = json.loads(out.read_text(encoding="utf-8"))
    assert str(folder) not in out.read_text(encoding="utf-8")
    assert [table["training_rows"] for table in report["tables"]] == [48, 48]
    assert report["versions"].keys() == {"hist-gradient-boosting", "fastmlp"}
    for table, keys in (("houses", 2), ("flowers", 3)):
        for splits in report["results"][table].values():
            assert list(splits) == ["0", "1"]
            assert all(len(found) == keys and found["seconds"] > 0 for found in splits.values())
    for name in report["versions"]:  # better than by guessing
        assert report["results"]["flowers"][name]["0"]["error"] < 40
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    out.with_suffix(".png").unlink()
    assert run("--draw", "--out", out) == 0
    assert out.with_suffix(".png").exists()


class Answers:
    """Stands for the process of a contender; answers with the number of the question."""

    asked: ClassVar[list[tuple[str, str, int]]] = []
    fails_on: ClassVar[str] = ""

    def __init__(self, module: str, arguments: list[str], threads: int):
        assert (module, threads) == ("table_peers.worker", 1)
        self.name = arguments[0]

    def ask(self, do: str, table: dict[str, Any], number: int) -> dict[str, float]:
        from comparing.process import WorkerError

        self.asked.append((self.name, table["name"], number))
        if table["name"] == self.fails_on:
            raise WorkerError("Traceback")
        return {"error": float(len(self.asked)), "seconds": 1.0}

    def close(self) -> None:
        pass


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> type[Answers]:
    from table_peers import command

    monkeypatch.setattr(command, "Process", Answers)
    monkeypatch.setattr(Answers, "asked", [])
    return Answers


def test_a_resumed_run_measures_what_is_missing(folder: Path, answers: type[Answers]) -> None:
    out = folder / "out.json"
    common = ("--tables", folder, "--out", out, "--contenders", "linear", "--resume")
    assert run(*common, "--splits", 2) == 0
    assert len(answers.asked) == 4
    before = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert run(*common, "--splits", 3) == 0
    assert answers.asked[4:] == [("linear", "houses", 2), ("linear", "flowers", 2)]
    after = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert after["houses"]["linear"] == before["houses"]["linear"] | {
        "2": {"error": 5.0, "seconds": 1.0}
    }


def test_a_merged_run_replaces_its_results_and_keeps_others(
    folder: Path, answers: type[Answers], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out.json"
    common = ("--tables", folder, "--out", out, "--splits", 1)
    assert run(*common, "--contenders", "linear,fastmlp") == 0
    before = json.loads(out.read_text(encoding="utf-8"))["results"]
    again = ("--contenders", "linear", "--only", "flowers", "--merge")
    assert run(*common, *again) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["results"]["houses"] == before["houses"]
    assert report["results"]["flowers"]["fastmlp"] == before["flowers"]["fastmlp"]
    assert report["results"]["flowers"]["linear"]["0"]["error"] == 5.0
    report["cpu"] = "another"
    out.write_text(json.dumps(report))
    with pytest.raises(SystemExit, match="2"):
        run(*common, *again)
    assert "--merge needs the cpu of the report, another" in capsys.readouterr().err


def test_failures_are_reported_and_other_results_kept(
    folder: Path,
    answers: type[Answers],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(answers, "fails_on", "houses")
    out = folder / "out.json"
    arguments = ("--tables", folder, "--splits", 1, "--contenders", "linear", "--out", out)
    assert run(*arguments) == 1
    assert "linear failed on houses, split 0" in capsys.readouterr().err
    assert json.loads(out.read_text(encoding="utf-8"))["results"]["flowers"]["linear"]


def test_a_failure_in_a_process_reaches_the_driver(folder: Path) -> None:
    from comparing.process import Process, WorkerError

    process = Process("table_peers.worker", ["linear", str(folder)], threads=1)
    try:
        with pytest.raises(WorkerError, match=r"got no none\.csv"):
            table = {"name": "none", "target": "y", "task": "class", "header": "header"}
            process.ask("measure", table=table, number=0)
    finally:
        process.close()


def test_missing_contenders_are_left_out_with_a_note(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from table_peers import contenders

    entry = contenders.ENTRIES["catboost"]._replace(module="no_such_module")
    monkeypatch.setitem(contenders.ENTRIES, "catboost", entry)
    monkeypatch.setattr(contenders, "recipe_names", lambda: ["mnist-98"])
    assert run("--tables", folder, "--list") == 0
    listed = capsys.readouterr().out
    assert "catboost is not installed" in listed and "there is no recipe tabular" in listed
    assert run("--tables", folder, "--contenders", "catboost,tabular") == 0
    printed = capsys.readouterr().out
    assert "left out: catboost: catboost is not installed" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--contenders", "catbost"), "unknown contender 'catbost'; did you mean 'catboost'"),
        (("--only", "house"), "unknown table 'house'; did you mean 'houses'"),
        (("--splits", "0"), "a number of 1 or more is needed, got '0'"),
        (("--merge", "--out", "none.json"), "--out must name a JSON file"),
        (("--tables", "nowhere"), "--tables must name a folder with INDEX.tsv"),
    ],
)
def test_wrong_usage_is_refused(
    folder: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("--tables", folder, *arguments)
    assert message in capsys.readouterr().err


def test_folder_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run()
    assert "--tables must name the folder of the tables" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("name\ttarget\n", "INDEX.tsv must have a column 'task'"),
        (f"{HEAD}houses\tprice\tnumber\theader\t\n", "task of houses in INDEX.tsv must be one of"),
        (f"{HEAD}houses\tprice\tregr\tyes\t\n", "header of houses in INDEX.tsv must be one of"),
        (f"{HEAD}houses\tcost\tregr\theader\t\n", "target of houses .* got 'cost'"),
        (f"{HEAD}house\tprice\tregr\theader\t\n", "a file for each row of INDEX.tsv, got no house"),
    ],
)
def test_malformed_index_is_refused(folder: Path, index: str, message: str) -> None:
    from table_peers.tables import read_index, read_rows

    (folder / "INDEX.tsv").write_text(index)
    with pytest.raises(ConfigError, match=message):
        read_rows(read_index(folder)[0], folder)


def test_tables_are_read_without_dropped_columns_and_with_gaps(folder: Path) -> None:
    from table_peers.tables import read_index, read_rows, text_columns

    houses, flowers = read_index(folder)
    X, y, n_classes = read_rows(houses, folder)
    assert list(X.columns) == ["x", "colour"] and text_columns(X) == ["colour"]
    assert X.isna().sum().to_dict() == {"x": 9, "colour": 7}
    assert (y.dtype, n_classes, houses.is_regression) == (np.float64, 0, True)
    X, y, n_classes = read_rows(flowers, folder)
    assert list(X.columns) == ["0", "1"] and set(y) == {0, 1} and n_classes == 2


@pytest.mark.parametrize(
    ("n", "training", "test"), [(1_000, 800, 200), (5_000, 4_000, 1_000), (30_000, 4_000, 20_000)]
)
def test_splits_are_the_protocols(n: int, training: int, test: int) -> None:
    from table_peers.tables import split_rows

    for number in (0, 3):
        order = np.random.default_rng(1000 + number).permutation(n)
        split = split_rows(n, number)
        np.testing.assert_array_equal(split.train, order[:training])
        np.testing.assert_array_equal(split.test, order[training : training + test])


def test_scores_are_the_protocols() -> None:
    from table_peers.scores import scores

    y = np.array([1.0, 2.0, 4.0])
    found = scores(y, np.array([1.0, 3.0, 4.0]))
    assert found == {"error": pytest.approx(100 * math.sqrt(1 / 3) / y.std())}
    p = np.array([[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]], np.float32)
    found = scores(np.array([0, 1, 1]), p)
    assert found["error"] == pytest.approx(200 / 3)
    expected = -(math.log(0.75) + math.log(0.5) + math.log(1e-7)) / 3
    assert found["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_rare_and_new_levels_are_merged() -> None:
    from table_peers.contender import OTHER, Levels, Medians

    train = pd.DataFrame({"c": ["a", "a", "b", "b", "d", None], "x": [1, 2, 3, 4, 5, np.nan]})
    test = pd.DataFrame({"c": ["b", "d", "new", None], "x": [np.nan, 1, 1, 1]})
    levels = Levels(2)
    assert levels(train)["c"].astype(object).fillna("gap").tolist() == [
        "a", "a", "b", "b", OTHER, "gap",
    ]  # fmt: skip
    assert levels(test)["c"].astype(object).fillna("gap").tolist() == ["b", OTHER, OTHER, "gap"]
    every = Levels()
    every(train)
    assert every(test)["c"].isna().tolist() == [False, False, True, True]
    medians = Medians()
    assert medians(train)["x"].tolist() == [1, 2, 3, 4, 5, 3]
    assert medians(test)["x"].tolist() == [3, 1, 1, 1]


@pytest.mark.parametrize(
    "name", ["hist-gradient-boosting", "linear", "scikit-learn-mlp", "lightgbm", "catboost"]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_classes", [0, 3])
def test_contenders_predict_values_or_all_classes(name: str, n_classes: int) -> None:
    from table_peers.contenders import ENTRIES, create

    pytest.importorskip(ENTRIES[name].module)
    rng = np.random.default_rng(0)
    x = rng.normal(size=90)
    X = pd.DataFrame({"x": x, "c": np.where(rng.normal(size=90) > 0, "r", "g").astype(object)})
    X.loc[::8] = np.nan
    y = 2 * (x > 0) if n_classes else 3 * x  # the class 1 is not among the training rows
    contender = create(name, n_classes, 0)
    with threadpool_limits(1):
        contender.fit(X, y)
        found = contender.predict(X)
    assert found.shape == ((90, 3) if n_classes else (90,))
    if n_classes:
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
        assert np.all(found[:, 1] == 0)
        assert np.mean(found.argmax(axis=1) == y) > 0.8


def results(**errors: list[float]) -> dict[str, Any]:
    return {
        name.replace("_", "-"): {
            str(k): {"error": error, "log_loss": error / 100, "seconds": 2.0}
            for k, error in enumerate(values)
        }
        for name, values in errors.items()
    }


def report(**tables: Any) -> dict[str, Any]:
    facts = [{"name": name, "task": "classification"} for name in tables]
    return {"tables": facts, "results": tables, "versions": {}}


def test_gaps_are_geometric_means_of_floored_errors() -> None:
    from table_peers.summary import overall

    found = report(
        one=results(hist_gradient_boosting=[10.0, 10.0], linear=[20.0, 20.0]),
        two=results(hist_gradient_boosting=[0.05, 0.0], linear=[0.01, 0.0]),
        three=results(hist_gradient_boosting=[0.05, 0.05], linear=[0.2, 0.2]),
    )
    linear = overall(found, "linear")
    assert linear.gap is not None and linear.log_loss is not None
    assert linear.gap.value == pytest.approx((2 * 1 * 2) ** (1 / 3) - 1)
    assert linear.gap.error == pytest.approx(0)
    differences = [0.1, -0.0002, 0.0015]
    assert linear.log_loss.value == pytest.approx(sum(differences) / 3)
    assert (linear.n_tables, linear.seconds, linear.most_seconds) == (3, 2, 2)


def test_standard_errors_are_over_splits() -> None:
    from table_peers.summary import overall, table_mean

    found = report(one=results(hist_gradient_boosting=[10, 10, 10], linear=[10, 12, 14]))
    error = table_mean(found, "one", "linear", "error")
    assert error == pytest.approx((12, 2 / math.sqrt(3)))
    gap = overall(found, "linear").gap
    assert gap == pytest.approx((0.2, 0.2 / math.sqrt(3)))


def test_gaps_need_tables_that_both_have() -> None:
    from table_peers.summary import overall, overall_rows

    found = report(one=results(linear=[10.0]), two=results(hist_gradient_boosting=[5.0]))
    linear = overall(found, "linear")
    assert (linear.gap, linear.log_loss, linear.n_tables) == (None, None, 0)
    _, rows = overall_rows(found)
    assert [row[2] for row in rows] == ["+0.0 ± 0.0 %", ""]


def test_tables_of_the_documentation_are_those_of_the_report() -> None:
    from comparing.reports import ROOT
    from table_peers.documents import DOCUMENTS
    from table_peers.published import PATH, read

    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert all(f"<!-- tables: {name} -->" in text for name in DOCUMENTS.blocks)
    assert DOCUMENTS.updated(text, read(PATH)) == text
    assert PATH.with_suffix(".png").exists()
