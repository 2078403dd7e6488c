"""Attributes computed when they are asked for, without a lock."""

from __future__ import annotations

import threading

from fastmlp.base.lazy import lazy


class Thing:
    def __init__(self, wait: threading.Event | None = None):
        self.count, self.begun, self.wait = 0, threading.Event(), wait

    @lazy
    def value(self) -> int:
        """A number."""
        self.count += 1
        self.begun.set()
        if self.wait is not None:
            assert self.wait.wait(60)
        return 7


def test_it_is_computed_once() -> None:
    thing = Thing()
    assert (thing.value, thing.value, thing.count) == (7, 7, 1)
    assert "value" in vars(thing)


def test_threads_do_not_wait_for_each_other() -> None:
    go = threading.Event()
    slow = Thing(go)
    first = threading.Thread(target=lambda: slow.value)
    second = threading.Thread(target=lambda: Thing().value)
    first.start()
    assert slow.begun.wait(60)
    second.start()
    second.join(30)
    waits = second.is_alive()
    go.set()
    first.join()
    assert not waits
