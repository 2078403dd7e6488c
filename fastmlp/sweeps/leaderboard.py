"""Trials of a sweep and their ranking: configurations, each with the mean and spread over seeds."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..training.scorers import VALIDATION, is_higher_better
from .ranking import RANKINGS

PRUNED = "pruned"  # stopped by the pruner of a search
GOOD = ("finished", "stopped early", PRUNED)
LABELS = {
    "hidden_layer_sizes": "hidden",
    "weight_init": "init",
    "learning_rate": "rate",
    "output_activation": "output",
}


@dataclass(frozen=True, eq=False)
class Trial:
    """A finished cell.

    Attributes
    ----------
    key : str
        Hash of settings and data.
    settings : dict
        The given settings that apply to the cell, by field name, as JSON values.
    config : dict
        All resolved settings.
    status : str
        Status of the :class:`fastmlp.TrainResult`, or "failed".
    error : str
        Empty without an error.
    history, iterations : dict of str to list
        Columns; empty if nothing was recorded.
    metrics : dict
        Of the kept weights: losses, accuracies and other metrics, epochs_run, updates_run,
        best_epoch, kept_epoch, n_parameters, n_validation (rows) and loss_error (standard error of
        the validation loss).
    timings : dict
        Seconds, and inference_seconds of the rows in ``inference_rows``.
    """

    key: str
    settings: dict[str, Any]
    config: dict[str, Any]
    status: str
    error: str
    history: dict[str, list[Any]]
    iterations: dict[str, list[Any]]
    metrics: dict[str, Any]
    timings: dict[str, Any]

    @property
    def is_good(self) -> bool:
        """Whether training ended normally, so that the trial can be ranked."""
        return self.status in GOOD

    @property
    def seconds(self) -> float | None:
        """Training time."""
        value: float | None = self.timings.get("train_seconds")
        return value

    def score(self, rank_by: str) -> tuple[float, float]:
        """Return the sort key, lower is better: the ranking metric, then the loss."""
        value, loss = self.metrics[rank_by], self.metrics["validation_loss"]
        if value is None:  # undefined for the predictions
            return math.inf, loss
        return (-value if is_higher_better(rank_by) else value), loss


@dataclass(frozen=True, eq=False)
class Configuration:
    """Trials that differ only in their seed.

    Attributes
    ----------
    rank : int
        Rank, from 1.
    settings : dict
        Settings of the trials, without the seed.
    trials : list of Trial
    """

    rank: int
    settings: dict[str, Any]
    trials: list[Trial]

    @cached_property
    def good(self) -> list[Trial]:
        """The trials that can be ranked."""
        return [trial for trial in self.trials if trial.is_good]

    @property
    def status(self) -> str:
        """Status of the trials; the worst if they differ."""
        bad = [trial.status for trial in self.trials if not trial.is_good]
        bad += [trial.status for trial in self.trials if trial.status == PRUNED]
        return bad[0] if bad else self.trials[0].status

    @property
    def epochs(self) -> int:
        """The configured number of epochs."""
        return int(self.trials[0].config["epochs"])

    def mean(self, metric: str) -> float | None:
        """Return the mean over seeds of a metric; None without any."""
        values = self.values(metric)
        return statistics.fmean(values) if values else None

    def spread(self, metric: str) -> float | None:
        """Return the standard deviation over seeds (n - 1); None with fewer than two."""
        values = self.values(metric)
        return statistics.stdev(values) if len(values) > 1 else None

    def values(self, metric: str) -> list[float]:
        """Return a metric or a timing of each good trial that has it."""
        found = (trial.metrics.get(metric, trial.timings.get(metric)) for trial in self.good)
        return [value for value in found if value is not None]

    def name(self, axes: Iterable[str]) -> str:
        """Return the values on some axes as text."""
        texts = [value_text(self.settings.get(axis)) for axis in axes]
        return ", ".join(text for text in texts if text) or "defaults"


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Configurations, the best first.

    Attributes
    ----------
    configurations : list of Configuration
    axes : list of str
        Settings in which the configurations differ.
    rank_by : str
        A metric of trials, such as ``validation_accuracy`` or ``validation_roc_auc``.
    """

    configurations: list[Configuration]
    axes: list[str]
    rank_by: str

    @property
    def higher_is_better(self) -> bool:
        """Whether higher values of ``rank_by`` are better."""
        return is_higher_better(self.rank_by)

    @cached_property
    def metrics(self) -> list[str]:
        """Validation metrics of the configurations: accuracy if there is one, loss, others."""
        names = ["validation_accuracy"] if self.has_accuracy else []
        names.append("validation_loss")
        trials = (trial for entry in self.good for trial in entry.good)
        found = dict.fromkeys(name for trial in trials for name in trial.metrics)
        others = [n for n in found if n.startswith(VALIDATION) and n not in RANKINGS]
        return [*names, *others]

    @property
    def test_metrics(self) -> list[str]:
        """The same metrics of the test part, which only the winner has."""
        return [f"test_{name.removeprefix(VALIDATION)}" for name in self.metrics]

    @property
    def has_seeds(self) -> bool:
        """Whether some configuration has several trials."""
        return any(len(entry.trials) > 1 for entry in self.configurations)

    @property
    def good(self) -> list[Configuration]:
        """Configurations that can be ranked."""
        return [entry for entry in self.configurations if entry.good]

    @property
    def has_accuracy(self) -> bool:
        """Whether there are accuracies (not in regression)."""
        return any(entry.values("validation_accuracy") for entry in self.good)

    def short_name(self, entry: Configuration) -> str:
        """Return a configuration's values, without parameters if the names alone are distinct."""
        texts = []
        for axis in self.axes:
            every = [value_text(value) for value in self.values(axis)]
            names = {text.partition("(")[0] for text in every}
            text = value_text(entry.settings.get(axis))
            texts.append(text.partition("(")[0] if len(names) == len(every) else text)
        return ", ".join(filter(None, texts)) or "defaults"

    def values(self, axis: str) -> list[Any]:
        """Return the values on an axis: numbers sorted, others in order of appearance."""
        found: dict[str, Any] = {}
        for entry in sorted(self.configurations, key=lambda entry: entry.trials[0].key):
            if axis in entry.settings:
                found.setdefault(json.dumps(entry.settings[axis]), entry.settings[axis])
        values = list(found.values())
        if all(isinstance(value, (int, float)) for value in values):
            return sorted(values)
        return sorted(values, key=str)


