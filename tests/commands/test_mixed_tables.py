"""A table of texts, dates and gaps on the command line, from its file to predictions of others."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import Predictor
from fastmlp.predict import main as predict
from fastmlp.train import main as train

N = 150
Rows = list[dict[str, str]]
SMALL = ["--hidden", "8", "--epochs", "2", "--no-plots"]


def rows(seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)

    def maybe(text: str, share: float) -> str:
        return "" if rng.random() < share else text

    return [
        {
            "PassengerId": str(1000 + i),
            "Survived": str(int(rng.random() < 0.4)),
            "Name": f"Smith{i}, Mr. John",
            "Sex": str(rng.choice(["male", "female"])),
            "Age": maybe(f"{rng.uniform(1, 80):.1f}", 0.2),
            "Port": maybe(str(rng.choice(["S", "C", "Q"])), 0.05),
            "Joined": f"2020-{1 + i % 12:02}-{1 + i % 28:02}",
            "Crew": "no",
        }
        for i in range(N)
    ]


def write(path: Path, table: Rows, names: list[str] | None = None) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(table[0]), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(table)
    path.write_text(text.getvalue())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, t.csv, and the run folder of a model trained on it."""
    path = tmp_path_factory.mktemp("mixed")
    data = write(path / "t.csv", rows())
    options = ["--data", str(data), "--target", "Survived", "--out", str(path / "run"), "--quiet"]
    assert train([*options, *SMALL]) == 0
    return path


def predicted(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[Rows, str]:
    capsys.readouterr()
    assert predict([str(argument) for argument in arguments]) == 0
    out, err = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(out))), err


