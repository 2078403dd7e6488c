"""Training, by mode, network, threads and optimizer."""

from functools import cache
from statistics import median

import fastmlp

from ._cases import LARGE, SMALL, config, few, missing, need_cpus
from ._data import images
from ._steps import clock, train

ROWS = 4000
OPTIMIZERS = ["sgd", "adam"]
BATCH = {"stochastic": 1, "minibatch": 32, "batch": ROWS}


def _train(mode, network, threads, optimizer, epochs):
    settings = config(network, mode=mode, optimizer=optimizer, epochs=epochs, batch_size=32)
    train(settings, images(ROWS), threads)


# The first call compiles or loads the kernels, and is not timed.
_warm = cache(_train)


class Steps:
    """Seconds of an epoch of 4,000 rows, updates alone: no preparation, no evaluation."""

    params = (["stochastic", "minibatch", "batch"], few([SMALL, LARGE]), few([1, 2], 2), OPTIMIZERS)
    param_names = ("mode", "network", "threads", "optimizer")
    # Adam in stochastic mode is slow for everyone, and in batch mode it hardly counts.
    skip_params = [
        (mode, network, threads, "adam")
        for mode in ("stochastic", "batch")
        for network in (SMALL, LARGE)
        for threads in (1, 2)
    ]
    repeat = (3, 20, 2.0)
    warmup_time = 0
    timer = clock

    def setup(self, mode, network, threads, optimizer):
        need_cpus(threads)
        self.epochs = 3 if network == SMALL else 1
        _warm(mode, network, threads, optimizer, 1)

    def time_epoch(self, mode, network, threads, optimizer):
        _train(mode, network, threads, optimizer, self.epochs)


class Ensembles:
    """How many times as long as one model on one thread an ensemble takes on two, wall time.

    Five models on two CPUs take 2.5 at best.
    """

    params = (few([SMALL, LARGE]), [2, 5])
    param_names = ("network", "n_models")
    unit = "times one model"

    def setup(self, network, n_models):
        need_cpus(2)
        if not hasattr(fastmlp.TrainConfig, "n_models"):
            raise missing("n_models")
        for models, threads in ((1, 1), (n_models, 2)):
            _seconds(network, models, threads, 1)

    def track_ratio(self, network, n_models):
        pairs = [
            (_seconds(network, n_models, 2, EPOCHS), _seconds(network, 1, 1, EPOCHS))
            for _ in range(3)
        ]
        return median(ensemble / alone for ensemble, alone in pairs)


EPOCHS = 4  # of an ensemble


def _seconds(network, n_models, threads, epochs):
    """Return the wall time of training alone."""
    settings = config(network, mode="minibatch", epochs=epochs, n_models=n_models)
    result = fastmlp.fit(settings, images(ROWS), threads=threads)
    return result.timings["train_seconds"]


# Lists of layers with their batch sizes: the convolutional nets that papers train on MNIST.
NETS = {
    "E3": ("conv2d(32, 3), max_pool2d(2), conv2d(64, 3), dense(64)", 32),
    "E2": ("conv2d(32, 3), max_pool2d(2), conv2d(64, 3), max_pool2d(2), dropout(0.5)", 512),
    "LeNet-5": (
        "conv2d(6, 5), max_pool2d(2), conv2d(16, 5), max_pool2d(2), dense(120), dense(84)",
        32,
    ),
}  # fmt: skip
IMAGES = 1024


class ConvolutionSteps:
    """Seconds of an epoch of 1,024 images with Adam, updates alone."""

    params = (few([*NETS], "LeNet-5"), few([1, 2], 2))
    param_names = ("network", "threads")
    repeat = (3, 20, 2.0)
    warmup_time = 0
    timer = clock

    def setup(self, network, threads):
        need_cpus(threads)
        _warm_convolution(network, threads)

    def time_epoch(self, network, threads):
        _train_convolution(network, threads)


def _train_convolution(network, threads):
    layers, batch_size = NETS[network]
    try:
        settings = fastmlp.TrainConfig(
            layers=layers, input_shape=(28, 28, 1), optimizer="adam", batch_size=batch_size,
            epochs=1, validation=0,
        )  # fmt: skip
    except (fastmlp.ConfigError, TypeError) as error:  # the latter by the oldest commits
        raise missing(str(error)) from error
    train(settings, images(IMAGES), threads)


_warm_convolution = cache(_train_convolution)


class Fit:
    """A whole call of fit, from raw arrays to a result, where little of it is arithmetic."""

    repeat = (5, 20, 1.0)
    warmup_time = 0

    def setup(self):
        self.data = images(500, 100)
        self.config = config("784-16-10", epochs=5, validation=0.1)
        _warm_fit(self.config, self.data)

    def time_small_fit(self):
        fastmlp.fit(self.config, self.data, threads=1)


@cache
def _warm_fit(settings, data):
    fastmlp.fit(settings, data, threads=1)
