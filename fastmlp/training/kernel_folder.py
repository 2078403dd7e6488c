"""The folder of the kernels that are compiled on this machine."""

from __future__ import annotations

from .._folders import is_temporary
from ..kernels.steps.general_step import train_batches


def kept_in() -> str | None:
    """Return the folder of compiled kernels; None if no folder is writable."""
    return train_batches._cache.cache_path  # type: ignore[no-any-return]


def temporary_note() -> str | None:
    """Return a note if kernels are kept in a temporary folder, and not shipped."""
    folder = kept_in()
    if folder is None or not is_temporary(folder) or train_batches._cache.is_shipped:
        return None
    return (
        f"compiled kernels are kept in {folder}, a temporary folder, because the user's cache "
        "cannot be written to; set NUMBA_CACHE_DIR to a folder that lasts"
    )
