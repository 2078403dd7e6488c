"""The same sweep in threads, in processes, and on a cluster."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastmlp import ConfigError, fit, run_sweep
from fastmlp.sweeps import runner
from fastmlp.sweeps.cells import Datasets
from fastmlp.sweeps.grid import Grid
from fastmlp.sweeps.runner import Runner
from fastmlp.sweeps.search import Search
from fastmlp.sweeps.sweep import plan_cells
from fastmlp.sweeps.worker import run_cell
from toys import blobs

GRID: dict[str, Any] = {
    "activation": ["relu", "tanh"], "hidden_layer_sizes": 8, "epochs": 2, "seed": [0, 1],
    "learning_rate": [0.1, 1e30],
}  # fmt: skip
ROOT = Path(__file__).parents[2]


def results_of(result: Any) -> list[Any]:
    return [(t.key, t.status, t.error, t.history, t.metrics) for t in result.trials]


def test_processes_find_what_threads_find() -> None:
    alone = run_sweep(GRID, blobs(), jobs=1)
    assert results_of(run_sweep(GRID, blobs(), jobs=3)) == results_of(alone)
    assert results_of(run_sweep(GRID, blobs(), jobs=2, backend="loky")) == results_of(alone)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_cell_has_weights_of_separate_run(backend: str) -> None:
    grid = {"mode": ["stochastic", "minibatch", "batch"], "optimizer": ["sgd", "adam"], "epochs": 2}
    datasets = Datasets(blobs())
    cells = {cell.key: cell for cell in plan_cells(Grid(grid), Search(), datasets)}
    outcomes = list(Runner(2, backend).run([*cells.values()], datasets))
    assert len(outcomes) == 6
    for trial, params in outcomes:
        alone = fit(cells[trial.key].config, blobs(), threads=2)
        assert params is not None
        assert params.tobytes() == alone.predictor.network.params.tobytes()


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """A scheduler and two worker processes of Dask; their address."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    script = (
        "import sys\n"
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True,\n"
        "                      dashboard_address=None, host='127.0.0.1') as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@pytest.mark.filterwarnings("default")  # what distributed itself warns of
def test_a_cluster_finds_what_threads_find() -> None:
    pytest.importorskip("distributed", reason="needs fastmlp[distributed]")
    with cluster() as address:
        found = run_sweep(GRID, blobs(), backend="dask", address=address)
    assert results_of(found) == results_of(run_sweep(GRID, blobs()))


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs fastmlp[distributed]")
    monkeypatch.setattr(runner, "CONNECT_SECONDS", 0.2)
    with pytest.raises(ConfigError, match="no Dask scheduler answers at tcp"):
        run_sweep({"epochs": 1}, blobs(), backend="dask", address="tcp://127.0.0.1:9")


def test_without_distributed_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"install fastmlp\[distributed\]"):
        run_sweep({"epochs": 1}, blobs(), backend="dask", address="tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "threads"}, "unknown backend 'threads'; did you mean 'threading'"),
        ({"jobs": 0}, "jobs must be at least 1, got 0"),
        ({"backend": "dask"}, "backend dask needs the address"),
        ({"address": "tcp://127.0.0.1:9"}, "no other backend takes one"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Runner(**arguments)


def test_cell_stops_on_request() -> None:
    datasets = Datasets(blobs())
    (cell,) = plan_cells(Grid({"epochs": 10**6}), Search(), datasets)
    stop = threading.Event()
    found: list[Any] = [""]
    thread = threading.Thread(
        target=lambda: found.append(run_cell(cell, datasets.by_key[cell.data_key], stop))
    )
    thread.start()
    stop.set()
    thread.join()
    assert found[-1] is None


def test_closed_generator_stops_runs() -> None:
    datasets = Datasets(blobs())
    cells = plan_cells(Grid({"epochs": [1, 10**6], "hidden_layer_sizes": 4}), Search(), datasets)
    outcomes = Runner(jobs=2).run(cells, datasets)
    first = next(outcomes)
    outcomes.close()
    assert first.trial.config["epochs"] == 1
