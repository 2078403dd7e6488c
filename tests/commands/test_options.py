"""The options of the training command: each reaches its field, and is shown by --help."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from command_lines import arguments_of, lines_in, run, stand_in_for_data
from fastmlp import ConfigError, TrainConfig
from fastmlp.commands.options import EPILOG, build_parser, config_from, parse_arguments
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.scalers import SCALERS
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.train import main

GIVEN: list[tuple[list[str], str, Any]] = [
    (["--data", "FILE.csv"], "data", "FILE.csv"),
    (["--target", "price"], "target", "price"),
    (["--target", "-1"], "target", "-1"),
    (["--classes", "3, 7"], "classes", ("3", "7")),
    (["--split", "70-30"], "split", "70-30"),
    (["--validation", "100"], "validation", 100.0),
    (["--scale", "minmax"], "scale", "minmax"),
    (["--target-scale", "standard"], "target_scale", "standard"),
    (["--class-weight", "3=2,7=0.5"], "class_weight", "3=2,7=0.5"),
    (["--class-weight", "balanced"], "class_weight", "balanced"),
    (["--hidden", "9,8"], "hidden_layer_sizes", (9, 8)),
    (["--hidden", "none"], "hidden_layer_sizes", ()),
    (
        ["--layers", "conv2d(8, (3, 5)), dense(9, elu(0.5))"],
        "layers",
        ("conv2d(8, (3, 5))", "dense(9, elu(0.5))"),
    ),
    (["--activation", "swish"], "activation", "silu"),
    (["--activation", "leaky_relu(0.02),tanh"], "activation", ("leaky_relu(slope=0.02)", "tanh")),
    (["--activation", "elu(alpha=2), elu(3)"], "activation", ("elu(alpha=2.0)", "elu(alpha=3.0)")),
    (["--output", "exponential"], "output_activation", "exponential"),
    (["--loss", "huber(0.5)"], "loss", "huber(delta=0.5)"),
    (["--init", "orthogonal(2)"], "weight_init", "orthogonal(gain=2.0)"),
    (["--bias-init", "constant(0.1)"], "bias_init", "constant(value=0.1)"),
    (["--output-init", "zeros"], "output_init", "zeros"),
    (["--dropout", "0.5"], "dropout", 0.5),
    (["--dropout", "0.2,0.5"], "dropout", (0.2, 0.5)),
    (["--input-dropout", "0.1"], "input_dropout", 0.1),
    (["--optimizer", "adamw(weight_decay=0.1)"], "optimizer", "adamw(weight_decay=0.1)"),
    (["--lr", "0.25"], "learning_rate", 0.25),
    (["--lr", "auto"], "learning_rate", "auto"),
    (["--bias-lr-factor", "0.1"], "bias_lr_factor", 0.1),
    (["--mode", "batch"], "mode", "batch"),
    (["--sampling", "replacement"], "sampling", "replacement"),
    (["--accumulate"], "accumulate", True),
    (["--batch-size", "7"], "batch_size", 7),
    (["--epochs", "7"], "epochs", 7),
    (["--l1", "0.25"], "l1", 0.25),
    (["--l2", "0.25"], "l2", 0.25),
    (["--penalty-per-row"], "penalty_per_row", True),
    (["--max-norm", "3"], "max_norm", 3.0),
    (["--clip-norm", "1"], "clip_norm", 1.0),
    (["--clip-value", "0.5"], "clip_value", 0.5),
    (["--label-smoothing", "0.1"], "label_smoothing", 0.1),
    (["--schedule", "cosine(warmup=2)"], "schedule", "cosine(warmup=2.0)"),
    (["--seed", "7"], "seed", 7),
    (["--dtype", "float64"], "dtype", "float64"),
    (["--early-stopping", "7"], "early_stopping", 7),
    (["--monitor", "train_loss"], "monitor", "train_loss"),
    (["--min-delta", "0.25"], "min_delta", 0.25),
    (["--improvement", "single"], "improvement", "single"),
    (["--ties", "last"], "ties", "last"),
    (["--limit-outputs"], "limit_outputs", True),
    (["--n-models", "3"], "n_models", 3),
    (["--metric", "roc_auc,f1_macro"], "metrics", ("roc_auc", "f1_macro")),
    (["--calibrate", "temperature"], "calibrate", "temperature"),
    (["--loss-limit", "100"], "loss_limit", 100.0),
    (["--keep-last"], "restore_best", False),
    (["--threshold", "0.7"], "threshold", 0.7),
    (["--log-every", "7"], "log_every", 7),
    (["--hold-out", "last"], "hold_out", "last"),
    (["--task", "regression"], "task", "regression"),
    (["--test-file", "t.csv"], "test_file", "t.csv"),
    (["--validation-file", "v.csv"], "validation_file", "v.csv"),
    (["--features", "a,-1"], "features", ("a", "-1")),
    (["--drop", "Id"], "drop", ("Id",)),
    (["--categorical", "code,1"], "categorical", ("code", "1")),
    (["--numeric", "Id"], "numeric", ("Id",)),
    (["--missing", "drop"], "missing", "drop"),
    (["--min-frequency", "2"], "min_frequency", 2),
    (["--header", "no"], "header", "no"),
    (["--separator", "tab"], "separator", "tab"),
    (["--separator", ";"], "separator", ";"),
    (["--decimal", ","], "decimal", ","),
    (["--thousands", ","], "thousands", ","),
    (["--encoding", "latin-1"], "encoding", "latin-1"),
    (["--na", "missing,-"], "na_values", ("missing", "-")),
    (["--comment", "%"], "comment", "%"),
]
GROUPS = ["data", "tables", "network", "training", "stopping", "running"]
HELP = build_parser().format_help()


@pytest.mark.parametrize(("arguments", "field", "value"), GIVEN, ids=str)
def test_an_option_sets_its_field_and_no_other(
    arguments: list[str], field: str, value: Any
) -> None:
    config = config_from(parse_arguments(arguments))
    assert config == TrainConfig(**{field: value})
    assert config != TrainConfig() or value == "auto"


def test_every_field_has_an_option() -> None:
    # Rules are written in files.
    need_others = {"rules", "input_shape", "dropout_schedule", "weight_decay_schedule"}
    given = {field for _, field, _ in GIVEN} | need_others
    assert given == {field.name for field in dataclasses.fields(TrainConfig)}


def test_schedules_of_regularisation_go_with_it() -> None:
    options = ["--dropout", "0.1", "--dropout-schedule", "cosine(flat=0.5)"]
    assert config_from(parse_arguments(options)).dropout_schedule == "cosine(flat=0.5)"
    options = ["--optimizer", "adamw", "--weight-decay-schedule", "cosine"]
    assert config_from(parse_arguments(options)).weight_decay_schedule == "cosine"


def test_input_shape_goes_with_layers() -> None:
    config = config_from(parse_arguments(["--layers", "conv2d(8, 3)", "--input-shape", "9,7,2"]))
    assert config == TrainConfig(layers="conv2d(8, 3)", input_shape=(9, 7, 2))


def test_options_change_between_layers_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "sizes.toml").write_text("hidden_layer_sizes = [9]\ndropout = 0.2\n")
    (tmp_path / "layers.toml").write_text('layers = ["dense(9)"]\ninput_shape = [2, 2, 1]\n')

    def read(name: str, *arguments: str) -> TrainConfig:
        return config_from(parse_arguments(["--config", str(tmp_path / name), *arguments]))

    assert read("sizes.toml", "--layers", "dense(3)") == TrainConfig(layers="dense(3)")
    assert read("layers.toml", "--hidden", "3") == TrainConfig(hidden_layer_sizes=(3,))
    assert read("layers.toml", "--hidden", "none") == TrainConfig(hidden_layer_sizes=())
    with pytest.raises(ConfigError, match=r"^--dropout: dropout does not go with layers, got 0\.1"):
        read("layers.toml", "--dropout", "0.1")


# --- help ---


def test_help_names_every_option_once_and_in_a_group() -> None:
    sections = re.split(r"^(\w[\w ]*):$", HELP, flags=re.MULTILINE)[1:]
    groups = dict(zip(sections[::2], sections[1::2], strict=True))
    assert [name for name in groups if name in GROUPS] == GROUPS
    flags = [flag for action in build_parser()._actions for flag in action.option_strings]
    assert len(flags) > 50 and len(set(flags)) == len(flags)
    for flag in flags:
        holding = [
            name for name in groups if re.search(rf"^  (-h, )?{flag}\b(?!-)", groups[name], re.M)
        ]
        assert len(holding) == 1, (flag, holding)
        assert holding[0] in (["options"] if flag in ("-h", "--help") else GROUPS), flag


@pytest.mark.parametrize(
    "registry", [ACTIVATIONS, LOSSES, INITIALIZERS, OPTIMIZERS, SCHEDULES, SCALERS],
    ids=lambda registry: registry.kind,
)  # fmt: skip
def test_help_names_every_choice(registry: Any) -> None:
    assert ", ".join(registry.names()) in " ".join(HELP.split())


def test_help_states_defaults() -> None:
    text = " ".join(HELP.split())
    for default in ("relu", "128,64", "random", "none", "0.0", "0.5", "float32", "minibatch"):
        assert f"(default: {default})" in text


def test_help_has_no_line_too_long_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = build_parser().format_help().splitlines()
    assert max(len(line) for line in lines) <= 100


@pytest.mark.parametrize("line", list(lines_in(EPILOG)))
def test_an_example_of_the_help_runs(
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    stand_in_for_data(monkeypatch)
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "config.toml").write_text('data = "digits"\n')
    arguments = arguments_of(re.sub(r"  +[^-].*$", "", line))  # what is said about it
    assert run(arguments) == 0, capsys.readouterr().err
    assert "loss" in capsys.readouterr().out


# --- refusals ---

REFUSED: list[tuple[list[str], str]] = [
    (["--dropout", "1"], "--dropout: dropout must be at least 0 and below 1, got 1.0"),
    (
        ["--dropout", "0.2,0.3,0.4"],
        "--dropout: dropout must be one value, or one for each of the 2",
    ),
    (["--dropout", "half"], "--dropout: must be numbers like 0.2,0.5, got 'half'"),
    (["--dropout", "0.5", "--hidden", "none"], "--dropout: dropout applies to hidden layers"),
    (["--input-dropout", "-0.1"], "--input-dropout: input_dropout must be at least 0 and below 1"),
    (["--input-dropout", "0.1,0.2"], "--input-dropout: invalid float value: '0.1,0.2'"),
    (["--max-norm", "-1"], "--max-norm: max_norm must be at least 0, got -1.0"),
    (["--clip-norm", "nan"], "--clip-norm: clip_norm must be a number, got nan"),
    (["--clip-value", "x"], "--clip-value: invalid float value: 'x'"),
    (["--label-smoothing", "1"], "--label-smoothing: label_smoothing must be at least 0 and below"),
    (["--class-weight", "3"], "--class-weight: class_weight must be none, balanced, or pairs"),
    (["--class-weight", "3=1,3=2"], "--class-weight: class_weight names class '3' twice"),
    (["--class-weight", "33=2"], "class_weight names class '33', which is not among 0, 1, 2"),
    (["--class-weight", "balanced", "--mode", "stochastic"], "does not go with mode stochastic"),
    (["--activation", "relu,tanh,relu"], "activation must be one value, or one for each of the 2"),
    (["--activation", "relu,"], "cannot read ''"),
    (["--activation", "exponential"], "activation exponential is for the output layer only"),
    (["--activation", "elu(-1)"], "elu: alpha must be above 0, got -1.0"),
    (["--target-scale", "unit"], "--target-scale: target_scale must not be unit"),
    (
        ["--target-scale", "standard"],
        "target_scale applies to regression, got standard for a multi",
    ),
    (["--label-smoothing", "0.1", "--loss", "mse"], "label_smoothing applies to a cross-entropy"),
    (
        ["--output", "softmax", "--loss", "huber"],
        "huber does not go with output activation softmax",
    ),
    (["--schedule", "cosine(least=2)"], "cosine: least must be between 0 and 1, got 2.0"),
    (["--schedule", "step(warmup=-1)"], "step: warmup must be at least 0, got -1.0"),
    (["--optimizer", "rmsprop(alpha=1)"], "rmsprop: alpha must be at least 0 and below 1, got 1.0"),
    (["--init", "orthogonal(0)"], "orthogonal: gain must be above 0, got 0.0"),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=str)
def test_a_bad_value_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", "digits", "--epochs", "1", "--no-out", "--quiet", *arguments]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert captured.out == ""


def test_labels_have_no_poisson_loss(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", "digits", "--no-out", "--quiet", "--loss", "poisson"]) == 3
    assert "y must hold real numbers for loss poisson" in capsys.readouterr().err


def test_an_option_cannot_be_shortened() -> None:
    with pytest.raises(ConfigError, match="unknown argument '--dropou'; did you mean --dropout"):
        parse_arguments(["--dropou", "0.5"])
