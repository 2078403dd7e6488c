"""Settings by the names that the benchmarks' parameters have."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import fastmlp

SMALL = "784-128-64-10"
LARGE = "784-500-250-100-10"
_STRICT = bool(os.environ.get("FASTMLP_BENCH_STRICT"))


def layer_sizes(network: str) -> tuple[int, ...]:
    """Return the sizes of a network such as 784-128-64-10, or 28-300x5-1 with five equal layers."""
    sizes: list[int] = []
    for part in network.split("-"):
        size, _, count = part.partition("x")
        sizes += [int(size)] * int(count or 1)
    return tuple(sizes)


def config(network: str, **settings: Any) -> fastmlp.TrainConfig:
    """Return settings for a network such as 784-128-64-10, all rows for training by default."""
    settings = {"validation": 0, **settings}
    return fastmlp.TrainConfig(hidden_layer_sizes=layer_sizes(network)[1:-1], **settings)


def need_cpus(threads: int) -> None:
    """Skip a benchmark that would only show how threads wait for each other."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if (usable or 1) < threads:
        raise NotImplementedError(f"needs {threads} CPUs")


def missing(what: str) -> Exception:
    """Return what to raise where a commit lacks something: asv skips the benchmark.

    On the commit that the suite belongs to nothing may be missing, or benchmarks would rot
    unnoticed: the quick run sets ``FASTMLP_BENCH_STRICT``.
    """
    return RuntimeError(what) if _STRICT else NotImplementedError(what)


def few(values: Sequence[Any], quick: Any = None) -> list[Any]:
    """Return all values of a parameter; in the quick run only one, the first unless named.

    For parameters whose values run the same code of a benchmark: sizes, types, datasets.
    """
    if not _STRICT:
        return list(values)
    return [values[0] if quick is None else quick]
