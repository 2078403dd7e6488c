from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.model.network import Network
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.training.layer_seconds import checked, described, of_layers

NETWORK = Network(
    parse_layers(
        "dropout(0.1), conv2d(2, 2, activation=relu), max_pool2d(2), flatten, dense(3, softmax)"
    ),
    (5, 5, 1),
)


def test_changes_of_form_count_with_the_layer_after() -> None:
    kernels = [stage.kernels for stage in NETWORK.stages()]
    assert kernels == ["dropout", "unflatten", "conv2d", "max_pool2d", "flatten", "dense"]
    ticks = np.arange(18)
    found = of_layers(NETWORK, ticks)
    assert found.tolist() == [
        [0, 1, 2], [3 + 6, 4 + 7, 5 + 8], [9, 10, 11], [0, 0, 0], [12 + 15, 13 + 16, 14 + 17],
    ]  # fmt: skip


def test_layers_are_described_by_name() -> None:
    assert described(NETWORK, np.zeros((5, 3))) == []
    found = described(NETWORK, np.arange(15.0).reshape(5, 3))
    assert found[2] == {"name": "max_pool2d(2)", "forward": 6.0, "backward": 7.0, "update": 8.0}


@pytest.mark.parametrize(
    "values",
    [None, {}, [], [[0.0] * 3] * 4, [[0.0] * 4] * 5, [[0.0, -1.0, 0.0]] * 5, [["1", 0, 0]] * 5,
     [[float("nan"), 0, 0]] * 5, [[True, 0, 0]] * 5, [0.0] * 15],
)  # fmt: skip
def test_stored_seconds_are_checked(values: Any) -> None:
    assert checked([[1, 2.5, 0]] * 5, NETWORK).shape == (5, 3)
    with pytest.raises(ValueError, match="seconds of layers must be a table"):
        checked(values, NETWORK)
