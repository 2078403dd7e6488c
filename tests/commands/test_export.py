"""``fastmlp export``."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from exported import case
from fastmlp.commands.export_options import EPILOG
from fastmlp.export import main
from fastmlp.exports.formats import FORMATS


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case("two classes").predictor.save("model.safetensors")
    case("regression").predictor.save("other.safetensors")


@pytest.mark.parametrize("suffix", [".py", ".h", ".onnx"])
def test_a_suffix_names_the_format(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    if FORMATS[suffix].library:
        pytest.importorskip(FORMATS[suffix].library)
    Path("runs").mkdir()
    Path("model.safetensors").rename("runs/model.safetensors")
    assert main(["runs", f"made{suffix}"]) == 0
    assert capsys.readouterr().out == f"made{suffix}: {FORMATS[suffix].text}\n"
    assert Path(f"made{suffix}").stat().st_size > 100


def test_help_names_every_suffix() -> None:
    assert all(f"\n  {suffix} " in EPILOG for suffix in FORMATS)


def test_a_header_is_named_after_its_file() -> None:
    assert main(["model.safetensors", "2-class net.h", "--quiet"]) == 0
    assert "model_2_class_net_predict(const float *row)" in Path("2-class net.h").read_text()


def test_another_threshold_goes_into_the_file() -> None:
    assert main(["model.safetensors", "model.py", "--threshold", "0.9", "--quiet"]) == 0
    assert ">= 0.9)" in Path("model.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["model.safetensors", "model.onx"], 2, "OUT must end in .onnx, .py, .h, .pt, .pt2, got"),
        (["model.safetensors", "other.safetensors"], 2, "OUT must end in .onnx"),
        (["model.safetensors", "there.py"], 2, "OUT must be a new file, and there.py exists"),
        (["model.safetensors"], 2, "the following arguments are required: OUT"),
        (["none.safetensors", "a.py"], 3, "none.safetensors"),
        (["other.safetensors", "a.py", "--threshold", "0.5"], 2, "--threshold goes with two"),
        (["model.safetensors", "no/folder/a.py"], 1, "a.py cannot be written: No such file"),
    ],
)
def test_what_is_refused(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there.py").touch()
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert Path("there.py").read_text() == ""


def test_overwrite_replaces_a_file() -> None:
    Path("there.py").touch()
    assert main(["model.safetensors", "there.py", "--overwrite"]) == 0
    assert "def predict(X)" in Path("there.py").read_text()


def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("fastmlp.exports.formats.importlib.import_module", refuse)
    assert main(["model.safetensors", "a.onnx"]) == 1
    error = capsys.readouterr().err
    assert "needs onnx" in error and 'pip install "fastmlp[export]"' in error
    assert not Path("a.onnx").exists() and builtins.__import__ is __import__