def test_the_columns_are_shown_before_training(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(["--data", str(folder / "t.csv"), "--target", "Survived", "--explain"]) == 0
    out, err = capsys.readouterr()
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert lines["column"].split() == ["column", "kind", "levels", "missing", "treatment"]
    for name, kind, treatment in (
        ("PassengerId", "identifier", "left out, since it identifies rows"),
        ("Name", "identifier", "left out"), ("Sex", "category", "one column of 0 and 1"),
        ("Age", "number", "scaled; gaps: the median"), ("Port", "category", "one-hot, 4 columns"),
        ("Joined", "date", "month, weekday, days since the first; scaled"),
        ("Crew", "constant", "left out, since it holds only 'no'"),
    ):  # fmt: skip
        assert kind in lines[name] and treatment in lines[name]
    assert "--numeric PassengerId" in err and "predict --keep PassengerId" in err


def test_predictions_take_permuted_columns_gaps_and_new_levels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows(1)
    names = list(table[0])[::-1]
    for row in table[:5]:
        row |= {"Sex": "other", "Port": "new", "Age": "unknown", "Joined": "", "Survived": ""}
    path = write(folder / "new.csv", table, names)
    found, err = predicted(capsys, folder / "run", path, "--keep", "PassengerId,Age")
    assert [row["PassengerId"] for row in found] == [str(1000 + i) for i in range(N)]
    assert [row["Age"] for row in found] == ["unknown"] * 5 + [row["Age"] for row in table[5:]]
    assert {row["prediction"] for row in found} <= {"0", "1"}
    assert [row["actual"] for row in found[:6]] == [""] * 5 + [table[5]["Survived"]]
    assert "column 'Age' must hold numbers; 'unknown' in 5 row(s) is taken as a gap" in err
    assert "column 'Joined' has 5 gap(s), training had none; they are the median" in err
    # Levels that training did not have are like no level at all.
    for row in table[:5]:
        row["Port"] = "another"
    again, _ = predicted(capsys, folder / "run", write(path, table, names))
    assert [row["prediction"] for row in again] == [row["prediction"] for row in found]


def test_predictions_equal_those_of_the_frame(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pandas = pytest.importorskip("pandas")
    found, _ = predicted(capsys, folder / "run", folder / "t.csv")
    predictor = Predictor.load(folder / "run" / "model.safetensors")
    frame = pandas.read_csv(folder / "t.csv")
    with pytest.warns(UserWarning, match="left out"):
        labels = predictor.predict(frame)
    assert labels.tolist() == [int(row["prediction"]) for row in found]


def test_the_model_file_holds_the_encoding_as_text(folder: Path) -> None:
    content = (folder / "run" / "model.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["fastmlp"])
    kinds = {
        name: column["kind"]
        for name, column in zip(
            header["columns"]["names"], header["columns"]["columns"], strict=True
        )
    }
    assert kinds == {"Sex": "category", "Age": "number", "Port": "category", "Joined": "date"}
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "<h2>Columns</h2>" in page and "Smith" not in page and "female" in page


def test_the_same_bits_again(folder: Path) -> None:
    again = [folder / "run" / "config.toml", folder / "again"]
    assert train(["--config", str(again[0]), "--out", str(again[1]), "--quiet", "--no-plots"]) == 0
    files = [folder / name / "model.safetensors" for name in ("run", "again")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_parts_of_a_run_are_predicted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = predicted(capsys, folder / "run", folder / "t.csv", "--part", "test")
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    right = [row["prediction"] == row["actual"] for row in found]
    assert np.mean(right) == pytest.approx(metrics["test_accuracy"])


@pytest.mark.parametrize(("missing", "n"), [("impute", N - 5), ("drop", None)])
def test_rows_without_a_target_or_with_gaps(
    missing: str, n: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows()
    for row in table[:5]:
        row["Survived"] = "?"
    n = n or sum("" not in row.values() for row in table[5:])
    data = str(write(tmp_path / "t.csv", table))
    options = ["--data", data, "--target", "Survived", "--missing", missing, "--split", "none"]
    assert train([*options, "--validation", "0", *SMALL[:4], "--no-out"]) == 0
    err = capsys.readouterr().err
    assert "rows without a target: 5 of 150, left out of training" in err
    assert f"{n:,} training, 0 validation, 0 test rows" in err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--missing", "error"], 3, "got gaps in column(s) Age ("),
        (["--numeric", "Sex"], 2, "numeric must name columns of numbers, got Sex"),
        (["--categorical", "Sec"], 2, "did you mean 'Sex'"),
        (["--categorical", "Survived"], 2, "categorical must name features, got 'Survived'"),
        (["--categorical", "Age", "--numeric", "Age"], 2, "must not name the same column"),
        (["--min-frequency", "0"], 2, "min_frequency must be at least 1"),
        (["--features", "Name"], 3, "must have a column that makes a feature"),
    ],
)
def test_what_cannot_be_done_is_said(
    options: list[str], code: int, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(folder / "t.csv"), "--target", "Survived", "--no-out"]
    assert train([*data, *options]) == code
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and words in error


def test_kinds_are_no_options_of_predictions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = str(folder / "run"), str(folder / "t.csv")
    assert predict([model, data, "--categorical", "Age"]) == 2
    assert "the model knows the kinds" in capsys.readouterr().err
    assert predict([model, data, "--keep", "Nam"]) == 2
    assert "did you mean 'Name'" in capsys.readouterr().err


def test_identifiers_are_kept_on_request(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(folder / "t.csv"), "--target", "Survived", "--explain"]
    assert train([*data, "--numeric", "PassengerId", "--categorical", "Name"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "number" in lines["PassengerId"] and "scaled" in lines["PassengerId"]
    assert "category" in lines["Name"] and "left out: no two of its levels" in lines["Name"]


def test_texts_of_many_words_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        f"{i % 2},{i * 7 % 11},the film number {i} was really not as good as I had hoped"
        for i in range(40)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["y,x,review", *lines]))
    assert train(["--data", str(tmp_path / "t.csv"), "--target", "y", "--no-out"]) == 3
    error = capsys.readouterr().err
    assert "column review must hold numbers, categories or dates" in error
    assert "--drop review" in error and "TfidfVectorizer" in error


def test_gaps_in_rows_for_a_model_of_plain_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{i * 7 % 31},{i * 5 % 17 / 2},{i / 3}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *lines]))
    run = tmp_path / "run"
    assert train(["--data", str(tmp_path / "t.csv"), "--out", str(run), "--quiet", *SMALL]) == 0
    (tmp_path / "new.csv").write_text("b,a\n,3\n2.5,\n?,x\n")
    found, err = predicted(capsys, run, tmp_path / "new.csv")
    assert len(found) == 3
    assert "column 'a' has 2 gap(s), training had none; they are the mean" in err
    (tmp_path / "new.csv").write_text("b,a\n1,red\n2,blue\n")
    assert predict([str(run), str(tmp_path / "new.csv")]) == 3
    assert "column 'a' must hold numbers, as in training, got texts such as" in (
        capsys.readouterr().err
    )


def test_parquet_and_arrow_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    csv_module = pytest.importorskip("pyarrow.csv")
    parquet, feather = (
        pytest.importorskip("pyarrow.parquet"),
        pytest.importorskip("pyarrow.feather"),
    )
    table = csv_module.read_csv(write(tmp_path / "t.csv", rows()))
    assert isinstance(table, pyarrow.Table)
    parquet.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.arrow", compression="uncompressed")
    run = tmp_path / "run"
    data = ["--data", str(tmp_path / "t.parquet"), "--target", "Survived"]
    assert train([*data, "--out", str(run), *SMALL]) == 0
    found, _ = predicted(capsys, run, tmp_path / "t.arrow", "--keep", "PassengerId")
    assert [row["PassengerId"] for row in found] == [row["PassengerId"] for row in rows()]
    assert [row["actual"] for row in found] == [row["Survived"] for row in rows()]
    assert train([*data, "--decimal", ",", "--no-out"]) == 2
