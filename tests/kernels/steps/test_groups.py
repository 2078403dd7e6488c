"""Groups of weights and biases: each parameter is in one, and each group is one member's."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.kernels.buffers import Layer, layer_at
from fastmlp.kernels.emit.emitter import lanes
from fastmlp.kernels.layers.layout import PARTS
from fastmlp.kernels.steps.groups import (
    GROUP,
    Chunk,
    chunk_size,
    group_range,
    norm_index,
    owned_groups,
    range_of,
)
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.activations import ACTIVATIONS
from harness import DTYPES, compiled

# Layers of one panel and of several, of less than a group of inputs and of more than two, ragged.
SIZES = [(1, 1), (5, 7, 3), (40, 3, 40), (64, 64, 64), (300, 100, 37, 10), (129, 16, 200, 1)]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_sizes = pytest.mark.parametrize("sizes", SIZES, ids=str)
each_hidden = pytest.mark.parametrize("hidden", ["relu", "softmax"])  # in panels, in rows
each_team = pytest.mark.parametrize("team", [1, 2, 3, 4, 5])


def made(sizes: tuple[int, ...], hidden: str, dtype: str) -> Workspace:
    names = [hidden] * (len(sizes) - 2) + ["identity"]
    network = Network.of_sizes(sizes, [ACTIVATIONS.parse(name) for name in names], dtype)
    return Workspace(network, block_rows=8)


def layers_of(workspace: Workspace) -> list[Layer]:
    """The layers as kernels take them."""
    layers = workspace.net.layers
    return [compiled(layer_at)(layers, number) for number in range(len(layers))]


def groups_of(c: Layer, one: int, member: int, team: int) -> list[tuple[int, int]]:
    """A member's groups of a layer: panel of units and number."""
    found = []
    for part in range(PARTS):
        p0, p1, first, last = compiled(owned_groups)(c, one, member, team, part)
        found += [(p, group) for p in range(p0, p1) for group in range(first, last)]
    return found


def all_groups(c: Layer, one: int) -> list[tuple[int, int]]:
    """Every group of a layer, biases first."""
    panels_in = -(-c.n_in // one)
    numbers = range(-1, -(-panels_in // GROUP))
    return [(p, group) for p in range(c.ld_out // one) for group in numbers]


@each_dtype
@each_sizes
@each_hidden
@each_team
def test_every_group_is_one_members(
    sizes: tuple[int, ...], hidden: str, team: int, dtype: str
) -> None:
    one = lanes(np.dtype(dtype))
    for c in layers_of(made(sizes, hidden, dtype)):
        owned = [group for member in range(team) for group in groups_of(c, one, member, team)]
        assert sorted(owned) == all_groups(c, one)


@each_dtype
@each_sizes
@each_hidden
def test_groups_cover_every_parameter_once(sizes: tuple[int, ...], hidden: str, dtype: str) -> None:
    workspace, one = made(sizes, hidden, dtype), lanes(np.dtype(dtype))
    count = np.zeros(workspace.net.params.size, int)
    for c in layers_of(workspace):
        for p, group in all_groups(c, one):
            start, n = compiled(group_range)(c, one, p, group)
            assert n > 0
            count[start : start + n] += 1
    assert (count == 1).all()


@each_dtype
@each_sizes
@each_hidden
@pytest.mark.parametrize("wide", [1, 4])
def test_panels_of_a_chunk_are_contiguous(
    sizes: tuple[int, ...], hidden: str, wide: int, dtype: str
) -> None:
    one = lanes(np.dtype(dtype))
    for c in layers_of(made(sizes, hidden, dtype)):
        panels_in = -(-c.n_in // one)
        groups_in = -(-panels_in // GROUP)
        for begin, end in ((-1, 0), (0, groups_in)):
            panels, groups, near = compiled(chunk_size)(c, one, begin, end, wide)
            assert 1 <= near <= panels
            last, stop = min(near, c.ld_out // one), min(begin + groups, end)
            start, n = compiled(range_of)(c, one, Chunk(0, last, begin, stop))
            parts = [
                compiled(group_range)(c, one, p, group)
                for p in range(last)
                for group in range(begin, stop)
            ]
            for part, following in zip(parts, [*parts[1:], (start + n, 0)], strict=True):
                assert sum(part) == following[0]
            assert parts[0][0] == start


@each_dtype
def test_a_group_is_small_and_holds_weights_into_one_panel(dtype: str) -> None:
    workspace, one = made((300, 100, 3), "relu", dtype), lanes(np.dtype(dtype))
    c = layers_of(workspace)[0]
    numbers = np.zeros(workspace.network.params.size, workspace.network.dtype)
    weights, biases = workspace.network.gradient_views(numbers)
    weights[0][...] = np.arange(300)[:, np.newaxis] * 1000 + np.arange(100)
    biases[0][...] = -1 - np.arange(100)
    workspace.network.params[:] = numbers
    workspace.load()
    for p, group in all_groups(c, one):
        start, n = compiled(group_range)(c, one, p, group)
        part = workspace.net.params[start : start + n].reshape(-1, one)
        part = part[:, : min(one, 100 - p * one)]
        units = np.arange(p * one, min((p + 1) * one, 100))
        if group < 0:
            np.testing.assert_array_equal(part, -1 - units[np.newaxis])
        else:
            first = group * GROUP * one
            inputs = np.arange(first, min(first + GROUP * one, 300))
            np.testing.assert_array_equal(part, inputs[:, np.newaxis] * 1000 + units)


@each_dtype
@each_sizes
@each_hidden
def test_every_group_stores_its_norm_separately(
    sizes: tuple[int, ...], hidden: str, dtype: str
) -> None:
    workspace, one = made(sizes, hidden, dtype), lanes(np.dtype(dtype))
    places = [
        compiled(norm_index)(c, one, p, group)
        for c in layers_of(workspace)
        for p, group in all_groups(c, one)
    ]
    # None is left over, since all are added up.
    assert sorted(places) == list(range(workspace.work.group_norms.size))
