"""The one place that touches kernels: their names, arguments and buffers change with the engine.

``operation`` returns a function that carries out an operation ``TIMES`` times inside compiled code.
When the engine changes, this module is adapted, so that a benchmark continues to measure the same
work. On commits without a kernel, or with other arguments, the benchmark is skipped.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numba import njit
from numba.core.errors import NumbaError

from ._cases import missing

TIMES = 50
ROWS = 96  # of a block, as in training
_FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}


def _take(module: str, name: str) -> Any:
    """Return a name of fastmlp, or None on a commit that has no such thing."""
    try:
        return getattr(import_module(f"fastmlp.{module}"), name)
    except (ImportError, AttributeError):
        return None


def _take_kernel(folder: str, module: str, name: str) -> Any:
    """Return a kernel, from its folder or, on earlier commits, from the one folder of all."""
    return _take(f"kernels.{folder}.{module}", name) or _take(f"kernels.{module}", name)


def highest_level() -> str:
    """Return the highest level of shipped kernels that this machine has; empty if there is none."""
    levels = _take("kernels.machine.levels", "levels_here")
    return levels()[0].name if levels is not None and levels() else ""


_matmul = _take("kernels.dense", "matmul")  # until weights were stored in panels
_dense_forward = _take("kernels.layers.dense_products", "forward_product") or _take_kernel(
    "steps", "dense", "dense_forward"
)
_dense_gradient = _take("kernels.layers.dense_products", "gradient_product") or _take_kernel(
    "steps", "dense", "dense_gradient"
)
_layer_at = _take("kernels.buffers", "layer_at")
_update = _take_kernel("rules", "optimizers", "update")
_activate = _take_kernel("rules", "activations", "activate")
_barrier = _take_kernel("machine", "team", "barrier")

# What an unknown name of an activation or optimizer raises.
_Unknown = _take("base.errors", "ConfigError") or TypeError

# The package's own decorator would stamp the code with the package's sources and miss changes here.
_driver = njit(cache=True, nogil=True, error_model="numpy", fastmath=_FASTMATH)


@_driver
def _products(times, A, a_row, a_col, B, C, M, N, K, zeros):
    for _ in range(times):
        _matmul(A, 0, a_row, a_col, B, 0, N, zeros, 0, 0, C, 0, N, M, N, K)


@_driver
def _forwards(times, net, work, panels, rows):
    c = _layer_at(net.layers, 0)
    for _ in range(times):
        _dense_forward(c, net.params, work.A, work.Z, 0, panels, 0, rows)


@_driver
def _gradients(times, net, work, panels_in, panels, rows, one):
    c = _layer_at(net.layers, 0)
    for _ in range(times):
        for p in range(panels):
            _dense_gradient(
                c, work.A, work.D, p, 0, panels_in, rows, work.zeros, one, one, work.grads
            )


@_driver
def _updates(times, objective, params, grads, state):
    for step in range(1, times + 1):
        _update(objective, params, 0, params.size, grads, 0, state, 1e-3, step, True)


@_driver
def _early_updates(times, objective, params, grads, state):
    for step in range(1, times + 1):
        _update(objective, params, grads, state, 0, params.size, 1e-3, step, True)


@_driver
def _activations(times, function, parameter, Z, A, rows, width):
    for _ in range(times):
        _activate(function, parameter, Z, A, 0, width, width, 0, rows)


def _meetings(member, team, sync, times):
    for _ in range(times):
        _barrier(sync, team)


def _worker(function: Callable[..., Any]) -> Any:
    """Compile what a launch runs."""
    kernel = _take("kernels.machine.jit", "kernel")
    if "worker" in inspect.signature(kernel).parameters:
        return kernel(function, worker=True)
    return _driver(function)  # until workers received records in memory


@cache
def operation(name: str, *parameters: Any) -> Callable[[], None]:
    """Return an operation, compiled and warm.

    Raises
    ------
    NotImplementedError
        If the commit lacks it; RuntimeError where nothing may be missing.
    """
    try:
        run: Callable[[], None] = _BUILDERS[name](*parameters)
        run()
    except (AttributeError, ImportError, TypeError, NumbaError, _Unknown) as error:
        raise missing(f"{name} has changed: {str(error).strip()[:500]}") from error
    return run


def _filled(size: int, dtype: str) -> np.ndarray:
    """Return an aligned array of ordinary numbers: denormals have a speed of their own."""
    array = _take("model.memory", "aligned_zeros")(size, np.dtype(dtype))
    array[:] = np.random.default_rng(0).uniform(0.1, 1.0, size)
    return array


def _sizes(shape: str) -> tuple[int, int]:
    n_in, n_out = (int(size) for size in shape.split("x"))
    return n_in, n_out


def _layer(shape: str, dtype: str) -> Any:
    """Return a workspace for a block of one layer, filled."""
    parse = _take("ops.activations", "ACTIVATIONS").parse
    kind = _take("model.network", "Network")
    network = getattr(kind, "of_sizes", kind)(_sizes(shape), [parse("identity")], dtype)
    workspace = _take("model.workspace", "Workspace")(network, ROWS)
    for array in (workspace.work.A, workspace.work.D, workspace.net.params):
        array[:] = _filled(array.size, dtype)
    return workspace


def _forward(shape: str, dtype: str) -> Callable[[], None]:
    """Z = X W for a block of rows."""
    K, N = _sizes(shape)
    if _matmul is None:
        layer = _layer(shape, dtype)
        panels = -(-N // layer.lanes)
        return lambda: _forwards(TIMES, layer.net, layer.work, panels, ROWS)
    X, W, Z, zeros = (_filled(size, dtype) for size in (ROWS * K, K * N, ROWS * N, N))
    return lambda: _products(TIMES, X, K, 1, W, Z, ROWS, N, K, zeros)


def _gradient(shape: str, dtype: str) -> Callable[[], None]:
    """dW = X^T dZ for a block of rows."""
    M, N = _sizes(shape)
    if _matmul is None:
        layer, one = _layer(shape, dtype), np.dtype(dtype).type(1)
        panels_in, panels = -(-M // layer.lanes), -(-N // layer.lanes)
        return lambda: _gradients(TIMES, layer.net, layer.work, panels_in, panels, ROWS, one)
    X, dZ, dW, zeros = (_filled(size, dtype) for size in (ROWS * M, ROWS * N, M * N, N))
    return lambda: _products(TIMES, X, 1, M, dZ, dW, M, N, ROWS, zeros)


def _optimizer(name: str, dtype: str) -> Callable[[], None]:
    """An update of as many parameters as 784 x 128 weights."""
    record = _take("ops.optimizers", "OPTIMIZERS").parse(name)
    make = _take("model.functions", "objective")
    if make is None:  # rules were numbered
        objective = _take("model.predictor", "_NO_OBJECTIVE")._replace(
            optimizer=record.code, optimizer_parameters=np.array(record.kernel_parameters)
        )
    else:
        loss = _take("ops.losses", "LOSSES").parse("squared_error")
        objective = make(loss, record, np.dtype(dtype), 0)
    params, grads = _filled(784 * 128, dtype), _filled(784 * 128, dtype)
    state = _filled(max(1, record.state_buffers) * params.size, dtype)
    # Until there were lists of rows, gradients came before the place of the parameters.
    names = _update.py_func.__code__.co_varnames
    run = _early_updates if names[2] == "grads" else _updates
    return lambda: run(TIMES, objective, params, grads, state)


def _activation(name: str, dtype: str) -> Callable[[], None]:
    """a = f(z) for a block of rows, 128 wide."""
    record = _take("ops.activations", "ACTIVATIONS").parse(name)
    parameter = np.dtype(dtype).type(record.kernel_parameter)
    addresses = _take("model.functions", "activation_addresses")
    function = record.code if addresses is None else addresses(name, np.dtype(dtype))[0]
    Z, A = _filled(ROWS * 128, dtype), _filled(ROWS * 128, dtype)
    Z -= np.dtype(dtype).type(0.5)
    return lambda: _activations(TIMES, function, parameter, Z, A, ROWS, 128)


def _team_meeting(threads: int) -> Callable[[], None]:
    """A barrier, met so often that starting the team does not count."""
    launch, meetings = _take("model.launch", "launch"), _worker(_meetings)
    return lambda: launch(meetings, threads, TIMES * 1000)


_BUILDERS: dict[str, Callable[..., Callable[[], None]]] = {
    "forward": _forward,
    "gradient": _gradient,
    "update": _optimizer,
    "activation": _activation,
    "barrier": _team_meeting,
}
