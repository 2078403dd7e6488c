"""Kernels of networks and data of any shape touch nothing but the arrays that they are given.

Each array lies between a page that the processor guards and bytes that must not change
(``model/guards.py``). In a debug build (FASTMLP_DEBUG_MEMORY=1) every index and address is asserted
as well; .ci/run does both. A failure there ends the process; pytest's -s shows its last words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from fastmlp import Predictor
from fastmlp.kernels.machine.assertions import CHECKED
from fastmlp.model import guards
from fastmlp.model.network import Network
from fastmlp.model.sparse import LEAST_BYTES
from fastmlp.model.task import Task
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.layer_lists import shapes
from fastmlp.ops.layers import (
    AvgPool2d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    MaxPool2d,
)
from fastmlp.ops.losses import legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.scalers import SCALERS
from harness import DTYPES, HIDDEN, Case, Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="guards need POSIX")

# The kernels of a debug build are compiled for this alone: in one type.
TYPES = DTYPES[:1] if CHECKED else DTYPES
INPUTS = ("dense", "lists", "shifted lists", "bytes")
size = st.integers(1, 70)
sometimes = st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.5])

fuzz = settings(max_examples=settings.default.max_examples // 2)


@pytest.fixture(scope="module", autouse=True)
def guarded() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guards, "enabled", True)
        yield


@st.composite
def cases(draw: st.DrawFn, is_general: bool) -> Case:
    """Networks, rows and options of any kind. Many have classes that no row is of."""
    sizes = tuple(draw(st.lists(size, min_size=2, max_size=4)))
    n_hidden = len(sizes) - 2
    output, loss = draw(st.sampled_from(list(legal_pairs())))
    inputs = draw(st.sampled_from(INPUTS if is_general or n_hidden else INPUTS[:3]))
    is_plain = inputs == "lists" or (inputs == "bytes" and not is_general)
    if inputs == "bytes":
        sizes = (sizes[0] + LEAST_BYTES - 1, *sizes[1:])
    case = Case(
        sizes=sizes,
        hidden=tuple(draw(st.sampled_from(HIDDEN)) for _ in range(n_hidden)),
        output=output,
        loss=loss,
        dtype=draw(st.sampled_from(TYPES)),
        rows=draw(size),
        batch_size=1,
        epochs=1,
        rate=0.01,
        zeros=draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
        blank=draw(st.booleans()),
        scale="none" if is_plain else draw(st.sampled_from(["none", "standard"])),
        inputs=inputs,
        of_bytes=inputs == "bytes",
        l2=draw(sometimes),
        label_smoothing=draw(sometimes),
    )
    if not is_general:
        return case
    of_inputs = draw(sometimes) if inputs == "dense" else 0.0
    return case.but(
        batch_size=draw(size),
        block_rows=draw(size),
        optimizer=draw(st.sampled_from([*OPTIMIZERS.names(), "sgd(momentum=0.9)"])),
        dropout=(of_inputs, *(draw(sometimes) for _ in range(n_hidden))),
        weighted=draw(st.booleans()),
        penalty_per_row=draw(st.booleans()),
        l1=draw(sometimes),
        clip_norm=draw(sometimes),
        clip_value=draw(sometimes),
        max_norm=draw(sometimes),
    )


@st.composite
def image_cases(draw: st.DrawFn) -> Case:
    """Networks of images: each kind of layer, one after the other, where it fits."""
    side = st.integers(1, 6)
    shape = (draw(side), draw(side), draw(st.sampled_from([1, 2, 3, 17])))
    layers: list[Layer] = []
    for _ in range(draw(st.integers(1, 4))):
        inputs = shapes(layers, shape)[-1]
        if len(inputs) < 3:
            layers.append(draw(st.sampled_from([Dropout(0.5), Dense(5), Flatten()])))
            continue
        kernel = draw(st.integers(1, inputs[0])), draw(st.integers(1, inputs[1]))
        stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        padding = draw(st.sampled_from(["valid", "same"]))
        filters = draw(st.sampled_from([1, 5, 17, 33]))
        layers.append(
            draw(
                st.sampled_from([
                    Conv2d(filters, kernel, stride, padding),
                    Conv2d(filters, (5, 7), stride, "same"),
                    MaxPool2d(kernel, stride), AvgPool2d(kernel, stride), GlobalAvgPool2d(),
                    Dropout(0.5), Flatten(), Dense(5),
                ])
            )
        )  # fmt: skip
    return Case(
        layers=", ".join(map(str, layers)),
        input_shape=shape,
        sizes=(0, draw(st.integers(1, 5))),
        hidden=draw(st.sampled_from(["tanh", "relu"])),
        dtype=draw(st.sampled_from(TYPES)),
        rows=draw(size),
        batch_size=draw(size),
        block_rows=draw(size),
        epochs=1,
        rate=0.01,
        optimizer=draw(st.sampled_from(["sgd", "adam"])),
        weighted=draw(st.booleans()),
        l2=draw(sometimes),
        clip_norm=draw(sometimes),
        max_norm=draw(sometimes),
    )


def trained(case: Case, step: str, team: int, pieces: int | None) -> Run:
    """A run after training."""
    run = Run(case)
    getattr(run, step)(threads=team, pieces=pieces, full_team=team > 1)
    return run


# That numbers are the same in any team is tested elsewhere; here it costs nothing, and what is read
# beside an array is not.


@fuzz
@given(case=cases(is_general=True), team=st.integers(1, 4))
def test_the_general_step_and_evaluations(case: Case, team: int) -> None:
    one, other = trained(case, "train", 1, None), trained(case, "train", team, 1)
    np.testing.assert_array_equal(one.network.params, other.network.params)
    for found, same in zip(one.evaluate(), other.evaluate(team, full_team=True), strict=True):
        np.testing.assert_array_equal(found, same)


@fuzz
@given(case=image_cases(), team=st.integers(1, 4))
def test_layers_of_images(case: Case, team: int) -> None:
    one, other = trained(case, "train", 1, None), trained(case, "train", team, 1)
    np.testing.assert_array_equal(one.network.params, other.network.params)
    for found, same in zip(one.evaluate(), other.evaluate(team, full_team=True), strict=True):
        np.testing.assert_array_equal(found, same)


@fuzz
@given(case=cases(is_general=False), pieces=st.sampled_from([None, 1, 7, 33]))
def test_the_per_sample_step(case: Case, pieces: int | None) -> None:
    one, other = (trained(case, "train_samples", team, pieces) for team in (1, 2))
    np.testing.assert_array_equal(one.network.params, other.network.params)


@st.composite
def raw_rows(draw: st.DrawFn) -> np.ndarray | csr_array:
    """Rows to predict from, of any type that features may have; or none, or all zero."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shape = draw(st.integers(0, 70)), draw(st.integers(1, 140))
    kind = draw(st.sampled_from(["u1", "i2", "f4", "f8"]))
    X = (rng.integers(0, 255, shape) * (rng.random(shape) < draw(st.floats(0, 1)))).astype(kind)
    X[::3], X[:, ::3] = 0, 0
    return csr_array(X) if draw(st.booleans()) else X


