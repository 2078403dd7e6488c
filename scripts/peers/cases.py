"""What is compared: one record a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

TRAIN, PREDICT, TARGET = "train", "predict", "target"
FIT, START, READ = "fit", "start", "read"


@dataclass(frozen=True)
class Case:
    """One piece of work that every contender does.

    Parameters
    ----------
    name : str
        As ``--cases`` takes it.
    title : str
        As table and chart show it.
    kind : {"train", "predict", "target", "fit", "start", "read"}
        Throughput of training, of prediction, or the time to a test accuracy; an estimator's fit
        with all defaults, the same in a new process from its start, or reading a CSV file.
    table : (int, int) or None
        Features and classes of drawn rows, dense numbers; None for the images.
    estimator, dataset : str
        What fits what, for kinds fit and start: a class name, and one of scikit-learn's tables.
    fresh : bool
        Whether kernels have to be compiled first, for kind start.
    hidden : tuple of int
    batch_size : int
        Rows of an update; 0 for all of them.
    activation : {"relu", "tanh", "gelu"}
    dropout : float
        Share of the hidden units that is dropped.
    optimizer : {"sgd", "momentum", "adam", "adamw"}
        Momentum is 0.9, classical; Adam has its paper's parameters; AdamW a decay of 0.01 for
        weights, not biases.
    learning_rate : float
    scale : {"unit", "standard"}
        unit: the pixels' range becomes [0, 1], most of them 0. standard: each pixel gets mean 0 and
        variance 1, so that hardly a value is 0.
    from_images : bool
        Whether fastmlp gets the images as bytes and scales them itself, within the measured time
        (standardised by the rows it gets, which are fewer in the check of losses). The others
        always get scaled float32 rows. If false, fastmlp gets them, too: with scale standard
        hardly any of their values are 0.
    rows : int
        Most rows of a timed piece; 0 for all that the data have.
    check_rows, check_epochs : int
        How long all train alike before the loss is compared.
    target : float
        Test accuracy to reach.
    max_epochs : int
        When to give that up.
    in_chart : bool
    """

    name: str
    title: str
    kind: str = TRAIN
    table: tuple[int, int] | None = None
    estimator: str = ""
    dataset: str = ""
    fresh: bool = False
    hidden: tuple[int, ...] = (128, 64)
    activation: str = "relu"
    dropout: float = 0.0
    batch_size: int = 32
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    scale: str = "unit"
    from_images: bool = True
    rows: int = 0
    check_rows: int = 6000
    check_epochs: int = 2
    target: float = 0.98
    max_epochs: int = 40
    in_chart: bool = True

    @property
    def trains(self) -> bool:
        """Whether contenders train and predict rows that they are given."""
        return self.kind in (TRAIN, PREDICT, TARGET)

    def batch_of(self, rows: int) -> int:
        """Return the rows of an update where there are ``rows`` in all."""
        return self.batch_size or rows

    def whole_batches(self, rows: int) -> int:
        """Return how many of ``rows`` fill batches; at least one batch."""
        batch = self.batch_of(rows)
        return max(1, rows // batch) * batch


WIDE = (500, 250, 100)


def _of_table(name: str, title: str, table: tuple[int, int], **settings: Any) -> Case:
    return Case(name, title, table=table, scale="standard", from_images=False, **settings)


def _deep(optimizer: str, learning_rate: float, in_chart: bool) -> Case:
    return _of_table(
        f"deep-{optimizer}", f"28-300x5-1, tanh, batches of 100, {TITLES[optimizer]}", (28, 2),
        hidden=(300,) * 5, activation="tanh", batch_size=100, optimizer=optimizer,
        learning_rate=learning_rate, check_rows=4000, check_epochs=4, in_chart=in_chart,
    )  # fmt: skip


def _wide(activation: str, dropout: float) -> Case:
    return _of_table(
        f"table-{activation}" + "-dropout" * bool(dropout),
        f"30-256x3-3, {TITLES[activation]}{', dropout' * bool(dropout)}, batches of 256, AdamW",
        (30, 3), hidden=(256,) * 3, activation=activation, dropout=dropout, batch_size=256,
        optimizer="adamw", learning_rate=0.001, check_rows=5120, check_epochs=4,
        in_chart=activation == "gelu",
    )  # fmt: skip


def _fit(estimator: str, dataset: str) -> Case:
    kind = "fit" if estimator == "MLPClassifier" else "regress"
    return Case(
        f"{kind}-{dataset}", f"{estimator}().fit, {dataset.replace('_', ' ')}", FIT,
        estimator=estimator, dataset=dataset, in_chart=(kind, dataset) in IN_CHART,
    )  # fmt: skip


def _first(name: str, title: str, fresh: bool) -> Case:
    return Case(
        name, title, START, estimator="MLPClassifier", dataset="iris", fresh=fresh, in_chart=False
    )


TITLES = {"sgd": "SGD", "adam": "Adam", "relu": "ReLU", "gelu": "GELU"}
ESTIMATORS = ("MLPClassifier", "MLPRegressor")
DATASETS = ("iris", "wine", "breast_cancer", "digits", "diabetes", "moons")
IN_CHART = {("fit", "iris"), ("fit", "digits"), ("regress", "diabetes")}

# Those on scaled-to-unit pixels first: workers then load the other inputs only once.
CASES = (
    Case(
        "stochastic", "one sample an update", batch_size=1, learning_rate=0.01,
        check_rows=1500,
    ),
    Case("batch22", "batches of 22", batch_size=22, in_chart=False),
    Case("batch32", "batches of 32"),
    Case("batch128", "batches of 128", batch_size=128, check_epochs=4),
    Case("full", "one update an epoch", batch_size=0, learning_rate=0.2, check_epochs=30),
    Case("momentum32", "batches of 32, momentum", optimizer="momentum", learning_rate=0.02,
         in_chart=False),
    Case("adam32", "batches of 32, Adam", optimizer="adam", learning_rate=0.001),
    Case("wide64", "784-500-250-100-10, batches of 64", hidden=WIDE, batch_size=64),
    Case("predict", "prediction of 10,000 images", PREDICT, rows=10_000),
    Case(
        "target98", "time to 98 % test accuracy, 784-256-128-10, Adam", TARGET,
        hidden=(256, 128), batch_size=64, optimizer="adam", learning_rate=0.001,
    ),
    Case("batch32-standard", "batches of 32, standardised", scale="standard", in_chart=False),
    Case(
        "full-standard", "one update an epoch, standardised", batch_size=0, learning_rate=0.2,
        scale="standard", check_epochs=20, in_chart=False,
    ),
    Case(
        "wide64-standard", "784-500-250-100-10, batches of 64, standardised", hidden=WIDE,
        batch_size=64, scale="standard", in_chart=False,
    ),
    Case(
        "batch32-dense", "batches of 32, dense inputs", scale="standard", from_images=False,
    ),
    Case(
        "full-dense", "one update an epoch, dense inputs", batch_size=0, learning_rate=0.2,
        scale="standard", from_images=False, check_epochs=20, in_chart=False,
    ),
    Case(
        "wide64-dense", "784-500-250-100-10, batches of 64, dense inputs", hidden=WIDE,
        batch_size=64, scale="standard", from_images=False,
    ),
    _deep("sgd", 0.01, in_chart=False),
    _deep("adam", 0.001, in_chart=True),
    *(_wide(activation, dropout) for activation in ("relu", "gelu") for dropout in (0.0, 0.1)),
    _of_table(
        "narrow", "4-32-16-4, batches of 10,000", (4, 4), hidden=(32, 16), batch_size=10_000,
        check_rows=20_000, check_epochs=30,
    ),
    *(_fit(estimator, dataset) for estimator in ESTIMATORS for dataset in DATASETS),
    _first("first-fit", "a first fit, from the start of its process", fresh=False),
    _first("first-fit-fresh", "the same, kernels to be compiled first", fresh=True),
    Case("read-csv", "reading a CSV file of 200,000 x 29", READ, rows=200_000, in_chart=False),
)  # fmt: skip


def named(names: list[str]) -> list[Case]:
    """Return cases by name, in the table's order; all for an empty list.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    known = [case.name for case in CASES]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"unknown case {unknown[0]!r}; known: {', '.join(known)}")
    return [case for case in CASES if not names or case.name in names]


def quick(case: Case) -> Case:
    """Return a case cut down to a smoke run."""
    rows = max(640, case.batch_size)
    return replace(case, rows=rows, check_rows=rows, check_epochs=1, max_epochs=2)
