"""``--layers`` on the command line: runs, their folders, and refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import TrainConfig
from fastmlp.base.toml import read_toml
from fastmlp.train import main

LAYERS = "conv2d(4, 3), max_pool2d(2), dropout(0.2), dense(8)"
QUICK = ["--epochs", "1", "--no-out", "--quiet"]
DIGITS = ["--data", "digits", "--layers", LAYERS]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON of a run."""
    assert main([*arguments, *QUICK, "--json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "digits", "--layers", "conv2d(4, 9)"], "kernel_size must be at most the input"),
        (["--data", "digits", "--layers", "dense(4), conv2d(4, 3)"], "layer 2, conv2d(4, 3"),
        (["--data", "moons", "--layers", "conv2d(4, 3)"], "set input_shape"),
        (["--data", "digits", "--layers", "conv(4, 3)"], "did you mean 'conv2d'"),
        ([*DIGITS, "--input-shape", "8,8"], "--input-shape: input_shape must be height, width"),
        ([*DIGITS, "--input-shape", "8,9,1"], "must multiply to the number of features, 64"),
        ([*DIGITS, "--input-shape", "4,16,1"], "must be the shape of the data's images, 8,8,1"),
        ([*DIGITS, "--hidden", "128,64"], "--hidden: hidden_layer_sizes does not go with layers"),
        ([*DIGITS, "--dropout", "0.1"], "--dropout: dropout does not go with layers"),
        (["--data", "digits", "--hidden", "900000,900000"], "layers must fit into the memory"),
    ],
)
def test_layers_that_do_not_fit_are_one_clear_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, *QUICK]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and says in line


def test_a_run_folder_repeats_a_convolutional_run() -> None:
    folder = ["--epochs", "1", "--quiet", "--no-plots", "--out"]
    assert main([*DIGITS, *folder, "first"]) == 0
    config = TrainConfig.from_dict(read_toml("first/config.toml", "config"))
    assert config.layers == TrainConfig(layers=LAYERS).layers
    assert config.input_shape == (8, 8, 1)
    assert main(["--config", "first/config.toml", *folder, "second"]) == 0
    first, second = (Path(name, "model.safetensors").read_bytes() for name in ("first", "second"))
    assert first == second


def test_other_data_bring_their_own_images(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    np.savez("images.npz", X=rng.random((60, 9, 7)), y=np.arange(60) % 3)
    Path("old.toml").write_text(
        'data = "digits"\nlayers = ["conv2d(4, 3)"]\ninput_shape = [8, 8, 1]\n'
    )
    found = run(capsys, "--config", "old.toml", "--data", "images.npz")
    assert found["config"]["input_shape"] == [9, 7, 1]


def test_rows_of_a_table_are_images(capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 784))
    rows = np.column_stack([pixels, np.arange(40) % 2])
    names = ",".join([*(f"p{number}" for number in range(784)), "digit"])
    np.savetxt("pixels.csv", rows, fmt="%d", delimiter=",", header=names, comments="")
    found = run(
        capsys, "--data", "pixels.csv", "--target", "digit", "--layers", "conv2d(2, 5, stride=4)",
        "--input-shape", "28,28,1",
    )  # fmt: skip
    assert found["model"]["n_parameters"] == 25 * 2 + 2 + 6 * 6 * 2 + 1


def test_explain_shows_the_plan_of_images(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DIGITS, "--explain"]) == 0
    out = capsys.readouterr().out
    assert "because layers of images take 32 rows at once" in out
    assert "because conv2d(4, 3, activation=relu) takes images" in out
    assert "conv2d(4, 3, activation=relu), max_pool2d(2): direct, with pooling" in out
    assert re.search(r"buffers: \d\.\d MB for training, \d\.\d MB for evaluation", out)
