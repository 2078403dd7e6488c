"""The groups of options of ``python -m fastmlp.train``, as ``--help`` shows them."""

from __future__ import annotations

from typing import Any

from .._version import __version__
from ..data.split import HOLD_OUTS
from ..ops.activations import ACTIVATIONS
from ..ops.initializers import INITIALIZERS
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from ..ops.scalers import SCALERS
from ..ops.schedules import SCHEDULES
from ..recipes import recipe_names
from ..training.setting_checks import MODES, MONITORS, SAMPLINGS
from .setting import add_setting
from .values import folder, interval, path, rate, shares, sizes, specs, texts


def add_data_options(group: Any) -> None:
    add_setting(
        group, "--data", "data", metavar="NAME",
        help="auto, mnist, digits, a file (.csv, .tsv, .npz, .npy; -: a table from stdin), blobs, "
        "moons, spirals, or a set like MNIST in --data-dir; auto: MNIST if its files are found, "
        "else digits",
    )  # fmt: skip
    add_setting(
        group, "--test-file", "test_file", metavar="FILE",
        help="a file of test rows with the columns of --data",
    )  # fmt: skip
    add_setting(
        group, "--validation-file", "validation_file", metavar="FILE",
        help="a file of validation rows with the columns of --data",
    )  # fmt: skip
    group.add_argument(
        "--data-dir",
        metavar="DIR",
        type=path,
        help="folder of the files of MNIST or of a set like it (default: $FASTMLP_DATA)",
    )
    add_setting(
        group, "--task", "task", metavar="TASK",
        help="what a file's target is: classification or regression; auto: by its values",
    )  # fmt: skip
    add_setting(group, "--classes", "classes", metavar="A,B", type=texts, help="keep these classes")
    add_setting(
        group, "--split", "split", metavar="SPLIT",
        help="official, none, or A-B in percent of training and test rows, such as 80-20; "
        "auto: official where there is one, else 80-20",
    )  # fmt: skip
    add_setting(
        group, "--validation", "validation", type=float, metavar="SIZE",
        help="rows of the training part held out: below 1 a fraction, from 1 a count, 0 none",
    )  # fmt: skip
    add_setting(
        group, "--hold-out", "hold_out", metavar="WHICH",
        help=f"which rows those are: {', '.join(HOLD_OUTS)} of the training part",
    )  # fmt: skip
    add_setting(
        group, "--scale", "scale", metavar="NAME",
        help=f"{_names(SCALERS)}; auto: unit for images, else standard",
    )  # fmt: skip
    add_setting(
        group, "--target-scale", "target_scale", metavar="NAME",
        help="scaling of regression targets, by the same names; auto: standard, or none if the "
        "output activation bounds them",
    )  # fmt: skip
    add_setting(
        group, "--class-weight", "class_weight", metavar="WEIGHTS",
        help="none, balanced, or pairs like 3=2,7=0.5",
    )  # fmt: skip


def add_network_options(group: Any) -> None:
    add_setting(
        group, "--hidden", "hidden_layer_sizes", type=sizes, metavar="SIZES",
        help="sizes of the hidden layers, or none",
    )  # fmt: skip
    add_setting(
        group, "--activation", "activation", type=specs, metavar="NAME",
        help=f"{_names(ACTIVATIONS)}; one for each hidden layer: relu,tanh",
    )  # fmt: skip
    add_setting(
        group, "--output", "output_activation", metavar="NAME",
        help="activation of the output layer; auto: sigmoid for two classes, softmax for more",
    )  # fmt: skip
    add_setting(
        group, "--loss", "loss", metavar="NAME",
        help=f"{_names(LOSSES)}; auto: the cross-entropy that goes with the output",
    )  # fmt: skip
    add_setting(
        group, "--init", "weight_init", metavar="NAME",
        help=f"weights: {_names(INITIALIZERS)}; auto: glorot_uniform for regression, "
        "else he_normal for the ReLU family, glorot_uniform for others",
    )  # fmt: skip
    add_setting(group, "--bias-init", "bias_init", metavar="NAME", help="biases: the same names")
    add_setting(
        group, "--dropout", "dropout", type=shares, metavar="SHARE",
        help="share of hidden units dropped in training; one for each layer: 0.2,0.5",
    )  # fmt: skip
    add_setting(
        group, "--input-dropout", "input_dropout", type=float, metavar="SHARE",
        help="share of features dropped in training",
    )  # fmt: skip


