"""What every command line does around its work: warnings, errors, interruptions and exit codes."""

from __future__ import annotations

import contextlib
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

INTERRUPTED = 130


def run_command(work: Callable[[], int]) -> int:
    """Return the exit code of ``work``; errors raised on purpose become one line on stderr."""
    _open_streams()
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
    """Let output go somewhere, whoever started the process closed it; and in any locale.

    What the locale's encoding lacks is written as its number (\\xe9).
    """
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # and its number is free: the next file to be opened would get it
            null = open(os.devnull, "r" if name == "stdin" else "w")  # noqa: SIM115
            setattr(sys, name, null)
        elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
            stream.reconfigure(errors="backslashreplace")


def leave(code: int) -> NoReturn:
    """End the process; after an interruption at once, without Python's tidying up."""
    if code == INTERRUPTED:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait for the moment that it takes to write results."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def silence_warnings() -> None:
    """Show no warnings until the command ends."""
    warnings.simplefilter("ignore")


def print_line(text: str = "") -> None:
    """Print to stderr."""
    print(text, file=sys.stderr, flush=True)


def _give_up_stdout() -> None:
    """Keep Python from flushing once more, at exit, what nobody takes."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Warning | str, *_: Any) -> None:
    print_line(f"warning: {message}")
