"""What every command line does around its work: warnings, errors, interruptions and exit codes."""

from __future__ import annotations

import codecs
import contextlib
import contextvars
import errno
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ..base.errors import FastMLPError

INTERRUPTED, TERMINATED = 130, 143


def run_command(work: Callable[[], int]) -> int:
    """Return the exit code of ``work``; errors raised on purpose become one line on stderr.

    SIGTERM is handled like Ctrl-C, with another exit code.
    """
    _open_streams()
    with _terminable() as terminated:
        # In a context of its own, which ends with the command.
        code = contextvars.copy_context().run(_run, work)
        return TERMINATED if code == INTERRUPTED and terminated else code


def _run(work: Callable[[], int]) -> int:
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            code = work()
            sys.stdout.flush()
            return code
        except FastMLPError as error:
            print_line(f"error: {error}")
            return error.exit_code
        except KeyboardInterrupt:
            print_line("interrupted")
            return INTERRUPTED
        except BrokenPipeError:
            _give_up_stdout()
            return 1
        except (OSError, MemoryError) as error:
            remedy = "; free some space" if getattr(error, "errno", 0) == errno.ENOSPC else ""
            print_line(f"error: {str(error) or 'out of memory'}{remedy}")
            _give_up_stdout()
            return 1


def _open_streams() -> None:
    """Reopen standard streams that the parent closed, and let them write in any locale.

    Characters that the locale's encoding lacks are written as escapes (\\xe9). Bytes of file names
    are written as they are, so that the names can be used again.
    """
    codecs.register_error("fastmlp", _encode)
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # its descriptor is free: the next opened file would get it
            null = open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, null)
        elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
            stream.reconfigure(errors="fastmlp")


def _encode(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode characters that an encoding lacks; an error handler for ``codecs``."""
    assert isinstance(error, UnicodeEncodeError)
    if all("\udc80" <= letter <= "\udcff" for letter in error.object[error.start : error.end]):
        return codecs.lookup_error("surrogateescape")(error)
    return codecs.backslashreplace_errors(error)


def leave(code: int) -> NoReturn:
    """End the process; after an interruption at once, without Python's cleanup."""
    if code in (INTERRUPTED, TERMINATED):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


@contextlib.contextmanager
def _terminable() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt for SIGTERM unless it has a handler; yield the received signals."""
    received: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield received
        return

    def interrupt(number: int, _: object) -> NoReturn:
        received.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def silence_warnings() -> None:
    """Show no warnings until the command ends."""
    warnings.simplefilter("ignore")


def print_line(text: str = "") -> None:
    """Print to stderr."""
    print(text, file=sys.stderr, flush=True)


def ignore(text: str) -> None:
    """Print nothing."""


def _give_up_stdout() -> None:
    """Keep Python from flushing a closed stdout at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Warning | str, *_: Any) -> None:
    print_line(f"warning: {message}")
