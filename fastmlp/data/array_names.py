"""What arrays are by their names: ``X_train``, ``y_val``, ``test_labels`` and their like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..base.errors import DataError
from ..base.wording import quoted

# Of several names for one role the first group that is there counts.
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
    """What an array is in a dataset.

    Attributes
    ----------
    kind : {"X", "y"}
    part : {"", "test", "validation"}
    rank : int
        Less for the more usual names.
    word : str
        How the name says the part: ``train``, say, or nothing.
    """

    kind: str
    part: str
    rank: int
    word: str

    @property
    def parameter(self) -> str:
        """The parameter of a dataset that it is: ``X``, ``y_test``."""
        return f"{self.kind}_{self.part}" if self.part else self.kind


def role_of(name: str) -> Role | None:
    """Return what an array is by its name, in any case; None for a name that says nothing."""
    match = _NAME.fullmatch(re.sub(r"[-. ]", "_", name.lower()))
    if match is None:
        return None
    word = match[1] or match[4] or ""
    kind, rank = _STEMS[match[2] or match[3] or match[5]]
    return Role(kind, _PARTS[word] if word else TRAINING, rank, word)


def split_name(name: str) -> tuple[str, Role] | None:
    """Return what stands before the shortest beginning after which a name is a role's.

    ``iris_train_X`` is ``iris_`` and the features for training.
    """
    for start in [0, *(match.end() for match in re.finditer(r"[-_. ]", name))]:
        role = role_of(name[start:])
        if role is not None:
            return name[:start], role
    return None


def arrays_by_role(names: Iterable[str], where: object) -> dict[str, str]:
    """Return which of some names is which parameter of a dataset.

    Parameters
    ----------
    names : iterable of str
        Those that say nothing are left alone.
    where : object
        What the error message calls the place where they were found.

    Raises
    ------
    DataError
        If several are equally usual names for one parameter.
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
