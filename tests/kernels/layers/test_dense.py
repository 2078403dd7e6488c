"""The dense layer's kernels against NumPy: each rectangle of each shape, and nothing beside it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pytest

import reference
from fastmlp.kernels import buffers
from fastmlp.kernels.buffers import layer_at
from fastmlp.kernels.emit.emitter import lanes
from fastmlp.kernels.layers.dense_products import (
    backward_product,
    bias_gradient,
    forward_product,
    gradient_product,
    reads_strips,
    strip_of,
    transpose_gradients,
)
from fastmlp.kernels.layers.layout import PARTS, is_empty, is_in_panels, owned_units, rectangle
from fastmlp.kernels.machine.team import Member, new_sync
from fastmlp.model.network import Network
from fastmlp.model.workspace import Workspace
from fastmlp.ops.activations import ACTIVATIONS
from harness import DTYPES, cached, compiled, indices, transposed_indices

UNTOUCHED = -5
BLOCK_ROWS = 37  # ragged in both types
SIZES = ["1", "lanes-1", "lanes", "lanes+1", "37"]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_form = pytest.mark.parametrize("form", ["panels", "rows", "softmax"])
each_n_in = pytest.mark.parametrize("n_in", SIZES)
each_n_out = pytest.mark.parametrize("n_out", SIZES)
each_team = pytest.mark.parametrize("team", [1, 2, 3, 4, 5])


def size(text: str, dtype: str) -> int:
    return lanes(np.dtype(dtype)) + int(text[5:] or 0) if text.startswith("lanes") else int(text)


class Layer:
    """The middle layer of a small network, with numbers of its own in every place."""

    def __init__(self, n_in: str, n_out: str, dtype: str, form: str = "panels"):
        # ``form`` is how its outputs lie; its inputs lie in panels.
        sizes = (3, size(n_in, dtype), size(n_out, dtype), 2)[: 3 if form == "rows" else 4]
        hidden = ["relu", "softmax" if form == "softmax" else "relu", "identity"]
        activations = [ACTIVATIONS.parse(name) for name in hidden[: len(sizes) - 1]]
        self.network = Network.of_sizes(sizes, activations, dtype)
        self.rng = np.random.default_rng(sum(sizes))
        for view in [*self.network.weights, *self.network.biases]:
            view[...] = self.draw(*view.shape)
        self.workspace = Workspace(self.network, BLOCK_ROWS)
        self.net, self.work = self.workspace.net, self.workspace.work
        self.row_below, self.row = self.net.layers[:2]
        self.below, self.c = (compiled(layer_at)(self.net.layers, number) for number in (0, 1))
        self.lanes = self.workspace.lanes
        self.panels = self.c.ld_out // self.lanes
        self.panels_in = self.c.ld_in // self.lanes
        self.padded_rows = len(self.work.row_loss)
        self.W, self.bias = self.network.weights[1], self.network.biases[1]

    def draw(self, *shape: int) -> np.ndarray:
        return self.rng.normal(0, 1, shape).astype(self.network.dtype)

    @cached_property
    def inputs(self) -> np.ndarray:
        return indices(self.workspace, 1, buffers.IN)

    @cached_property
    def outputs(self) -> np.ndarray:
        return indices(self.workspace, 1, buffers.OUT)

    def fill(self, array: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Overwrite those places by random numbers, and return them."""
        array[places] = self.draw(*places.shape)
        return array[places]

    def padding(self, start: int) -> np.ndarray:
        """Where the cells are that fill up the last panel of inputs or outputs."""
        fields = (buffers.IN_ROW, buffers.IN_PANEL, buffers.N_IN, buffers.LD_IN)
        if start == buffers.OUT:
            fields = (buffers.OUT_ROW, buffers.OUT_PANEL, buffers.N_OUT, buffers.LD_OUT)
        stride, panel, n, width = self.row[list(fields)]
        columns = np.arange(n, width)
        rows = np.arange(self.padded_rows)[:, np.newaxis]
        places = columns // self.lanes * panel + columns % self.lanes
        return self.row[start] + rows * stride + places


# --- the kernels, as this file calls them ---


def forward(layer: Layer, p0: int, p1: int, r0: int, r1: int) -> None:
    A, Z = layer.work.A, layer.work.Z
    compiled(forward_product)(layer.c, layer.net.params, A, Z, p0, p1, r0, r1)


