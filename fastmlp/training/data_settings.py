"""The settings of a run that say which data, and how they are read, split and scaled."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.settings import AUTO, at_least, same_setting, setting
from ..base.table_options import TableOptions
from ..data.dataset import TASKS
from ..data.split import HOLD_OUTS
from ..ops.scalers import SCALERS
from .setting_checks import MISSING

_AT_LEAST_0 = (at_least(0),)


@dataclass(frozen=True)
class DataSettings:
    """The first fields of :class:`~fastmlp.training.config.TrainConfig`."""

    data: str = setting(
        AUTO, "data", "auto, mnist, digits, a file (.csv, .tsv, .parquet, .arrow, .npz, .npy; -: a "
        "table on stdin), blobs, moons, spirals, or a set like MNIST in --data-dir; auto: MNIST if "
        "its files are found, else digits", "NAME",
    )  # fmt: skip
    test_file: str = setting("", "data", "file of test rows with the columns of --data", "FILE")
    validation_file: str = setting(
        "", "data", "file of validation rows with the columns of --data", "FILE"
    )
    target: str = same_setting(TableOptions, "target")
    features: tuple[str, ...] = same_setting(TableOptions, "features")
    drop: tuple[str, ...] = same_setting(TableOptions, "drop")
    categorical: tuple[str, ...] = same_setting(TableOptions, "categorical")
    numeric: tuple[str, ...] = same_setting(TableOptions, "numeric")
    header: str = same_setting(TableOptions, "header")
    separator: str = same_setting(TableOptions, "separator")
    decimal: str = same_setting(TableOptions, "decimal")
    thousands: str = same_setting(TableOptions, "thousands")
    encoding: str = same_setting(TableOptions, "encoding")
    na_values: tuple[str, ...] = same_setting(TableOptions, "na_values")
    comment: str = same_setting(TableOptions, "comment")
    task: str = setting(
        AUTO, "data", "what the target is: classification, multilabel or regression; auto: "
        "inferred from its values", "TASK", choices=TASKS,
    )  # fmt: skip
    classes: tuple[str, ...] = setting(
        (), "data", "keep only the rows of these classes", "A,B", takes_integers=True
    )
    split: str = setting(
        AUTO, "data", "official, none, or A-B in percent of training and test rows, such as 80-20; "
        "auto: official if there is one, else 80-20", "SPLIT",
    )  # fmt: skip
    validation: float = setting(
        0.1, "data", "training rows to hold out for validation: a fraction below 1, or a count "
        "from 1; 0: none", "SIZE", ranges=_AT_LEAST_0,
    )  # fmt: skip
    hold_out: str = setting(
        "random", "data", "which training rows become validation rows: random (drawn class by "
        "class), or last", "WHICH", choices=HOLD_OUTS,
    )  # fmt: skip
    missing: str = setting(
        "impute", "data", "rows with missing values: impute (gaps become the median or a level of "
        "their own), drop (leave the rows out), or error", "HOW", choices=MISSING,
    )  # fmt: skip
    min_frequency: int = setting(
        5, "data", "training rows that a level of a category must have for a feature of its own; "
        "rarer ones are merged", "N", ranges=(at_least(1),),
    )  # fmt: skip
    scale: str = setting(
        AUTO, "data", "scaling of features: {names}; auto: unit for images, maxabs for a sparse "
        "matrix, else standard; categories stay 0 and 1", "NAME", registry=SCALERS,
    )  # fmt: skip
    target_scale: str = setting(
        AUTO, "data", "scaling of regression targets: standard, standard_global, minmax, maxabs or "
        "none; auto: standard, or none if the output activation has a limited range", "NAME",
        registry=SCALERS,
    )  # fmt: skip
