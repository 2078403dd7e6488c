"""What follows from the settings of a run alone: stopping rule, network, objective."""

from __future__ import annotations

import numpy as np

from ..base.settings import AUTO
from ..kernels.buffers import Objective
from ..model.functions import objective
from ..model.network import Network
from ..model.task import Task
from ..ops.initializers import INITIALIZERS
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from .config import TrainConfig
from .layers import network_layers
from .prepare import Prepared
from .stopping import BestWeights, EarlyStopping


def stopping_of(config: TrainConfig) -> EarlyStopping | None:
    """Return the stopping rule of the settings, if there is one."""
    if not config.early_stopping:
        return None
    return EarlyStopping(
        config.early_stopping, config.monitor, config.min_delta, config.improvement
    )


def best_weights(config: TrainConfig, params: np.ndarray) -> BestWeights:
    """Return what keeps the best of the weights ``params``."""
    return BestWeights(config.min_delta, params, config.improvement, config.ties)


def network_of(
    config: TrainConfig,
    prepared: Prepared,
    initial_weights: tuple[list[np.ndarray], list[np.ndarray]] | None,
) -> Network:
    """Return the network with its initial weights; parameters as for a run."""
    numbers = None if prepared.encoding is None else prepared.encoding.n_numbers
    network = Network(
        network_layers(config, prepared.task.n_outputs, numbers),
        config.input_shape or (prepared.n_features,), config.dtype,
    )  # fmt: skip
    if initial_weights is None:
        weight_init = INITIALIZERS.parse(config.weight_init)
        of_outputs = config.weight_init if config.output_init == AUTO else config.output_init
        network.initialize(
            weight_init, INITIALIZERS.parse(config.bias_init), config.seed,
            INITIALIZERS.parse(of_outputs),
        )  # fmt: skip
    else:
        network.set_weights(*initial_weights)
    return network


def objective_of(config: TrainConfig, task: Task) -> Objective:
    """Return the objective for kernels."""
    return objective(
        LOSSES.parse(config.loss),
        OPTIMIZERS.parse(config.optimizer),
        np.dtype(config.dtype),
        task.code,
        threshold=config.threshold,
        label_smoothing=config.label_smoothing,
        l1=config.l1,
        l2=config.l2,
        penalty_per_row=config.penalty_per_row,
        clip_norm=float(config.clip_norm),
        clip_value=config.clip_value,
        max_norm=config.max_norm,
    )
