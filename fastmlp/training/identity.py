"""A run's identity: what must match before it may be resumed."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import binding

from .._version import __version__
from ..base.table_options import TableOptions
from ..data.dataset import Dataset
from ..data.fingerprint import array_text, fingerprint
from .config import TrainConfig

# Settings that name the data, whose content is compared instead.
NAMES_OF_DATA = ("data", "test_file", "validation_file", *TableOptions.names())
Weights = tuple[list[np.ndarray], list[np.ndarray]]


def identity(
    config: TrainConfig,
    dataset: Dataset,
    sample_weight: np.ndarray | None = None,
    initial_weights: Weights | None = None,
) -> dict[str, Any]:
    """Return everything that determines a run's results on a machine; JSON serializable.

    Parameters
    ----------
    config : TrainConfig
        Resolved.
    dataset : Dataset
    sample_weight : array_like, optional
    initial_weights : (list of ndarray, list of ndarray), optional
    """
    settings = config.to_dict()
    weights = [array for part in initial_weights or () for array in part]
    return {
        "version": __version__,
        "settings": {name: v for name, v in settings.items() if name not in NAMES_OF_DATA},
        "data": {
            **fingerprint(dataset),
            "sample_weight": array_text(sample_weight),
            "initial_weights": ", ".join(map(array_text, weights)),
        },
    }


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the differences between two identities, each as a short text.

    Raises
    ------
    KeyError, TypeError, AttributeError
        If ``before`` is not an identity.
    """
    if before["version"] != now["version"]:
        return [f"fastmlp was {before['version']}, is now {now['version']}"]
    found = []
    for group, where in (("settings", ""), ("data", " of the data")):
        for name in {**before[group], **now[group]}:
            was, is_ = (part[group].get(name) for part in (before, now))
            if was != is_:
                found.append(f"{name}{where} was {was!r:.80}, is now {is_!r:.80}")
    return found


def machine() -> str:
    """Return a description of the machine: another one may change the last bits of results."""
    cpu = numba.config.CPU_NAME or binding.get_host_cpu_name()
    return f"{cpu}, Numba {numba.__version__}"
