"""Ctrl-C, and the request to end, made to wait while something is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Takes signals in place of their handlers, from its entering until its leaving.

    Within :meth:`held` a signal waits for the end of the block; elsewhere its handler is called at
    once, as ever. Signals without a handler in Python are left alone, and so is everything outside
    the main thread, which no signal reaches.

    Parameters
    ----------
    tell : callable, optional
        Called when a signal comes, before anything else.
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
        """Let signals wait until the block is done, or only the first of them."""
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
