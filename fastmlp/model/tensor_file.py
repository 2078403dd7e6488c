"""Safetensors files with one strict JSON header of numbers and text; reading runs no code."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..base.errors import DataError, FastMLPError
from ..base.files import write_atomically
from ..base.memory import usable_memory
from ..base.paths import as_path, kind_of

# In the names and the order of safetensors.
_DTYPES = {"int64": "I64", "float64": "F64", "float32": "F32", "uint8": "U8"}
_ORDER = list(_DTYPES)
_FACTS = ("format", "format_version", "sha256")
Header = dict[str, Any]
Tensors = Mapping[str, np.ndarray]
T = TypeVar("T")


@dataclass(frozen=True)
class AtMost:
    """In a shape, any length up to this one."""

    length: int

    def __repr__(self) -> str:
        return f"at most {self.length}"


# The dtype of each tensor and its possible shapes.
Expected = Mapping[str, tuple[np.dtype, list[tuple[int | AtMost, ...]]]]


@dataclass(frozen=True)
class Upgrade:
    """Conversion of a header from an older version to the next one.

    Attributes
    ----------
    entries : tuple of str
        The entries of the older header, as ``Format.entries``.
    convert : callable
        Returns the entries of the next version from those of the older one.
    """

    entries: tuple[str, ...]
    convert: Callable[[Header], Header]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    noun : str
        Its name in error messages: ``model``.
    version : int
        The version that this package writes.
    entries : tuple of str
        The entries of its header, in addition to ``format``, ``format_version`` and ``sha256``.
    advice : str
        What to do if a file has another format.
    optional : tuple of str
        Further entries, which only files that use them have; an older fastmlp refuses these.
    upgrades : mapping of int to Upgrade
        For each older version that can be read, the conversion to the next version.
    """

    noun: str
    version: int
    entries: tuple[str, ...]
    advice: str
    optional: tuple[str, ...] = ()
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The value of the header's entry ``format``."""
        return f"fastmlp-{self.noun}"


def write_tensors(
    path: str | os.PathLike[str], form: Format, entries: Header, tensors: Tensors
) -> None:
    """Write a file atomically.

    Raises
    ------
    FastMLPError
        If it cannot be written; no partial file remains.
    """
    facts = {"format": form.name, "format_version": form.version}
    header = {**facts, **entries, "sha256": ""}
    header["sha256"] = _checksum(json.dumps(header), tensors)
    path = as_path(path, f"{form.noun} file")
    # Not safetensors.numpy.save, which copies all elements twice.
    names = sorted(tensors, key=lambda name: (_ORDER.index(tensors[name].dtype.name), name))
    try:
        write_atomically(
            path,
            _table(names, tensors, json.dumps(header)),
            *(tensors[name].data for name in names if tensors[name].size),
        )
    except (OSError, ValueError) as error:
        raise FastMLPError(
            f"{form.noun} file {path} cannot be written: "
            f"{getattr(error, 'strerror', None) or error}; choose a file in a folder that exists "
            "and is writable"
        ) from error


