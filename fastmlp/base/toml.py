"""TOML files, of which no more is read than settings can take."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from .errors import ConfigError

MOST_BYTES = 1 << 20


def read_toml(path: str | os.PathLike[str], name: str) -> dict[str, Any]:
    """Return the values of a TOML file.

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
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{name} {path} must have at most 1 MB, got more; name a TOML file")
        return tomllib.loads(content.decode())
    except ConfigError:
        raise
    except OSError as error:
        raise ConfigError(f"{name} {path} cannot be read: {error.strerror}") from None
    except RecursionError:
        raise ConfigError(f"{name} {path} is nested too deep; name a file of settings") from None
    except ValueError as error:  # TOML's, UTF-8's, and those of numbers and of paths
        raise ConfigError(f"{name} {path} is not valid TOML: {error}") from None
