"""What is about to be trained, on stderr."""

from __future__ import annotations

from ..training.callbacks import Callback
from ..training.run import Run
from .running import print_line
from .tables import data_lines, layer_lines


class Introduction(Callback):
    """What is about to be trained: the data and the layers."""

    def on_setup(self, run: Run) -> None:
        print_line("\n".join([*data_lines(run), "", *layer_lines(run), ""]))
        if not run.is_compiled:
            print_line("compiling kernels: once, then they are kept on disk ...")
