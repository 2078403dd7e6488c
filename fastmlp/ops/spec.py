"""The grammar of specs, names with parameters, and the registries of records.

A spec is a name, or a name with parameters: ``relu``, ``leaky_relu(0.02)``,
``sgd(momentum=0.9, nesterov=true)``. The same text is used on the command line, in TOML, in a
sweep's axis and in saved files.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from typing import Any, ClassVar, Generic, TypeVar, get_type_hints

from ..base.errors import ConfigError, close_match
from ..base.settings import Range


@dataclasses.dataclass(frozen=True)
class Spec:
    """Base class of records: a name with parameters; ``str`` returns the spec."""

    name: ClassVar[str]
    formula: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Check the parameters that are declared by :func:`within`, in their order."""
        for field in dataclasses.fields(self):
            if (allowed := field.metadata.get("range")) is not None:
                self._require(allowed.holds(getattr(self, field.name)), field.name, allowed.rule)

    def __str__(self) -> str:
        values = ((field, getattr(self, field.name)) for field in dataclasses.fields(self))
        changed = [
            # The numbers of a tuple are given without its name.
            ", ".join(map(_value_text, value))
            if isinstance(value, tuple) and isinstance(field.default, tuple)
            else f"{field.name}={_value_text(value)}"
            for field, value in values
            if value != field.default
        ]
        return f"{self.name}({', '.join(changed)})" if changed else self.name

    def _require(self, holds: bool, parameter: str, rule: str) -> None:
        """Raise ConfigError unless ``holds``, naming the parameter, the rule and the value."""
        if not holds:
            value = _value_text(getattr(self, parameter))
            raise ConfigError(f"{self.name}: {parameter} must be {rule}, got {value}")


def within(allowed: Range, default: float) -> Any:
    """Return the field of a parameter whose values must be in a range."""
    return dataclasses.field(default=default, metadata={"range": allowed})


T = TypeVar("T", bound=Spec)


