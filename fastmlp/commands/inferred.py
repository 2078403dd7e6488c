"""The settings of a run, a line each, with the options that change what was inferred.

The readers of files tell what they have inferred of these, such as the task.
"""

from __future__ import annotations

from ..training.checks import AUTO
from ..training.config import TrainConfig
from ..training.run import Run

# Of fewer updates, a network seldom comes near what it can learn.
FEW_UPDATES = 500


def setting_lines(given: TrainConfig, run: Run) -> list[str]:
    """Return how the data are split and scaled and the weights updated.

    Parameters
    ----------
    given : TrainConfig
        As the user gave it: what is ``auto`` was inferred, and its option is named.
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
    # Named where the task has decided.
    fields = ("optimizer", "learning_rate", "schedule", "clip_norm") if is_regression else ()
    return [*lines, line("training", rule, *fields)]


def few_updates_lines(run: Run) -> list[str]:
    """Say what to change where the defaults make few updates; nothing where they make many."""
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


_OPTIONS = {
    "split": "--split",
    "scale": "--scale",
    "target_scale": "--target-scale",
    "optimizer": "--optimizer",
    "learning_rate": "--lr",
    "schedule": "--schedule",
    "clip_norm": "--clip-norm",
}
