"""Search by Optuna: trials are asked for in batches, told in order, and pruned by earlier batches.

A study is in memory only. When a sweep is resumed, the study is repeated from its seed with the
results in the store, so that no trial is run twice. Needs the extra ``search``.
"""

from __future__ import annotations

import logging
import math
import statistics
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError
from ..training.callbacks import Callback
from ..training.run import Run
from ..training.scorers import is_higher_better
from .grid import Grid
from .leaderboard import PRUNED, Trial

if TYPE_CHECKING:
    import optuna

# Hyperband divides trials among its brackets by the name of the study and the trial's number.
_NAME = "fastmlp"
_STARTUP_BATCHES = 2  # drawn at random before TPE has a model


@dataclass(frozen=True, eq=False)
class Asked:
    """A trial of the study, and the settings that it suggests."""

    trial: optuna.trial.Trial
    settings: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Pruning:
    """What a running trial is compared with: the study when its batch was asked for.

    Attributes
    ----------
    pruner : optuna.pruners.BasePruner
    trials : list of optuna.trial.FrozenTrial
    number : int
        Of the running trial among them.
    column : str
        Of the history, reported after each epoch.
    """

    pruner: Any
    trials: list[Any]
    number: int
    column: str

    def callback(self) -> Callback:
        """Return the callback that reports epochs and stops the run if it is pruned."""
        return _Pruner(self)


class _Pruner(Callback):
    reads_weights = False

    def __init__(self, pruning: Pruning):
        optuna = load_optuna()
        self.column = pruning.column
        study = _new_study(self.column, pruning.pruner, optuna.samplers.RandomSampler(0))
        study.add_trials(pruning.trials)
        own = study.get_trials(deepcopy=False)[pruning.number]
        self.trial = optuna.trial.Trial(study, own._trial_id)

    def after_epoch(self, run: Run, row: dict[str, Any]) -> None:
        is_worse = _report(self.trial, row["epoch"], row[self.column])
        if is_worse and not run.stop_status and row["epoch"] < run.config.epochs:
            run.request_stop(PRUNED)


class Study:
    """A search of a grid by Optuna's tree-structured Parzen estimator.

    Parameters
    ----------
    grid : Grid
    seed : int
    batch : int
        Number of trials that are asked for at a time.
    prune : {"none", "median", "hyperband"}
    column : str
        To rank by; reported for each epoch.
    epochs : int
        Largest number of epochs of a trial.

    Raises
    ------
    ConfigError
        Without Optuna.
    """

    def __init__(self, grid: Grid, seed: int, batch: int, prune: str, column: str, epochs: int):
        optuna = load_optuna()
        self.grid, self.column = grid, column
        self.pruner = PRUNERS[prune](optuna.pruners, epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seed % 2**32,
                n_startup_trials=_STARTUP_BATCHES * batch,
                multivariate=True,
                group=True,  # some axes are of some modes only
                constant_liar=True,  # trials of a batch keep away from each other
            )
        self.study = _new_study(column, self.pruner, sampler)

    def ask(self, n: int) -> list[Asked]:
        """Return the next trials."""
        return [self._suggested(self.study.ask()) for _ in range(n)]

    def pruning(self, asked: Asked) -> Pruning | None:
        """Return what a trial is compared with while it runs; None without a pruner."""
        if self.pruner is None:
            return None
        trials = self.study.get_trials(deepcopy=True)
        return Pruning(self.pruner, trials, asked.trial.number, self.column)

    def tell(self, asked: Asked, trials: Sequence[Trial]) -> None:
        """Tell the result of a trial: the mean over its seeds."""
        from optuna.trial import TrialState

        values = [trial.metrics.get(self.column) for trial in trials if trial.is_good]
        known = [float(value) for value in values if value is not None]
        if len(trials) == 1:
            history = trials[0].history
            pairs = zip(history.get("epoch", []), history.get(self.column, []), strict=True)
            for epoch, value in pairs:
                _report(asked.trial, epoch, value)
        if any(trial.status == PRUNED for trial in trials):
            self.study.tell(asked.trial, state=TrialState.PRUNED)
        elif len(known) == len(trials):
            self.study.tell(asked.trial, statistics.fmean(known))
        else:  # diverged, failed, or undefined: the worst value
            worst = -math.inf if is_higher_better(self.column) else math.inf
            self.study.tell(asked.trial, worst)

    def _suggested(self, trial: optuna.trial.Trial) -> Asked:
        def value(name: str, axis: Any) -> Any:
            if not isinstance(axis, list):
                return axis.suggest(trial, name)
            # By number, since values may be tuples.
            number = trial.suggest_categorical(name, range(len(axis))) if len(axis) > 1 else 0
            return axis[number]

        grid = self.grid
        mode = value("mode", grid.modes)
        own = grid.by_mode.get(mode, {})
        settings = {
            name: value(f"{mode}.{name}" if name in own else name, axis)
            for name, axis in grid.axes_of(mode).items()
            if name != "seed"
        }
        return Asked(trial, grid.in_order({"mode": mode, **settings}))


PRUNERS: dict[str, Callable[[Any, int], Any]] = {
    "none": lambda pruners, epochs: None,
    "median": lambda pruners, epochs: pruners.MedianPruner(
        n_startup_trials=4, n_warmup_steps=max(1, epochs // 10)
    ),
    "hyperband": lambda pruners, epochs: pruners.HyperbandPruner(
        min_resource=max(1, epochs // 9), max_resource=epochs, reduction_factor=3
    ),
}


def load_optuna() -> Any:
    """Return the module; ConfigError if it is not installed."""
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "search tpe needs Optuna, which is not installed; install fastmlp[search], or use "
            "random search (budget, --random)"
        ) from None
    # Otherwise each study is announced on stderr.
    logging.getLogger("optuna.storages._in_memory").setLevel(logging.WARNING)
    return optuna


def _new_study(column: str, pruner: Any, sampler: Any) -> Any:
    optuna = load_optuna()
    direction = "maximize" if is_higher_better(column) else "minimize"
    pruner = optuna.pruners.NopPruner() if pruner is None else pruner
    return optuna.create_study(
        study_name=_NAME, direction=direction, sampler=sampler, pruner=pruner
    )


def _report(trial: Any, epoch: int, value: Any) -> bool:
    """Report an epoch; return whether the trial is to be pruned."""
    if value is None or not math.isfinite(value):
        return False
    trial.report(value, epoch)
    return bool(trial.should_prune())
