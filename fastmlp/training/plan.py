"""The choice of the compiled step: a pure function of the settings and a few facts of the data.

It does not depend on timing, so that the same settings give the same bits on a busy machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.settings import AUTO
from ..kernels.emit.row_products import MOST_FEATURES
from ..kernels.steps.sample_blocks import SAMPLE_BLOCK
from ..model.encoding import LISTS_DENSITY, LISTS_FEATURES, LISTS_SHIFT
from ..model.samples import MEMBERS, can_be_halved
from ..model.workspace import BLOCK_ROWS
from ..ops.activations import ACTIVATIONS
from ..ops.optimizers import OPTIMIZERS
from .config import TrainConfig

# When a team is faster. Members exchange activations at eight barriers an update, which takes two
# cores about 10 us: 784-128-64-10 takes 0.74 of one thread's time at 8 rows an update and 0.65 at
# 22; 64-128-64-10 (digits) takes 2.4 at 8 rows, 0.88 at 16, 0.72 at 32 and 0.66 at 128; 30-100-1
# takes 0.75 at 200 rows and 10-100-1 0.91.
TEAM_WEIGHTS = 50_000
TEAM_WORK = 250_000  # weights times rows of an update
TEAM_ROWS = 8
# Large updates of small networks: an update is done once for many blocks.
TEAM_LARGE_ROWS = 1024

# Largest fraction by which an update may decay the weights for the per-sample step to defer it.
MOST_DECAY = 0.1

# Rows of an update below which lists are faster than bytes: 784-128-64-10 takes 15.0 us in lists
# and 18.6 in bytes at one row an update, 16.1 and 18.5 at two, 22.7 and 22.9 at four, 33.9 and 31.7
# at eight.
BYTES_ROWS = 4

# For the gradient a block of lists is indexed by columns, with an element for each row in each
# column: with many features, blocks have fewer rows. 2**25 elements are 256 MB of float32, enough
# for a batch of 32 rows of 2**20 features, a common number of hashes, in one block.
LISTS_ELEMENTS = 2**25


@dataclass(frozen=True)
class Inputs:
    """How the rows of features are stored.

    Attributes
    ----------
    kind : {"dense", "bytes", "lists", "shifted lists"}
        bytes: the first layer finds the non-zeros in them. lists: of the non-zeros. shifted lists:
        of the non-zeros before scaling adds an offset, which is stored separately.
    reason : str
    most_rows : int
        Maximum number of rows that go through the network at once.
    """

    kind: str
    reason: str
    most_rows: int = BLOCK_ROWS


def plan_inputs(
    config: TrainConfig,
    n_features: int,
    density: float,
    shift: float = 0.0,
    is_sparse: bool = False,
    are_bytes: bool = False,
    is_plain: bool = False,
) -> Inputs:
    """Choose how rows are stored.

    Parameters
    ----------
    config : TrainConfig
    n_features : int
    density : float
        The fraction of non-zero elements in the training rows.
    shift : float, default 0
        The largest offset that scaling adds to a feature.
    is_sparse : bool, default False
        Whether the features are a sparse matrix, which is never made dense here.
    are_bytes : bool, default False
        Whether the features are bytes.
    is_plain : bool, default False
        Whether scaling only multiplies all features by one number.
    """
    share = f"{density:.{0 if density >= 0.01 else 2}%} of the features are not zero"
    has_zeros = density <= LISTS_DENSITY
    if is_per_sample(config):
        are_plain_bytes = are_bytes and is_plain and LISTS_FEATURES <= n_features <= MOST_FEATURES
        if are_plain_bytes and has_zeros and takes_sample_blocks(config):
            blocks = f"the first layer takes {SAMPLE_BLOCK} samples at a time"
            return Inputs("bytes", f"{share}; {blocks}")
        kind = "shifted lists" if is_sparse or (has_zeros and shift <= LISTS_SHIFT) else "lists"
        return Inputs(kind, f"{share}; the per-sample step uses lists of them")
    most_rows = max(1, min(BLOCK_ROWS, LISTS_ELEMENTS // n_features))
    if is_sparse:
        return Inputs("shifted lists", f"{share}; they are a sparse matrix", most_rows)
    if why_dense(config):
        return Inputs("dense", why_dense(config))
    if n_features < LISTS_FEATURES:
        return Inputs("dense", f"rows of {n_features} features are too short for lists")
    if not has_zeros:
        return Inputs("dense", share)
    if shift > LISTS_SHIFT:
        return Inputs("dense", f"scaling shifts a feature by {shift:.3g}, too far to store apart")
    if are_bytes and not takes_few_rows(config):
        return Inputs("bytes", f"{share}; the first layer finds these", most_rows)
    return Inputs("shifted lists", f"{share}; the first layer uses lists of them", most_rows)


def why_dense(config: TrainConfig) -> str:
    """Return why the first layer requires dense rows; empty if it does not."""
    layers = [layer for layer in config.hidden_layers if not layer.only_reshapes]
    if not layers or layers[0].takes_sparse_rows:
        return ""
    if layers[0].trains_only:
        return "dropout draws for every feature"
    return f"{layers[0]} takes {'rows' if layers[0].takes_rows else 'images'}"


def takes_few_rows(config: TrainConfig) -> bool:
    """Whether updates have too few rows for bytes to be faster than lists."""
    if config.mode == "stochastic" or config.accumulate:
        return True
    return config.mode == "minibatch" and config.batch_size < BYTES_ROWS


def is_per_sample(config: TrainConfig) -> bool:
    """Whether the run uses the per-sample step."""
    return config.mode == "stochastic" and not _needs_general_step(config)


def updates_of(config: TrainConfig) -> tuple[str, ...]:
    """Return the names of the kernels that update weights in the general step, without the data.

    A guess: how many blocks a batch has depends on the data, too.
    """
    is_plain = config.optimizer != AUTO and OPTIMIZERS.parse(config.optimizer).is_plain
    if not is_plain or config.l1 or config.clip_norm or config.clip_value:
        return ("passes",)
    if not all(layer.trains_by_sample or layer.trains_only for layer in config.hidden_layers):
        return ("passes",)
    is_one_block = config.mode == "minibatch" and config.batch_size <= BLOCK_ROWS
    return ("one_pass",) if is_one_block and not config.accumulate else ("passes", "one_pass")


def takes_sample_blocks(config: TrainConfig) -> bool:
    """Whether the per-sample step can compute the first layer for blocks of samples."""
    return is_per_sample(config) and bool(_dense_layers(config))


@dataclass(frozen=True)
class Plan:
    """How the steps of a run are computed.

    Attributes
    ----------
    step : {"per_sample", "general"}
    batch_size : int
        Rows of an update.
    block_rows : int
        Rows that go through the network at once.
    threads : int
        Maximum number of threads of a step.
    inputs : Inputs
    reasons : tuple of str
    """

    step: str
    batch_size: int
    block_rows: int
    threads: int
    inputs: Inputs
    reasons: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the plan as printed by ``--explain``."""
        return [
            f"step: {self.step}; {self.batch_size} rows an update, {self.block_rows} at once; "
            f"threads: {self.threads}",
            *(f"  because {reason}" for reason in self.reasons),
            f"inputs: {self.inputs.kind}",
            f"  because {self.inputs.reason}",
        ]


