"""Signals that wait while something is half done."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from fastmlp.base.interrupts import Interrupts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals cannot be sent to oneself")


@pytest.fixture(autouse=True)
def handlers_are_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    assert {number: signal.getsignal(number) for number in before} == before


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        with interrupts.held():
            press()
            done.append("the block")
        done.append("what follows")
    assert done == ["the block"]


def test_the_second_signal_need_not_wait() -> None:
    done = []
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt), interrupts, interrupts.held(until_second=True):
        press()
        done.append("the first")
        press()
        pytest.fail("it went on")
    assert done == ["the first"]
    with Interrupts() as interrupts, interrupts.held(until_second=True):
        pass  # nothing is left of it


def test_outside_a_block_it_comes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        with interrupts.held():
            pass
        press()
        pytest.fail("it went on")


def test_a_signal_that_a_handler_takes_is_brought_to_it() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with Interrupts() as interrupts, interrupts.held():
            signal.raise_signal(signal.SIGTERM)
            assert received == []
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_unhandled_signals_are_not_changed() -> None:
    with Interrupts():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_error_in_the_block_comes_through() -> None:
    with pytest.raises(ZeroDivisionError), Interrupts() as interrupts, interrupts.held():
        raise ZeroDivisionError
    with Interrupts() as interrupts:
        with pytest.raises(ZeroDivisionError), interrupts.held():
            raise ZeroDivisionError
        with pytest.raises(KeyboardInterrupt):
            press()


def test_other_threads_may_use_it_and_no_signal_reaches_them() -> None:
    def work() -> None:
        with Interrupts() as interrupts, interrupts.held():
            pass
        done.append(1)

    done: list[int] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]


def test_notification_precedes_interrupt() -> None:
    calls: list[int] = []
    with pytest.raises(KeyboardInterrupt), Interrupts(lambda: calls.append(1)):
        press()
    assert calls == [1]
