"""TOML files, read up to the size that settings can have."""

from __future__ import annotations

import codecs
import os
import tomllib
from typing import Any

from .errors import ConfigError
from .paths import as_path

MOST_BYTES = 1 << 20


def read_toml(path: str | os.PathLike[str], name: str) -> dict[str, Any]:
    """Return the values of a TOML file, with or without the byte order mark of some editors.

    Parameters
    ----------
    path : path-like
    name : str
        What messages call the file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is larger than 1 MB, or no TOML in UTF-8.
    """
    path = as_path(path, name)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{name} {path} must have at most 1 MB, got more; name a TOML file")
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ConfigError(f"{name} {path} must be in UTF-8, got UTF-16; save it as UTF-8")
        return tomllib.loads(content.decode("utf-8-sig"))
    except ConfigError:
        raise
    except OSError as error:
        raise ConfigError(f"{name} {path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{name} {path} is nested too deep; name a file of settings") from None
    except ValueError as error:  # TOML's, UTF-8's, and those of numbers and of paths
        raise ConfigError(f"{name} {path} is not valid TOML: {error}") from None