def transpose(layer: Layer, p0: int, p1: int, r0: int, r1: int) -> None:
    compiled(transpose_gradients)(layer.c, layer.work.D, layer.work.T, p0, p1, r0, r1)


def backward(layer: Layer, p0: int, p1: int, r0: int, r1: int) -> None:
    params, work = layer.net.params, layer.work
    compiled(backward_product)(
        layer.c, layer.below, params, work.T, work.strip, work.zeros, work.D, p0, p1, r0, r1
    )


def gradient(
    layer: Layer, p: int, q0: int, q1: int, rows: int, source: Any, keep: float, gain: float,
    target: np.ndarray,
) -> None:  # fmt: skip
    real, work = layer.network.dtype.type, layer.work
    compiled(gradient_product)(
        layer.c, work.A, work.D, p, q0, q1, rows, source, real(keep), real(gain), target
    )


@cached
def strip_size_and_start(c: Any, T: Any, lanes: int, rows: int, me: Any) -> Any:
    strip = strip_of(c, T, lanes, rows, me)
    return strip.size, strip[0] if strip.size > 0 else 0


def add_bias_gradient(layer: Layer, p: int, rows: int, overwrite: bool) -> None:
    compiled(bias_gradient)(layer.c, layer.work.D, p, p + 1, rows, layer.work.grads, overwrite)


def assert_near(found: np.ndarray, expected: np.ndarray, magnitude: np.ndarray, K: int) -> None:
    """Each element is right to within what K roundings in any order can do."""
    limit = (K + 2) * np.finfo(found.dtype).eps * magnitude
    assert found.shape == expected.shape and (np.abs(found - expected) <= limit).all()


def rectangles(panels: int, rows: int, grain: int = 1) -> list[tuple[int, int, int, int]]:
    """All of it, the first and the last part of either side, one inside, and none."""
    p, r = panels // 2, rows // 2 // grain * grain
    parts = [(0, panels, 0, rows), (0, panels, r, rows), (0, panels, 0, r)]
    parts += [(p, panels, 0, rows), (0, p, 0, rows), (p, panels, r, rows), (0, panels, r, r)]
    return parts


# --- ownership of units ---


@each_dtype
@each_form
@each_team
@pytest.mark.parametrize("n_out", ["1", "lanes", "37", "100"])
@pytest.mark.parametrize("rows", [1, 5, 16, 37])
def test_members_rectangles_cover_each_cell_once(
    dtype: str, form: str, team: int, n_out: str, rows: int
) -> None:
    layer = Layer("5", n_out, dtype, form)
    count = np.zeros((layer.panels, rows), int)
    for member in range(team):
        for part in range(PARTS):
            box = compiled(rectangle)(layer.c, layer.lanes, rows, member, team, part)
            p0, p1, r0, r1 = box
            assert compiled(is_empty)(box) == (p0 == p1 or r0 == r1)
            assert 0 <= p0 <= p1 <= layer.panels and 0 <= r0 <= r1 <= rows
            # Whole panels of rows are transposed; the one that is cut is the last.
            assert r0 % layer.lanes == 0 or r0 == r1
            assert r1 % layer.lanes == 0 or r1 == rows
            count[p0:p1, r0:r1] += 1
    assert (count == 1).all()


@each_dtype
@each_form
@each_team
@pytest.mark.parametrize("n_out", ["1", "lanes", "37", "100"])
@pytest.mark.parametrize("divides", [False, True])
def test_units_are_owned_where_there_are_enough_in_panels(
    dtype: str, form: str, team: int, n_out: str, divides: bool
) -> None:
    layer = Layer("5", n_out, dtype, form)
    c = layer.c._replace(divides=int(divides))
    found = [compiled(owned_units)(c, layer.lanes, m, team) for m in range(team)]
    # A single panel is in both forms at once: its rows are whole.
    assert compiled(is_in_panels)(layer.c, layer.lanes) == (form == "panels")
    owned = [list(range(first, last)) for first, last, _ in found]
    (left,) = {left for _, _, left in found}
    assert [p for panels in owned for p in panels] == list(range(left))
    if form == "panels" and layer.panels >= team:
        # The same units for any block, every member has some, and what is left is less than one.
        assert all(owned) and layer.panels - left < team
        sizes = {len(panels) for panels in owned}
        assert len(sizes) == 1 if divides else left == layer.panels
    else:
        assert left == 0


