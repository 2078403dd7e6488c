"""Deferring SIGINT and SIGTERM while an operation is not complete."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context that receives signals in place of their handlers.

    Within :meth:`held` a signal is deferred to the end of the block; elsewhere its handler is
    called at once. Signals without a Python handler are not affected. Outside the main thread,
    which receives no signals, the context does nothing.

    Parameters
    ----------
    tell : callable, optional
        Called first when a signal is received.
    """

    def __init__(self, tell: Callable[[], object] | None = None):
        self._tell = tell
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._is_held, self._until_second = False, False
        self._waiting: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    @contextmanager
    def held(self, until_second: bool = False) -> Iterator[None]:
        """Defer signals to the end of the block, or only the first one."""
        self._is_held, self._until_second = True, until_second
        try:
            yield
        finally:
            self._is_held = False
            if self._waiting is not None:
                (number, frame), self._waiting = self._waiting, None
                self._handlers[number](number, frame)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._tell is not None:
            self._tell()
        if self._is_held and not (self._until_second and self._waiting):
            self._waiting = number, frame
        else:
            self._waiting = None
            self._handlers[number](number, frame)
