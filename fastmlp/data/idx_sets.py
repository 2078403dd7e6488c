"""Data sets of four IDX files in a folder: MNIST and similar ones, under their usual names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..base.errors import DataError
from ..base.wording import listed

MNIST = "mnist"
ROLES = ("train images", "train labels", "test images", "test labels")
_NAME = re.compile(
    r"(?=.*(?:idx|ubyte))(?:(.+?)[-_. ])?(train|training|t10k|test)[-_. ](images|labels)"
    r"(?:[-_. ]?idx[13]?)?(?:[-_. ]?ubyte)?(?:\.idx)?(?:\.gz)?",
    re.IGNORECASE,
)
_PARTS = {"train": "train", "training": "train", "t10k": "test", "test": "test"}
# Sets whose files have MNIST's names are recognised by their folder.
_FOLDERS = {"fashion": "fashion-mnist", "kuzushiji": "kmnist", "kmnist": "kmnist",
            "emnist": "emnist", "qmnist": "qmnist"}  # fmt: skip


class IdxSet(NamedTuple):
    """The files of one set in a folder.

    Attributes
    ----------
    name : str
        The prefix of the file names, else a name from the folder's, else ``mnist``.
    folder : Path
    files : dict of str to Path
        By role: ``train images``, ``train labels``, ``test images``, ``test labels``.
    """

    name: str
    folder: Path
    files: dict[str, Path]

    @property
    def missing(self) -> list[str]:
        """The roles without a file."""
        return [role for role in ROLES if role not in self.files]


def sets_in(*folders: Path) -> list[IdxSet]:
    """Return the sets in each folder, also incomplete ones, sorted by name within a folder."""
    return [found for folder in folders for found in sorted(_sets_in(folder))]


def _sets_in(folder: Path) -> list[IdxSet]:
    found: dict[str, dict[str, Path]] = {}
    # Plain files before compressed ones, because they load faster.
    for path in sorted(entries(folder), key=lambda path: (path.suffix == ".gz", path.name)):
        match = _NAME.fullmatch(path.name)
        # Not Path.is_file: it raises in folders that may not be read.
        if match is not None and not path.name.startswith(".") and os.path.isfile(path):
            role = f"{_PARTS[match[2].lower()]} {match[3].lower()}"
            found.setdefault((match[1] or "").lower(), {}).setdefault(role, path)
    return [IdxSet(prefix or _name_of(folder), folder, files) for prefix, files in found.items()]


def subfolders(folder: Path) -> list[Path]:
    """Return the subfolders of a folder, and a ``raw`` in each, as torchvision makes them."""
    folders = [folder / "raw"]
    for path in sorted(entries(folder)):
        if not path.name.startswith((".", "__")) and path.name not in ("raw", MNIST):
            folders += [path, path / "raw"]
    return [path for path in folders if os.path.isdir(path)]


def only_set(sets: Iterable[IdxSet], folder: Path, name: str) -> IdxSet | None:
    """Return the complete set with a name, or the only one; None if no files were found.

    Parameters
    ----------
    sets : iterable of IdxSet
    folder : Path
        The folder that was searched.
    name : str
        Empty or ``mnist``: any set if it is the only one.

    Raises
    ------
    DataError
        If several sets match, or files of a set are missing.
    """
    sets = list(sets)
    whole = [found for found in sets if not found.missing]
    named = [found for found in whole if found.name == name]
    if name not in ("", MNIST) or named:
        whole = named
    if len(whole) > 1:
        shown = listed([f"{found.name} (in {found.folder})" for found in whole])
        choice = next((found.name for found in whole if found.name != MNIST), MNIST)
        raise DataError(
            f"{folder} must hold one set of images, or --data must name one, got {shown}; choose "
            f"for example --data {choice}, or name the set's own folder with --data-dir"
        )
    if whole:
        return whole[0]
    for found in sets:
        if name not in ("", MNIST, found.name):
            continue
        names = ", ".join(path.name for path in found.files.values())
        raise DataError(
            f"{found.folder} must hold four files of a set of images (train-images-idx3-ubyte, "
            f"train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, plain or "
            f".gz), got no {' and no '.join(found.missing)} beside {names}; put them there, or "
            "name another folder with --data-dir"
        )
    return None


def entries(folder: Path) -> list[Path]:
    """Return what a folder holds; nothing if it cannot be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _name_of(folder: Path) -> str:
    # Absolute, so that the current folder has a name, too.
    path = Path(os.path.abspath(folder))
    name = (path.parent if path.name.lower() == "raw" else path).name.lower()
    return next((known for word, known in _FOLDERS.items() if word in name), MNIST)
