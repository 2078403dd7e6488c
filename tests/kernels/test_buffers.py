"""A layer as kernels take it: every column of the table, by its name."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels import buffers
from fastmlp.kernels.buffers import LAYER_FIELDS, Layer, layer_at
from harness import compiled


def test_fields_are_numbered_as_they_are_named() -> None:
    numbers = [getattr(buffers, field.upper().strip("_")) for field in Layer._fields]
    assert numbers == list(range(LAYER_FIELDS))


@pytest.mark.parametrize("layer", [0, 1, 4])
def test_a_layer_is_a_row_of_the_table(layer: int) -> None:
    table = np.arange(5 * LAYER_FIELDS).reshape(5, LAYER_FIELDS) + 2**40
    found = compiled(layer_at)(table, layer)
    assert type(found) is Layer
    assert list(found) == table[layer].tolist()