def rank(trials: Iterable[Trial], rank_by: str, by_epochs: bool = False) -> Leaderboard:
    """Rank trials by their mean over seeds.

    Parameters
    ----------
    trials : iterable of Trial
    rank_by : str
    by_epochs : bool, default False
        After successive halving: each configuration is ranked by its last round, and later rounds
        rank above earlier ones.

    Returns
    -------
    Leaderboard
        Configurations with a pruned trial come behind those without, then those with a trial that
        failed or diverged, and last those without any figures.
    """
    groups: dict[str, list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.key):
        leave_out = ("seed", "epochs") if by_epochs else ("seed",)
        settings = {name: v for name, v in trial.settings.items() if name not in leave_out}
        groups.setdefault(json.dumps(settings, sort_keys=True), []).append(trial)
    if by_epochs:
        groups = {name: _last_round(group) for name, group in groups.items()}
    entries = [
        Configuration(0, {n: v for n, v in group[0].settings.items() if n != "seed"}, group)
        for group in groups.values()
    ]

    def order(entry: Configuration) -> tuple[Any, ...]:
        if not entry.good:
            return (2, False, 0, 0, 0, entry.trials[0].key)
        scores = [trial.score(rank_by) for trial in entry.good]
        means = (statistics.fmean(column) for column in zip(*scores, strict=True))
        bad = len(entry.good) < len(entry.trials)
        is_pruned = entry.status == PRUNED
        return (int(bad), is_pruned, -entry.epochs if by_epochs else 0, *means, entry.trials[0].key)

    entries.sort(key=order)
    ranked = [Configuration(i, e.settings, e.trials) for i, e in enumerate(entries, start=1)]
    return Leaderboard(ranked, _axes(ranked, by_epochs), rank_by)


def label(axis: str) -> str:
    """Return the name of an axis in tables and plots."""
    return LABELS.get(axis, axis.replace("_", " "))


def value_text(value: Any) -> str:
    """Return a setting as text; empty if it does not apply."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        texts = [value_text(item) for item in value]
        is_list_of_specs = any("(" in text for text in texts)
        return (", " if is_list_of_specs else "-").join(texts) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _last_round(trials: list[Trial]) -> list[Trial]:
    most = max(trial.config["epochs"] for trial in trials)
    return [trial for trial in trials if trial.config["epochs"] == most]


def _axes(entries: list[Configuration], by_epochs: bool) -> list[str]:
    """Return the settings that have several values among the configurations they apply to."""
    names = dict.fromkeys(name for entry in entries for name in entry.settings)
    axes = []
    for name in names:
        found = {json.dumps(e.settings[name]) for e in entries if name in e.settings}
        if len(found) > 1 and not (by_epochs and name == "epochs"):
            axes.append(name)
    return axes