class Registry(Generic[T]):
    """Records of one kind by name.

    Parameters
    ----------
    kind : str
        The name of the kind in messages, such as ``"activation"``.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self.records: dict[str, type[T]] = {}
        self.aliases: dict[str, str] = {}
        # Parsing takes half a millisecond, which matters for thousands of small fits.
        self._read: dict[str, T] = {}

    def add(self, record: type[T]) -> type[T]:
        """Register a record; a class decorator."""
        self._read.clear()
        self.records[record.name] = record
        return record

    def alias(self, **spec_by_alias: str) -> None:
        """Register other names for specs, with parameters."""
        self._read.clear()
        self.aliases.update(spec_by_alias)

    def names(self) -> list[str]:
        """Return the registered names, in the order of registration."""
        return list(self.records)

    def parse(self, text: str | T) -> T:
        """Return the record of a spec; a record is returned unchanged.

        Raises
        ------
        ConfigError
            For an unknown name (with the nearest known one), an unknown or repeated parameter, or a
            value of the wrong type or outside its range.
        """
        if isinstance(text, Spec):
            if type(text) not in self.records.values():
                raise ConfigError(f"{self.kind}: {text} is not one of {', '.join(self.names())}")
            return text
        if not isinstance(text, str):
            raise ConfigError(f"{self.kind} must be given as text, got {text!r}")
        if text not in self._read:
            self._read[text] = self._parse_text(text)
        return self._read[text]

    def _parse_text(self, text: str) -> T:
        name, positional, named = parse_call(text, self.kind)
        if name in self.aliases:
            if positional or named:
                name, _, preset = self.aliases[name].partition("(")
                if preset:
                    raise ConfigError(
                        f"{self.kind}: {text!r} is an alias of {name}({preset} and takes no "
                        f"parameters; write {name}(...)"
                    )
            else:
                name, positional, named = parse_call(self.aliases[name], self.kind)
        if name not in self.records:
            hint = close_match(name, [*self.records, *self.aliases])
            raise ConfigError(f"unknown {self.kind} {name!r}{hint}")
        return _build(self.records[name], positional, named)


def parse_call(text: str, kind: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Split ``name(1, key=2)`` into its name, positional and named values.

    Python's parser reads it; only literals, ``true`` and ``false`` are allowed.
    """
    error = ConfigError(
        f"{kind}: cannot read {text!r}; write a name, or a name with parameters like name(key=0.5)"
    )
    head, bracket, rest = text.strip().partition("(")
    try:
        node = ast.parse(head.replace("-", "_").lower() + bracket + rest, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise error from None
    if isinstance(node, ast.Name):
        return node.id, [], {}
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise error
    try:
        positional = [_literal(value) for value in node.args]
        named = [(str(keyword.arg), _literal(keyword.value)) for keyword in node.keywords]
    # TypeError: {[]: 1} is a literal by its syntax alone.
    except (ValueError, TypeError, RecursionError):
        raise error from None
    for key, _ in named:
        if [other for other, _ in named].count(key) > 1:
            raise ConfigError(f"{node.func.id}: {key} is given twice")
    return node.func.id, positional, dict(named)


def split_list(text: str, separator: str = ",") -> list[str]:
    """Split a list at the separators outside brackets; spaces around the items are removed."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == separator and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        word = node.id.lower()
        return word == "true" if word in ("true", "false") else node.id
    if isinstance(node, ast.Call):
        return _spec_text(node)
    return ast.literal_eval(node)


def _spec_text(node: ast.Call) -> str:
    """Return a spec that is a value; ValueError unless it is a name with numbers, names, specs."""
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    texts = [v for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    if texts or not isinstance(node.func, ast.Name):
        raise ValueError
    for value in values:
        _literal(value)
    return ast.unparse(node)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{float(value)!r}"  # NumPy's repr contains its type
    return value if isinstance(value, str) else f"{value!r}"


def _build(record: type[T], positional: list[Any], named: dict[str, Any]) -> T:
    fields = [field.name for field in dataclasses.fields(record)]
    in_order = [field.name for field in dataclasses.fields(record) if not field.kw_only]
    hints = get_type_hints(record)
    takes_all = bool(in_order) and hints[in_order[0]] == tuple[float, ...]
    if len(positional) > len(in_order) and not takes_all:
        takes = ", ".join(fields) or "no parameters"
        raise ConfigError(f"{record.name} takes {takes}; got {len(positional)} values")
    values = dict(zip(in_order, positional, strict=False))
    if positional and takes_all:
        values = {in_order[0]: positional[0] if _is_list(positional) else tuple(positional)}
    for key, value in named.items():
        if key not in fields:
            hint = close_match(key, fields) if fields else "; it takes none"
            raise ConfigError(f"{record.name} has no parameter {key!r}{hint}")
        if key in values:
            raise ConfigError(f"{record.name}: {key} is given twice")
        values[key] = value
    required = [
        field.name for field in dataclasses.fields(record) if field.default is dataclasses.MISSING
    ]
    for key in required:
        if key not in values:
            raise ConfigError(
                f"{record.name} needs {key}; write {record.name}({', '.join(required)})"
            )
    return record(**{key: _cast(record, key, value, hints[key]) for key, value in values.items()})


def _is_list(values: list[Any]) -> bool:
    return len(values) == 1 and isinstance(values[0], (tuple, list))


def _cast(record: type[Spec], key: str, value: Any, wanted: Any) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            value = math.inf  # refused below, as 1e999 is
    if wanted in (int | tuple[int, int], int | tuple[int, int] | None):
        is_pair = type(value) is tuple and [type(part) for part in value] == [int, int]
        if type(value) is not int and not is_pair:
            raise ConfigError(
                f"{record.name}: {key} must be a whole number, or two such as (3, 5), got {value!r}"
            )
        return value
    if wanted == tuple[float, ...]:
        items = value if _is_list([value]) else (value,)
        return tuple(_cast(record, key, item, float) for item in items)
    if type(value) is not wanted:
        kinds = {float: "a number", int: "a whole number", bool: "true or false", str: "a name"}
        raise ConfigError(f"{record.name}: {key} must be {kinds[wanted]}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{record.name}: {key} must be finite, got {value!r}")
    return value
