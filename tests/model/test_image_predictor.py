"""Predictions of networks of images: shapes of inputs, sparse inputs, kept evaluators, copies."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from fastmlp import DataError, Predictor
from fastmlp.base import conversion
from fastmlp.model import evaluator as evaluators
from fastmlp.ops.layers import LAYERS
from fastmlp.ops.losses import LOSSES
from image_models import ALL_LAYERS, image_model, pictures

LAYER_LIST = "conv2d(3, 3, activation=relu), max_pool2d(2), dropout(0.5), dense(3, softmax)"
DENSE_AFTER_DROPOUT = "dropout(0.5), dense(5, relu), dropout(0.5), dense(3, softmax)"
IMAGES = np.asarray(pictures(40, (8, 9)).X).reshape(40, 8, 9)


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Begin without evaluators; the list of those that the test leaves."""
    kept: list[Any] = []
    monkeypatch.setattr(evaluators, "_kept", kept)
    return kept


def test_images_of_two_three_and_four_dimensions_give_the_same_outputs() -> None:
    predictor = image_model(LAYER_LIST, (8, 9, 1))
    expected = predictor.outputs(IMAGES.reshape(40, 72))
    assert expected.std(axis=0).min() > 0
    for shape in ((40, 8, 9), (40, 8, 9, 1), (40, 1, 8, 9)):
        np.testing.assert_array_equal(predictor.outputs(IMAGES.reshape(shape)), expected)


@pytest.mark.parametrize("channels", [2, 3, 17])
def test_images_of_any_number_of_channels_are_taken_in_their_own_shape(channels: int) -> None:
    predictor = image_model(LAYER_LIST, (4, 5, channels))
    X = np.asarray(pictures(7, (4, 5 * channels)).X)
    expected = predictor.outputs(X)
    np.testing.assert_array_equal(predictor.outputs(X.reshape(7, 4, 5, channels)), expected)


@pytest.mark.parametrize("shape", [(40, 71), (40, 9, 9), (40, 8, 9, 2), (40, 4, 18), (40, 2, 36)])
def test_images_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"X must have shape \(n, 72\) or \(n, 8, 9, 1\) as in"):
        image_model(LAYER_LIST, (8, 9, 1)).outputs(np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("layers", [LAYER_LIST, DENSE_AFTER_DROPOUT])
def test_sparse_rows_give_the_outputs_of_dense_ones(layers: str, dtype: Any) -> None:
    predictor = image_model(layers, (8, 9, 1))
    rows = IMAGES.reshape(40, 72).astype(dtype)
    expected = predictor.outputs(rows)
    found = predictor.outputs(scipy.sparse.csr_array(rows))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    if layers == LAYER_LIST:
        np.testing.assert_array_equal(found, expected)


def test_too_many_sparse_rows_for_layers_of_images_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversion, "MAX_DENSE_BYTES", 1000)
    rows = scipy.sparse.csr_array(IMAGES.reshape(40, 72).astype(float))
    with pytest.raises(DataError, match=r"which the first layer needs.*predict fewer rows at once"):
        image_model(LAYER_LIST, (8, 9, 1)).outputs(rows)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_loss_has_the_same_outputs_on_any_number_of_threads(threads: int) -> None:
    predictor, y = image_model(LAYER_LIST, (8, 9, 1)), np.arange(40) % 3
    expected = predictor.outputs(IMAGES, threads=1)
    found = predictor.evaluate(IMAGES, y, LOSSES.parse("cross_entropy"), threads)
    np.testing.assert_array_equal(found.outputs, expected)
    np.testing.assert_allclose(found.loss, -np.log(expected[np.arange(40), y]).mean(), rtol=1e-5)


def test_the_layers_are_shown() -> None:
    shown = repr(image_model(LAYER_LIST, (8, 9, 1)))
    assert shown.startswith(
        "<Predictor 8x9x1, conv2d(3, 3, activation=relu), max_pool2d(2), dropout(0.5), "
        "dense(3, activation=softmax); float32; multiclass, 3 classes"
    )
    shown = repr(image_model("dense(4, relu), dense(3, softmax)", (8, 9, 1)))
    assert shown.startswith("<Predictor 72-4-3 (relu, softmax); float32;")


def test_evaluators_are_kept_by_layers_and_shape(nothing_is_kept: list[Any]) -> None:
    models = [
        image_model(LAYER_LIST, (8, 9, 1)),
        image_model(LAYER_LIST, (9, 8, 1)),
        image_model(LAYER_LIST.replace("max_", "avg_"), (8, 9, 1)),
        image_model(LAYER_LIST, (8, 9, 1), seed=6),  # of the layout of the first
    ]
    rows = IMAGES.reshape(40, 72)
    expected = []
    for model in models:
        expected.append(model.outputs(rows).tobytes())
        del nothing_is_kept[:]
    assert len(set(expected)) == 4
    for _ in range(2):
        assert [model.outputs(rows).tobytes() for model in models] == expected
    assert len(nothing_is_kept) == 3


def test_few_rows_give_the_outputs_of_many() -> None:
    predictor = image_model(LAYER_LIST, (8, 9, 1))
    expected = predictor.outputs(IMAGES)
    for n in (1, 2, 15, 16, 17):
        np.testing.assert_array_equal(predictor.outputs(IMAGES[:n]), expected[:n])


@pytest.mark.parametrize("name", [*LAYERS.names(), "all"])
def test_copies_and_pickles_predict_alike_and_follow_their_own_weights(name: str) -> None:
    example = {
        "dense": "dense(4, tanh)", "conv2d": "conv2d(2, (2, 3), stride=2, activation=elu(0.5))",
        "max_pool2d": "max_pool2d(2)", "avg_pool2d": "avg_pool2d((1, 2))",
        "dropout": "dropout(0.5)", "flatten": "flatten", "periodic": "periodic(3)",
    }.get(name, name)  # fmt: skip
    layers = ALL_LAYERS if name == "all" else f"{example}, dense(3, softmax)"
    predictor = image_model(layers, (8, 9, 1))
    expected = predictor.outputs(IMAGES)
    for twin in (copy.deepcopy(predictor), pickle.loads(pickle.dumps(predictor))):
        assert twin.network.layers == predictor.network.layers
        np.testing.assert_array_equal(twin.outputs(IMAGES), expected)
        twin.network.weights[0][...] *= 2
        assert not np.array_equal(twin.outputs(IMAGES), expected)
    np.testing.assert_array_equal(predictor.outputs(IMAGES), expected)


def test_threads_predict_at_the_same_time(tmp_path: Path) -> None:
    models = [image_model(LAYER_LIST, (8, 9, 1), seed=seed) for seed in range(4)]
    expected = [model.outputs(IMAGES, threads=1).tobytes() for model in models]
    models[0].save(tmp_path / "model")
    models[0] = Predictor.load(tmp_path / "model")
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda i: models[i % 4].outputs(IMAGES, threads=1).tobytes(), range(40))
        assert list(found) == expected * 10
