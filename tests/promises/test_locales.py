"""Names with letters outside the locale's encoding: files in UTF-8, and resumed runs."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs names that are bytes")
ROOT = Path(__file__).parents[2]
LOCALES = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "cp1252": {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    "utf-8": {"PYTHONUTF8": "1"},
}
each_locale = pytest.mark.parametrize("locale", LOCALES)
# In UTF-8, and in an encoding of old.
NAMES = {"utf-8": "größe-数".encode(), "latin-1": b"gr\xf6\xdfe"}
BINARY = {".png", ".sqlite", ".safetensors"}
QUICK = ["--epochs", "2", "--hidden", "3", "--quiet"]


def run(locale: str, *arguments: str | bytes, folder: Path, code: int = 0) -> bytes:
    """What a program prints in a locale."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT), **LOCALES[locale]},
    )  # fmt: skip
    assert done.returncode == code, (done.stdout, done.stderr)
    assert b"Traceback" not in done.stderr
    return done.stdout


def train(locale: str, *arguments: str | bytes, folder: Path, code: int = 0) -> bytes:
    return run(locale, "-m", "fastmlp.train", *QUICK, *arguments, folder=folder, code=code)


def check_texts(folder: bytes) -> None:
    """Every text in a folder is in UTF-8."""
    paths = [Path(path) for path in Path(os.fsdecode(folder)).rglob("*") if path.is_file()]
    assert paths
    for path in paths:
        if path.suffix not in BINARY and path.name != "sweep.lock":
            path.read_bytes().decode("utf-8")


@pytest.fixture
def table(tmp_path: Path, request: pytest.FixtureRequest) -> bytes:
    """A CSV file of a name from ``NAMES``."""
    path = NAMES[request.param] + b".csv"
    rows = "".join(f"{i % 7},{i % 5},{'äßç'[i % 3]}\n" for i in range(60))
    (tmp_path / os.fsdecode(path)).write_text(f"breiteß,b,ü\n{rows}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("first", "then", "table"),
    [("ascii", "utf-8", "latin-1"), ("utf-8", "ascii", "utf-8")], indirect=["table"],
)  # fmt: skip
def test_run_resumes_in_another_locale(first: str, then: str, table: bytes, tmp_path: Path) -> None:
    out = table + b".run"
    options = ["--target", "ü", "--classes", "ä,ß", "--class-weight", "ä=2", "--no-plots"]
    train(first, "--data", table, *options, "--checkpoint-every", "1", "--out", out,
          folder=tmp_path)  # fmt: skip
    folder = os.fsencode(tmp_path) + b"/" + out
    check_texts(folder)
    config = tomllib.loads((tmp_path / os.fsdecode(out) / "config.toml").read_text("utf-8"))
    assert (config["target"], config["classes"]) == ("ü", ["ä", "ß"])
    expected = table.decode("utf-8", "backslashreplace")
    assert config["data"] == expected
    before = (tmp_path / os.fsdecode(out) / "model.safetensors").read_bytes()
    for locale in (first, then):
        run(locale, "-m", "fastmlp.train", "--resume", out, "--quiet", "--no-plots",
            folder=tmp_path)  # fmt: skip
    assert (tmp_path / os.fsdecode(out) / "model.safetensors").read_bytes() == before
    check_texts(folder)
    printed = run(then, "-m", "fastmlp.train", "--config", out + b"/config.toml", "--json",
                  "--no-out", "--quiet", folder=tmp_path)  # fmt: skip
    assert json.loads(printed)["config"]["data"] == expected


@pytest.mark.parametrize(
    ("locale", "table"),
    [("ascii", "latin-1"), ("cp1252", "utf-8")], indirect=["table"],
)  # fmt: skip
def test_sweeps_and_predictions_in_any_locale(locale: str, table: bytes, tmp_path: Path) -> None:
    out = table + b".sweep"
    axes = ["--activation", "relu,tanh", "--init", "he_normal", "--mode", "batch"]
    options = ["--data", table, "--target", "ü", "--out", out]
    run(locale, "-m", "fastmlp.sweep", *QUICK, *axes, *options, "--retrain-best", folder=tmp_path)
    run(locale, "-m", "fastmlp.sweep", "--resume", "--out", out, "--quiet", folder=tmp_path)
    check_texts(os.fsencode(tmp_path) + b"/" + out)
    predictions = table + b".out.csv"
    run(locale, "-m", "fastmlp.predict", out + b"/best", table, "--out", predictions,
        folder=tmp_path)  # fmt: skip
    with (tmp_path / os.fsdecode(predictions)).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0].keys() >= {"probability_ä", "probability_ß"}
    assert {row["actual"] for row in rows} == {"ä", "ß", "ç"}


