"""Settings by the names that the benchmarks' parameters have."""

from __future__ import annotations

import os
from typing import Any

import fastmlp

SMALL = "784-128-64-10"
LARGE = "784-500-250-100-10"


def config(network: str, **settings: Any) -> fastmlp.TrainConfig:
    """Return settings for a network such as 784-128-64-10, all rows for training unless told."""
    hidden = tuple(int(size) for size in network.split("-")[1:-1])
    settings = {"validation": 0, **settings}
    return fastmlp.TrainConfig(hidden_layer_sizes=hidden, **settings)


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
    strict = os.environ.get("FASTMLP_BENCH_STRICT")
    return RuntimeError(what) if strict else NotImplementedError(what)
