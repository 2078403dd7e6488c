"""The formats of exports: what each needs, and what it writes."""

from __future__ import annotations

import importlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..base.errors import ConfigError, FastMLPError
from ..base.files import encoded, write_atomically
from ..base.paths import as_path
from ..model.predictor import Predictor
from .c_header import c_source
from .numpy_file import numpy_source
from .program import Program
from .suffixes import SUFFIXES

PathLike = str | os.PathLike[str]


def to_onnx(predictor: Predictor, path: PathLike | None = None) -> Any:
    """See :meth:`Predictor.to_onnx`."""
    _require(".onnx")
    from .onnx_model import onnx_model

    model = onnx_model(Program.of(predictor))
    _write(path, model.SerializeToString)
    return model


def to_torch(predictor: Predictor) -> Any:
    """See :meth:`Predictor.to_torch`."""
    _require(".pt")
    from .torch_module import torch_module

    return torch_module(Program.of(predictor))


def to_numpy(predictor: Predictor, path: PathLike | None = None) -> str:
    """See :meth:`Predictor.to_numpy`."""
    source = numpy_source(Program.of(predictor))
    _write(path, lambda: encoded(source))
    return source


def to_c(predictor: Predictor, path: PathLike | None = None, name: str = "model") -> str:
    """See :meth:`Predictor.to_c`."""
    source = c_source(Program.of(predictor), name)
    _write(path, lambda: encoded(source))
    return source


def export(predictor: Predictor, path: PathLike) -> None:
    """Write a model in the format that the suffix of the file names.

    Raises
    ------
    ConfigError
        For another suffix, naming those that are known.
    FastMLPError
        If a library is missing, or the file cannot be written.
    """
    path = as_path(path, "path")
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(f"path must end in {', '.join(FORMATS)}, got {path}")
    FORMATS[suffix].write(predictor, path)


def _state(predictor: Predictor, path: Path) -> None:
    module = to_torch(predictor)
    import torch

    torch.save(module.state_dict(), buffer := io.BytesIO())
    _write(path, buffer.getvalue)


def _traced(predictor: Predictor, path: Path) -> None:
    _require(".pt2")
    from .torch_module import exported_program

    _write(path, lambda: exported_program(Program.of(predictor)))


def _header(predictor: Predictor, path: Path) -> None:
    name = re.sub(r"[^A-Za-z0-9_]", "_", path.stem)
    to_c(predictor, path, name if re.match(r"[A-Za-z]", name) else f"model_{name}")


class Format(NamedTuple):
    """A format.

    Attributes
    ----------
    text : str
        What it is.
    write : callable
        Writes a Predictor to a file.
    library : str
        The module that it needs; empty: none.
    """

    text: str
    write: Callable[[Predictor, Path], object]
    library: str = ""


FORMATS = dict(zip(SUFFIXES, (
    Format("an ONNX model", to_onnx, "onnx"),
    Format("a module of NumPy alone", to_numpy),
    Format("a C99 header", _header),
    Format("the state dict of predictor.to_torch()", _state, "torch"),
    Format("a PyTorch program", _traced, "torch"),
), strict=True))  # fmt: skip
_EXTRAS = {"onnx": '"fastmlp[export]"'}


def _require(suffix: str) -> None:
    """Raise FastMLPError if the library of a format is missing."""
    name = FORMATS[suffix].library
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise FastMLPError(
            f"export to {suffix} needs {name}, which cannot be imported ({error}); run pip install "
            f"{_EXTRAS.get(name, name)}"
        ) from None


def _write(path: PathLike | None, content: Callable[[], bytes]) -> None:
    """Write a file, if one is given."""
    if path is None:
        return
    path = as_path(path, "path")
    try:
        write_atomically(path, content())
    except OSError as error:
        raise FastMLPError(
            f"{path} cannot be written: {error.strerror}; name a file in a folder that exists and "
            "that you may write to"
        ) from None