@each_locale
def test_the_folder_that_is_printed_can_be_given_back(locale: str, tmp_path: Path) -> None:
    out = NAMES["utf-8"]
    printed = train(locale, "--data", "digits", "--no-plots", "--out", out, folder=tmp_path)
    shown = printed.splitlines()[-1].removeprefix(b"run folder").strip()
    if locale == "cp1252":  # of a locale that says UTF-8, with streams that cannot
        assert shown == "größe-\\u6570".encode("cp1252")
    else:
        assert shown == out


IN_PYTHON = """
import os, sys
import numpy as np
import fastmlp
name = os.fsdecode(bytes.fromhex(sys.argv[1]))
X = np.arange(80.0).reshape(40, 2)
dataset = fastmlp.Dataset(X, np.array(["ä", "ß"] * 20), name=name)
config = fastmlp.TrainConfig(hidden_layer_sizes=(3,), epochs=2, data=name)
log = fastmlp.CsvLog(name + ".csv")
adding = fastmlp.LambdaCallback(on_epoch_end=lambda run, row: row.update({"größe": "数"}))
result = fastmlp.fit(config, dataset, callbacks=[log, adding], checkpoint_dir=name + ".checks")
folder = fastmlp.save_run(result, dataset, name, plots=False)
result.predictor.save(name + ".model")
assert fastmlp.Predictor.load(name + ".model").classes.tolist() == ["ß", "ä"]
np.savez(name + ".npz", X=X, y=dataset.y)
assert fastmlp.load_dataset(name + ".npz").X.shape == X.shape
fastmlp.run_sweep({"epochs": [1, 2]}, dataset, out=name + ".sweep", plots=False)
print(ascii(result.history["größe"]))
"""


@pytest.mark.parametrize(("locale", "name"), [("ascii", "utf-8"), ("utf-8", "latin-1")])
def test_python_writes_the_same_files_in_any_locale(locale: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(IN_PYTHON, encoding="utf-8")
    printed = run(locale, "script.py", NAMES[name].hex(), folder=tmp_path)
    assert printed.split() == [b"['\\u6570',", b"'\\u6570']"]
    script, *others = sorted(tmp_path.iterdir(), key=lambda path: path.name != "script.py")
    assert {os.fsencode(path.name) for path in others} == {
        NAMES[name] + ending for ending in (b"", b".csv", b".checks", b".model", b".npz", b".sweep")
    }  # fmt: skip
    script.unlink()
    (tmp_path / os.fsdecode(NAMES[name] + b".npz")).unlink()
    (tmp_path / os.fsdecode(NAMES[name] + b".model")).unlink()
    check_texts(os.fsencode(tmp_path))


@pytest.mark.parametrize("locale", ["ascii", "utf-8"])
def test_folders_of_pictures_are_labels(locale: str, tmp_path: Path) -> None:
    from PIL import Image

    from toys import model

    model(classes=["ß", "ä", "ç"], kind="multiclass").save(tmp_path / "model.safetensors")
    for label in ("ä", "ß"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        Image.new("L", (2, 2)).save(tmp_path / "pictures" / label / "größe.png")
    printed = run(locale, "-m", "fastmlp.predict", "model.safetensors", "pictures", "--out",
                  "p.json", folder=tmp_path)  # fmt: skip
    assert b"accuracy" in printed
    found = json.loads((tmp_path / "p.json").read_bytes())["predictions"]
    assert {row["actual"] for row in found} == {"ä", "ß"}
    assert {Path(row["file"]).name for row in found} == {"größe.png"}


def test_a_package_may_lie_in_such_a_folder(tmp_path: Path) -> None:
    site = tmp_path / os.fsdecode(NAMES["utf-8"])
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "fastmlp", site / "fastmlp", ignore=ignored)
    (tmp_path / "script.py").write_text(
        "import fastmlp\n"
        "from fastmlp.training.kernel_folder import kept_in\n"
        "print(ascii(kept_in()))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, timeout=600,
        env={
            **os.environ, **LOCALES["ascii"], "PYTHONPATH": os.fsdecode(os.fsencode(site)),
            "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"kernels_" in done.stdout
