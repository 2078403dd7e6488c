"""Run by a test: trains in every crowded place at once, and compares bits with runs alone.

``python concurrency.py PLACE ...`` prints the name of the threading layer when all went well, which
comes from ``NUMBA_THREADING_LAYER``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

os.environ["NUMBA_NUM_THREADS"] = "8"  # more than there are cores, as a rule
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import numpy as np  # noqa: E402

from fastmlp import Dataset, TrainConfig, fit  # noqa: E402

THREADS = 8
_rng = np.random.default_rng(0)
# As many rows and weights as it takes for a team to share the work.
_FEW = Dataset(_rng.random((40, 800)).astype(np.float32), np.arange(40) % 3)
_MANY = Dataset(_rng.random((2000, 5)).astype(np.float32), np.arange(2000) % 3)
RUNS = (
    (TrainConfig(mode="batch", hidden_layer_sizes=(20,), epochs=3), _MANY),
    (TrainConfig(hidden_layer_sizes=(64,), epochs=2, batch_size=16), _FEW),
    (
        TrainConfig(
            layers="conv2d(5, 3), max_pool2d(2), dense(64)",
            input_shape=(20, 40, 1),
            epochs=1,
            batch_size=16,
        ),
        _FEW,
    ),
    (TrainConfig(mode="stochastic", hidden_layer_sizes=(64,), epochs=2), _FEW),
)


def train(threads: int) -> list[bytes]:
    """The weights after each of the runs."""
    found = []
    for config, dataset in RUNS:
        result = fit(config, dataset, threads=threads)
        assert result.plan.threads == (threads if config.mode != "stochastic" else min(2, threads))
        found.append(result.predictor.network.params.tobytes())
    return found


def in_child_of_another_library(alone: list[bytes]) -> None:
    """A fork of a process in which other code has used Numba's threads, and fastmlp has not yet."""
    from numba import njit, prange

    @njit(parallel=True)
    def total(x):  # type: ignore[no-untyped-def]
        found = 0.0
        for i in prange(x.size):
            found += x[i]
        return found

    assert total(np.ones(10**5)) == 10**5
    child = os.fork()
    if child == 0:
        os._exit(0 if train(THREADS) == alone else 1)
    assert os.waitpid(child, 0)[1] == 0


def in_python_threads(alone: list[bytes]) -> None:
    """Eight at once."""
    same: list[bool] = []
    line = threading.Barrier(8)

    def body() -> None:
        line.wait()
        same.append(train(THREADS) == alone)

    threads = [threading.Thread(target=body) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 8


def in_forked_child(alone: list[bytes]) -> None:
    """After its parent has used the threads, and while it does."""
    parent = threading.Thread(target=train, args=(THREADS,))
    parent.start()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os._exit(0 if train(THREADS) == alone else 1)
        assert os.waitpid(child, 0)[1] == 0
    parent.join()
    assert train(THREADS) == alone


def in_spawned_child(alone: list[bytes]) -> None:
    from multiprocessing import get_context

    assert train(THREADS) == alone
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(train, (THREADS,)) == alone


def in_loky(alone: list[bytes]) -> None:
    from joblib import Parallel, delayed

    assert train(THREADS) == alone
    assert Parallel(n_jobs=2, backend="loky")(delayed(train)(8) for _ in range(2)) == [alone] * 2


def beside_torch(alone: list[bytes]) -> None:
    import torch

    torch.set_num_threads(2)
    matrix = torch.rand(400, 400)
    product = matrix @ matrix
    for _ in range(3):
        assert train(THREADS) == alone
        # But for rounding: Numba's OpenMP layer changes how many threads PyTorch uses.
        torch.testing.assert_close(matrix @ matrix, product)
    in_python_threads(alone)


PLACES: dict[str, Callable[[list[bytes]], None]] = {
    "child-of-another-library": in_child_of_another_library,
    "python-threads": in_python_threads,
    "forked-child": in_forked_child,
    "spawned-child": in_spawned_child,
    "loky": in_loky,
    "beside-torch": beside_torch,
}

if __name__ == "__main__":
    bits = train(1)
    for place in sys.argv[1:]:
        PLACES[place](bits)
    from numba import threading_layer

    print(threading_layer())