def plan(
    config: TrainConfig,
    n_train: int,
    n_weights: int,
    threads: int,
    inputs: Inputs,
    image_rows: int = 0,
) -> Plan:
    """Choose the step.

    Parameters
    ----------
    config : TrainConfig
    n_train : int
        Training rows.
    n_weights : int
        Of the network; a weight of a convolution counts once for each position.
    threads : int
        Maximum number of threads.
    inputs : Inputs
        Returned by :func:`plan_inputs`.
    image_rows : int, default 0
        Maximum number of rows that go through layers of images at once; 0: there are none.
    """
    reasons: tuple[str, ...]
    if config.mode == "stochastic":
        why_not = _needs_general_step(config)
        if why_not:
            reasons = (f"mode is stochastic, but {why_not}",)
            reasons += ("a team cannot share one row",)
            return Plan("general", 1, 1, 1, inputs, reasons)
        reasons = ("mode is stochastic, and plain SGD can skip the weights of zero inputs",)
        threads = min(threads, MEMBERS) if _has_halves(config) and n_weights >= TEAM_WEIGHTS else 1
        return Plan("per_sample", 1, 1, threads, inputs, reasons)
    batch_size = n_train if config.mode == "batch" else min(config.batch_size, n_train)
    if config.accumulate:
        reasons = ("accumulate takes samples one at a time, which a team cannot share",)
        return Plan("general", batch_size, 1, 1, inputs, reasons)
    reasons = (f"mode is {config.mode}",)
    is_small = batch_size < TEAM_ROWS or (
        n_weights < TEAM_WEIGHTS and n_weights * batch_size < TEAM_WORK
    )
    if threads > 1 and is_small and batch_size < TEAM_LARGE_ROWS:
        threads = 1
        reasons += (
            f"updates of {batch_size} rows by {n_weights:,} weights are too small to share: "
            "communication takes longer than it saves",
        )
    if image_rows:
        block_rows = min(batch_size, image_rows)
        reasons += (f"layers of images take {block_rows} rows at once",)
        return Plan("general", batch_size, block_rows, threads, inputs, reasons)
    n_blocks = -(-batch_size // inputs.most_rows)
    return Plan("general", batch_size, -(-batch_size // n_blocks), threads, inputs, reasons)


def _has_halves(config: TrainConfig) -> bool:
    """Whether two threads can share the first layer's units."""
    layers = _dense_layers(config)
    if not layers:
        return False
    units = layers[0].output_shape(())[0]
    activation = ACTIVATIONS.parse(layers[0].activation)
    return can_be_halved(units, activation, np.dtype(config.dtype))


def _dense_layers(config: TrainConfig) -> list[Any]:
    """Return the hidden layers of a run whose layers are all dense."""
    return [layer for layer in config.hidden_layers if layer.trains_by_sample]


def _needs_general_step(config: TrainConfig) -> str:
    """Return why a stochastic run needs the general step; empty if it does not."""
    if not OPTIMIZERS.parse(config.optimizer).is_plain:
        return f"optimizer {config.optimizer} is not plain SGD"
    if config.l1:
        return "the penalty changes every weight at every update"
    if config.l2 and config.monitor == "train_objective":
        return "monitor train_objective needs the penalty before every update"
    if config.l2 * float(config.learning_rate) > MOST_DECAY:
        return "the penalty decays all weights by more than a tenth at every update"
    if config.max_norm:
        return "max_norm reads every weight after every update"
    if config.clip_norm or config.clip_value:
        return "clipping needs the whole gradient before the update"
    if config.bias_lr_factor != 1 or any(layer.lr_factor != 1 for layer in config.hidden_layers):
        return "learning rates have factors"
    for layer in config.hidden_layers:
        if layer.trains_only:
            return "dropout needs separate inputs and outputs of a layer"
        if not layer.trains_by_sample and not layer.only_reshapes:
            return f"{layer} is not a dense layer"
    return ""
