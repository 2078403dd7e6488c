"""One dataclass that describes a run completely.

The command line, the TOML file, a sweep's cell and the saved ``config.toml`` are views of it. What
changes no result (threads, folders, output) is not in it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ..base.notebook import html_of
from ..base.random import MOST_MODELS
from ..base.settings import (
    ABOVE_0,
    AUTO,
    BETWEEN_0_AND_1,
    SHARE,
    WITHOUT_OPTION,
    at_least,
    at_most,
    below,
    documented,
    setting,
)
from ..base.table_options import TableOptions
from ..ops.activations import ACTIVATIONS
from ..ops.improvement import CUMULATIVE, FIRST, LAST, SINGLE
from ..ops.initializers import INITIALIZERS
from ..ops.layers import LAYERS, Layer
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from ..ops.schedules import SCHEDULES
from ..recipes import recipe
from .combinations import check_all, check_given
from .data_settings import DataSettings
from .layers import hidden_layers, overridden
from .rules import Rule
from .scorers import Metric, metric_name
from .setting_checks import CALIBRATIONS, DTYPES, MODES, MONITORS, SAMPLINGS, cast_fields

_AT_LEAST_0 = (at_least(0),)


@documented
@dataclass(frozen=True)
class TrainConfig(DataSettings):
    """All settings of a training run; ``auto`` values are chosen when the data are known.

    {parameters}

    Raises
    ------
    ConfigError
        For a value outside its range or an invalid combination.
    """

    hidden_layer_sizes: tuple[int, ...] = setting(
        (128, 64), "network", "hidden layer sizes: 128,64, or none", "SIZES", flag="--hidden"
    )
    layers: tuple[str, ...] = setting(
        (), "network", "all layers before the output layer, in place of --hidden and --dropout: "
        "{names}; such as 'conv2d(32, 3), max_pool2d(2), dense(64, tanh)'", "LIST", registry=LAYERS,
    )  # fmt: skip
    input_shape: tuple[int, ...] = setting(
        (), "network", "height, width and channels of images in --layers: 28,28,1; default: the "
        "shape of the data's images", "SHAPE", ranges=(at_least(1),),
    )  # fmt: skip
    activation: str | tuple[str, ...] = setting(
        "relu", "network", "activation of the hidden layers: {names} (exponential: for "
        "--output only); or one for each layer: relu,tanh", "NAME", registry=ACTIVATIONS,
    )  # fmt: skip
    output_activation: str = setting(
        AUTO, "network", "activation of the output layer; auto: sigmoid for two classes and for "
        "labels, softmax for more classes, identity for regression", "NAME", flag="--output",
        registry=ACTIVATIONS,
    )  # fmt: skip
    loss: str = setting(
        AUTO, "network", "loss: {names}; auto: the cross-entropy of the output activation, for "
        "regression squared_error", "NAME", registry=LOSSES,
    )  # fmt: skip
    weight_init: str = setting(
        AUTO, "network", "initializer of the weights: {names}; auto: glorot_uniform for "
        "regression, else he_normal for the ReLU family, glorot_uniform for others", "NAME",
        flag="--init", registry=INITIALIZERS,
    )  # fmt: skip
    bias_init: str = setting(
        "zeros", "network", "initializer of the biases: as --init", "NAME", registry=INITIALIZERS
    )
    output_init: str = setting(
        AUTO, "network", "initializer of the weights of the output layer: as --init; auto: --init",
        "NAME", registry=INITIALIZERS,
    )  # fmt: skip
    dropout: float | tuple[float, ...] = setting(
        0.0, "network", "fraction of the hidden units dropped in training; or one for each layer: "
        "0.2,0.5", "SHARE", ranges=(SHARE,),
    )  # fmt: skip
    input_dropout: float = setting(
        0.0, "network", "fraction of the features dropped in training", "SHARE", ranges=(SHARE,)
    )
    optimizer: str = setting(
        AUTO, "training", "optimizer: {names}; auto: sgd, for regression with Nesterov momentum "
        "except in stochastic mode", "NAME", registry=OPTIMIZERS,
    )  # fmt: skip
    learning_rate: float | str = setting(
        AUTO, "training", "learning rate; auto: 0.1, in stochastic mode 0.01, for adam, adamw and "
        "rmsprop 0.001", "RATE", flag="--lr", ranges=(ABOVE_0,),
    )  # fmt: skip
    bias_lr_factor: float = setting(
        1.0, "training", "factor of the learning rate of biases", "X", ranges=(ABOVE_0,)
    )
    mode: str = setting(
        "minibatch", "training", f"{', '.join(MODES)}: an update per sample, batch or epoch",
        "MODE", choices=MODES,
    )  # fmt: skip
    sampling: str = setting(
        "shuffle", "training", "rows of an epoch: shuffle (each once), replacement (the same "
        "number of random draws), in_order (as in the data)", "HOW", choices=SAMPLINGS,
    )  # fmt: skip
    accumulate: bool = setting(
        False, "training", "take the samples of a batch one at a time and sum their gradients"
    )
    batch_size: int = setting(
        32, "training", "rows of a batch in minibatch mode", "N", ranges=(at_least(1),)
    )
    epochs: int = setting(
        10, "training", "maximum number of passes over the training rows", "N",
        ranges=(at_least(1), below(2**24, "2**24")),
    )  # fmt: skip
    l1: float = setting(
        0.0, "training", "penalty l1 * sum abs(w) over weights, not biases", "X", ranges=_AT_LEAST_0
    )
    l2: float = setting(
        0.0, "training", "penalty l2 / 2 * sum w^2 over weights, not biases", "X",
        ranges=_AT_LEAST_0,
    )  # fmt: skip
    penalty_per_row: bool = setting(
        False, "training", "divide --l1 and --l2 by the number of rows of the batch, or the sum of "
        "their sample weights",
    )  # fmt: skip
    max_norm: float = setting(
        0.0, "training", "limit of the norm of the weights into a unit; 0: no limit", "X",
        ranges=_AT_LEAST_0,
    )  # fmt: skip
    clip_norm: float | str = setting(
        AUTO, "training", "limit of the norm of all gradients together, penalties included; 0: no "
        "limit; auto: 0, for regression 2 except in stochastic mode", "X", ranges=_AT_LEAST_0,
    )  # fmt: skip
    clip_value: float = setting(
        0.0, "training", "limit of each gradient, after --clip-norm; 0: no limit", "X",
        ranges=_AT_LEAST_0,
    )  # fmt: skip
    label_smoothing: float = setting(
        0.0, "training", "fraction of each target that is spread over all classes, in training "
        "only", "SHARE", ranges=(SHARE,),
    )  # fmt: skip
    class_weight: str = setting(
        "none", "data", "none, balanced (inversely proportional to class frequencies), or pairs "
        "such as 3=2,7=0.5, in training only", "WEIGHTS",
    )  # fmt: skip
    schedule: str = setting(
        AUTO, "training", "learning rate schedule: {names}, each with warmup=EPOCHS; auto: "
        "constant, for regression cosine except in stochastic mode", "NAME", registry=SCHEDULES,
    )  # fmt: skip
    dropout_schedule: str = setting(
        "constant", "training", "schedule of the dropout rates, by epochs: as --schedule, without "
        "those that depend on results", "NAME", registry=SCHEDULES,
    )  # fmt: skip
    weight_decay_schedule: str = setting(
        "constant", "training", "schedule of the optimizer's weight_decay, by epochs: as "
        "--dropout-schedule", "NAME", registry=SCHEDULES,
    )  # fmt: skip
    early_stopping: int = setting(
        0, "stopping", "stop after this number of epochs without improvement; 0: never",
        "PATIENCE", ranges=_AT_LEAST_0,
    )  # fmt: skip
    monitor: str = setting(
        AUTO, "stopping", f"quantity that must improve: {', '.join(MONITORS)}, a metric (on the "
        "validation part), or a column of a callback; auto: validation_loss, without validation "
        "rows train_loss", "NAME",
    )  # fmt: skip
    min_delta: float = setting(
        0.0, "stopping", "smallest change of --monitor that counts as an improvement", "X",
        ranges=_AT_LEAST_0,
    )  # fmt: skip
    improvement: str = setting(
        CUMULATIVE, "stopping", "cumulative: small gains add up to --min-delta; single: one epoch "
        "must gain --min-delta", "HOW", choices=(CUMULATIVE, SINGLE),
    )  # fmt: skip
    restore_best: bool = setting(
        True, "stopping", "kept weights: those of the best epoch by --monitor (default; needs "
        "validation rows or early stopping), or those of the last epoch", flag="--keep-last",
    )  # fmt: skip
    ties: str = setting(
        FIRST, "stopping", "which of several epochs with the best value of --monitor is the "
        "best: first or last", "WHICH", choices=(FIRST, LAST),
    )  # fmt: skip
    loss_limit: float = setting(
        1e6, "stopping", "training diverged if a loss exceeds this multiple of the loss before "
        "training (of 1, if that is larger); 0: only if it is not finite", "X", ranges=_AT_LEAST_0,
    )  # fmt: skip
    limit_outputs: bool = setting(
        False, "network", "limit predictions of a regression to the range of the training targets"
    )
    threshold: float = setting(
        0.5, "network", "for two classes or labels: predict the second class, or the label, if "
        "the output is at least this", "P", ranges=(BETWEEN_0_AND_1,),
    )  # fmt: skip
    calibrate: str = setting(
        "none", "network", "none, or temperature: divide the logits of the trained network by the "
        "number with the lowest validation loss", "HOW", choices=CALIBRATIONS,
    )  # fmt: skip
    seed: int = setting(
        0, "training", "seed of splits, initial weights and batches; the same seed gives the same "
        "bits", "N", ranges=(at_least(0), below(2**64, "2**64")),
    )  # fmt: skip
    n_models: int = setting(
        1, "training", "models to train side by side, each with a seed of its own, and to average; "
        "the first has --seed", "N", ranges=(at_least(1), at_most(MOST_MODELS)),
    )  # fmt: skip
    dtype: str = setting("float32", "training", "float32 or float64", "NAME", choices=DTYPES)
    metrics: tuple[Metric, ...] = setting(
        (), "stopping", "more metrics of the validation part after each epoch, and of the test "
        "part: scikit-learn's scorers, such as roc_auc,f1_macro; in Python also functions "
        "f(y_true, y_output)", "NAMES", flag="--metric", varies=False,
    )  # fmt: skip
    log_every: int = setting(
        0, "running", "record losses every N updates, in addition to every epoch; 0: never", "N",
        ranges=_AT_LEAST_0,
    )  # fmt: skip

    rules: tuple[str, ...] = setting(
        (), WITHOUT_OPTION, "settings that depend on the data, such as {when = {task = "
        "\"regression\", rows_below = 2000}, epochs = 200}, or mappings of the same form; the last "
        "one that holds applies",
    )  # fmt: skip

    def __new__(cls, *_: Any, **values: Any) -> TrainConfig:
        # Before the generated __init__, whose TypeError does not name the nearest field.
        check_given(values, cls)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        cast_fields(self)
        _ = self.table  # which checks its options
        check_all(self)
        for rule in self.rules:
            type(self)(**Rule.parse(rule).settings)  # which checks them

    @property
    def table(self) -> TableOptions:
        """How a table is read."""
        return TableOptions(**{name: getattr(self, name) for name in TableOptions.names()})

    @property
    def hidden_layers(self) -> tuple[Layer, ...]:
        """All layers before the output layer, from ``layers`` or from its short form."""
        return hidden_layers(self)

    @property
    def restores_best(self) -> bool:
        """Whether the weights of the best epoch are kept, and not the last."""
        return self.restore_best and (self.validation > 0 or self.early_stopping > 0)

    @property
    def split_settings(self) -> dict[str, Any]:
        """The settings that :func:`~fastmlp.data.split.parts` takes."""
        return {name: getattr(self, name) for name in ("split", "validation", "hold_out", "seed")}

    def replace(self, **changes: Any) -> TrainConfig:
        """Return a copy with some fields changed; ConfigError for an unknown field.

        ``layers`` replaces ``hidden_layer_sizes``, ``dropout`` and ``input_dropout``;
        ``hidden_layer_sizes`` replaces ``layers`` and ``input_shape``.
        """
        return type(self)(**overridden(vars(self), changes))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers, texts and lists; functions by their names."""
        metrics = [metric_name(metric) for metric in self.metrics]
        values = dataclasses.asdict(self) | {"metrics": metrics}
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}

    def _repr_html_(self) -> str:
        return html_of(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Return the config with these fields, all others at their defaults.

        Raises
        ------
        ConfigError
            For an unknown field (with the nearest known one) or a bad value.
        """
        return cls(**values)

    @classmethod
    def from_recipe(cls, name: str, **changes: Any) -> TrainConfig:
        """Return the config of a recipe that ships with the package, such as ``"tabular"``.

        Parameters
        ----------
        name : str
        **changes
            Fields to change, as for :meth:`replace`.

        Raises
        ------
        ConfigError
            If there is none of that name, or for an unknown field or a bad value.
        """
        return cls.from_dict(recipe(name)).replace(**changes)