def add_training_options(group: Any) -> None:
    add_setting(
        group, "--optimizer", "optimizer", metavar="NAME",
        help=f"{_names(OPTIMIZERS)}; auto: sgd, for regression with Nesterov momentum",
    )  # fmt: skip
    add_setting(
        group, "--lr", "learning_rate", type=rate, metavar="RATE",
        help="learning rate (default: 0.1; in stochastic mode 0.01; for adam 0.001)",
    )  # fmt: skip
    add_setting(
        group, "--mode", "mode", metavar="MODE",
        help=f"{', '.join(MODES)}: an update per sample, batch or epoch",
    )  # fmt: skip
    add_setting(
        group, "--sampling", "sampling", metavar="HOW",
        help=f"{', '.join(SAMPLINGS)}: each row once an epoch, drawn anew, or as the data are",
    )  # fmt: skip
    add_setting(
        group, "--accumulate", "accumulate", action="store_true",
        help="take the samples of a batch one at a time and sum their gradients",
    )  # fmt: skip
    add_setting(group, "--batch-size", "batch_size", type=int, metavar="N", help="rows of a batch")
    add_setting(group, "--epochs", "epochs", type=int, metavar="N", help="at most how many")
    add_setting(group, "--l1", "l1", type=float, metavar="X", help="penalty l1 * sum |w|")
    add_setting(group, "--l2", "l2", type=float, metavar="X", help="penalty l2 / 2 * sum w^2")
    add_setting(
        group, "--penalty-per-row", "penalty_per_row", action="store_true",
        help="divide --l1 and --l2 by the rows of the batch",
    )  # fmt: skip
    add_setting(
        group, "--max-norm", "max_norm", type=float, metavar="X",
        help="limit to the norm of the weights into a unit; 0: none",
    )  # fmt: skip
    add_setting(
        group, "--clip-norm", "clip_norm", type=rate, metavar="X",
        help="limit to the norm of all gradients together; 0: none; auto: 0, for regression 2",
    )  # fmt: skip
    add_setting(
        group, "--clip-value", "clip_value", type=float, metavar="X",
        help="limit to each gradient; 0: none",
    )  # fmt: skip
    add_setting(
        group, "--label-smoothing", "label_smoothing", type=float, metavar="SHARE",
        help="share of each target that is spread over all classes",
    )  # fmt: skip
    add_setting(
        group, "--schedule", "schedule", metavar="NAME",
        help=f"of the learning rate: {_names(SCHEDULES)}, each with warmup=EPOCHS; auto: "
        "constant, for regression cosine",
    )  # fmt: skip
    add_setting(group, "--seed", "seed", type=int, metavar="N", help="same seed, same bits")
    add_setting(group, "--dtype", "dtype", metavar="NAME", help="float32 or float64")


def add_stopping_options(group: Any) -> None:
    add_setting(
        group, "--early-stopping", "early_stopping", type=int, metavar="PATIENCE",
        help="stop after so many epochs without improvement; 0: never",
    )  # fmt: skip
    add_setting(
        group, "--monitor", "monitor", metavar="NAME",
        help=f"what has to improve: {', '.join(MONITORS)} (default: validation_loss)",
    )  # fmt: skip
    add_setting(
        group, "--min-delta", "min_delta", type=float, metavar="X", help="by how much, to count"
    )
    add_setting(
        group, "--improvement", "improvement", metavar="HOW",
        help="cumulative or single: whether epochs together can improve by --min-delta, or one "
        "alone must",
    )  # fmt: skip
    add_setting(
        group, "--loss-limit", "loss_limit", type=float, metavar="X",
        help="a loss so many times the first counts as diverged; 0: none does",
    )  # fmt: skip
    add_setting(
        group, "--keep-last", "restore_best", action="store_false",
        help="keep the last weights, not those of the epoch best on the validation set",
    )  # fmt: skip
    add_setting(
        group, "--threshold", "threshold", type=float, metavar="P",
        help="two classes: output from which on the second is predicted",
    )  # fmt: skip


def add_log_option(group: Any) -> None:
    add_setting(
        group, "--log-every", "log_every", type=int, metavar="N",
        help="also record losses every N updates",
    )  # fmt: skip


def add_run_options(group: Any) -> None:
    add_log_option(group)
    group.add_argument("--threads", type=int, metavar="N", help="default: all usable CPUs")
    group.add_argument(
        "--out", metavar="DIR", type=folder, help="run folder (default: runs/NAME-DATE-TIME)"
    )
    group.add_argument("--overwrite", action="store_true", help="let --out be an existing folder")
    group.add_argument("--no-out", action="store_true", help="write no run folder")
    group.add_argument(
        "--checkpoint-every",
        type=interval,
        metavar="N",
        help="keep in the run folder what --resume needs: after every N epochs, or a time such as "
        "30s, 10m or 1h",
    )
    group.add_argument(
        "--resume",
        type=folder,
        metavar="DIR",
        help="go on with the run in this folder, with its settings, to the same bits as if it had "
        "not been interrupted; begin one where there is none",
    )
    group.add_argument(
        "--no-plots", action="store_true", help="draw no pictures into the run folder"
    )
    group.add_argument(
        "--config",
        metavar="FILE.toml",
        type=path,
        help="settings, as a run folder's config.toml; options change what they name",
    )
    group.add_argument(
        "--recipe",
        metavar="NAME",
        help=f"settings that ship with fastmlp: {', '.join(recipe_names())}; options change what "
        "they name",
    )
    group.add_argument(
        "--print-config", action="store_true", help="print the settings as TOML and stop"
    )
    group.add_argument(
        "--explain", action="store_true", help="print data, layers and the plan, and stop"
    )
    group.add_argument(
        "--warm-up",
        action="store_true",
        help="compile all kernels ahead, so that later runs start at once, and stop; for both "
        "types of numbers, or that of --dtype",
    )
    group.add_argument(
        "--profile", action="store_true", help="also print where the time of a step went"
    )
    group.add_argument("--json", action="store_true", help="print the results as one JSON object")
    group.add_argument("--quiet", action="store_true", help="nothing on stderr but errors")
    group.add_argument("--version", action="version", version=f"fastmlp {__version__}")


def _names(registry: Any) -> str:
    return ", ".join(registry.names())
