"""A workspace: where the kernels find each layer's numbers, and how the parameters get there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.kernels import buffers
from fastmlp.kernels.buffers import Work
from fastmlp.kernels.machine import phases
from fastmlp.model.functions import activation_addresses
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.layer_lists import dense_layers
from fastmlp.ops.layers import Dropout, Layer
from harness import DTYPES, indices, transposed_indices

SIZES = (5, 37, 16, 1, 3)
DROPOUTS = [(), (0.5, 0, 0, 0), (0, 0.5, 0, 0.5), (0.5,) * 4]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_layout = pytest.mark.parametrize("in_panels", [True, False], ids=["panels", "rows"])
each_block = pytest.mark.parametrize("block_rows", [1, 7, 96])
each_dropout = pytest.mark.parametrize("dropout", DROPOUTS, ids=str)


def network(
    dtype: str = "float32", hidden: str = "relu", sizes: Any = SIZES, dropout: Any = ()
) -> Network:
    activations = [ACTIVATIONS.parse(name) for name in [hidden] * (len(sizes) - 2) + ["softmax"]]
    layers: list[Layer] = []
    for number, layer in enumerate(dense_layers(sizes[1:], activations)):
        layers += [Dropout(dropout[number])] if dropout and dropout[number] else []
        layers.append(layer)
    return Network(layers, sizes[:1], dtype)


def fill(made: Network) -> None:
    """Give every weight and bias a value of its own, from 1."""
    value = 1
    for view in [*made.weights, *made.biases]:
        view[...] = np.arange(value, value + view.size).reshape(view.shape)
        value += view.size


def lanes(dtype: str) -> int:
    return 64 // np.dtype(dtype).itemsize


def widths(row: np.ndarray) -> tuple[int, int]:
    return int(row[buffers.LD_IN]), int(row[buffers.LD_OUT])


# --- parameters ---


@each_dtype
def test_weights_lie_in_panels_of_units(dtype: str) -> None:
    made, one = network(dtype), lanes(dtype)
    fill(made)
    params = Workspace(made).net.params
    for row, weights, biases in zip(made.table, made.weights, made.biases, strict=True):
        for k, j in np.ndindex(weights.shape):
            place = row[buffers.W] + (j // one * weights.shape[0] + k) * one + j % one
            assert params[place] == weights[k, j]
        start = row[buffers.B]
        np.testing.assert_array_equal(params[start : start + biases.size], biases)
    # And all else is padding.
    count = made.n_weights + made.n_biases
    assert sorted(params[params != 0]) == list(range(1, count + 1))


@each_dtype
def test_what_is_loaded_is_stored_again(dtype: str) -> None:
    made = network(dtype)
    workspace = Workspace(made)
    assert not workspace.net.params.any()
    fill(made)
    before = made.params.copy()
    assert not workspace.net.params.any()  # a copy, until it is loaded
    workspace.load()
    made.params[:] = 0
    workspace.store()
    assert made.params.tobytes() == before.tobytes()


@each_dtype
def test_what_kernels_change_reaches_the_network_when_stored(dtype: str) -> None:
    made = network(dtype)
    fill(made)
    before = made.params.copy()
    workspace = Workspace(made)
    workspace.net.params[:] *= -2
    assert made.params.tobytes() == before.tobytes()
    workspace.store()
    np.testing.assert_array_equal(made.params, -2 * before)


@each_dtype
def test_loading_overwrites_what_stood_there(dtype: str) -> None:
    made = network(dtype)
    fill(made)
    workspace = Workspace(made)
    expected = workspace.net.params.copy()
    workspace.net.params[:] = np.nan
    workspace.load()
    assert workspace.net.params.tobytes() == expected.tobytes()


@each_dtype
def test_other_buffers_are_laid_out_like_the_parameters(dtype: str) -> None:
    made = network(dtype)
    fill(made)
    workspace = Workspace(made, state_buffers=2)
    workspace.work.grads[:] = workspace.net.params * 3
    before = workspace.work.grads.copy()
    np.testing.assert_array_equal(workspace.in_rows(workspace.work.grads), made.params * 3)
    assert workspace.work.grads.tobytes() == before.tobytes()
    states = workspace.work.state.reshape(2, -1)
    states[1] = workspace.net.params
    np.testing.assert_array_equal(workspace.in_rows(states[1]), made.params)
    assert not workspace.in_rows(states[0]).any()


# --- activations ---


@each_dtype
@each_layout
@each_block
@each_dropout
@pytest.mark.parametrize("hidden", ["relu", "softmax"])
def test_no_two_values_share_an_index(
    dtype: str, in_panels: bool, block_rows: int, dropout: tuple[float, ...], hidden: str
) -> None:
    dropout = dropout if in_panels else ()  # which the per-sample step does not know
    workspace = Workspace(
        network(dtype, hidden, dropout=dropout), block_rows, per_sample=not in_panels
    )
    work, layers = workspace.work, workspace.net.layers
    used = np.zeros(work.A.size, int)
    for number in range(len(layers)):
        inputs, outputs = (indices(workspace, number, at) for at in (buffers.IN, buffers.OUT))
        assert len(inputs) == len(outputs) == len(work.row_loss)
        if number == 0:
            used[inputs] += in_panels  # the per-sample step needs no place for inputs
        else:  # what the layer below gives
            np.testing.assert_array_equal(inputs, indices(workspace, number - 1, buffers.OUT))
        used[outputs] += 1
    assert used.max() == 1
    # All that is not used fills up the panels, or is the last row of one.
    sizes = np.array(SIZES) * [in_panels, 1, 1, 1, 1]
    padded = -(-sizes // workspace.lanes) * workspace.lanes
    apart = np.array(dropout or [0] * 4) > 0
    rows = len(work.row_loss)
    assert used.sum() == rows * (sizes.sum() + sizes[:-1][apart].sum())
    hidden_sum = padded[:-1].sum() + padded[:-1][apart].sum()
    assert used.size == (rows + in_panels) * hidden_sum + rows * padded[-1]  # outputs are rows


@each_dtype
@each_block
def test_a_block_has_whole_panels_of_rows(dtype: str, block_rows: int) -> None:
    workspace = Workspace(network(dtype), block_rows)
    rows = len(workspace.work.row_loss)
    assert rows % lanes(dtype) == 0 and block_rows <= rows < block_rows + lanes(dtype)
    assert workspace.work.row_hit.size == rows
    assert workspace.work.Y.size == rows * workspace.net.layers[-1, buffers.LD_OUT]


@each_dtype
@each_block
def test_hidden_activations_lie_in_panels_and_outputs_in_rows(dtype: str, block_rows: int) -> None:
    one = lanes(dtype)
    workspace = Workspace(network(dtype), block_rows)
    layers, rows = workspace.net.layers, len(workspace.work.row_loss)
    strides = layers[:, [buffers.OUT_ROW, buffers.OUT_PANEL]].tolist()
    # Panels an odd number of cache lines apart are in different sets of a cache.
    assert strides[:-1] == [[one, (rows + 1) * one]] * 3
    assert strides[-1] == [int(layers[-1, buffers.LD_OUT]), one]
    inputs = layers[:, [buffers.IN_ROW, buffers.IN_PANEL]].tolist()
    assert inputs == [[one, (rows + 1) * one], *strides[:-1]]


@each_dtype
def test_softmax_gets_whole_rows_in_every_layer(dtype: str) -> None:
    one = lanes(dtype)
    layers = Workspace(network(dtype, "softmax")).net.layers
    for row in layers:
        assert row[[buffers.OUT_ROW, buffers.OUT_PANEL]].tolist() == [row[buffers.LD_OUT], one]


@each_dtype
@each_block
def test_in_rows_every_row_is_whole(dtype: str, block_rows: int) -> None:
    one = lanes(dtype)
    layers = Workspace(network(dtype), block_rows, per_sample=True).net.layers
    for row in layers:
        width_in, width_out = widths(row)
        assert row[[buffers.IN_ROW, buffers.IN_PANEL]].tolist() == [width_in, one]
        assert row[[buffers.OUT_ROW, buffers.OUT_PANEL]].tolist() == [width_out, one]


@each_dtype
@each_layout
@each_block
@each_dropout
def test_transposed_gradients_of_layers_lie_apart(
    dtype: str, in_panels: bool, block_rows: int, dropout: tuple[float, ...]
) -> None:
    dropout = dropout if in_panels else ()
    workspace = Workspace(network(dtype, dropout=dropout), block_rows, per_sample=not in_panels)
    used = np.zeros(workspace.work.T.size, int)
    for row in workspace.net.layers:
        places = transposed_indices(workspace, row)
        assert places.shape == (len(workspace.work.row_loss), row[buffers.WIDTH])
        used[places] += 1
    assert used.max() == 1


@pytest.mark.parametrize("block_rows", [1, 7])
@pytest.mark.parametrize("dropout", DROPOUTS[1:], ids=str)
def test_layer_with_dropped_inputs_stores_them_separately(
    dropout: tuple[float, ...], block_rows: int
) -> None:
    workspace = Workspace(network(dropout=dropout), block_rows)
    net, rows = workspace.net, len(workspace.work.row_loss)
    layers = net.layers
    rates = net.layer_parameters
    assert rates[rates > 0].tolist() == [rate for rate in dropout if rate]
    assert layers[0, buffers.IN] == 0
    assert layers[1:, buffers.IN].tolist() == layers[:-1, buffers.OUT].tolist()
    drops = layers[rates > 0]
    sizes = (drops[:, buffers.OUT] - drops[:, buffers.IN]).tolist()
    dropped = [size for size, rate in zip(SIZES, dropout, strict=False) if rate]
    assert sizes == [(rows + 1) * -(-size // 16) * 16 for size in dropped]


# --- all of it ---


@each_dtype
def test_activations_come_with_their_parameter_in_the_dtype(dtype: str) -> None:
    net = Workspace(network(dtype, hidden="leaky_relu(0.25)"), block_rows=1).net
    assert net.activation_parameters.tolist() == [0.25, 0.25, 0.25, 0]
    assert net.activation_parameters.dtype == dtype


@each_dtype
@each_layout
@pytest.mark.parametrize("hidden", [name for name, a in ACTIVATIONS.records.items() if a.hidden])
def test_activations_come_by_the_addresses_of_their_kernels(
    dtype: str, in_panels: bool, hidden: str
) -> None:
    layers = Workspace(network(dtype, hidden), block_rows=1, per_sample=not in_panels).net.layers
    names = [hidden] * 3 + ["softmax"]
    expected = [activation_addresses(name, np.dtype(dtype)) for name in names]
    found = layers[:, [buffers.FUNCTION, buffers.DERIVATIVE]]
    assert found.tolist() == [list(pair) for pair in expected]


@each_dtype
@each_layout
def test_a_workspace_starts_on_cache_lines(dtype: str, in_panels: bool) -> None:
    made = network(dtype)
    workspace = Workspace(made, block_rows=7, state_buffers=2, per_sample=not in_panels)
    numbers = workspace.work[: Work._fields.index("zeros") + 1]
    for array in [workspace.net.params, *numbers]:
        assert array.ctypes.data % 64 == 0 and array.dtype == dtype
        assert not array.any()
    # So does each panel of a row or a block, each row of a panel, and each layer.
    places = [buffers.W, buffers.B, buffers.T, buffers.IN, buffers.OUT]
    places += [buffers.IN_ROW, buffers.IN_PANEL, buffers.OUT_ROW, buffers.OUT_PANEL]
    assert (workspace.net.layers[:, places] % lanes(dtype) == 0).all()
    work = workspace.work
    assert work.A.size == work.Z.size == work.D.size
    assert work.grads.size == made.params.size and work.state.size == 2 * made.params.size
    assert work.zeros.size == lanes(dtype)
    assert work.phases.shape == (len(phases.NAMES),) and work.phases.dtype == np.int64


def test_a_workspace_for_evaluation_keeps_no_gradients_of_weights() -> None:
    work = Workspace(network(), training=False, state_buffers=2).work
    assert (work.T.size, work.grads.size, work.state.size, work.group_norms.size) == (0, 0, 0, 0)
    # Losses leave their gradient even so.
    assert work.D.size == work.A.size > 0


def test_workspace_does_not_change_networks_table() -> None:
    made = network()
    before = made.table.copy()
    one, other = Workspace(made, 7), Workspace(made, 96)
    assert made.table.tobytes() == before.tobytes()
    assert one.net.layers.tolist() != other.net.layers.tolist()
