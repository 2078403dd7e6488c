"""Restoring an estimator after a fit that failed."""

from __future__ import annotations

from types import TracebackType
from typing import Any


class AsBefore:
    """Restores an estimator's attributes if the block fails, unless new ones were accepted.

    Fitted attributes are replaced and never changed in place, so a shallow copy is enough.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    """

    def __init__(self, estimator: Any):
        self._attributes = vars(estimator)
        self._before: dict[str, Any] | None = self._attributes.copy()

    def accept(self) -> None:
        """Keep the present attributes, whatever happens later."""
        self._before = None

    def __enter__(self) -> AsBefore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or self._before is None:
            return
        self._attributes.clear()
        self._attributes.update(self._before)
