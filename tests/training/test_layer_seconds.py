from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.model.network import Network
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.training.layer_seconds import checked, described, of_layers

NETWORK = Network(
    parse_layers(
        "dropout(0.1), conv2d(2, 2, activation=relu), max_pool2d(2, stride=1), "
        "conv2d(2, 1, activation=relu), max_pool2d(2), flatten, dense(3, softmax)"
    ),
    (5, 5, 1),
)


def test_changes_of_form_count_with_the_layer_after() -> None:
    kernels = [stage.kernels for stage in NETWORK.stages()]
    assert kernels == [
        "dropout", "unflatten", "conv2d", "max_pool2d", "conv2d_max_pool2d", "dense_on_images"
    ]  # fmt: skip
    ticks = np.arange(18)
    found = of_layers(NETWORK, ticks)
    assert found.tolist() == [
        [0, 1, 2], [3 + 6, 4 + 7, 5 + 8], [9, 10, 11],
        [12, 13, 14], [0, 0, 0], [0, 0, 0], [15, 16, 17],
    ]  # fmt: skip


def test_layers_are_described_by_name() -> None:
    assert described(NETWORK, np.zeros((7, 3))) == []
    found = described(NETWORK, np.arange(21.0).reshape(7, 3))
    parts = {"forward": 6.0, "backward": 7.0, "update": 8.0}
    assert found[2] == {"name": "max_pool2d(2, stride=1)", **parts}
    assert found[3]["name"] == "conv2d(2, 1, activation=relu), max_pool2d(2)"
    assert len(found) == 6


@pytest.mark.parametrize(
    "values",
    [None, {}, [], [[0.0] * 3] * 6, [[0.0] * 4] * 7, [[0.0, -1.0, 0.0]] * 7, [["1", 0, 0]] * 7,
     [[float("nan"), 0, 0]] * 7, [[True, 0, 0]] * 7, [0.0] * 21],
)  # fmt: skip
def test_stored_seconds_are_checked(values: Any) -> None:
    assert checked([[1, 2.5, 0]] * 7, NETWORK).shape == (7, 3)
    with pytest.raises(ValueError, match="seconds of layers must be a table"):
        checked(values, NETWORK)
