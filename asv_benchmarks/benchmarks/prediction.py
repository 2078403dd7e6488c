"""Prediction from raw bytes, and the evaluation of a part as training does it."""

from functools import cache

import fastmlp

from ._cases import LARGE, SMALL, config, few, need_cpus
from ._data import images


@cache
def _predictor(network, dtype="float32"):
    settings = config(network, epochs=1, dtype=dtype, mode="batch", learning_rate=0.01)
    return fastmlp.fit(settings, images(64), threads=1).predictor


@cache
def _warm(network, rows, threads):
    """Predict once: what is compiled at the first call is not timed."""
    _predictor(network).predict(images(rows).X, threads)


class Predict:
    """``Predictor.predict``: scaling, forward pass, labels."""

    params = (few([SMALL, LARGE]), [1, 100, 10_000], [1, 2])
    param_names = ("network", "rows", "threads")
    # What one row costs is the same for any network.
    skip_params = [(LARGE, 1, 1), (LARGE, 1, 2)]
    repeat = (10, 50, 1.0)
    warmup_time = 0

    def setup(self, network, rows, threads):
        need_cpus(threads)
        self.predictor, self.X = _predictor(network), images(rows).X
        _warm(network, rows, threads)

    def time_predict(self, network, rows, threads):
        self.predictor.predict(self.X, threads)


@cache
def _run(dtype):
    """Return a run, which can evaluate its parts; callbacks are given it."""

    class Keeper(fastmlp.Callback):
        def on_train_begin(self, run):
            self.run = run

    keeper = Keeper()
    settings = config(SMALL, epochs=1, dtype=dtype, mode="batch", learning_rate=0.01)
    fastmlp.fit(settings, images(10_000), threads=1, callbacks=[keeper])
    return keeper.run


class Evaluate:
    """Losses and hits of 10,000 scaled rows, as after each epoch."""

    params = ["float32", "float64"]
    param_names = ("dtype",)
    repeat = (5, 20, 1.0)
    warmup_time = 0

    def setup(self, dtype):
        self.run = _run(dtype)

    def time_evaluate(self, dtype):
        self.run.evaluate(self.run.prepared.train)