@fuzz
@given(
    X=raw_rows(),
    scale=st.sampled_from(["none", "maxabs", "standard", "standard_global", "minmax"]),
    dtype=st.sampled_from(TYPES),
    team=st.integers(1, 4),
)
def test_prediction_from_raw_rows(X: Any, scale: str, dtype: str, team: int) -> None:
    some = X
    if not X.shape[0] or (isinstance(X, csr_array) and scale != "maxabs"):
        some = np.ones(
            (2, X.shape[1])
        )  # so that only a little is taken off: more would need dense rows
    scaling = SCALERS.parse(scale).fit(some, None)
    activations = [ACTIVATIONS.parse(name) for name in ("relu", "identity")]
    network = Network.of_sizes((X.shape[1], 17, 3), activations, dtype)
    predictor = Predictor(network, scaling, Task("regression", 3))
    one = predictor.outputs(X, threads=1)
    assert one.shape == (X.shape[0], 3)
    np.testing.assert_array_equal(one, predictor.outputs(X, threads=team))


@pytest.mark.parametrize("inputs", ["dense", "lists", "bytes"])
def test_epochs_and_evaluations_without_rows(inputs: str) -> None:
    sizes, of_bytes = (LEAST_BYTES, 7, 3), inputs == "bytes"
    run = Run(Case(dtype=TYPES[0], inputs=inputs, sizes=sizes, of_bytes=of_bytes))
    before = run.network.params.copy()
    run.train_part(0, 0, [0.1] * run.batches)
    run.data = run.data._replace(order=run.data.order[:0])
    assert all(result.size == 0 for result in run.evaluate())
    np.testing.assert_array_equal(run.network.params, before)
