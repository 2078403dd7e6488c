"""Compiling everything ahead of time, so that later runs start at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ..data.dataset import Dataset
from ..kernels.machine.lookup import for_host
from ..model.encoding import GATHERS, gather_address
from ..model.functions import (
    activation_addresses,
    loss_address,
    of_rows_address,
    pass_addresses,
    update_address,
)
from ..model.launch import check_threads
from ..model.layer_table import layer_addresses
from ..model.samples import block_addresses
from ..model.sparse import compile_sparse
from ..model.stages import UNFLATTEN
from ..ops.activations import ACTIVATIONS
from ..ops.layers import kernel_names
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from .config import TrainConfig
from .fit import start
from .plan import TEAM_LARGE_ROWS
from .setting_checks import DTYPES

# More weights than TEAM_WEIGHTS, so that a team shares the samples of the per-sample step, too.
TEAM_HIDDEN = (256, 256)


class WarmedUp(NamedTuple):
    """A group of kernels that are ready."""

    dtype: str
    what: str
    seconds: float


def warm_up(dtypes: Sequence[str] = DTYPES, threads: int | None = None) -> Iterator[WarmedUp]:
    """Compile for this CPU, or load from disk, every kernel that any run or prediction can need.

    Kernels that are shipped for the level of this CPU are compiled, too, unless this process has
    loaded them before.

    Parameters
    ----------
    dtypes : sequence of {"float32", "float64"}
    threads : int or None
        With one thread, the kernels that start a team are not compiled. None: all usable CPUs.

    Yields
    ------
    WarmedUp
        Each group as soon as it is done.
    """
    for dtype in dtypes:
        for what, compile in _groups(dtype, threads):
            started = time.perf_counter()
            with for_host():
                compile()
            yield WarmedUp(dtype, what, time.perf_counter() - started)


def _groups(dtype: str, threads: int | None) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield groups of kernels, each with a function that compiles it."""
    real = np.dtype(dtype)
    for plural, address, names in (
        ("activations", _activation, ACTIVATIONS.names()),
        ("losses", loss_address, LOSSES.names()),
        ("kernels of layers", layer_addresses, [*kernel_names(), UNFLATTEN]),
        ("optimizers", update_address, OPTIMIZERS.names()),
        ("ways to read rows", gather_address, GATHERS),
    ):
        yield f"{len(names)} {plural}", partial(_take_addresses, address, names, real)
    yield "penalties, updates", partial(pass_addresses, real)
    yield "rows with zeros", partial(compile_sparse, real)
    yield "blocks of samples", partial(block_addresses, real)
    team = ", team" if check_threads(threads) > 1 else ""
    # In this order: a run of either mode evaluates.
    yield f"general step, evaluation{team}", partial(_compile_run, "batch", dtype, threads)
    yield f"per-sample step{team}", partial(_compile_run, "stochastic", dtype, threads)


def _activation(name: str, real: np.dtype) -> tuple[int, ...]:
    return *activation_addresses(name, real), of_rows_address(name, real)


def _take_addresses(
    address: Callable[[str, np.dtype], object], names: Iterable[str], real: np.dtype
) -> None:
    for name in names:
        address(name, real)


def toy_run(mode: str, dtype: str) -> tuple[TrainConfig, Dataset]:
    """Return a run with enough rows for a team of threads."""
    numbers = np.arange(TEAM_LARGE_ROWS)
    dataset = Dataset(numbers.reshape(-1, 1).astype(dtype), numbers % 2, name="toy")
    return TrainConfig(mode=mode, dtype=dtype, split="none", validation=0), dataset


def _compile_run(mode: str, dtype: str, threads: int | None) -> None:
    config, dataset = toy_run(mode, dtype)
    start(replace(config, hidden_layer_sizes=TEAM_HIDDEN), dataset, threads).compile()