def _table(names: list[str], tensors: Tensors, header: str) -> bytes:
    """Return the start of a safetensors file: a header, and the offsets of tensors in order."""
    table: dict[str, Any] = {"__metadata__": {"fastmlp": header}}
    end = 0
    for name in names:
        begin, end = end, end + tensors[name].nbytes
        table[name] = {
            "dtype": _DTYPES[tensors[name].dtype.name],
            "shape": list(tensors[name].shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_header(path: str | os.PathLike[str], form: Format) -> Header:
    """Return the header of a file. The tensors are not read and the checksum is not verified.

    Raises
    ------
    DataError
        If the file is missing or has another format, or its tensors are beyond its end.
    """
    with _opened(as_path(path, f"{form.noun} file"), form) as (header, _, _):
        return header


def read_tensors(
    path: str | os.PathLike[str],
    form: Format,
    expected: Callable[[Header], Expected],
    build: Callable[[Header, Tensors], T],
) -> T:
    """Return what ``build`` makes of a file.

    Parameters
    ----------
    path : path-like
    form : Format
    expected : callable
        Returns what tensors there must be by the header. No memory is taken for others.
    build : callable
        Both may raise KeyError, TypeError, ValueError or OverflowError for what is missing or does
        not fit.

    Raises
    ------
    DataError
        If the file is missing, damaged, of another format, does not fit together, or holds more
        than the machine's memory.
    """
    path = as_path(path, f"{form.noun} file")
    with _opened(path, form) as (header, text, file), _misfits_named(path, form):
        _check_tensors(expected(header), file, path, form)  # before memory is taken for them
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # Of the header in the file, before an upgrade.
        if header["sha256"] != _checksum(text.replace(header["sha256"], ""), tensors):
            raise ValueError("its contents do not have the checksum that it names")
        return build(header, tensors)


@contextmanager
def _opened(path: Path, form: Format) -> Iterator[tuple[Header, str, Any]]:
    """Yield a file's checked header, as values and as text, and the open file."""
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            is_there = path.exists()
            why = f"must be a file, and it is {kind_of(path)}" if is_there else "does not exist"
            raise DataError(f"{form.noun} file {path} {why}; check its name and folder")
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("fastmlp", "null")
            header = json.loads(text)
            _check_format(header, path, form)
            with _misfits_named(path, form):
                header = _upgraded(header, path, form)
            yield header, text, file
    except DataError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"{form.noun} file {path} cannot be read: {error}; it is damaged or not a {form.noun} "
            "file, save it again"
        ) from None


@contextmanager
def _misfits_named(path: Path, form: Format) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(
            f"{form.noun} file {path} does not fit together: {reason}; it is damaged, save it again"
        ) from None


def _check_format(header: Any, path: Path, form: Format) -> None:
    if not isinstance(header, dict) or header.get("format") != form.name:
        raise DataError(
            f"{path} is not a fastmlp {form.noun}: its header does not contain {form.name}; "
            f"{form.advice}"
        )
    version, known = header.get("format_version"), [*sorted(form.upgrades), form.version]
    if type(version) is not int or version not in known:
        *older, newest = map(str, known)
        reads = f"{', '.join(older)} and {newest}" if older else newest
        raise DataError(
            f"{form.noun} file {path} has format version {version!r:.80}, this fastmlp reads "
            f"{reads}; use the fastmlp that wrote it"
        )


def _upgraded(header: Header, path: Path, form: Format) -> Header:
    """Return a header converted to the current version."""
    version = header["format_version"]
    if version == form.version:
        unknown = sorted(set(header) - {*_FACTS, *form.entries, *form.optional})
        if unknown:  # a section of a newer fastmlp, which changes predictions
            raise DataError(
                f"{form.noun} file {path} has a section {unknown[0]!r:.80}, which this fastmlp "
                "does not know; use the fastmlp that wrote it, or a newer one"
            )
    while version < form.version:
        upgrade = form.upgrades[version]
        _check_entries(header, upgrade.entries)
        kept = {name: header[name] for name in _FACTS}
        header, version = {**upgrade.convert(header), **kept}, version + 1
    given = tuple(name for name in form.optional if name in header)
    _check_entries(header, (*form.entries, *given))
    return header


def _check_entries(header: Header, entries: tuple[str, ...]) -> None:
    check_keys(header, (*_FACTS, *entries), "its header")


def check_keys(values: Header, names: tuple[str, ...], what: str) -> None:
    """Raise KeyError for a missing name, ValueError for an unknown one."""
    for name in names:
        values[name]
    if len(values) > len(names):
        unknown = sorted(set(values) - set(names))[0]
        raise ValueError(f"{what} must not hold {unknown!r:.80}")


def _check_tensors(expected: Expected, file: Any, path: Path, form: Format) -> None:
    found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    n_bytes = 0
    for name, (dtype, shapes) in expected.items():
        got_dtype, got_shape = found[name].get_dtype(), tuple(found[name].get_shape())
        if got_dtype != _DTYPES[dtype.name] or not any(_fits(got_shape, s) for s in shapes):
            raise ValueError(
                f"{name} must be {_DTYPES[dtype.name]} of shape "
                f"{' or '.join(map(str, shapes))}, got {got_dtype} of {got_shape}"
            )
        n_bytes += math.prod(got_shape) * dtype.itemsize
    if len(found) > len(expected):
        raise ValueError(f"it must not hold {sorted(set(found) - set(expected))[0]!r:.80}")
    most = usable_memory()
    if n_bytes > most:  # a sparse file of this size takes no disk space
        raise DataError(
            f"{form.noun} file {path} declares {n_bytes / 1e9:.0f} GB of tensors, and this machine "
            f"has {most / 1e9:.0f} GB of memory; use a larger machine, or another file"
        )


def _fits(shape: tuple[int, ...], wanted: tuple[int | AtMost, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        size <= length.length if isinstance(length, AtMost) else size == length
        for size, length in zip(shape, wanted, strict=True)
    )


def _checksum(header: str, tensors: Tensors) -> str:
    """Return the SHA-256 of a header, without its checksum, and of the tensors.

    It detects a flipped bit of a weight.
    """
    digest = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].data)
    return digest.hexdigest()
