"""The products of convolutions by address, as a step calls them; changes with the engine."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
from numba import njit

import fastmlp

from ._cases import missing
from ._kernels import _FASTMATH, _take

ROWS = 32
_LAYERS = "conv2d(32, 3), max_pool2d(2), conv2d(64, 3), dense(64)"
_NUMBERS = {"first": 1, "second": 2}  # among the stages: images are made of rows before them
# Multiply-adds of an image: positions, filters, weights of a filter.
_PRODUCTS = {"first": 26 * 26 * 32 * 9, "second": 11 * 11 * 64 * 288}

_as_passed = _take("kernels.machine.stored", "as_passed") or _take(
    "kernels.machine.view", "as_views"
)
_layer_at = _take("kernels.buffers", "layer_at")
_call_forward = _take("kernels.call_types", "call_forward")
_call_backward = _take("kernels.call_types", "call_layer_backward")
_call_gradient = _take("kernels.call_types", "call_gradient")
_member = _take("kernels.machine.team", "Member")
_driver = njit(cache=True, nogil=True, error_model="numpy", fastmath=_FASTMATH)


@_driver
def _forwards(times, net, work, sparse, order, key, sync, layer, rows):
    net, work = _as_passed(net), _as_passed(work)
    sparse, order = _as_passed(sparse), _as_passed(order)
    c = _layer_at(net.layers, layer)
    for _ in range(times):
        _call_forward(
            c.forward, (net, work, sparse, order, _as_passed(key), 0, layer, (0, 1, 0, rows))
        )


@_driver
def _backwards(times, net, work, sparse, order, key, sync, layer, rows):
    net, work = _as_passed(net), _as_passed(work)
    c = _layer_at(net.layers, layer)
    for _ in range(times):
        _call_backward(c.backward, (net, work, _as_passed(key), 0, layer, (0, 1, 0, rows)))


@_driver
def _gradients(times, net, work, sparse, order, key, sync, layer, rows):
    net, work = _as_passed(net), _as_passed(work)
    c = _layer_at(net.layers, layer)
    for _ in range(times):
        _call_gradient(c.gradient, (_member(0, 1, _as_passed(sync)), net, work, layer, rows, True))


_DRIVERS = {"forward": _forwards, "inputs": _backwards, "weights": _gradients}


def rate(layer: str, product: str) -> float:
    """Return GFLOP/s of a product of E3's layer, counted as its direct form has them."""
    if layer == "first" and product == "inputs":
        raise missing("nothing learns from the gradient of the images")
    start, new_sync = _take("training.fit", "start"), _take("kernels.machine.team", "new_sync")
    if (
        _member is None
        or start is None
        or "scratch" not in _take("kernels.buffers", "Work")._fields
    ):
        raise missing("kernels of layers have changed")
    rng = np.random.default_rng(0)
    data = fastmlp.Dataset(
        rng.integers(0, 256, (ROWS, 784)).astype(np.uint8), np.arange(ROWS) % 10,
        image_shape=(28, 28),
    )  # fmt: skip
    config = fastmlp.TrainConfig(
        layers=_LAYERS, batch_size=ROWS, epochs=1, split="none", validation=0, restore_best=False
    )
    run: Any = start(config, data, 1)
    run.compile()
    run.steps.start_epoch(1, np.full(1, 0.01))
    run.steps.advance()
    workspace, rows = run.steps.workspace, run.prepared.train
    arguments = (
        workspace.net, workspace.work, rows.sparse, rows.order, np.zeros(2, np.uint64),
        new_sync(), _NUMBERS[layer], ROWS,
    )  # fmt: skip
    driver = _DRIVERS[product]
    driver(1, *arguments)
    seconds = []
    for _ in range(15):
        began = perf_counter()
        driver(20, *arguments)
        seconds.append((perf_counter() - began) / 20)
    return 2e-9 * ROWS * _PRODUCTS[layer] / float(np.median(seconds))
