"""``python -m fastmlp.predict`` as a user meets it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastmlp
from fastmlp.data.split import parts
from fastmlp.ops.scalers import Scaling
from fastmlp.predict import main
from fastmlp.train import main as train
from toys import model

X = np.random.default_rng(3).normal(size=(12, 4))


@pytest.fixture
def features(tmp_path: Path) -> str:
    path = tmp_path / "x.csv"
    np.savetxt(path, X, delimiter=",", fmt="%.17g")
    return str(path)


def saved(tmp_path: Path, kind: str, **options: object) -> str:
    path = tmp_path / f"{kind}.safetensors"
    model(kind, **options).save(path)
    return str(path)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def with_targets(tmp_path: Path, y: np.ndarray) -> str:
    path = tmp_path / "xy.npz"
    np.savez(path, X=X, y=y)
    return str(path)


def test_run_folder_predicts_test_set_with_recorded_metrics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    arguments = ["--data", "digits", "--hidden", "16", "--epochs", "2", "--quiet", "--no-plots"]
    assert train([*arguments, "--out", str(folder)]) == 0
    split = parts(fastmlp.load_dataset("digits"), seed=0)
    assert split.X_test is not None and split.y_test is not None
    np.savez(tmp_path / "test.npz", X=split.X_test, y=split.y_test)
    capsys.readouterr()
    assert main([str(folder), str(tmp_path / "test.npz"), "--format", "json"]) == 0
    captured = capsys.readouterr()
    described = json.loads(captured.out)
    known = json.loads((folder / "metrics.json").read_text())["sets"]["test"]
    assert described["metrics"].items() <= known.items()
    assert captured.err == ""
    assert [row["actual"] for row in described["predictions"]] == split.y_test.tolist()


@pytest.mark.parametrize("kind", ["multiclass", "binary", "multilabel", "regression"])
def test_csv_and_json_hold_what_the_model_predicts(
    kind: str, tmp_path: Path, features: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, predictor = saved(tmp_path, kind), model(kind)
    assert main([path, features]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert [row.pop("row") for row in rows] == [str(i) for i in range(len(X))]
    values = np.array([list(map(float, row.values())) for row in rows])
    predicted = predictor.predict(X).reshape(len(X), -1)
    n = predicted.shape[1]
    np.testing.assert_array_equal(values[:, :n].astype(predicted.dtype), predicted)
    if kind == "regression":
        assert list(rows[0]) == ["prediction_0", "prediction_1"]
    else:
        np.testing.assert_array_equal(values[:, n:].astype(np.float32), predictor.predict_proba(X))
        first = {"multiclass": "1", "binary": "3", "multilabel": "0"}[kind]
        assert list(rows[0])[n] == f"probability_{first}"
    assert main([path, features, "--format", "json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert [list(map(float, list(row.values())[1:])) for row in described["predictions"]] == (
        values.tolist()
    )
    assert "metrics" not in described


@pytest.mark.parametrize(
    ("kind", "reported"), [("binary", "ROC area"), ("multilabel", "macro average"),
                           ("regression", "RMSE"), ("multiclass", "confusions")],
)  # fmt: skip
def test_what_is_right_gives_a_report(
    kind: str, reported: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    y = model(kind).predict(X)
    if kind == "multiclass":
        y[0] = {1: 4, 4: 9, 9: 1}[y[0]]
    path, inputs = saved(tmp_path, kind), with_targets(tmp_path, y)
    assert main([path, inputs]) == 0
    captured = capsys.readouterr()
    assert reported in captured.err
    assert rows_of(captured.out)[0].keys() & {"actual", "actual_0"}
    assert main([path, inputs, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    out = tmp_path / "p.json"
    assert main([path, inputs, "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert reported in captured.out and captured.err == ""
    metrics = json.loads(out.read_text())["metrics"]
    assert metrics.get("accuracy", metrics.get("r2")) == (11 / 12 if kind == "multiclass" else 1)


def test_labels_are_matched_by_their_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, "binary", classes=["3", "8"])
    assert main([path, with_targets(tmp_path, np.array([3, 8] * 6)), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["predictions"][1]["actual"] == "8"


def test_the_threshold_decides(
    tmp_path: Path, features: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, "binary")
    shares = []
    for threshold in ("0.01", "0.99"):
        assert main([path, features, "--threshold", threshold]) == 0
        rows = rows_of(capsys.readouterr().out)
        for row in rows:
            is_second = float(row["probability_8"]) >= float(threshold)
            assert row["prediction"] == ("8" if is_second else "3")
        shares.append(sum(row["prediction"] == "8" for row in rows))
    assert shares[0] > shares[1]


def test_images_come_in_the_range_of_those_that_were_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictor = model()
    predictor.scaling = Scaling("unit", np.zeros(1), np.ones(1) / 16)
    predictor.save(tmp_path / "model")
    pixels = np.array([[0, 51], [102, 255]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert main([str(tmp_path / "model"), str(tmp_path / "a.png")]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert row["file"] == str(tmp_path / "a.png")
    expected = predictor.predict_proba(pixels.reshape(1, 4) / 255 * 16)[0]
    found = [float(row[f"probability_{label}"]) for label in (1, 4, 9)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_output_that_is_no_probability_is_not_called_one(
    tmp_path: Path, features: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = fastmlp.Dataset(X, np.arange(12) % 2)
    config = fastmlp.TrainConfig(
        output_activation="tanh",
        loss="squared_error",
        hidden_layer_sizes=(3,),
        epochs=1,
        batch_size=4,
    )
    fastmlp.fit(config, dataset).predictor.save(tmp_path / "model")
    assert main([str(tmp_path / "model"), features]) == 0
    assert list(rows_of(capsys.readouterr().out)[0]) == [
        "row",
        "prediction",
        "output_0",
        "output_1",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["multiclass", "x.csv", "--threshold", "0.3"], 2, "this model does multiclass"),
        (["binary", "x.csv", "--threshold", "1.5"], 2, "--threshold must be between 0 and 1"),
        (["binary", "x.csv", "--treshold", "0.5"], 2, "did you mean --threshold"),
        (["binary", "x.csv", "--format", "xml"], 2, "invalid choice"),
        (["binary", "x.csv", "--overwrite"], 2, "does not go without --out"),
        (["binary", "x.csv", "--out", "x.csv"], 2, "--out x.csv must be a new file"),
        (["binary", "x.csv", "--out", "no/p.csv"], 1, "No such file"),
        (["binary", "x.csv", "--threads", "0"], 2, "--threads must be at least 1"),
        (["binary"], 2, "INPUT"),
        (["binary", "nothing.csv"], 3, "nothing.csv cannot be read"),
        (["x.csv", "x.csv"], 3, "x.csv cannot be read"),
        ([".", "x.csv"], 3, "model.safetensors does not exist"),
        (["binary", "y.npz"], 3, "labels must be those of the model (3, 8), got '5'"),
        (["multilabel", "y.npz"], 3, "targets must be numbers of shape (12, 2)"),
        (["multilabel", "y2.npz"], 3, "targets must be 0 or 1 for each label"),
        (["binary", "y2.npz"], 3, "labels must be one for each row, or one-hot, got shape (12, 2)"),
        (["binary", "wide.npz"], 3, "X must have shape (n, 4)"),
    ],
)
def test_bad_input_is_one_clear_line_and_the_right_code(
    arguments: list[str], code: int, words: str, tmp_path: Path, features: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for kind in ("binary", "multiclass", "multilabel"):
        model(kind).save(kind)
    np.savez("y.npz", X=X, y=np.full(12, 5))
    np.savez("y2.npz", X=X, y=np.full((12, 2), 5))
    np.savez("wide.npz", X=np.ones((2, 5)))
    assert main(arguments) == code
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ") and words in line, line
    assert captured.out == ""


def test_what_is_slow_to_import_is_not_needed(tmp_path: Path, features: str) -> None:
    script = (
        "import sys; from fastmlp.predict import main; "
        "assert main(sys.argv[1:]) == 0; "
        "assert not {'matplotlib', 'sklearn'} & {*sys.modules}"
    )
    subprocess.run(
        [sys.executable, "-c", script, saved(tmp_path, "binary"), features],
        check=True, stdout=subprocess.DEVNULL, env=os.environ,
    )  # fmt: skip


def test_help_shows_every_kind_of_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    for text in ("FILE.csv", "FILE.npz", "IDX", "FILE.png", "--threshold", "exit codes:"):
        assert text in printed


# --- parts of a run ---


@pytest.mark.parametrize("part", ["training", "validation", "test"])
@pytest.mark.parametrize("kind", ["classes", "numbers", "labels"])
def test_a_part_of_a_run_has_the_metrics_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, part: str
) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(90, 4))
    targets = {
        "classes": np.digitize(rows[:, 0], [-0.5, 0.5]),
        "numbers": 100 + rows @ [1.0, 2.0, -1.0, 0.5],
        "labels": (rows[:, :2] > 0).astype(np.uint8),
    }
    data, folder = tmp_path / "data.npz", tmp_path / "run"
    np.savez(data, X=rows, y=targets[kind])
    arguments = ["--data", str(data), "--epochs", "2", "--hidden", "8", "--lr", "0.01", "--quiet"]
    assert train([*arguments, "--no-plots", "--out", str(folder)]) == 0
    capsys.readouterr()
    assert main([str(folder), str(data), "--part", part, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["metrics"]
    of_run = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["sets"][part]
    assert found == {name: of_run[name] for name in found}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--part", "test", "--target", "y"], "--target cannot be combined with --part"),
        (["--part", "test", "--na", "x"], "--na cannot be combined with --part"),
        (["--part", "validation"], "must be a part of the run, which has none"),
    ],
)
def test_impossible_parts_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    folder = str(tmp_path / "run")
    given = ["--data", "blobs(n=60)", "--epochs", "1", "--validation", "0", "--quiet", "--no-plots"]
    assert train([*given, "--out", folder]) == 0
    assert main([folder, "blobs(n=60)", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_part_needs_the_folder_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], features: str
) -> None:
    assert main([saved(tmp_path, "regression"), features, "--part", "test"]) == 2
    assert "--part test needs the folder of a run as MODEL" in capsys.readouterr().err
