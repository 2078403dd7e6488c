from __future__ import annotations

import json
import math
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from fastmlp import DataError, FastMLPError, Predictor
from fastmlp.base import files
from fastmlp.base.table_options import TableOptions
from fastmlp.model.features import FeatureInfo
from fastmlp.model.storage import MODEL, SECTIONS
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.scalers import Scaling
from holes import needs_holes, write_hole
from image_models import ALL_LAYERS, image_model
from model_files import DELETED, change_entries, parts_of, write_parts
from toys import model

X = np.random.default_rng(2).normal(size=(20, 4))

SCALED = Scaling("standard", np.array([1e5, -3.0]), np.array([1e-3, 0.0]))
SCALED_TOGETHER = Scaling("standard_global", np.array([7.0]), np.array([0.1]))
MODELS: dict[str, dict[str, Any]] = {
    "integers": {"kind": "multiclass"},
    "texts": {"kind": "multiclass", "classes": ["ape", "bee", "ça\n"]},
    "binary": {"kind": "binary", "threshold": 0.3},
    "binary texts": {"kind": "binary", "classes": ["no", "yes"]},
    "truth values": {"kind": "binary", "classes": [False, True]},
    "one number": {"kind": "regression", "n_outputs": 1},
    "two numbers": {"kind": "regression", "n_outputs": 2},
    "plain activation": {"kind": "regression", "hidden": "relu"},
    "several labels": {"kind": "multilabel", "n_outputs": 3, "threshold": 0.3},
    "scaled targets": {"kind": "regression", "target_scaling": SCALED},
    "targets scaled together": {"kind": "regression", "target_scaling": SCALED_TOGETHER},
    "parametrised activation": {"kind": "regression", "hidden": "elu(alpha=0.5)"},
}


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        Predictor.load(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A model file of three classes."""
    path = tmp_path / "model.safetensors"
    model().save(path)
    return path


Rewrite = Callable[..., Path]


@pytest.fixture
def rewrite(saved: Path) -> Rewrite:
    """Change entries of the saved header, such as ``layers.dtype``, or tensors."""

    def change(tensors: dict[str, Any] | None = None, **entries: Any) -> Path:
        header, arrays = parts_of(saved)
        change_entries(header, entries)
        for name, tensor in (tensors or {}).items():
            arrays[name] = tensor
            if tensor is None:
                del arrays[name]
        return write_parts(saved, header, arrays)

    return change


@pytest.fixture
def rewrite_format_3(rewrite: Rewrite) -> Rewrite:
    """Change entries of the header that format 3 had for the saved model."""
    older = {
        "format_version": 3,
        "layers": {
            "sizes": [4, 6, 3], "activations": ["leaky_relu(slope=0.2)", "softmax"],
            "dtype": "float32",
        },
    }  # fmt: skip
    return lambda **entries: rewrite(**{**older, **entries})


# --- round trips ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_as_it_was(tmp_path: Path, name: str, dtype: str) -> None:
    original = model(dtype=dtype, **MODELS[name])
    original.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.outputs(X), original.outputs(X))
    predicted, expected = loaded.predict(X), original.predict(X)
    assert (predicted.dtype, predicted.tolist()) == (expected.dtype, expected.tolist())
    assert loaded.network.dtype == dtype
    assert loaded.network.layer_sizes == original.network.layer_sizes
    assert loaded.network.activations == original.network.activations
    assert (loaded.task.kind, loaded.task.threshold) == (
        original.task.kind, original.task.threshold,
    )  # fmt: skip
    assert loaded.scaling.kind == "standard"
    np.testing.assert_array_equal(loaded.scaling.offset, original.scaling.offset)
    np.testing.assert_array_equal(loaded.scaling.factor, original.scaling.factor)
    kept, scaling = loaded.task.target_scaling, original.task.target_scaling
    assert (kept is None) == (scaling is None)
    if kept is not None and scaling is not None:
        assert kept.kind == scaling.kind
        np.testing.assert_array_equal(kept.offset, scaling.offset)
        np.testing.assert_array_equal(kept.factor, scaling.factor)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_of_images_comes_back_as_it_was(tmp_path: Path, dtype: str) -> None:
    original = image_model(dtype=dtype)
    original.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.outputs(X), original.outputs(X))
    assert loaded.network.layers == original.network.layers
    assert loaded.network.input_shape == (2, 2, 1)
    assert loaded.network.params.tobytes() == original.network.params.tobytes()


def test_weights_are_named_by_the_index_of_their_layer_among_all(tmp_path: Path) -> None:
    image_model().save(tmp_path / "model")
    header, tensors = parts_of(tmp_path / "model")
    assert header["layers"] == {
        "input_shape": [2, 2, 1],
        "layers": [str(layer) for layer in parse_layers(ALL_LAYERS)],
        "dtype": "float32",
    }
    shapes = {name: tensor.shape for name, tensor in tensors.items() if name.startswith("layer")}
    assert shapes == {
        "layer0.weights": (4, 2), "layer0.biases": (2,),
        "layer5.weights": (4, 6), "layer5.biases": (6,),
        "layer7.weights": (6, 3), "layer7.biases": (3,),
    }  # fmt: skip


def test_weights_of_a_layer_of_images_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "model"
    image_model().save(path)
    header, tensors = parts_of(path)
    tensors["layer0.weights"] = np.zeros((2, 2, 1, 2), np.float32)
    assert "layer0.weights must be F32 of shape (4, 2), got F32 of (2, 2, 1, 2)" in refusal(
        write_parts(path, header, tensors)
    )


@pytest.mark.parametrize(
    ("shape", "words"),
    [([2, 3], "multiply to 4"), ([4], "does not fit"), ([2, 2, 1, 1], "multiply to 4"),
     ([2, 1, 2.0], "multiply to 4"), ([-2, -2], "multiply to 4")],
)  # fmt: skip
def test_an_image_shape_that_does_not_fit_is_refused(
    tmp_path: Path, shape: list[Any], words: str
) -> None:
    path = tmp_path / "model"
    image_model().save(path)
    header, tensors = parts_of(path)
    change_entries(header, {"features.image_shape": shape})
    assert words in refusal(write_parts(path, header, tensors))


def test_a_path_may_be_text(tmp_path: Path) -> None:
    model().save(str(tmp_path / "model"))
    assert Predictor.load(str(tmp_path / "model")).predict(X).shape == (20,)


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        model().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_saving_replaces_an_older_file(saved: Path) -> None:
    model("regression").save(saved)
    assert Predictor.load(saved).task.kind == "regression"
    assert os.listdir(saved.parent) == [saved.name]


def test_only_the_numbers_of_a_network_are_written(saved: Path) -> None:
    header, tensors = parts_of(saved)
    assert header == {
        "format": "fastmlp-model", "format_version": 4,
        "features": {
            "names": None, "kinds": [], "image_shape": None, "scale": "standard",
            "has_statistics": False,
        },
        "target": {
            "task": "multiclass", "names": None, "classes": [1, 4, 9], "threshold": 0.5,
            "scale": None,
        },
        "layers": {
            "input_shape": [4],
            "layers": [
                "dense(6, activation=leaky_relu(slope=0.2))", "dense(3, activation=softmax)",
            ],
            "dtype": "float32",
        },
        "table": {},
        "sha256": header["sha256"],
    }  # fmt: skip
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "layer0.weights": (4, 6), "layer0.biases": (6,),
        "layer1.weights": (6, 3), "layer1.biases": (3,),
        "scaling.offset": (4,), "scaling.factor": (4,),
    }  # fmt: skip


# --- files that cannot be read ---


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "does not exist; check its name and folder" in refusal(tmp_path / "nothing")
    assert "must be a file, and it is a folder; check its name" in refusal(tmp_path)
    assert "must be a file, and it is a device; check its name" in refusal(Path(os.devnull))
    assert "does not exist" in refusal(tmp_path / "no folder" / "nothing")


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, 500, -1])
def test_a_truncated_file_is_refused(saved: Path, size: int) -> None:
    saved.write_bytes(saved.read_bytes()[:size])
    assert "cannot be read: " in refusal(saved)
    assert refusal(saved).endswith("; it is damaged or not a model file, save it again")


@pytest.mark.parametrize("content", [b"\x80\x04pickle", b"PK\x03\x04", b"{}", bytes(1000)])
def test_a_file_of_another_kind_is_refused(saved: Path, content: bytes) -> None:
    saved.write_bytes(content)
    assert "cannot be read" in refusal(saved)


@pytest.mark.parametrize("byte", [0, 5, 8, 9, 30])
def test_a_flipped_bit_in_the_header_is_refused(saved: Path, byte: int) -> None:
    content = bytearray(saved.read_bytes())
    content[byte] ^= 0x80
    saved.write_bytes(content)
    refusal(saved)


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"format": "pt"}, {"fastmlp": "[]"}, {"fastmlp": "{}"}, {"fastmlp": "null"},
     {"fastmlp": '{"format": "other"}'}],
)  # fmt: skip
def test_tensors_of_others_are_refused(saved: Path, metadata: dict[str, str] | None) -> None:
    save_file({"w": np.zeros(3)}, saved, metadata)
    assert (
        "is not a fastmlp model: its header does not contain fastmlp-model; give a file"
        in refusal(saved)
    )


@pytest.mark.parametrize("text", ["", "{", "nul", "[" * 100_000])
def test_a_header_that_is_no_json_is_refused(saved: Path, text: str) -> None:
    save_file({"w": np.zeros(3)}, saved, {"fastmlp": text})
    assert "cannot be read" in refusal(saved)


@pytest.mark.parametrize("version", [1, 5, 0, "4", 4.0, True, None])
def test_another_version_is_refused(rewrite: Rewrite, version: Any) -> None:
    message = refusal(rewrite(format_version=version))
    assert f"has format version {version!r}, this fastmlp reads 2, 3 and 4; use the" in message


# --- parts that do not fit ---


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (
            {"layers.layers": ["dense(6, relu)", "dense(2, softmax)"]},
            "layer1.weights must be F32 of shape (6, 2), got F32 of (6, 3)",
        ),
        (
            {"layers.layers": ["dense(1000000, relu)", "dense(3, softmax)"]},
            "layer0.weights must be F32 of shape (4, 1000000)",
        ),
        ({"layers.layers": ["dense(0, relu)", "dense(3, softmax)"]}, "units must be from 1 to"),
        ({"layers.layers": [f"dense({10**12}, relu)"]}, "units must be from 1 to 2**24 - 1"),
        ({"layers.layers": ["dense(6.0, relu)"]}, "units must be a whole number"),
        ({"layers.layers": ["dense(6, relu)"]}, "it must not hold 'layer1.biases'"),
        ({"layers.layers": ["dense(6, relu)"] * 3}, "layer1.weights must be F32 of shape (6, 6)"),
        ({"layers.layers": []}, "the last layer must be dense, got no layers"),
        ({"layers.layers": ["dense(6, relu)", "dropout(0.5)"]}, "the last layer must be dense"),
        ({"layers.layers": ["flatten"]}, "the last layer must be dense, got flatten"),
        (
            {"layers.layers": ["dense(6, relu)", "dense(3)"]},
            "must name its activation, got dense(3)",
        ),
        ({"layers.layers": ["dens(6, relu)"]}, "did you mean 'dense'?"),
        ({"layers.layers": ["dense(6, relux)"]}, "did you mean 'relu'?"),
        ({"layers.layers": ["dense(6, relu)", 3]}, "layers must be a list of texts"),
        ({"layers.layers": "dense(6, relu), dense(3, softmax)"}, "layers must be a list of texts"),
        ({"layers.layers": None}, "layers must be a list of texts"),
        ({"layers.layers": DELETED}, "it has no 'layers'"),
        (
            {"layers.layers": ["conv2d(2, 3, activation=relu)", "dense(3, softmax)"]},
            "needs an image",
        ),
        ({"layers.input_shape": [5]}, "layer0.weights must be F32 of shape (5, 6)"),
        ({"layers.input_shape": [10**30]}, "layer0.weights must be F32 of shape (1000000000"),
        ({"layers.input_shape": [2, 2]}, "input_shape must be [features] or [height, width, chan"),
        ({"layers.input_shape": [2, 2, 0]}, "input_shape must be"),
        ({"layers.input_shape": [4.0]}, "input_shape must be"),
        ({"layers.input_shape": [True]}, "input_shape must be"),
        ({"layers.input_shape": 4}, "input_shape must be"),
        ({"layers.input_shape": []}, "input_shape must be"),
        ({"layers.input_shape": DELETED}, "it has no 'input_shape'"),
        (
            {"layers.input_shape": [1, 4, 1], "layers.layers": ["max_pool2d(2)", "dense(3, relu)"]},
            "size must be at most the input, 1x4, got 2x2",
        ),
        (
            {"layers.dtype": "float64"},
            "layer0.weights must be F64 of shape (4, 6), got F32 of (4, 6)",
        ),
        ({"layers.dtype": "int8"}, "dtype must be float32 or float64"),
        ({"features.scale": "standart"}, "did you mean 'standard'?"),
        ({"target.task": "binary"}, "task binary with 3 classes does not fit 3 outputs"),
        (
            {"target.task": "binary", "target.classes": [1, 4]},
            "with 2 classes does not fit 3 outputs",
        ),
        ({"target.task": "regression"}, "task regression with 3 classes"),
        ({"target.task": "other"}, "task other with 3 classes"),
        ({"target.task": ["multiclass"]}, "does not fit"),
        ({"target.classes": [1, 4]}, "with 2 classes does not fit 3 outputs"),
        ({"target.classes": [1, 4, 4]}, "classes must be different labels of one type, in order"),
        ({"target.classes": [9, 4, 1]}, "in order"),
        ({"target.classes": [1, 4, "9"]}, "one type"),
        ({"target.classes": [1, 4, 9.5]}, "one type"),
        ({"target.classes": [0.5, 4.5, 9.5]}, "classes must be"),
        ({"target.classes": [[1], [4], [9]]}, "classes must be"),
        ({"target.classes": [[1], [4, 5], [9]]}, "does not fit together"),
        ({"target.classes": [1, 4, 10**30]}, "classes must be"),
        ({"target.classes": 3}, "does not fit together"),
        ({"target.threshold": float("nan")}, "threshold must be between 0 and 1, got nan"),
        ({"target.threshold": 1.5}, "threshold must be between 0 and 1, got 1.5"),
        ({"target.threshold": "0.5"}, "threshold must be"),
        ({"target.threshold": DELETED}, "it has no 'threshold'"),
        ({"target.scale": DELETED}, "it has no 'scale'"),
        ({"sha256": DELETED}, "it has no 'sha256'"),
        ({"layers": DELETED}, "it has no 'layers'"),
        ({"layers": []}, "section layers must hold named values"),
        ({"table": None}, "section table must hold named values"),
        ({"layers.colour": "red"}, "section layers must not hold 'colour'"),
        ({"features.names": ["a", "b", "c", "c"]}, "feature names must be 4 different texts"),
        ({"features.names": ["a", "b", "c"]}, "feature names must be 4 different texts"),
        ({"features.names": "abcd"}, "feature names must be texts"),
        ({"features.names": ["a", "b", "c", 4]}, "feature names must be texts"),
        ({"features.names": list("abcd")}, "feature names must come with statistics"),
        ({"features.has_statistics": True}, "it has no 'features.low'"),
        ({"features.kinds": ["number"]}, "need a newer fastmlp"),
        ({"target.names": [3]}, "target names must be texts"),
        ({"table.colour": "red"}, "table must not hold 'colour'"),
        ({"table.header": "maybe"}, "header must be one of 'auto', 'yes', 'no'"),
        ({"table.header": 1}, "table option header must be text"),
        ({"table.drop": "Id"}, "table option drop must be text"),
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_refused(
    rewrite: Rewrite, entries: dict[str, Any], words: str
) -> None:
    message = refusal(rewrite(**entries))
    assert "does not fit together: " in message and words in message, message
    assert message.endswith("; it is damaged, save it again")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (
            {"layers.sizes": [4, 6, 2]},
            "layer1.weights must be F32 of shape (6, 2), got F32 of (6, 3)",
        ),
        (
            {"layers.sizes": [4, 10**12, 3]},
            "dense: units must be from 1 to 2**24 - 1, got 1000000000000",
        ),
        ({"layers.sizes": [4, 0, 3]}, "layer sizes must be whole numbers of at least 1"),
        ({"layers.sizes": [4.0, 6, 3]}, "layer sizes must be whole numbers"),
        ({"layers.sizes": [4, True, 3]}, "layer sizes must be whole numbers"),
        ({"layers.sizes": [4, 6]}, "activations must be one for each of the 1 layers, got 2"),
        ({"layers.sizes": [4, 6, 3, 3]}, "activations must be one for each of the 3 layers"),
        ({"layers.sizes": [4]}, "layer sizes must hold two sizes or more"),
        ({"layers.sizes": []}, "layer sizes must hold two sizes or more"),
        ({"layers.sizes": "4,6,3"}, "layer sizes must be whole numbers"),
        ({"layers.sizes": 4}, "does not fit together"),
        ({"layers.sizes": DELETED}, "it has no 'sizes'"),
        ({"layers.activations": ["relu"]}, "activations must be one for each"),
        ({"layers.activations": ["relu", "softmacks"]}, "did you mean 'softmax'?"),
        ({"layers.activations": ["relu", 3]}, "activation must be given as text"),
        ({"layers.activations": "relu"}, "unknown activation 'r'"),
        ({"layers.activations": DELETED}, "it has no 'activations'"),
        ({"layers.colour": "red"}, "section layers must not hold 'colour'"),
        ({"layers": []}, "section layers must hold named values"),
    ],
    ids=str,
)
def test_a_header_of_format_3_that_does_not_fit_is_refused(
    rewrite_format_3: Rewrite, entries: dict[str, Any], words: str
) -> None:
    test_a_header_that_does_not_fit_is_refused(rewrite_format_3, entries, words)


def test_a_header_of_format_3_is_read(rewrite_format_3: Rewrite) -> None:
    loaded = Predictor.load(rewrite_format_3())
    np.testing.assert_array_equal(loaded.outputs(X), model().outputs(X))


@pytest.mark.parametrize(
    ("name", "tensor", "words"),
    [
        ("layer0.weights", None, "it has no 'layer0.weights'"),
        ("layer1.biases", None, "it has no 'layer1.biases'"),
        ("scaling.factor", None, "it has no 'scaling.factor'"),
        ("layer0.weights", np.zeros((6, 4), np.float32), "of shape (4, 6), got F32 of (6, 4)"),
        ("layer0.weights", np.zeros(24, np.float32), "of shape (4, 6), got F32 of (24,)"),
        ("layer0.weights", np.zeros((4, 6)), "must be F32 of shape (4, 6), got F64"),
        ("layer0.weights", np.zeros((4, 6), np.int32), "must be F32 of shape (4, 6), got I32"),
        ("layer1.biases", np.zeros(4, np.float32), "layer1.biases must be F32 of shape (3,)"),
        ("layer2.weights", np.zeros(1, np.float32), "it must not hold 'layer2.weights'"),
        ("layer1.biases", np.full(3, np.nan, np.float32), "layer1.biases must hold finite"),
        ("layer1.weights", np.full((6, 3), np.inf, np.float32), "layer1.weights must hold finite"),
        ("scaling.offset", np.zeros(3), "scaling.offset must be F64 of shape (4,) or (1,)"),
        ("scaling.offset", np.zeros((1, 4)), "scaling.offset must be F64 of shape (4,) or (1,)"),
        ("scaling.factor", np.full(4, np.nan), "scaling.factor must hold finite"),
        ("scaling.factor", np.zeros(4, np.float32), "must be F64 of shape (4,) or (1,), got F32"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(
    rewrite: Rewrite, name: str, tensor: Any, words: str
) -> None:
    message = refusal(rewrite({name: tensor}))
    assert "does not fit together: " in message and words in message, message


def test_one_number_scales_all_features(rewrite: Rewrite) -> None:
    path = rewrite(
        {"scaling.offset": np.zeros(1), "scaling.factor": np.ones(1)}, **{"features.scale": "none"}
    )
    assert Predictor.load(path).outputs(X).shape == (20, 3)


def test_numbers_that_were_changed_are_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1  # of a weight, which stays a weight
    saved.write_bytes(content)
    assert "its contents do not have the checksum that it names" in refusal(saved)


def scaled(path: Path, tensors: dict[str, Any], **entries: Any) -> Path:
    """A regression with scaled targets, parts of its file changed."""
    model("regression", target_scaling=SCALED).save(path)
    header, arrays = parts_of(path)
    return write_parts(path, change_entries(header, entries), {**arrays, **tensors})


@pytest.mark.parametrize(
    ("tensors", "entries", "words"),
    [
        (
            {"target_scaling.offset": np.zeros(3)},
            {},
            "target_scaling.offset must be F64 of shape (2,)",
        ),
        ({"target_scaling.factor": np.full(2, np.nan)}, {}, "target_scaling.factor must hold fini"),
        (
            {"target_scaling.factor": np.zeros(2, np.float32)},
            {},
            "must be F64 of shape (2,) or (1,)",
        ),
        ({}, {"target.scale": "standart"}, "did you mean 'standard'?"),
        ({}, {"target.scale": 3}, "scale must be given as text"),
    ],
)
def test_target_scalings_that_do_not_fit_are_refused(
    tmp_path: Path, tensors: dict[str, Any], entries: dict[str, Any], words: str
) -> None:
    message = refusal(scaled(tmp_path / "model", tensors, **entries))
    assert "does not fit together: " in message and words in message, message


def test_only_a_regression_has_scaled_targets(rewrite: Rewrite) -> None:
    numbers = {"target_scaling.offset": np.zeros(1), "target_scaling.factor": np.ones(1)}
    message = refusal(rewrite(numbers, **{"target.scale": "none"}))
    assert "target scaling does not fit task multiclass" in message


def test_a_target_scaling_needs_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "model"
    model("regression").save(path)
    header, arrays = parts_of(path)
    write_parts(path, change_entries(header, {"target.scale": "standard"}), arrays)
    assert "it has no 'target_scaling.offset'" in refusal(path)


@pytest.mark.parametrize("classes", [[0, 1, 2], [0, 1]])
def test_several_labels_have_no_classes(rewrite: Rewrite, classes: list[int]) -> None:
    message = refusal(rewrite(**{"target.task": "multilabel", "target.classes": classes}))
    assert f"task multilabel with {len(classes)} classes does not fit 3 outputs" in message


# --- sections and older formats ---

FORMATS = Path(__file__).parent / "formats"
EXPECTED = json.loads((FORMATS / "expected.json").read_text(encoding="utf-8"))


def test_features_and_target_names_are_stored(tmp_path: Path) -> None:
    known = FeatureInfo.of(X, ("a", "größe", "", "d"), (2, 2))
    table = TableOptions(target="price", drop=("Id", "0"), decimal=",", na_values=("-",))
    plain = model("regression", n_outputs=1)
    Predictor(plain.network, plain.scaling, plain.task, known, ("price",), table).save(
        tmp_path / "model"
    )
    loaded = Predictor.load(tmp_path / "model")
    assert loaded.features is not None and loaded.table == table
    assert (loaded.features.names, loaded.features.image_shape) == (known.names, (2, 2))
    assert loaded.target_names == ("price",)
    for name in ("low", "high", "mean"):
        np.testing.assert_array_equal(getattr(loaded.features, name), getattr(known, name))


@pytest.mark.parametrize("path", sorted(FORMATS.glob("*.safetensors")), ids=lambda path: path.stem)
def test_a_model_of_every_format_is_read(path: Path) -> None:
    predictor, name = Predictor.load(path), path.stem.partition("-")[0]
    rows = np.array(EXPECTED["X"])
    np.testing.assert_allclose(predictor.outputs(rows), EXPECTED["outputs"][name], rtol=1e-5)
    predictions = predictor.predict(rows)
    if predictor.task.kind == "regression":
        np.testing.assert_allclose(predictions, EXPECTED["predictions"][name], rtol=1e-5)
    else:
        assert predictions.tolist() == EXPECTED["predictions"][name]


def test_every_format_has_a_file() -> None:
    versions = {path.stem.partition("-")[2] for path in FORMATS.glob("*.safetensors")}
    assert versions == {str(version) for version in (*MODEL.upgrades, MODEL.version)}


def test_an_older_format_is_checked_like_the_newest(tmp_path: Path) -> None:
    header, tensors = parts_of(FORMATS / "classes-2.safetensors")
    path = tmp_path / "model"
    for change, words in (
        ({"scale": DELETED}, "it has no 'scale'"),
        ({"colour": "red"}, "its header must not hold 'colour'"),
        ({"classes": [3, 1, 2]}, "classes must be different labels of one type, in order"),
    ):
        write_parts(path, change_entries(dict(header), change), tensors)
        assert words in refusal(path)


def test_a_section_of_a_newer_fastmlp_is_named(rewrite: Rewrite) -> None:
    message = refusal(rewrite(calibration={"temperature": 1.5}))
    assert "has a section 'calibration', which this fastmlp does not know; use the" in message


# --- fuzz ---


def check_valid(predictor: Predictor) -> None:
    """Whatever is loaded predicts, in the shapes that it names."""
    n_features, n_outputs = predictor.network.n_inputs, predictor.network.n_outputs
    with np.errstate(all="ignore"):
        try:
            outputs = predictor.outputs(np.ones((3, n_features)))
        except DataError:  # a scaling that leads beyond the dtype
            return
        assert outputs.shape == (3, n_outputs)
        assert len(predictor.predict(np.ones((3, n_features)))) == 3


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "model"
    model().save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "mutant"


def load_mutant(target: Path) -> None:
    try:
        check_valid(Predictor.load(target))
    except DataError as error:
        assert "\n" not in str(error)


@given(data=st.data())
def test_damaged_bytes_never_get_through(content: bytes, target: Path, data: st.DataObject) -> None:
    mutant = bytearray(content)
    header_end = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, header_end) | st.integers(0, len(content) - 1))
        mutant[place] = data.draw(st.integers(0, 255))
    target.write_bytes(mutant[: data.draw(st.none() | st.integers(0, len(mutant)))])
    load_mutant(target)


@given(data=st.data())
def test_one_flipped_bit_is_always_noticed(
    content: bytes, target: Path, data: st.DataObject
) -> None:
    mutant = bytearray(content)
    mutant[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    target.write_bytes(mutant)
    refusal(target)


@given(size=st.integers(0, 10_000))
def test_a_file_of_another_length_is_always_refused(
    content: bytes, target: Path, size: int
) -> None:
    assume(size != len(content))
    target.write_bytes(content[:size] + bytes(max(0, size - len(content))))
    refusal(target)


def peak_bytes(load: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        load()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@needs_holes
@pytest.mark.parametrize("units", [6, 2**23])
def test_an_oversized_file_is_refused_without_memory_for_it(saved: Path, units: int) -> None:
    header, _ = parts_of(saved)
    layers = [f"dense({units}, relu)", "dense(3, softmax)"]
    text = json.dumps(change_entries(header, {"layers.layers": layers}))
    large = {"dtype": "F32", "shape": [4, 2**26], "data_offsets": [0, 1 << 30]}
    write_hole(saved, {"__metadata__": {"fastmlp": text}, "layer0.weights": large})
    assert peak_bytes(lambda: refusal(saved)) < 1 << 20


@needs_holes
def test_a_model_that_fits_together_must_fit_into_memory(saved: Path) -> None:
    header, tensors = parts_of(saved)
    layers = [f"dense({2**20}, relu)", f"dense({2**19}, relu)", "dense(3, softmax)"]
    text = json.dumps(change_entries(header, {"layers.layers": layers}))
    table: dict[str, Any] = {"__metadata__": {"fastmlp": text}}
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    shapes.update({"layer0.weights": [4, 2**20], "layer0.biases": [2**20]})
    shapes.update({"layer1.weights": [2**20, 2**19], "layer1.biases": [2**19]})
    shapes.update({"layer2.weights": [2**19, 3], "layer2.biases": [3]})
    at = 0
    for name, shape in shapes.items():
        dtype, size = ("F32", 4) if name.startswith("layer") else ("F64", 8)
        end = at + size * math.prod(shape)
        table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        at = end
    write_hole(saved, table)
    assert "declares 2199 GB of tensors, and this machine has " in refusal(saved)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from(["relu", "float64", "binary", "regression", "none", "softmax(1)"])
    | st.sampled_from(["dense(3, softmax)", "conv2d(2, 1, activation=relu)", "flatten()"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)  # fmt: skip


@given(data=st.data())
def test_odd_headers_never_get_through(content: bytes, target: Path, data: st.DataObject) -> None:
    target.write_bytes(content)
    header, tensors = parts_of(target)
    for _ in range(data.draw(st.integers(1, 2))):
        paths = [*header, *(f"{s}.{name}" for s in SECTIONS for name in SECTIONS[s] or ("drop",))]
        path = data.draw(st.sampled_from(sorted(paths)))
        assume(isinstance(header.get(path.partition(".")[0], {}), dict) or "." not in path)
        change_entries(header, {path: data.draw(anything)})
    load_mutant(write_parts(target, header, tensors))


# --- files that cannot be written ---


@pytest.mark.parametrize("path", ["missing/model", "file/model", "folder", "nul\0byte"])
def test_unwritable_path_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FastMLPError) as caught:
        model().save(path)
    message = str(caught.value)
    assert message.startswith(f"model file {path} cannot be written: ")
    assert message.endswith("; choose a file in a folder that exists and is writable")
    assert caught.value.exit_code == 1
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_failure_leaves_the_older_model_and_nothing_else(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FastMLPError, match="cannot be written: No space left on device; choose"):
        model("regression").save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_an_open_model_file_is_not_needed_after_loading(saved: Path) -> None:
    predictor = Predictor.load(saved)
    expected = model().outputs(X)
    shutil.rmtree(saved.parent)
    np.testing.assert_array_equal(predictor.outputs(X), expected)
