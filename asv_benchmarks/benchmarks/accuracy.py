"""What a fixed amount of training reaches, so that speed bought with wrong mathematics shows.

Less is better in all of them, as for times. The figures do not depend on the machine's speed, and
hardly on the order in which sums are formed.
"""

import fastmlp

from ._cases import SMALL, config, missing
from ._data import images

CASES = {
    "sgd": {"epochs": 2},
    "nesterov, l2": {
        "epochs": 2,
        "optimizer": "sgd(momentum=0.9, nesterov=true)",
        "learning_rate": 0.02,
        "l2": 1e-4,
    },
    "adam, dropout": {"epochs": 2, "optimizer": "adam", "dropout": 0.2},
    "stochastic": {"epochs": 1, "mode": "stochastic"},
    "batch": {"epochs": 30, "mode": "batch", "learning_rate": 0.5},
    "tanh, float64": {"epochs": 2, "activation": "tanh", "dtype": "float64"},
}


def _metrics(settings):
    """Train, and return what was reached; None on a commit that lacks such settings."""
    try:
        trained = fastmlp.fit(config(SMALL, **settings), images(6000, 2000), threads=1)
    except (TypeError, fastmlp.ConfigError):
        return None
    return trained.metrics


class Accuracy:
    """6,000 images to train on, 2,000 to test with."""

    params = list(CASES)
    param_names = ("case",)

    def setup_cache(self):
        return {case: _metrics(settings) for case, settings in CASES.items()}

    def setup(self, metrics, case):
        if metrics[case] is None:
            raise missing(f"no settings {CASES[case]}")

    def track_test_error(self, metrics, case):
        return round(100 * (1 - metrics[case]["test_accuracy"]), 2)

    track_test_error.unit = "% wrong"

    def track_test_loss(self, metrics, case):
        return metrics[case]["test_loss"]

    track_test_loss.unit = "nats"
