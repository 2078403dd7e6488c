"""Rules: settings that depend on the data."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import ConfigError, close_match
from ..base.table_options import TableOptions
from ..base.table_rows import is_table
from ..data.dataset import TASKS, Dataset
from ..data.split import training_rows
from ..ops.kinds import KINDS

WHEN = "when"
COUNTS = ("rows", "columns", "numbers", "categories", "classes")
_FROM, _BELOW = "_from", "_below"
CONDITIONS = ("task", *(count + end for count in COUNTS for end in (_FROM, _BELOW)))
# Settings that are used before the data are known, or that say what they are.
_EARLIER = (
    "rules", "data", "test_file", "validation_file", *TableOptions.names(), "task", "classes",
    "missing", "split", "seed",
)  # fmt: skip


class Facts(NamedTuple):
    """What rules may depend on.

    Attributes
    ----------
    task : {"classification", "multilabel", "regression"}
    rows : int
        For training, validation rows that are held out of them included.
    columns : int
        That make features.
    numbers, categories : int
        Columns that are not categories, and columns that are.
    classes : int
        0 unless the task is classification.
    """

    task: str
    rows: int
    columns: int
    numbers: int
    categories: int
    classes: int


class Rule(NamedTuple):
    """Settings, and the conditions of which all must hold.

    Attributes
    ----------
    when : dict
        Keys are ``task``, and ``rows_from`` (at least) and ``rows_below`` (less than); ``columns``,
        ``numbers``, ``categories`` and ``classes`` likewise.
    settings : dict
        Fields of a TrainConfig.
    """

    when: dict[str, Any]
    settings: dict[str, Any]

    @classmethod
    def parse(cls, value: str | Mapping[str, Any]) -> Rule:
        """Return the rule of a mapping, or of the text of one as TOML writes it in a line.

        Raises
        ------
        ConfigError
            For another text, an unknown condition or a value that is none, or a setting that is
            used before the data are known.
        """
        values = dict(value) if isinstance(value, Mapping) else _mapping(value)
        when = values.pop(WHEN, None)
        if not isinstance(when, Mapping) or not values:
            raise _malformed(value)
        for name, limit in when.items():
            _check_condition(name, limit)
        for name in values:
            if name in _EARLIER:
                raise ConfigError(
                    f"rules cannot change {name}, which is used before the data are known; set it "
                    "outside the rules"
                )
        return cls(dict(when), values)

    @property
    def text(self) -> str:
        """The rule as TOML in a line."""
        return f"{{{WHEN} = {{{_pairs(self.when)}}}, {_pairs(self.settings)}}}"

    def holds(self, facts: Facts) -> bool:
        """Whether all conditions hold."""
        return all(_holds(name, limit, facts) for name, limit in self.when.items())

    def without(self, names: Iterable[str]) -> Rule:
        """Return the rule without some of its settings."""
        removed = set(names)
        kept = {name: value for name, value in self.settings.items() if name not in removed}
        return self._replace(settings=kept)


def standard_rules(value: Any) -> tuple[str, ...]:
    """Return rules as their texts, from texts or mappings; ConfigError for others."""
    if isinstance(value, (str, Mapping)):
        value = (value,)
    if not isinstance(value, Iterable):
        raise _malformed(value)
    return tuple(Rule.parse(rule).text for rule in value)


def rules_without(rules: Any, names: Iterable[str]) -> tuple[str, ...]:
    """Return rules without some settings; those that are left without any are left out."""
    removed = set(names)
    kept = (Rule.parse(rule).without(removed) for rule in rules)
    return tuple(rule.text for rule in kept if rule.settings)


def applying(rules: Iterable[str], facts: Facts) -> list[Rule]:
    """Return the rules that hold, in order."""
    return [rule for rule in map(Rule.parse, rules) if rule.holds(facts)]


def facts_of(dataset: Dataset, split: str) -> Facts:
    """Return the facts of a dataset with a split of its rows; ConfigError for a bad split."""
    kinds = dataset.X.kinds if is_table(dataset.X) else ()
    categories = sum(KINDS.parse(kind).has_levels for kind in kinds)
    return Facts(
        dataset.task,
        training_rows(dataset, split),
        dataset.n_features,
        dataset.n_features - categories,
        categories,
        0 if dataset.classes is None else len(dataset.classes),
    )


def _mapping(text: Any) -> dict[str, Any]:
    try:
        found = tomllib.loads(f"rule = {text}")["rule"]
    except (tomllib.TOMLDecodeError, TypeError):
        raise _malformed(text) from None
    if not isinstance(found, dict):
        raise _malformed(text)
    return found


def _malformed(value: Any) -> ConfigError:
    return ConfigError(
        'rules must be conditions and settings such as {when = {task = "regression", '
        f"rows_below = 2000}}, epochs = 200}}, got {value!r:.120}"
    )


def _check_condition(name: str, limit: Any) -> None:
    if name not in CONDITIONS:
        raise ConfigError(f"unknown condition {name!r} of a rule{close_match(name, CONDITIONS)}")
    if name == "task":
        if limit not in TASKS[1:]:
            raise ConfigError(f"unknown task {limit!r} of a rule{close_match(str(limit), TASKS)}")
    elif type(limit) is not int or limit < 0:
        raise ConfigError(f"{name} of a rule must be a whole number of at least 0, got {limit!r}")


def _holds(name: str, limit: Any, facts: Facts) -> bool:
    if name == "task":
        return bool(facts.task == limit)
    if name.endswith(_BELOW):
        return bool(getattr(facts, name.removesuffix(_BELOW)) < limit)
    return bool(getattr(facts, name.removesuffix(_FROM)) >= limit)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{_key(name)} = {_toml(value)}" for name, value in values.items())


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{_pairs(value)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, np.generic):
        value = value.item()
    # Numbers, texts and truth values are the same in JSON; other values are records with a text.
    return json.dumps(value, ensure_ascii=False, default=str)