# --- forward ---


@each_dtype
@each_form
@each_n_in
@each_n_out
def test_forward_overwrites_its_rectangle(dtype: str, form: str, n_in: str, n_out: str) -> None:
    for p0, p1, r0, r1 in rectangles(-(-size(n_out, dtype) // lanes(np.dtype(dtype))), 29):
        layer = Layer(n_in, n_out, dtype, form)
        A = layer.fill(layer.work.A, layer.inputs)
        layer.work.A[layer.padding(buffers.IN)] = np.nan  # no more than the inputs is read
        layer.work.Z[:] = UNTOUCHED
        forward(layer, p0, p1, r0, r1)
        columns = slice(p0 * layer.lanes, p1 * layer.lanes)
        places = layer.outputs[r0:r1, columns]
        expected = reference.dense_forward(A, layer.W, layer.bias)[r0:r1, columns]
        magnitude = (np.abs(A) @ np.abs(layer.W) + np.abs(layer.bias))[r0:r1, columns]
        assert_near(layer.work.Z[places], expected, magnitude, A.shape[1])
        rest = np.ones(layer.work.Z.size, bool)
        rest[places] = False
        if p1 == layer.panels and p0 < p1:
            padding = layer.padding(buffers.OUT)[r0:r1]
            assert (layer.work.Z[padding] == 0).all()
            rest[padding] = False
        assert (layer.work.Z[rest] == UNTOUCHED).all()


# --- backward ---


@each_dtype
@each_form
@each_n_out
def test_gradients_are_transposed(dtype: str, form: str, n_out: str) -> None:
    one = lanes(np.dtype(dtype))
    for p0, p1, r0, r1 in rectangles(-(-size(n_out, dtype) // one), 29, one):
        layer = Layer("5", n_out, dtype, form)
        D = layer.fill(layer.work.D, layer.outputs)
        layer.work.T[:] = UNTOUCHED
        transpose(layer, p0, p1, r0, r1)
        # Rows are taken in whole panels.
        last = -(-r1 // one) * one if r0 < r1 else r0
        columns = slice(p0 * one, p1 * one)
        expected = np.full(D.shape, UNTOUCHED, dtype)
        expected[r0:last, columns] = D[r0:last, columns]
        expected[r1:last, columns] = 0  # of lanes without a row
        places = transposed_indices(layer.workspace, layer.row)
        np.testing.assert_array_equal(layer.work.T[places], expected)
        layer.work.T[places] = UNTOUCHED
        written = np.flatnonzero(layer.work.T != UNTOUCHED)
        # Beside the gradients only what fills up their last panel, and with zeros.
        padding = (last - r0) * (layer.panels * one - D.shape[1]) if p0 < p1 == layer.panels else 0
        assert len(written) == padding and (layer.work.T[written] == 0).all()
        start = layer.c.t
        inside = (written >= start) & (written < start + D.shape[0] * layer.panels * one)
        assert inside.all()


@each_dtype
@each_form
@each_n_in
@each_n_out
def test_backward_overwrites_its_rectangle(dtype: str, form: str, n_in: str, n_out: str) -> None:
    one = lanes(np.dtype(dtype))
    for p0, p1, r0, r1 in rectangles(-(-size(n_in, dtype) // one), 29, one):
        layer = Layer(n_in, n_out, dtype, form)
        work = layer.work
        places = transposed_indices(layer.workspace, layer.row)
        work.T[layer.c.t :] = np.nan  # no more than the units is read
        dZ = layer.fill(work.T, places)
        mine = transposed_indices(layer.workspace, layer.row_below)
        work.T[mine], work.D[:] = UNTOUCHED, UNTOUCHED
        before = work.T.copy()
        backward(layer, p0, p1, r0, r1)
        last = -(-r1 // one) * one if r0 < r1 else r0
        columns = slice(p0 * one, p1 * one)
        expected = reference.dense_input_gradient(dZ, layer.W)[r0:last, columns]
        magnitude = (np.abs(dZ) @ np.abs(layer.W).T)[r0:last, columns]
        found = work.D[layer.inputs[r0:last, columns]]
        assert_near(found, expected, magnitude, dZ.shape[1])
        # T of the layer below is the same; all else of T is as it was.
        changed = np.full(mine.shape, UNTOUCHED, dtype)
        changed[r0:last, columns] = found
        np.testing.assert_array_equal(work.T[mine], changed)
        work.T[mine] = UNTOUCHED
        np.testing.assert_array_equal(work.T, before)
        rest = np.ones(work.D.size, bool)
        rest[layer.inputs[r0:last, columns]] = False
        if p1 == layer.panels_in and p0 < p1:
            padding = layer.padding(buffers.IN)[r0:last]
            assert (work.D[padding] == 0).all()
            rest[padding] = False
        assert (work.D[rest] == UNTOUCHED).all()


@each_dtype
@each_n_in
@each_n_out
def test_transposed_weights_give_the_same_bits(dtype: str, n_in: str, n_out: str) -> None:
    one, rows = lanes(np.dtype(dtype)), 29
    for p0, p1, r0, r1 in rectangles(-(-size(n_in, dtype) // one), rows):
        layer = Layer(n_in, n_out, dtype)
        work = layer.work
        layer.fill(work.D, layer.outputs)
        transpose(layer, 0, layer.panels, 0, rows)
        backward(layer, 0, layer.panels_in, 0, rows)
        expected = work.D[layer.inputs[r0:r1, p0 * one : p1 * one]]
        work.D[layer.inputs] = work.D[layer.padding(buffers.IN)] = UNTOUCHED
        before = work.D.copy()
        strip = np.full(layer.c.ld_out * one, np.nan, dtype)  # no more is read than is written
        compiled(backward_product)(
            layer.c, layer.below, layer.net.params, work.T, strip, work.zeros, work.D,
            p0, p1, r0, r1,
        )  # fmt: skip
        places = layer.inputs[r0:r1, p0 * one : p1 * one]
        assert work.D[places].tobytes() == expected.tobytes()
        work.D[places] = UNTOUCHED
        if p1 == layer.panels_in and p0 < p1:
            padding = layer.padding(buffers.IN)[r0:r1]
            assert (work.D[padding] == 0).all()
            work.D[padding] = UNTOUCHED
        np.testing.assert_array_equal(work.D, before)


@each_dtype
@each_team
@pytest.mark.parametrize("rows", [1, 5, 16, 20, 37])
def test_members_have_strips_of_their_own(dtype: str, team: int, rows: int) -> None:
    layer = Layer("37", "37", dtype)
    used = np.zeros(layer.work.T.size, int)
    is_used = compiled(reads_strips)(layer.c, layer.lanes, rows, team)
    assert not (is_used and team > -(-rows // layer.lanes))
    for number in range(team):
        member = Member(number, team, new_sync())
        T = np.arange(used.size, dtype=dtype)
        strip = strip_size_and_start(layer.c, T, layer.lanes, rows, member)
        assert strip[0] == is_used * layer.c.ld_out * layer.lanes
        used[int(strip[1]) : int(strip[1]) + strip[0]] += 1
    assert used.max() == is_used
    inside = slice(layer.c.t, layer.c.t + layer.padded_rows * layer.c.ld_out)
    assert used.sum() == used[inside].sum()


@pytest.mark.parametrize(("rows", "expected"), [(100, True), (96, False), (22, True), (1, True)])
def test_ragged_rows_are_multiplied_by_transposed_weights(rows: int, expected: bool) -> None:
    for form in ("panels", "rows"):
        layer = Layer("lanes", "lanes", "float32", form)
        c = layer.c._replace(n_in=300, ld_in=304, n_out=300, ld_out=304)
        assert compiled(reads_strips)(c, 16, rows, 1) == (expected and form == "panels")


# --- gradients ---


@each_dtype
@each_form
@each_n_in
@each_n_out
@pytest.mark.parametrize("source", ["zeros", "itself", "parameters"])
def test_the_gradient_of_a_group_of_weights(
    dtype: str, form: str, n_in: str, n_out: str, source: str
) -> None:
    layer = Layer(n_in, n_out, dtype, form)
    A, dZ = layer.fill(layer.work.A, layer.inputs), layer.fill(layer.work.D, layer.outputs)
    A, dZ = A[:11], dZ[:11]
    layer.work.A[layer.inputs[11:]] = layer.work.D[layer.outputs[11:]] = np.nan  # no such rows
    keep, gain = {"zeros": (1.0, 1.0), "itself": (1.0, 0.5), "parameters": (0.75, -0.5)}[source]
    for p in range(layer.panels):
        for q0, q1 in [(0, layer.panels_in), (0, 1), (layer.panels_in - 1, layer.panels_in)]:
            target = layer.net.params.copy() if source == "itself" else layer.work.grads
            if source != "itself":
                target[:] = UNTOUCHED
            sources = {"zeros": layer.work.zeros, "itself": target}
            gradient(
                layer, p, q0, q1, 11, sources.get(source, layer.net.params), keep, gain, target
            )
            given = np.zeros_like(layer.W) if source == "zeros" else layer.W
            expected = keep * given + gain * reference.dense_gradients(A, dZ)[0]
            magnitude = np.abs(keep * given) + abs(gain) * (np.abs(A).T @ np.abs(dZ))
            one = layer.lanes
            part = slice(q0 * one, q1 * one), slice(p * one, (p + 1) * one)
            found, logical = in_rows(layer, target), np.full(layer.W.shape, UNTOUCHED, dtype)
            if source == "itself":
                logical[...] = layer.W
            assert_near(found[part], expected[part], magnitude[part], 11)
            logical[part] = found[part]
            np.testing.assert_array_equal(found, logical)
            # Nothing beside this layer's weights is written, and their padding stays zero.
            before = np.full_like(target, UNTOUCHED)
            if source == "itself":
                before[:] = layer.net.params
            outside = np.ones(target.size, bool)
            outside[weights_of(layer)] = False
            np.testing.assert_array_equal(target[outside], before[outside])
            if p == layer.panels - 1:
                padding = layer.workspace.in_rows(target)[weights_of(layer)]
                padding = padding.reshape(len(layer.W), -1)[q0 * one : q1 * one, dZ.shape[1] :]
                assert (padding == 0).all()


def weights_of(layer: Layer) -> slice:
    """Where the layer's weights stand among the parameters, in panels or in rows."""
    return slice(layer.c.w, layer.c.w + layer.c.n_in * layer.c.ld_out)


def in_rows(layer: Layer, buffer: np.ndarray) -> np.ndarray:
    """The layer's weights from a buffer laid out like the kernels' parameters."""
    return layer.network.gradient_views(layer.workspace.in_rows(buffer))[0][1]


@each_dtype
@each_form
@each_n_out
@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_bias_gradient_is_the_sum_of_rows(
    dtype: str, form: str, n_out: str, rows: int, overwrite: bool
) -> None:
    layer = Layer("5", n_out, dtype, form)
    dZ = layer.fill(layer.work.D, layer.outputs)[:rows]
    layer.work.D[layer.outputs[rows:]] = np.nan  # no such rows
    for p in range(layer.panels):
        grads = layer.work.grads
        grads[:] = np.nan if overwrite else np.arange(grads.size) % 7
        before = grads.copy()
        add_bias_gradient(layer, p, rows, overwrite)
        start = layer.c.b + p * layer.lanes
        part = dZ[:, p * layer.lanes : (p + 1) * layer.lanes]
        n = part.shape[1]
        initial = np.zeros(n, dtype) if overwrite else before[start : start + n]
        expected = initial + part.sum(axis=0)
        magnitude = np.abs(initial) + np.abs(part).sum(axis=0)
        assert_near(grads[start : start + n], expected, magnitude, rows)
        fill = grads[start + n : start + layer.lanes]
        assert (fill == (0 if overwrite else before[start + n : start + layer.lanes])).all()
        grads[start : start + layer.lanes] = before[start : start + layer.lanes]
        assert grads.tobytes() == before.tobytes()


@each_dtype
def test_an_element_is_the_same_in_any_rectangle_bit_for_bit(dtype: str) -> None:
    layer = Layer("37", "37", dtype)
    layer.fill(layer.work.A, layer.inputs)
    forward(layer, 0, layer.panels, 0, 29)
    whole = layer.work.Z.copy()
    layer.work.Z[:] = 0
    for p in range(layer.panels):
        for r0, r1 in ((0, 1), (1, 14), (14, 29)):
            forward(layer, p, p + 1, r0, r1)
    assert layer.work.Z.tobytes() == whole.tobytes()
