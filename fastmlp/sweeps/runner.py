"""Running cells with joblib: in threads, in processes, or on a cluster."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..base.cpus import usable_cpus
from ..base.errors import ConfigError, close_match
from ..base.interrupts import Interrupts
from ..data.dataset import Dataset
from ..training.compile_beside import compiled_beside
from ..training.layers import kernels_of
from .cells import Cell, Datasets, longest_first
from .study import Pruning
from .worker import Outcome, make_run, run_cell

BACKENDS = ("threading", "loky", "dask")
CONNECT_SECONDS = 10.0
NO_PRUNINGS: Mapping[str, Pruning] = MappingProxyType({})


class Runner:
    """Runs cells, one per core.

    Parameters
    ----------
    jobs : int, optional
        How many at a time; default: all CPUs that this process may use, on a cluster all of its
        workers.
    backend : {"threading", "loky", "dask"}, default "threading"
    address : str, optional
        Of the scheduler of a Dask cluster.

    Raises
    ------
    ConfigError
        For an unknown backend, an address that does not go with it, or less than one job.
    """

    def __init__(
        self, jobs: int | None = None, backend: str = "threading", address: str | None = None
    ):
        if backend not in BACKENDS:
            raise ConfigError(f"unknown backend {backend!r}{close_match(backend, BACKENDS)}")
        if jobs is not None and jobs < 1:
            raise ConfigError(f"jobs must be at least 1, got {jobs}; leave it out for all CPUs")
        if (backend == "dask") != (address is not None):
            raise ConfigError(
                "backend dask needs the address of a scheduler, such as tcp://10.0.0.1:8786, and no"
                f" other backend takes one, got {address} for {backend}; give both or neither"
            )
        self.jobs = jobs if jobs is not None or backend == "dask" else usable_cpus()
        self.backend, self.address = backend, address

    def run(
        self, cells: list[Cell], datasets: Datasets, prunings: Mapping[str, Pruning] = NO_PRUNINGS
    ) -> Generator[Outcome, None, None]:
        """Yield the outcomes of cells as they finish; the longest cells start first.

        Closing the generator stops the runs.
        """
        if not cells:
            return
        from joblib import Parallel, delayed

        sets = {cell.key: datasets.of_cell(cell) for cell in cells}
        stop = threading.Event() if self.backend == "threading" else None
        with self._backend(list({id(d): d for d in sets.values()}.values())) as jobs:
            tasks = (
                delayed(run_cell)(cell, sets[cell.key], stop, prunings.get(cell.key))
                for cell in longest_first(cells, datasets)
            )
            # joblib takes one task per core at a time, so that cells start in the given order.
            parallel = Parallel(
                n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs"
            )
            outcomes = parallel(tasks)
            try:
                # joblib itself would wait for the end of the running cells.
                with Interrupts(None if stop is None else stop.set):
                    yield from (outcome for outcome in outcomes if outcome is not None)
            finally:
                if stop is not None:
                    stop.set()
                with contextlib.suppress(BaseException):
                    outcomes.close()

    def compile(self, cells: list[Cell], datasets: Datasets) -> None:
        """Compile or load the kernels of the cells, before several threads do it at once."""
        if self.backend == "dask":
            return  # kernels are compiled where they run
        seen = set()
        for cell in cells:
            config = cell.config
            kernels = (
                config.mode, config.dtype, config.optimizer, config.loss,
                config.output_activation, config.accumulate, kernels_of(config),
            )  # fmt: skip
            if kernels not in seen:
                seen.add(kernels)
                # What fails here fails in its cell again, where it is recorded.
                with contextlib.suppress(Exception):
                    with compiled_beside(config, self.jobs) as helper:
                        run = make_run(cell, datasets.of_cell(cell))
                        helper.compile(run)
                    run.compile()

    @contextlib.contextmanager
    def _backend(self, sets: list[Dataset]) -> Iterator[int]:
        """Make joblib use the backend; give the number of jobs."""
        from joblib import parallel_config

        if self.backend != "dask":
            with parallel_config(self.backend, n_jobs=self.jobs):
                yield self.jobs or 1
            return
        client = _client(str(self.address))
        try:
            options: dict[str, Any] = {"client": client, "scatter": sets}
            with parallel_config("dask", n_jobs=self.jobs or -1, **options):
                yield self.jobs or -1
        finally:
            client.close()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            "backend dask needs the packages dask and distributed; install fastmlp[distributed]"
        ) from None
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {address}: {error}; start one with dask scheduler, and "
            "give the address that it prints"
        ) from None
