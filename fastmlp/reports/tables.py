"""Tables of a run, for pages and terminals alike: a header and rows of texts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..base.wording import listed
from ..model.network import Network
from ..ops.layer_lists import shape_text
from ..training.config import TrainConfig
from ..training.metrics import AVERAGES
from ..training.result import TrainResult
from .evaluation import EvaluatedPart

METRIC_NAMES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "roc_auc": "ROC area",
    "average_precision": "average precision",
    "brier": "Brier score",
    "ece": "calibration error",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "coverage": "coverage",
    "expected_coverage": "expected coverage",
    "interval_width": "interval width",
    "spread": "spread",
}


class Table(NamedTuple):
    """Texts in columns; the first column has the names of the rows."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def layer_table(network: Network) -> Table:
    """Return a row for the inputs and each layer: output shape and number of parameters."""
    rows: list[tuple[str, ...]] = [("input", shape_text(network.input_shape), "0")]
    for layer in network.layer_facts():
        shape, parameters = shape_text(layer["output_shape"]), f"{layer['parameters']:,}"
        rows.append((layer["name"], shape, parameters))
    return Table(("layer", "output shape", "parameters"), rows)


def parameters_text(network: Network) -> str:
    """Return how many weights and biases a network has, and the memory that they take."""
    total = network.n_weights + network.n_biases
    return (
        f"{network.n_weights:,} weights + {network.n_biases:,} biases = {total:,} parameters, "
        f"{total * network.dtype.itemsize / 1024:,.2f} KB in {network.dtype}"
    )


def models_note(network: Network, n_models: int) -> str:
    """Return how many models an ensemble has, and the parameters of all; empty for one model."""
    if n_models == 1:
        return ""
    total = n_models * (network.n_weights + network.n_biases)
    return f"{n_models} models of such layers have {total:,} parameters"


def model_table(result: TrainResult) -> Table:
    """Return a row for each model of an ensemble, and one of the averaged prediction.

    Metrics are those on the validation and the test part, or else on the training part, where those
    of a model are means over an epoch.
    """
    known = [name for name, v in result.models[0].metrics.items() if v is not None]
    names = [name for name in known if not name.startswith("train")] or known
    rows = []
    for index, model in enumerate(result.models, start=1):
        left_out = "" if result.is_averaged(model) else ", left out"
        kept = "" if model.kept_epoch is None else str(model.kept_epoch)
        metrics = (number(model.metrics[name]) for name in names)
        epochs = f"{model.epochs_run} ({model.status}{left_out})"
        rows.append((str(index), str(model.config.seed), epochs, kept, *metrics))
    if result.status != "interrupted":  # else nothing is evaluated
        mean = (number(result.metrics[name]) for name in names)
        rows.append(("average", "", "", "", *mean))
    header = ("model", "seed", "epochs", "kept epoch", *(n.replace("_", " ") for n in names))
    return Table(header, rows)


def spread_note(part: EvaluatedPart) -> str:
    """Return what the spread of a part is, and how large."""
    if part.spread is None:
        return ""
    of = {
        "regression": "the predicted values",
        "multilabel": "the probability of each label",
    }.get(part.task.kind, "the probability of the predicted class")
    middle, most = (number(float(np.quantile(part.spread, q))) for q in (0.5, 1.0))
    return (
        f"Spread: the standard deviation between the models of {of}. On the {part.name} set its "
        f"median is {middle}, its largest value {most}."
    )


def part_table(parts: list[EvaluatedPart]) -> Table:
    """Return a row for each part of the data, with the metrics of the kept weights."""
    names = {name: text for name, text in METRIC_NAMES.items() if name in parts[0].metrics}
    has_classes = "classes" in parts[0].metrics
    return Table(
        ("set", "rows", *names.values(), *(["macro F1"] if has_classes else [])),
        [
            (
                part.name,
                f"{part.metrics['rows']:,}",
                *(number(part.metrics[name]) for name in names),
                *([number(part.metrics["macro"]["f1"])] if has_classes else []),
            )
            for part in parts
        ],
    )


def loss_note(config: TrainConfig) -> str:
    """Return a note that losses are of scaled targets; empty if targets are not scaled."""
    if config.target_scale == "none":
        return ""
    return f"losses are of targets scaled by {config.target_scale}"


def units_note(part: EvaluatedPart, config: TrainConfig) -> str:
    """Return a note on the units of a regression's errors; empty for other tasks."""
    if part.task.kind != "regression":
        return ""
    names = part.target_names
    units = f"the units of {listed(names)}" if names else "the units of the targets"
    return "; ".join(filter(None, [f"MAE and RMSE are in {units}", loss_note(config)]))


def output_table(metrics: dict[str, Any]) -> Table:
    """Return the errors of each of several outputs of a regression."""
    names = ("mae", "rmse", "r2")
    return Table(
        ("output", *(METRIC_NAMES[name] for name in names)),
        [
            (entry["output"], *(number(entry[name]) for name in names))
            for entry in metrics["outputs"]
        ],
    )


def class_table(metrics: dict[str, Any]) -> Table:
    """Return precision, recall, F1 and support of each class, and their averages."""
    scores = ("precision", "recall", "f1")
    named = [(entry["class"], entry) for entry in metrics["classes"]]
    named += [(f"{average} average", metrics[average]) for average in AVERAGES]
    return Table(
        ("class", "precision", "recall", "F1", "support"),
        [
            (name, *(number(entry[score]) for score in scores), f"{entry['support']:,}")
            for name, entry in named
        ],
    )


def summary_pairs(result: TrainResult) -> list[tuple[str, str]]:
    """Return the network, the data and the status of a run, as names and values."""
    data, config = result.data, result.config
    kept = "" if result.kept_epoch is None else f", weights of epoch {result.kept_epoch}"
    scaled = f", of targets scaled by {config.target_scale}" if loss_note(config) else ""
    return [
        ("data", data["name"]),
        ("network", result.predictor.network.describe()),
        *([("models", str(result.predictor.n_models))] if result.models else []),
        ("loss", config.loss + scaled),
        ("optimizer", f"{config.optimizer}, rate {config.learning_rate:g}"),
        ("epochs", f"{result.epochs_run} ({result.status}){kept}"),
        ("training time", f"{result.timings['train_seconds'] or 0:.2f} s"),
    ]


def timing_pairs(result: TrainResult) -> list[tuple[str, str]]:
    """Return how long a run took, and where the time of its steps went."""
    pairs = [("threads", f"at most {result.plan.threads}"), ("step", result.plan.step)]
    for name, value in result.timings.items():
        if value is not None and name.endswith("_seconds"):
            pairs.append((name.removesuffix("_seconds"), f"{value:.3f} s"))
    if speed := result.timings["samples_per_second"]:
        pairs.append(("samples per second", f"{speed:,.0f}"))
    phases = result.phase_seconds.items()
    return pairs + [(f"step: {name}", f"{seconds:.3f} s") for name, seconds in phases]


def setting_pairs(config: TrainConfig) -> list[tuple[str, str]]:
    """Return every setting with its value."""
    pairs = config.to_dict().items()
    return [
        (name, (", ".join(map(str, value)) if isinstance(value, list) else str(value)) or "-")
        for name, value in pairs
    ]


def number(value: float | None) -> str:
    """Return a number as text.

    Four decimals from 0.001 to 1000, one decimal up to 10 million, else four significant digits.
    """
    if value is None:
        return ""
    size = abs(value)
    if 0 < size < 0.001:
        return f"{value:.4g}"
    if size < 1000:
        return f"{value:.4f}"
    return f"{value:,.1f}" if size < 1e7 else f"{value:.4g}"
