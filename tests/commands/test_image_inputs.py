"""Images and arrays that ``python -m fastmlp.predict`` is given, against those trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fastmlp
from fastmlp import Dataset, Predictor, TrainConfig
from fastmlp.commands.image_inputs import fit_to_training
from fastmlp.data.inputs import Inputs
from fastmlp.predict import main
from fastmlp.train import main as train
from toys import model

DIGITS = fastmlp.load_dataset("digits")
UNIT = np.asarray(DIGITS.X) / 16
BYTES = np.round(255 * UNIT).astype(np.uint8)
CONFIG = TrainConfig(hidden_layer_sizes=(16,), epochs=3, scale="standard")
N = 60  # images to predict from


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def trained(path: Path, X: np.ndarray, **facts: Any) -> Predictor:
    predictor = fastmlp.fit(CONFIG, Dataset(X, DIGITS.y, **facts)).predictor
    predictor.save(path)
    return predictor


def exported(folder: Path, pixels: np.ndarray, mode: str = "L") -> Path:
    """A folder of PNG files for each label, as a user exports images."""
    for i, (row, label) in enumerate(zip(pixels[:N], DIGITS.y, strict=False)):
        path = folder / str(label) / f"{i:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row.reshape(8, 8, *row.shape[1:])).convert(mode).save(path)
    return folder


def written(path: Path, pixels: np.ndarray) -> Path:
    path.write_bytes(idx_bytes(pixels[:N].reshape(-1, 8, 8)))
    labels = path.with_name("labels")
    labels.write_bytes(idx_bytes(DIGITS.y[:N].astype(np.uint8)))
    return path


def predicted(model: Path, *arguments: object) -> tuple[np.ndarray, dict[str, Any]]:
    """The labels predicted, in the order of the images, and the metrics."""
    out = model.with_suffix(".json")
    code = main([str(model), *map(str, arguments), "--out", str(out), "--overwrite"])
    assert code == 0
    found = json.loads(out.read_text())
    rows = found["predictions"]
    if "file" in rows[0]:
        rows = sorted(rows, key=lambda row: Path(row["file"]).name)
    return np.array([row["prediction"] for row in rows]), found.get("metrics", {})


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "0 to 1": lambda x: x,
    "0 to 1 in float32": lambda x: x.astype(np.float32),
    "-1 to 1": lambda x: 2 * x - 1,
    "0 to 16": lambda x: 16 * x,
    "0 to 100": lambda x: 100 * x,
    "standardised together": lambda x: (x - UNIT.mean()) / UNIT.std(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_images_come_in_the_range_of_those_that_were_trained_on(
    shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X = SHAPES[shape](UNIT)
    expected = trained(tmp_path / "m", X).predict(X[:N])
    accuracy = np.mean(expected == DIGITS.y[:N])
    for inputs in (
        [exported(tmp_path / "png", BYTES)],
        [written(tmp_path / "idx", BYTES), "--labels", tmp_path / "labels"],
    ):
        labels, metrics = predicted(tmp_path / "m", *inputs)
        assert np.mean(labels == expected) >= (N - 1) / N  # bytes are rounded
        assert metrics["accuracy"] == pytest.approx(accuracy, abs=1.5 / N)
        assert "images: scaled from 0 to 255 to" in capsys.readouterr().err


def test_bytes_of_a_model_of_bytes_are_taken_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = BYTES.reshape(-1, 8, 8)
    expected = trained(tmp_path / "m", images).predict(BYTES[:N])
    for inputs in ([exported(tmp_path / "png", BYTES)], [written(tmp_path / "idx", BYTES)]):
        labels, _ = predicted(tmp_path / "m", *inputs)
        np.testing.assert_array_equal(labels, expected)
    assert "images" not in capsys.readouterr().err


@pytest.mark.parametrize("shape", ["0 to 16", "0 to 100"])
def test_bytes_that_already_have_the_range_stay(
    shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X = np.round(SHAPES[shape](UNIT)).astype(np.uint8)
    expected = trained(tmp_path / "m", X.astype(float)).predict(X[:N])
    labels, _ = predicted(tmp_path / "m", exported(tmp_path / "png", X))
    np.testing.assert_array_equal(labels, expected)
    assert "images: not scaled, since no value exceeds" in capsys.readouterr().err
    inverted = int(X.max()) - X
    labels, _ = predicted(tmp_path / "m", exported(tmp_path / "inv", inverted), "--invert", "yes")
    np.testing.assert_array_equal(labels, expected)


def test_features_scaled_one_by_one_cannot_be_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deviation = UNIT.std(axis=0)
    X = (UNIT - UNIT.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    trained(tmp_path / "m", X)
    assert main([str(tmp_path / "m"), str(exported(tmp_path / "png", BYTES))]) == 3
    assert "scaled feature by feature beforehand" in capsys.readouterr().err
    np.savez(tmp_path / "x.npz", X=X[:N])
    assert predicted(tmp_path / "m", tmp_path / "x.npz")[0].shape == (N,)


@pytest.mark.parametrize("training", ["bright on dark", "dark on bright"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_the_opposite_of_the_training_images_is_inverted(
    training: str, mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = BYTES if training == "bright on dark" else 255 - BYTES
    expected = trained(tmp_path / "m", pixels.reshape(-1, 8, 8)).predict(pixels[:N])
    folder = exported(tmp_path / "png", 255 - pixels, mode)
    path = written(tmp_path / "idx", 255 - pixels)
    for inputs in (folder, path):
        labels, _ = predicted(tmp_path / "m", inputs)
        np.testing.assert_array_equal(labels, expected)
        said = capsys.readouterr().err
        opposite = " ".join(reversed(training.split(" on ")))
        assert f"{N} of {N} are {opposite.replace(' ', ' on ')}" in said
        assert "--invert no" in said
        kept, _ = predicted(tmp_path / "m", inputs, "--invert", "no")
        assert np.mean(kept == expected) < 0.5
        same, _ = predicted(tmp_path / "m", inputs, "--invert", "yes", "--quiet")
        np.testing.assert_array_equal(same, expected)
        assert capsys.readouterr().err == ""


def test_some_images_of_many_may_be_the_opposite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = trained(tmp_path / "m", UNIT).predict(UNIT[:N])
    mixed = BYTES.copy()
    mixed[:N:3] = 255 - mixed[:N:3]
    labels, _ = predicted(tmp_path / "m", exported(tmp_path / "png", mixed))
    assert np.mean(labels == expected) >= (N - 1) / N
    assert f"{N // 3} of {N} are dark on bright" in capsys.readouterr().err


@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("training", [UNIT, 1 - UNIT], ids=["dark", "bright"])
def test_transparent_pixels_become_background(
    training: np.ndarray, ink: int, tmp_path: Path
) -> None:
    expected = trained(tmp_path / "m", training).predict(training[:N])
    pixels = np.full((N, 64, 4), ink, np.uint8)
    pixels[..., 3] = BYTES[:N]
    labels, _ = predicted(tmp_path / "m", exported(tmp_path / "png", pixels, "RGBA"))
    assert np.mean(labels == expected) >= (N - 1) / N


def test_16_bits_are_predicted_like_8(tmp_path: Path) -> None:
    expected = trained(tmp_path / "m", UNIT).predict(UNIT[:N])
    words = np.round(UNIT * 65535).astype(np.uint16)
    labels, _ = predicted(tmp_path / "m", exported(tmp_path / "png", words, "I;16"))
    np.testing.assert_array_equal(labels, expected)


def test_colours_are_predicted_as_they_were_trained_on(tmp_path: Path) -> None:
    shade = np.array([1, 0.8, 0.6])
    colours = np.round(BYTES[..., None] * shade).astype(np.uint8)
    trained(tmp_path / "m", colours.reshape(-1, 8, 8, 3))
    expected = Predictor.load(tmp_path / "m").predict(colours[:N].reshape(N, -1))
    folder = exported(tmp_path / "png", colours, "RGB")
    np.testing.assert_array_equal(predicted(tmp_path / "m", folder)[0], expected)


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_arrays_of_bytes_are_images_but_never_inverted_unasked(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = trained(tmp_path / "m", UNIT).predict(UNIT[:N])

    def stored(pixels: np.ndarray) -> Path:
        path = tmp_path / f"X.{form}"
        images = pixels[:N].reshape(-1, 8, 8, 1)
        np.save(path, images) if form == "npy" else np.savez(path, X=images)
        return path

    labels, _ = predicted(tmp_path / "m", stored(BYTES))
    assert np.mean(labels == expected) >= (N - 1) / N
    labels, _ = predicted(tmp_path / "m", stored(255 - BYTES))
    assert np.mean(labels == expected) < 0.5
    labels, _ = predicted(tmp_path / "m", stored(255 - BYTES), "--invert", "yes")
    assert np.mean(labels == expected) >= (N - 1) / N
    said = capsys.readouterr().err
    assert "scaled from 0 to 255 to 0 to 1" in said and "inverted" not in said


@pytest.mark.parametrize(
    ("seen", "given_rows", "words"),
    [
        (UNIT, 255 * UNIT, "64 features lie far outside their range in training"),
        (255 * UNIT, UNIT, "seem to have the range 0 to 1, and those in training 0 to 255"),
        (UNIT, 2 * UNIT - 1, "seem to have the range -1 to 1, and those in training 0 to 1"),
    ],
)
def test_arrays_outside_training_range_are_reported(
    seen: np.ndarray, given_rows: np.ndarray, words: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    trained(tmp_path / "m", seen)
    np.savez(tmp_path / "x.npz", X=given_rows[:N], y=DIGITS.y[:N])
    predicted(tmp_path / "m", tmp_path / "x.npz")
    said = capsys.readouterr().err
    assert words in said and "scale them as the training data" in said
    np.savez(tmp_path / "x.npz", X=seen[:N], y=DIGITS.y[:N])
    predicted(tmp_path / "m", tmp_path / "x.npz")
    assert capsys.readouterr().err == ""


def test_an_unknown_training_range_is_reported() -> None:
    said: list[str] = []
    X = fit_to_training(model(), Inputs(BYTES[:, :4], are_images=True), "auto", said.append)
    np.testing.assert_array_equal(X, BYTES[:, :4])
    assert said == [
        "images: the model does not hold the range of the training images; kept at 0 to 255"
    ]


def test_only_images_are_inverted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model().save(tmp_path / "m")
    np.savetxt(tmp_path / "x.csv", np.ones((3, 4)), delimiter=",")
    assert main([str(tmp_path / "m"), str(tmp_path / "x.csv"), "--invert", "yes"]) == 2
    assert "--invert yes applies to images" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_run_on_arrays_predicts_test_part_with_recorded_metrics(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one_hot = np.eye(10)[DIGITS.y]
    arrays = {
        "X_train": UNIT[:1000], "y_train": one_hot[:1000], "X_val": UNIT[1000:1200],
        "y_val": one_hot[1000:1200], "X_test": UNIT[1200:], "y_test": one_hot[1200:],
    }  # fmt: skip
    np.savez("a.npz", **arrays)
    for name, array in arrays.items():
        np.save(f"{name}.npy", array)
    data, test = ("a.npz", "a.npz") if form == "npz" else ("X_train.npy", "X_test.npy")
    arguments = ["--data", data, "--task", "classification", "--hidden", "16", "--epochs", "3"]
    assert train([*arguments, "--out", "run", "--no-plots", "--quiet"]) == 0
    known = json.loads(Path("run/metrics.json").read_text())["sets"]
    assert [known[name]["rows"] for name in ("training", "validation", "test")] == [1000, 200, 597]
    _, metrics = predicted(Path("run"), test)
    assert metrics.items() <= known["test"].items()
    assert metrics["accuracy"] > 0.7


# --- networks of images ---

IMAGE_CONFIG = TrainConfig(layers="conv2d(6, 3), max_pool2d(2), dropout(0.1)", epochs=3, seed=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_file_is_predicted_by_a_network_of_images(
    channels: int, tmp_path: Path
) -> None:
    pixels = np.repeat(BYTES.reshape(-1, 8, 8, 1), channels, axis=3)
    pixels[..., 1:] //= 2
    if channels == 1:
        pixels = pixels[..., 0]
    dataset = Dataset(pixels, DIGITS.y)
    predictor = fastmlp.fit(IMAGE_CONFIG, dataset).predictor
    assert predictor.network.input_shape == (8, 8, channels)
    assert predictor.features is not None
    assert predictor.features.image_shape == ((8, 8) if channels == 1 else (8, 8, 3))
    predictor.save(tmp_path / "m")
    expected = predictor.predict(pixels[:N])
    assert np.mean(expected == DIGITS.y[:N]) > 0.5
    rows = pixels[:N].reshape(N, -1)
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",", fmt="%d")
    np.save(tmp_path / "rows.npy", rows)
    np.save(tmp_path / "images.npy", pixels[:N])
    np.savez(tmp_path / "images.npz", X=pixels[:N], y=DIGITS.y[:N])
    (tmp_path / "images.idx").write_bytes(idx_bytes(pixels[:N]))
    inputs = ["rows.csv", "rows.npy", "images.npy", "images.npz", "images.idx"]
    exported(tmp_path / "png", pixels.reshape(len(pixels), 64, *pixels.shape[3:]),
             "L" if channels == 1 else "RGB")  # fmt: skip
    for name in [*inputs, "png"]:
        labels, metrics = predicted(tmp_path / "m", tmp_path / name)
        np.testing.assert_array_equal(labels, expected, err_msg=name)
        if name in ("images.npz", "png"):
            assert metrics["accuracy"] == np.mean(expected == DIGITS.y[:N])


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_a_network_of_colour_images_is_trained_from_a_file(form: str, tmp_path: Path) -> None:
    pixels = np.repeat(BYTES[:200].reshape(-1, 8, 8, 1), 3, axis=3)
    settings = tmp_path / "settings.toml"
    settings.write_text('layers = ["conv2d(4, 3)", "max_pool2d(2)"]\nepochs = 1')
    options = ["--config", str(settings), "--out", str(tmp_path / "run"), "--no-plots", "--quiet"]
    if form == "npz":
        np.savez(tmp_path / "X.npz", X=pixels, y=DIGITS.y[:200])
    else:
        np.save(tmp_path / "X.npy", pixels)
        np.save(tmp_path / "y.npy", DIGITS.y[:200])
    path = tmp_path / f"X.{form}"
    assert train(["--data", str(path), *options]) == 0
    predictor = Predictor.load(tmp_path / "run" / "model.safetensors")
    assert predictor.network.input_shape == (8, 8, 3)
    labels, _ = predicted(tmp_path / "run" / "model.safetensors", path)
    np.testing.assert_array_equal(labels, predictor.predict(pixels))
