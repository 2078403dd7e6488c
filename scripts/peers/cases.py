"""The table of cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastmlp.base.errors import ConfigError

from .case import FIT, GROUPS, PREDICT, READ, START, TARGET, Case


def dense(*units: int, dropout: float = 0.0) -> str:
    """Return dense layers of these sizes, each with dropout if there is any."""
    dropped = f", dropout({dropout})" * bool(dropout)
    return ", ".join(f"dense({n}){dropped}" for n in units)


WIDE = dense(500, 250, 100)
# E3 and E2 of docs/reproductions.md, and LeCun's net with max-pooling and ReLU: title, settings.
NETS: dict[str, tuple[str, dict[str, Any]]] = {
    "e3": (
        "conv 32-pool-conv 64-dense 64",
        {"layers": "conv2d(32, 3), max_pool2d(2), conv2d(64, 3), dense(64)"},
    ),
    "e2": (
        "conv 32-pool-conv 64-pool-dropout-1",
        {
            "layers": "conv2d(32, 3), max_pool2d(2), conv2d(64, 3), max_pool2d(2), dropout(0.5)",
            "classes": ("3", "7"),
        },
    ),
    "lenet": (
        "LeNet-5",
        {
            "layers": "conv2d(6, 5), max_pool2d(2), conv2d(16, 5), max_pool2d(2), dense(120), "
            "dense(84)"
        },
    ),
}


def _of_table(name: str, title: str, table: tuple[int, int], **settings: Any) -> Case:
    return Case(name, title, table=table, scale="standard", from_images=False, **settings)


def _deep(optimizer: str, learning_rate: float, in_chart: bool) -> Case:
    return _of_table(
        f"deep-{optimizer}", f"28-300x5-1, tanh, batches of 100, {TITLES[optimizer]}", (28, 2),
        layers=dense(*(300,) * 5), activation="tanh", batch_size=100, optimizer=optimizer,
        learning_rate=learning_rate, check_rows=4000, check_epochs=4, in_chart=in_chart,
    )  # fmt: skip


def _wide(activation: str, dropout: float) -> Case:
    return _of_table(
        f"table-{activation}" + "-dropout" * bool(dropout),
        f"30-256x3-3, {TITLES[activation]}{', dropout' * bool(dropout)}, batches of 256, AdamW",
        (30, 3), layers=dense(*(256,) * 3, dropout=dropout), activation=activation,
        batch_size=256, optimizer="adamw", learning_rate=0.001, check_rows=5120, check_epochs=4,
        in_chart=activation == "gelu",
        in_overview=activation == "gelu" and not dropout,
    )  # fmt: skip


def _convolutional(net: str, batch_size: int, **settings: Any) -> Case:
    title, network = NETS[net]
    return Case(
        f"{net}-{batch_size}", f"{title}, batches of {batch_size}, Adam", **network,
        batch_size=batch_size, optimizer="adam", learning_rate=0.001, **settings,
    )  # fmt: skip


def _prediction(net: str) -> Case:
    title, network = NETS[net]
    return Case(
        f"predict-{net}", f"{title}, prediction of 10,000 images", PREDICT, **network,
        optimizer="adam", learning_rate=0.001, rows=10_000, check_rows=3200, check_epochs=1,
    )  # fmt: skip


def _fit(estimator: str, dataset: str) -> Case:
    kind = "fit" if estimator == "MLPClassifier" else "regress"
    return Case(
        f"{kind}-{dataset}", f"{estimator}().fit, {dataset.replace('_', ' ')}", FIT,
        layers=DEFAULT_HIDDEN, estimator=estimator, dataset=dataset,
        in_chart=(kind, dataset) in IN_CHART,
    )  # fmt: skip


def _first(name: str, title: str, fresh: bool) -> Case:
    return Case(
        name, title, START, layers=DEFAULT_HIDDEN, estimator="MLPClassifier", dataset="iris",
        fresh=fresh, in_chart=False,
    )  # fmt: skip


TITLES = {"sgd": "SGD", "adam": "Adam", "relu": "ReLU", "gelu": "GELU"}
ESTIMATORS = ("MLPClassifier", "MLPRegressor")
DEFAULT_HIDDEN = dense(100)  # of scikit-learn's estimators
DATASETS = ("iris", "wine", "breast_cancer", "digits", "diabetes", "moons")
IN_CHART = {("fit", "iris"), ("fit", "digits"), ("regress", "diabetes")}

# By group, as tables and the chart show them.
CASES = (
    Case(
        "stochastic", "one sample per update", batch_size=1, learning_rate=0.01,
        check_rows=1500, in_overview=True,
    ),
    Case("batch22", "batches of 22", batch_size=22, in_chart=False),
    Case("batch32", "batches of 32", in_overview=True),
    Case("batch128", "batches of 128", batch_size=128, check_epochs=4),
    Case("full", "one update per epoch", batch_size=0, learning_rate=0.2, check_epochs=30),
    Case("momentum32", "batches of 32, momentum", optimizer="momentum", learning_rate=0.02,
         in_chart=False),
    Case("adam32", "batches of 32, Adam", optimizer="adam", learning_rate=0.001),
    Case("wide64", "784-500-250-100-10, batches of 64", layers=WIDE, batch_size=64),
    Case("predict", "prediction of 10,000 images", PREDICT, rows=10_000),
    Case(
        "target98", "time to 98 % test accuracy, 784-256-128-10, Adam", TARGET,
        layers=dense(256, 128), batch_size=64, optimizer="adam", learning_rate=0.001,
        in_overview=True,
    ),
    Case("batch32-standard", "batches of 32, standardised", scale="standard", in_chart=False),
    Case(
        "full-standard", "one update per epoch, standardised", batch_size=0, learning_rate=0.2,
        scale="standard", check_epochs=20, in_chart=False,
    ),
    Case(
        "wide64-standard", "784-500-250-100-10, batches of 64, standardised", layers=WIDE,
        batch_size=64, scale="standard", in_chart=False,
    ),
    Case(
        "batch32-dense", "batches of 32, dense inputs", scale="standard", from_images=False,
        in_overview=True,
    ),
    Case(
        "full-dense", "one update per epoch, dense inputs", batch_size=0, learning_rate=0.2,
        scale="standard", from_images=False, check_epochs=20, in_chart=False,
    ),
    Case(
        "wide64-dense", "784-500-250-100-10, batches of 64, dense inputs", layers=WIDE,
        batch_size=64, scale="standard", from_images=False,
    ),
    _deep("sgd", 0.01, in_chart=False),
    _deep("adam", 0.001, in_chart=True),
    *(_wide(activation, dropout) for activation in ("relu", "gelu") for dropout in (0.0, 0.1)),
    _of_table(
        "narrow", "4-32-16-4, batches of 10,000", (4, 4), layers=dense(32, 16),
        batch_size=10_000, check_rows=20_000, check_epochs=30,
    ),
    _convolutional("e3", 32, check_rows=3200, in_overview=True),
    _convolutional("e2", 512, check_rows=5120, check_epochs=4),
    _convolutional("lenet", 32),
    _convolutional("lenet", 128, check_epochs=4),
    _prediction("e3"),
    _prediction("e2"),
    _prediction("lenet"),
    *(_fit(estimator, dataset) for estimator in ESTIMATORS for dataset in DATASETS),
    _first("first-fit", "first fit in a new process", fresh=False),
    _first("first-fit-fresh", "first fit without cached kernels", fresh=True),
    Case("read-csv", "reading a CSV file of 200,000 x 29", READ, layers="", rows=200_000,
         in_chart=False),
)  # fmt: skip


def named(names: list[str]) -> list[Case]:
    """Return cases by their names or the names of their groups, in the table's order.

    Parameters
    ----------
    names : list of str
        Empty: all cases.

    Raises
    ------
    ConfigError
        For an unknown name.
    """
    known = [*GROUPS, *(case.name for case in CASES)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"unknown case {unknown[0]!r}; known: {', '.join(known)}")
    return [case for case in CASES if not names or {case.name, case.group} & {*names}]


def quick(case: Case) -> Case:
    """Return a case cut down to a smoke run."""
    rows = max(640, case.batch_size)
    return replace(case, rows=rows, check_rows=rows, check_epochs=1, max_epochs=2)
