"""The second process of a cold start: compiles the update, and what calls the passes of a network.

Before, it compiles the gradients of filters, by the names of their kernels:
``python -m fastmlp.training.compile_callers float32 batch winograd``
"""

from __future__ import annotations

import sys

import numpy as np

from ..base.cpus import usable_cpus
from ..kernels.steps.evaluation import evaluate_rows
from ..kernels.steps.general_step import train_batches
from ..model.functions import leave_out_passes, update_pass_address
from ..model.launch import launch
from ..model.layer_table import gradient_address
from ..ops.layers import kernel_names
from .compile_beside import STEPS
from .fit import start
from .setting_checks import DTYPES
from .warm_up import toy_run


def compile_callers(dtype: str, mode: str) -> None:
    """Compile a step and an evaluation, without the passes that they call by address.

    Afterwards this process can neither train nor evaluate.
    """
    leave_out_passes(np.dtype(dtype))
    config, dataset = toy_run(mode, dtype)
    run = start(config, dataset, threads=1)
    run.steps.compile()
    workspace, data = run.evaluation_workspace, run.prepared.train
    nothing = np.empty((0, run.network.n_outputs), workspace.network.dtype)
    launch(
        evaluate_rows, usable_cpus(), workspace.net, workspace.work, workspace.list_scratch,
        data._replace(order=data.order[:0]), run.objective, workspace.block_rows,
        nothing, np.empty(0), np.empty(0, np.int64),
    )  # fmt: skip


if __name__ == "__main__":
    dtype, mode, *kernels = sys.argv[1:]
    if dtype in DTYPES and mode in STEPS and {*kernels} <= {*kernel_names()}:
        real = np.dtype(dtype)
        for name in kernels:
            gradient_address(name, real)
        if STEPS[mode] is train_batches:
            update_pass_address(real)
        compile_callers(dtype, mode)
