"""Training on tables of dense rows, by network, optimizer, activation and threads.

Seconds are those of an epoch's updates alone: no preparation, no evaluation.
"""

from functools import cache

import fastmlp

from ._cases import config, few, layer_sizes, missing, need_cpus
from ._data import table
from ._steps import clock, train


def _data(network, rows):
    features, *_, outputs = layer_sizes(network)
    return table(rows, features, max(2, outputs))


@cache
def _warm(settings, network, rows, threads):
    """Compile or load the kernels: the first call is not timed."""
    train(settings, _data(network, rows), threads)


class _Table:
    """Epochs of one network on rows that are all numbers."""

    repeat = (3, 20, 2.0)
    warmup_time = 0
    timer = clock
    network = ""
    rows = 0

    def prepare(self, threads, **settings):
        need_cpus(threads)
        try:
            self.settings = config(self.network, **settings)
        except (TypeError, fastmlp.ConfigError) as error:
            raise missing(str(error)) from error
        self.data = _data(self.network, self.rows)
        _warm(self.settings, self.network, self.rows, threads)

    def run(self, threads):
        train(self.settings, self.data, threads)


class Deep(_Table):
    """28-300x5-1, tanh, 40 batches of 100."""

    params = (["sgd", "adam"], few([1, 2], 2))
    param_names = ("optimizer", "threads")
    network = "28-300x5-1"
    rows = 4000

    def setup(self, optimizer, threads):
        self.prepare(threads, activation="tanh", optimizer=optimizer, batch_size=100, epochs=1)

    def time_epoch(self, optimizer, threads):
        self.run(threads)


class Wide(_Table):
    """30-256x3-3, AdamW, 20 batches of 256."""

    params = (few(["relu", "silu", "gelu", "mish", "selu"], "gelu"), [0.0, 0.1], few([1, 2], 2))
    param_names = ("activation", "dropout", "threads")
    network = "30-256x3-3"
    rows = 5120

    def setup(self, activation, dropout, threads):
        # No dropout is the default, which commits without dropout have, too.
        extra = {"dropout": dropout} if dropout else {}
        self.prepare(
            threads, activation=activation, optimizer="adamw", batch_size=256, epochs=3, **extra
        )

    def time_epoch(self, activation, dropout, threads):
        self.run(threads)


class Narrow(_Table):
    """4-32-16-4, relu, 3 batches of 10,000: little arithmetic for each value read."""

    params = (["sgd", "adam"], few([1, 2], 2))
    param_names = ("optimizer", "threads")
    network = "4-32-16-4"
    rows = 30_000

    def setup(self, optimizer, threads):
        self.prepare(threads, optimizer=optimizer, batch_size=10_000, epochs=10)

    def time_epoch(self, optimizer, threads):
        self.run(threads)
