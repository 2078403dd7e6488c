"""What is about to be trained, on stderr."""

from __future__ import annotations

from ..training.callbacks import Callback
from ..training.run import Run
from ..training.warm_up import kept_in
from .machine import machine_lines
from .running import print_line
from .tables import data_lines, layer_lines


class Introduction(Callback):
    """What is about to be trained: the data and the layers."""

    def on_setup(self, run: Run) -> None:
        print_line("\n".join([*data_lines(run), "", *layer_lines(run), ""]))
        for line in machine_lines(run.plan.threads):
            print_line(line)
        if run.steps.iterations:
            print_line(f"going on in epoch {run.epoch}, after {run.steps.iterations:,} updates\n")


def compiling_text() -> str:
    """Say what a run waits for before its first epoch."""
    if kept_in() is None:
        return "compiling kernels: at every start, for no folder can be written to keep them ..."
    return "compiling kernels: once, then they are kept on disk ..."
