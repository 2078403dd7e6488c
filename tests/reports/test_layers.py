"""Layers of all kinds on the page, in tables and in the facts of a result."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import fastmlp
from fastmlp import TrainConfig
from fastmlp.model.network import Network
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.reports.evaluation import evaluate_run
from fastmlp.reports.filters import feature_map_figure, filter_figure
from fastmlp.reports.pictures import draw_pictures, without_data
from fastmlp.reports.run_page import run_page
from fastmlp.reports.tables import layer_table, parameters_text
from image_models import pictures, settings

# For two classes: E2's network.
CONVOLUTIONAL = (
    "conv2d(32, 3, activation=relu), max_pool2d(2), conv2d(64, 3, activation=relu), "
    "max_pool2d(2), dropout(0.5), dense(1, sigmoid)"
)


def test_the_table_has_a_row_for_each_layer() -> None:
    network = Network(parse_layers(CONVOLUTIONAL), (28, 28, 1))
    table = layer_table(network)
    assert table.header == ("layer", "output shape", "parameters")
    assert table.rows == [
        ("input", "28x28x1", "0"),
        ("conv2d(32, 3, activation=relu)", "26x26x32", "320"),
        ("max_pool2d(2)", "13x13x32", "0"),
        ("conv2d(64, 3, activation=relu)", "11x11x64", "18,496"),
        ("max_pool2d(2)", "5x5x64", "0"),
        ("dropout(0.5)", "5x5x64", "0"),
        ("dense(1, activation=sigmoid)", "1", "1,601"),
    ]
    text = parameters_text(network)
    assert text == "20,320 weights + 97 biases = 20,417 parameters, 79.75 KB in float32"
    wide = Network(parse_layers(CONVOLUTIONAL), (28, 28, 1), "float64")
    assert "159.51 KB in float64" in parameters_text(wide)


def test_the_facts_of_a_result_are_those_of_the_table() -> None:
    result = fastmlp.fit(settings(epochs=1), pictures(60))
    facts = json.loads(json.dumps(result.to_dict()["model"]))
    assert facts["input_shape"] == [6, 6, 1]
    assert facts["layer_sizes"] == [36, 3, 5, 3]
    assert facts["layers"] == [
        {"name": "conv2d(3, 3, activation=relu)", "output_shape": [4, 4, 3], "parameters": 30},
        {"name": "max_pool2d(2)", "output_shape": [2, 2, 3], "parameters": 0},
        {"name": "dropout(0.2)", "output_shape": [2, 2, 3], "parameters": 0},
        {"name": "dense(5, activation=relu)", "output_shape": [5], "parameters": 65},
        {"name": "dense(3, activation=softmax)", "output_shape": [3], "parameters": 18},
    ]
    assert facts["n_parameters"] == sum(layer["parameters"] for layer in facts["layers"]) == 113
    assert facts["parameter_bytes"] == 452


@pytest.mark.parametrize("shape", [(6, 6), (5, 6, 3), (6, 5, 2)])
def test_the_page_shows_filters_and_feature_maps(shape: tuple[int, ...]) -> None:
    X = np.random.default_rng(0).integers(0, 256, (60, *shape)).astype(np.uint8)
    image_shape = shape if len(shape) == 3 else None
    dataset = fastmlp.Dataset(X, np.arange(60) % 3, image_shape=image_shape)
    evaluation = evaluate_run(fastmlp.fit(settings(epochs=1), dataset), dataset)
    drawn = draw_pictures(evaluation)
    assert draw_pictures(without_data(evaluation)) == drawn
    text = run_page(evaluation, drawn)
    for title in ("First layer", "Feature maps", "Most confident mistakes"):
        assert f"<h2>{title}</h2>" in text
    assert "conv2d(3, 3, activation=relu)</th><td>" in text
    assert "Feature maps" not in run_page(evaluation, None)


def test_the_figures_hold_an_image_for_each_filter_and_map() -> None:
    config = settings(epochs=1, layers="conv2d(5, 3), conv2d(70, 2), dense(4)")
    dataset = pictures(60, (6, 7))
    evaluation = evaluate_run(fastmlp.fit(config, dataset), dataset)
    filters, maps = filter_figure(evaluation), feature_map_figure(evaluation)
    assert filters is not None and maps is not None
    network = evaluation.result.predictor.network
    grid = filters.axes[0]
    assert len(grid.images) == 5
    np.testing.assert_array_equal(
        np.asarray(grid.images[4].get_array()).ravel(), network.weights[0][:, 4]
    )
    assert [len(axes.images) for axes in maps.axes] == [1, 5, 64]
    assert [axes.get_title(loc="left") for axes in maps.axes[1:]] == [
        "layer 1, conv2d(5, 3, activation=relu): 4x5x5, maps 1 to 5 of 5",
        "layer 2, conv2d(70, 2, activation=relu): 3x4x70, maps 1 to 64 of 70",
    ]


def test_a_regression_of_images_has_pictures() -> None:
    X = np.random.default_rng(0).random((50, 6, 6))
    dataset = fastmlp.Dataset(X, X.mean(axis=(1, 2)), name="means")
    evaluation = evaluate_run(fastmlp.fit(settings(epochs=1), dataset), dataset)
    drawn = draw_pictures(without_data(evaluation))
    assert {"predictions.png", "weights.png", "feature-maps.png"} <= set(drawn)


def test_rows_of_a_table_may_be_images() -> None:
    rows = np.random.default_rng(0).random((50, math.prod((6, 5, 1))))
    dataset = fastmlp.Dataset(rows, np.arange(50) % 3)
    result = fastmlp.fit(settings(epochs=1, input_shape=(6, 5, 1)), dataset)
    evaluation = evaluate_run(result, dataset)
    assert evaluation.image_shape == (6, 5)
    assert "samples.png" in draw_pictures(evaluation)


def test_weights_of_a_dense_layer_after_pooling_are_no_images() -> None:
    config = settings(epochs=1, layers="max_pool2d(2), dense(4)")
    dataset = pictures(60)
    evaluation = evaluate_run(fastmlp.fit(config, dataset), dataset)
    assert filter_figure(evaluation) is None and feature_map_figure(evaluation) is None


def test_weights_of_a_dense_layer_on_images_are_shown() -> None:
    config = TrainConfig(layers="dropout(0.1), dense(4)", epochs=1)
    dataset = pictures(60)
    evaluation = evaluate_run(fastmlp.fit(config, dataset), dataset)
    figure = filter_figure(evaluation)
    assert figure is not None and len(figure.axes[0].images) == 4
    assert feature_map_figure(evaluation) is None
