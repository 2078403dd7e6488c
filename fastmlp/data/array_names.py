"""Roles of arrays by their names: ``X_train``, ``y_val``, ``test_labels`` and so on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..base.errors import DataError
from ..base.wording import quoted

# If several names have one role, the name of the first group is taken.
FEATURES = (("x",), ("data", "features", "inputs"), ("images", "image", "imgs"))
TARGETS = (("y",), ("target", "targets", "labels", "label"))
TRAINING = ""
PART_NAMES = {
    TRAINING: ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("val", "valid", "validation", "dev"),
}
_STEMS = {
    stem: (kind, rank)
    for kind, groups in (("X", FEATURES), ("y", TARGETS))
    for rank, group in enumerate(groups)
    for stem in group
}
_PARTS = {word: part for part, words in PART_NAMES.items() for word in words}
_PART = "|".join(_PARTS)
_STEM = "|".join(_STEMS)
_NAME = re.compile(rf"(?:({_PART})_?({_STEM})|({_STEM})_?({_PART})|({_STEM}))")


class Role(NamedTuple):
    """The role of an array in a dataset.

    Attributes
    ----------
    kind : {"X", "y"}
    part : {"", "test", "validation"}
    rank : int
        Lower for more usual names.
    word : str
        The word for the part in the name, such as ``train``; empty if there is none.
    """

    kind: str
    part: str
    rank: int
    word: str

    @property
    def parameter(self) -> str:
        """The parameter of Dataset: ``X``, ``y_test``."""
        return f"{self.kind}_{self.part}" if self.part else self.kind


def role_of(name: str) -> Role | None:
    """Return the role that a name means, in any case; None if it means none."""
    match = _NAME.fullmatch(re.sub(r"[-. ]", "_", name.lower()))
    if match is None:
        return None
    word = match[1] or match[4] or ""
    kind, rank = _STEMS[match[2] or match[3] or match[5]]
    return Role(kind, _PARTS[word] if word else TRAINING, rank, word)


def split_name(name: str) -> tuple[str, Role] | None:
    """Split a name into the shortest prefix and a role.

    ``iris_train_X`` is ``iris_`` and the training features.
    """
    for start in [0, *(match.end() for match in re.finditer(r"[-_. ]", name))]:
        role = role_of(name[start:])
        if role is not None:
            return name[:start], role
    return None


def arrays_by_role(names: Iterable[str], where: object) -> dict[str, str]:
    """Return the name of the array for each parameter of Dataset.

    Parameters
    ----------
    names : iterable of str
        Names without a role are ignored.
    where : object
        What the error message calls the file or folder that holds them.

    Raises
    ------
    DataError
        If several names of one rank mean the same parameter.
    """
    found: dict[str, dict[int, list[str]]] = {}
    for name in names:
        role = role_of(name)
        if role is not None:
            found.setdefault(role.parameter, {}).setdefault(role.rank, []).append(name)
    return {parameter: _only(ranks, parameter, where) for parameter, ranks in found.items()}


def _only(ranks: Mapping[int, list[str]], parameter: str, where: object) -> str:
    names = ranks[min(ranks)]
    if len(names) > 1:
        raise DataError(
            f"{where} must hold one array for {parameter}, got {quoted(names)}; keep one"
        )
    return names[0]
