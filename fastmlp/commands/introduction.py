"""The description of a run before training: data, settings, layers and notes.

What is inferred from a file, such as the task, is reported by its reader.
"""

from __future__ import annotations

import argparse

from ..base.random import model_seed
from ..base.settings import AUTO
from ..base.table_rows import is_table
from ..base.wording import listed
from ..data.dataset import Dataset
from ..recipes import table_recipes
from ..training.callbacks import Callback
from ..training.config import TrainConfig
from ..training.kernel_folder import kept_in
from ..training.run import Run
from .machine import machine_lines, print_temporary_note
from .running import print_line
from .tables import column_lines, data_lines, layer_lines

# With fewer updates, a network seldom gets near its best loss.
FEW_UPDATES = 500
# The options of the settings that may be inferred.
_OPTIONS = {
    "split": "--split",
    "scale": "--scale",
    "target_scale": "--target-scale",
    "optimizer": "--optimizer",
    "learning_rate": "--lr",
    "schedule": "--schedule",
    "clip_norm": "--clip-norm",
}


class Introduction(Callback):
    """Prints the data and the layers before training.

    Parameters
    ----------
    given : TrainConfig
        As given by the user.
    advice : list of str
        Lines to add.
    """

    reads_weights = False

    def __init__(self, given: TrainConfig, advice: list[str]):
        self.given, self.advice = given, advice

    def on_setup(self, run: Run) -> None:
        if run.number > 1:
            return
        described = [
            *data_lines(run), *setting_lines(self.given, run), "", *column_lines(run),
            *layer_lines(run), "",
        ]  # fmt: skip
        print_line("\n".join(described))
        lines = (*few_updates_lines(run), *self.advice, *machine_lines(run.plan.threads))
        for line in lines:
            print_line(line)
        print_temporary_note()
        if run.steps.iterations:
            print_line(f"resuming in epoch {run.epoch}, after {run.steps.iterations:,} updates\n")


def compiling_text() -> str:
    """Return the line printed while kernels are compiled."""
    if kept_in() is None:
        return "compiling kernels: at every start, because no folder for them is writable ..."
    return "compiling kernels: once, then they are kept on disk ..."


def setting_lines(given: TrainConfig, run: Run) -> list[str]:
    """Return lines on the split, the scaling and the updates.

    Parameters
    ----------
    given : TrainConfig
        As the user gave it. Fields that are ``auto`` were inferred; their options are named.
    run : Run
    """
    config = run.config

    def line(title: str, text: str, *fields: str) -> str:
        inferred = [_OPTIONS[name] for name in fields if getattr(given, name) == AUTO]
        return f"{title:<11}{text}" + (f" ({', '.join(inferred)})" if inferred else "")

    lines = [
        line("", f"split {config.split}", "split"),
        line("", f"scale {config.scale}", "scale"),
    ]
    is_regression = run.task.kind == "regression"
    if is_regression:
        what = ": losses are of scaled targets" if config.target_scale != "none" else ""
        lines.append(line("", f"target scale {config.target_scale}{what}", "target_scale"))
    clipping = f", clip norm {config.clip_norm:g}" if config.clip_norm else ""
    rule = (
        f"{config.optimizer}, rate {config.learning_rate:g}, schedule {config.schedule}{clipping}"
    )
    # For a regression, these are inferred from the task.
    fields = ("optimizer", "learning_rate", "schedule", "clip_norm") if is_regression else ()
    lines.append(line("training", rule, *fields))
    if config.n_models > 1:
        seeds = listed([model_seed(config.seed, n) for n in range(1, config.n_models + 1)])
        lines.append(line("", f"{config.n_models} models side by side, seeds {seeds}"))
    return [*lines, *rule_lines(run)]


def rule_lines(run: Run) -> list[str]:
    """Return the rules that applied."""
    titles = ["rules", *[""] * len(run.rules)]
    return [f"{title:<11}{rule.text}" for title, rule in zip(titles, run.rules, strict=False)]


def recipe_lines(options: argparse.Namespace, dataset: Dataset) -> list[str]:
    """Return the advice to use a recipe for a table that is trained without, else nothing."""
    is_read = dataset.positions is not None or is_table(dataset.X)
    if not is_read or any((options.recipe, options.config, options.resume)):
        return []
    names = " or ".join(f"--recipe {name}" for name in table_recipes())
    return [f"settings tuned for tables come with fastmlp: {names}"]


def few_updates_lines(run: Run) -> list[str]:
    """Return advice if the defaults make few updates, else nothing."""
    config, per_epoch = run.config, run.steps.steps_per_epoch
    updates = per_epoch * config.epochs
    is_default = all(
        getattr(config, name) == getattr(TrainConfig, name)
        for name in ("mode", "batch_size", "epochs")
    )
    if updates >= FEW_UPDATES or not is_default:
        return []
    return [
        f"few data: {updates} updates in {config.epochs} epochs; fewer than {FEW_UPDATES} seldom "
        f"suffice: try --epochs {-(-FEW_UPDATES // per_epoch)}, a smaller --batch-size (now "
        f"{config.batch_size}), or --optimizer adam"
    ]
