"""The description of a run on stderr, before training."""

from __future__ import annotations

from ..training.callbacks import Callback
from ..training.config import TrainConfig
from ..training.run import Run
from ..training.warm_up import kept_in
from .inferred import few_updates_lines, setting_lines
from .machine import machine_lines, print_temporary_note
from .running import print_line
from .tables import data_lines, layer_lines


class Introduction(Callback):
    """Prints the data and the layers before training.

    Parameters
    ----------
    given : TrainConfig
        As given by the user.
    """

    def __init__(self, given: TrainConfig):
        self.given = given

    def on_setup(self, run: Run) -> None:
        described = [*data_lines(run), *setting_lines(self.given, run), "", *layer_lines(run), ""]
        print_line("\n".join(described))
        for line in few_updates_lines(run):
            print_line(line)
        for line in machine_lines(run.plan.threads):
            print_line(line)
        print_temporary_note()
        if run.steps.iterations:
            print_line(f"resuming in epoch {run.epoch}, after {run.steps.iterations:,} updates\n")


def compiling_text() -> str:
    """Return the line printed while kernels are compiled."""
    if kept_in() is None:
        return "compiling kernels: at every start, because no folder for them is writable ..."
    return "compiling kernels: once, then they are kept on disk ..."
