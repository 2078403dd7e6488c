"""Rules: settings that depend on the data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from fastmlp import ConfigError, Dataset, TrainConfig
from fastmlp.commands.options import config_from, parse_arguments
from fastmlp.training.resolve import resolve, resolve_settings
from fastmlp.training.rules import CONDITIONS, Facts, Rule, applying, facts_of
from toys import blobs, lines

FACTS = Facts("classification", rows=100, columns=5, numbers=3, categories=2, classes=4)
EXAMPLE = {"when": {"task": "regression", "rows_below": 2000}, "epochs": 200}


def rule(**conditions: Any) -> dict[str, Any]:
    return {"when": conditions, "epochs": 7}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"task": "classification"}, True),
        ({"task": "regression"}, False),
        ({"rows_from": 100}, True),
        ({"rows_from": 101}, False),
        ({"rows_below": 101}, True),
        ({"rows_below": 100}, False),
        ({"columns_from": 5, "columns_below": 6}, True),
        ({"columns_from": 6, "columns_below": 7}, False),
        ({"numbers_from": 3, "numbers_below": 4}, True),
        ({"numbers_below": 3}, False),
        ({"categories_from": 2, "categories_below": 3}, True),
        ({"categories_below": 1}, False),
        ({"classes_from": 4, "classes_below": 5}, True),
        ({"classes_below": 4}, False),
        ({"task": "classification", "rows_from": 101}, False),
    ],
)
def test_rule_holds_if_all_its_conditions_hold(conditions: dict[str, Any], holds: bool) -> None:
    assert bool(applying([rule(**conditions)], FACTS)) is holds


def test_every_fact_has_its_conditions() -> None:
    counts = [name for name in Facts._fields if name != "task"]
    ends = [f"{name}_{end}" for name in counts for end in ("from", "below")]
    assert list(CONDITIONS) == ["task", *ends]


def test_facts_of_a_matrix_are_of_its_training_rows() -> None:
    found = facts_of(blobs(n=100), "80-20")
    assert found == Facts("classification", 80, 2, 2, 0, 3)
    assert facts_of(blobs(n=100), "none").rows == 100
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20.0)
    official = Dataset(X, y, X_test=X[:5], y_test=y[:5])
    rows = {split: facts_of(official, split).rows for split in ("auto", "none", "60-40")}
    assert rows == {"auto": 20, "none": 25, "60-40": 15}
    assert facts_of(official, "auto")[0::5] == ("regression", 0)


def test_facts_of_a_table_count_categories() -> None:
    pd = pytest.importorskip("pandas")
    n = 60
    frame = pd.DataFrame(
        {
            "number": np.linspace(0, 1, n),
            "flag": np.arange(n) % 2 == 0,
            "text": [("red", "green", "blue")[k % 3] for k in range(n)],
            "day": pd.date_range("2024-01-01", periods=n),
        }
    )
    found = facts_of(Dataset(frame, np.arange(n) % 3), "none")
    assert found == Facts("classification", n, 4, 3, 1, 3)


def test_the_last_rule_that_holds_applies() -> None:
    config = TrainConfig(
        epochs=1,
        rules=[
            {"when": {"task": "classification"}, "epochs": 2, "activation": "tanh"},
            {"when": {"rows_from": 50}, "epochs": 3},
            {"when": {"rows_from": 1000}, "epochs": 4},
            {"when": {"task": "regression"}, "epochs": 5, "optimizer": "adam"},
        ],
    )
    resolved = resolve(config, blobs(n=100))
    assert (resolved.config.epochs, resolved.config.activation) == (3, "tanh")
    assert resolved.config.rules == ()
    assert [applied.settings for applied in resolved.rules] == [
        {"epochs": 2, "activation": "tanh"}, {"epochs": 3},
    ]  # fmt: skip
    other = resolve(config, lines()).config
    # What follows from a setting of a rule follows from it.
    assert (other.epochs, other.optimizer, other.learning_rate) == (5, "adam", 0.001)
    assert other.activation == "relu"


def test_changes_take_precedence_over_rules() -> None:
    config = TrainConfig(rules=[{**rule(), "layers": ["dense(4)"]}, rule(rows_from=1)])
    changed = config.replace(epochs=9)
    assert [Rule.parse(text).settings for text in changed.rules] == [{"layers": ["dense(4)"]}]
    assert resolve(changed, blobs()).config.epochs == 9
    sizes = config.replace(hidden_layer_sizes=(5,))
    assert resolve(sizes, blobs()).config.hidden_layer_sizes == (5,)
    assert resolve(config, blobs()).config.layers == ("dense(4)",)
    short_form = TrainConfig(rules=[{**rule(), "dropout": 0.5}]).replace(layers="dense(3)")
    assert resolve(short_form, blobs()).config.layers == ("dense(3)",)


def test_defaults_without_data_leave_rules_as_they_are() -> None:
    config = TrainConfig(task="classification", rules=[{"when": {}, "optimizer": "adam"}])
    settings = resolve_settings(config)
    assert (settings.optimizer, settings.rules) == ("sgd", config.rules)
    assert resolve(settings, blobs()).config.optimizer == "adam"


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 3, "learning_rate": 0.01, "restore_best": False},
        {"hidden_layer_sizes": (8, 4), "activation": ["relu", "tanh"], "dropout": [0.1, 0.2]},
        {"optimizer": "adamw(weight_decay=0.02)", "clip_norm": np.float64(0.5)},
        {"class_weight": {"0": 2.0, "é \"b\"": 1.0}, "batch_size": np.int64(16)},
    ],
)  # fmt: skip
def test_a_rule_equals_its_text(settings: dict[str, Any]) -> None:
    config = TrainConfig(rules=[{"when": {"rows_below": 10}, **settings}])
    (text,) = config.rules
    assert Rule.parse(text).text == text
    assert TrainConfig.from_dict(config.to_dict()) == config
    assert TrainConfig(rules=text) == config
    plain = TrainConfig(**Rule.parse(text).settings)
    assert plain == TrainConfig(**settings)


def test_rules_are_written_as_tables_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'activation = "tanh"\n[[rules]]\nwhen = {task = "regression", rows_below = 2000}\n'
        "epochs = 200\n"
    )
    config = config_from(parse_arguments(["--config", str(file)]))
    assert config == TrainConfig(activation="tanh", rules=[EXAMPLE])
    assert tomllib.loads(tomli_w.dumps(config.to_dict()))["rules"] == list(config.rules)
    given = config_from(parse_arguments(["--config", str(file), "--epochs", "5"]))
    assert (given.epochs, given.rules) == (5, ())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"when": {"row_below": 3}, "epochs": 1}, "unknown condition 'row_below'.*'rows_below'"),
        ({"when": {"task": "regresion"}, "epochs": 1}, "unknown task 'regresion'.*'regression'"),
        ({"when": {"task": "auto"}, "epochs": 1}, "unknown task 'auto'"),
        ({"when": {"rows_below": "3"}, "epochs": 1}, "rows_below of a rule must be a whole number"),
        ({"when": {"rows_below": 1.5}, "epochs": 1}, "rows_below .* got 1.5"),
        ({"when": {"rows_from": True}, "epochs": 1}, "rows_from .* got True"),
        ({"when": {"rows_from": -1}, "epochs": 1}, "rows_from .* got -1"),
        ({"when": {}, "epoch": 1}, "unknown setting 'epoch'; did you mean 'epochs'"),
        ({"when": {}, "epochs": 0}, "epochs must be at least 1"),
        ({"when": {}, "seed": 1}, "rules cannot change seed"),
        ({"when": {}, "rules": []}, "rules cannot change rules"),
        ({"when": {}, "target": "y"}, "rules cannot change target"),
        ({"when": {"rows_below": 3}}, "rules must be conditions and settings"),
        ({"epochs": 3}, "rules must be conditions and settings"),
        ({"when": "always", "epochs": 3}, "rules must be conditions and settings"),
        ("epochs = 3", "rules must be conditions and settings"),
        ("{when = {}, epochs = 3", "rules must be conditions and settings"),
        (3, "rules must be conditions and settings"),
    ],
)
def test_malformed_rules_are_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig(rules=[wrong])


def test_rules_that_are_no_sequence_are_refused() -> None:
    with pytest.raises(ConfigError, match="rules must be conditions and settings"):
        TrainConfig(rules=3)  # type: ignore[arg-type]
