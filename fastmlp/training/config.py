"""One dataclass that describes a run completely.

The command line, the TOML file, a sweep's cell and the saved ``config.toml`` are views of it. What
changes no result (threads, folders, output) is not in it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_type_hints

from ..base.errors import ConfigError, close_match
from ..base.table_options import TableOptions
from ..data.split import parse_split
from ..ops.activations import ACTIVATIONS
from ..ops.improvement import CUMULATIVE
from ..ops.initializers import INITIALIZERS
from ..ops.losses import LOSSES
from ..ops.optimizers import OPTIMIZERS
from ..ops.scalers import SCALERS
from ..ops.schedules import SCHEDULES
from ..ops.spec import Registry
from ..recipes import recipe
from .combinations import check_combinations, check_layers
from .setting_checks import AUTO, cast, check_choices, check_numbers
from .weighting import parse_class_weight

_SPECS: dict[str, Registry[Any]] = {
    "activation": ACTIVATIONS,
    "output_activation": ACTIVATIONS,
    "loss": LOSSES,
    "weight_init": INITIALIZERS,
    "bias_init": INITIALIZERS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "scale": SCALERS,
    "target_scale": SCALERS,
}
_MAY_BE_AUTO = (
    "output_activation", "loss", "weight_init", "scale", "target_scale", "optimizer", "schedule",
)  # fmt: skip


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a training run; ``auto`` stands for a choice that :meth:`resolve` makes.

    Parameters
    ----------
    data : str, default "auto"
        Name or file of the dataset, for the command line; :func:`fastmlp.fit` is given the data
        itself.
    task : {"auto", "classification", "multilabel", "regression"}, default "auto"
        What a file's target column is taken for.
    test_file, validation_file : str, default ""
        Files of test and validation rows with the columns of ``data``. With a test file ``split``
        is official; with a validation file no rows of ``data`` are held out.
    target, features, drop, header, separator, decimal, thousands, encoding, na_values, comment
        How a table is read, see :class:`~fastmlp.base.table_options.TableOptions`.
    classes : tuple of str, default ()
        Keep only these classes; empty: all.
    split : str, default "auto"
        ``official``, ``A-B`` in percent of training and test rows, or ``none``.
    validation : float, default 0.1
        Below 1 a fraction of the training part, from 1 a number of rows, 0 none.
    hold_out : {"random", "last"}, default "random"
        Which rows those are: drawn, class by class, or the last ones of the training part.
    scale : str, default "auto"
        ``unit``, ``minmax``, ``maxabs``, ``standard``, ``standard_global`` or ``none``; auto: unit
        where the range of the features is known (images), else maxabs for a sparse matrix, else
        standard.
    target_scale : str, default "auto"
        Scaling of regression targets: one of these except ``unit``. auto: standard, but none if the
        output activation bounds the targets (sigmoid, or exponential with loss poisson).
        Predictions are in the targets' units, losses in the scaled ones.
    hidden_layer_sizes : tuple of int, default (128, 64)
        Empty: no hidden layer.
    activation : str or tuple of str, default "relu"
        Of the hidden layers: one for all, or one for each.
    output_activation, loss : str, default "auto"
        softmax with cross_entropy for three classes or more, sigmoid with binary_cross_entropy for
        two, identity with squared_error for regression; one follows from the other where it is
        given.
    weight_init : str, default "auto"
        auto: glorot_uniform for regression, else he_normal for the ReLU family, glorot_uniform for
        other activations.
    bias_init : str, default "zeros"
    dropout : float or tuple of float, default 0.0
        Share of the hidden units that is dropped in training, for all layers or for each; the rest
        is divided by what is kept.
    input_dropout : float, default 0.0
        The same for the features.
    optimizer : str, default "auto"
        auto: sgd; for a regression, except in stochastic mode, sgd with Nesterov's momentum 0.9.
    learning_rate : float or "auto", default "auto"
        auto: 0.1, in stochastic mode 0.01, for adam 0.001.
    mode : {"minibatch", "stochastic", "batch"}, default "minibatch"
        An update per batch, per sample, or per epoch.
    sampling : {"shuffle", "replacement", "in_order"}, default "shuffle"
        Each row once an epoch, as many draws as there are rows, or each row in the data's order.
    accumulate : bool, default False
        Take the samples of a batch one at a time and sum their gradients.
    batch_size : int, default 32
        Of minibatch mode.
    epochs : int, default 10
        At most how many.
    l1, l2 : float, default 0.0
        Penalties l1 * sum |w| and l2 / 2 * sum w^2 over weights, not biases.
    penalty_per_row : bool, default False
        Divide l1 and l2 by the rows of the batch (the sum of their weights), as scikit-learn does.
    max_norm : float, default 0.0
        Most that the norm of the weights into a unit may be; 0: no limit.
    clip_norm : float or "auto", default "auto"
        Most that the norm of all gradients together (penalties included) may be; 0: no limit. auto:
        0; for a regression, except in stochastic mode or with ``target_scale`` none, 2.
    clip_value : float, default 0.0
        Most that a gradient may be, after ``clip_norm``; 0: no limit.
    label_smoothing : float, default 0.0
        Share of each target that is spread over all classes; in training only.
    class_weight : str, default "none"
        ``balanced`` (in inverse proportion to the rows of each class), or ``label=weight`` pairs
        such as ``3=2,7=0.5`` (in Python also a dictionary), all others 1; in training only.
    schedule : str, default "auto"
        ``constant``, ``step``, ``exponential``, ``inverse``, ``cosine``, ``one_cycle`` or
        ``plateau``, each with ``warmup=`` epochs of linear rise; auto: constant, for a regression,
        except in stochastic mode, cosine.
    early_stopping : int, default 0
        Stop after so many epochs without improvement; 0: never.
    monitor : str, default "auto"
        What has to improve; auto: validation_loss, without a validation set train_loss. Others:
        validation_accuracy, validation_score (accuracy, for a regression R^2), train_accuracy,
        train_objective (train_loss with the penalty, both as the updates saw them).
    min_delta : float, default 0.0
        By how much it must improve to count.
    improvement : {"cumulative", "single"}, default "cumulative"
        Whether several epochs together can improve by ``min_delta``, or one alone must, on the best
        of all.
    restore_best : bool, default True
        At the end, go back to the weights of the best epoch, by ``monitor``. Without a validation
        set and without early stopping there is nothing to choose by, and the last are kept.
    loss_limit : float, default 1e6
        A loss beyond so many times the loss before training (or 1, if that is more) counts as
        diverged; 0: only what is not finite does.
    threshold : float, default 0.5
        Output from which on a binary task predicts the positive (second) class.
    seed : int, default 0
        Of the splits, initial weights and batches.
    dtype : {"float32", "float64"}, default "float32"
    log_every : int, default 0
        Record losses every so many updates, besides every epoch; 0: never.

    Raises
    ------
    ConfigError
        For a value out of its range or an illegal combination.
    """

    data: str = AUTO
    test_file: str = ""
    validation_file: str = ""
    target: str = ""
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    header: str = AUTO
    separator: str = AUTO
    decimal: str = AUTO
    thousands: str = ""
    encoding: str = AUTO
    na_values: tuple[str, ...] = ()
    comment: str = AUTO
    task: str = AUTO
    classes: tuple[str, ...] = ()
    split: str = AUTO
    validation: float = 0.1
    hold_out: str = "random"
    scale: str = AUTO
    target_scale: str = AUTO
    hidden_layer_sizes: tuple[int, ...] = (128, 64)
    activation: str | tuple[str, ...] = "relu"
    output_activation: str = AUTO
    loss: str = AUTO
    weight_init: str = AUTO
    bias_init: str = "zeros"
    dropout: float | tuple[float, ...] = 0.0
    input_dropout: float = 0.0
    optimizer: str = AUTO
    learning_rate: float | str = AUTO
    mode: str = "minibatch"
    sampling: str = "shuffle"
    accumulate: bool = False
    batch_size: int = 32
    epochs: int = 10
    l1: float = 0.0
    l2: float = 0.0
    penalty_per_row: bool = False
    max_norm: float = 0.0
    clip_norm: float | str = AUTO
    clip_value: float = 0.0
    label_smoothing: float = 0.0
    class_weight: str = "none"
    schedule: str = AUTO
    early_stopping: int = 0
    monitor: str = AUTO
    min_delta: float = 0.0
    improvement: str = CUMULATIVE
    restore_best: bool = True
    loss_limit: float = 1e6
    threshold: float = 0.5
    seed: int = 0
    dtype: str = "float32"
    log_every: int = 0

    def __new__(cls, *_: Any, **values: Any) -> TrainConfig:
        # Before the generated __init__, whose TypeError does not name the nearest field.
        check_names(values)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        self._cast_fields()
        self._normalize_specs()
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        check_choices(vars(self))
        _ = self.table  # which checks its options
        parse_split(self.split)
        parse_class_weight(self.class_weight)
        check_numbers(vars(self), defaults)
        check_layers(self)
        check_combinations(self)

    def _cast_fields(self) -> None:
        for name, wanted in get_type_hints(type(self)).items():
            default = getattr(TrainConfig, name)
            value = cast(name, getattr(self, name), wanted, default, name in _SPECS)
            object.__setattr__(self, name, value)

    def _normalize_specs(self) -> None:
        for name, registry in _SPECS.items():
            value = getattr(self, name)
            if isinstance(value, tuple):
                value = tuple(str(registry.parse(item)) for item in value)
            elif not (value == AUTO and name in _MAY_BE_AUTO):
                value = str(registry.parse(value))
            object.__setattr__(self, name, value)

    @property
    def table(self) -> TableOptions:
        """How a table is read."""
        return TableOptions(**{name: getattr(self, name) for name in TableOptions.names()})

    @property
    def hidden_activations(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        if isinstance(self.activation, tuple):
            return self.activation
        return (self.activation,) * len(self.hidden_layer_sizes)

    @property
    def dropout_rates(self) -> tuple[float, ...]:
        """The share of each layer's inputs that is dropped; empty if none is."""
        hidden = (
            self.dropout
            if isinstance(self.dropout, tuple)
            else ((self.dropout,) * len(self.hidden_layer_sizes))
        )
        rates = (self.input_dropout, *hidden)
        return rates if any(rates) else ()

    @property
    def restores_best(self) -> bool:
        """Whether the weights of the best epoch are kept, and not the last."""
        return self.restore_best and (self.validation > 0 or self.early_stopping > 0)

    @property
    def split_settings(self) -> dict[str, Any]:
        """The settings that :func:`~fastmlp.data.split.parts` takes."""
        names = ("split", "validation", "hold_out", "seed")
        return {name: getattr(self, name) for name in names}

    def replace(self, **changes: Any) -> TrainConfig:
        """Return a copy with some fields changed; ConfigError for an unknown field."""
        check_names(changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers, texts and lists, as TOML and JSON take them."""
        values = dataclasses.asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Return the config with these fields, all others at their defaults.

        Raises
        ------
        ConfigError
            For an unknown field (with the nearest known one) or a bad value.
        """
        check_names(values)
        return cls(**values)

    @classmethod
    def from_recipe(cls, name: str) -> TrainConfig:
        """Return the config of a recipe that ships with the package, as ``"mnist-98"``.

        Raises
        ------
        ConfigError
            If there is none of that name.
        """
        return cls.from_dict(recipe(name))


def check_names(values: dict[str, Any]) -> None:
    """Raise ConfigError unless all keys are fields of a TrainConfig."""
    known = [field.name for field in dataclasses.fields(TrainConfig)]
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown setting {name!r}{close_match(name, known)}")
