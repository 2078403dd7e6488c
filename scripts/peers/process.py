"""Worker processes, seen from the driver."""

from __future__ import annotations

from comparing.process import Process


class Worker(Process):
    """One contender on a number of threads, in a process of its own.

    Parameters
    ----------
    name : str
    threads : int
    memory_format : str
        Of images, see ``contenders.py``.
    """

    def __init__(self, name: str, threads: int, memory_format: str):
        self.name, self.threads, self.memory_format = name, threads, memory_format
        super().__init__("peers.worker", [name, str(threads), memory_format], threads)
