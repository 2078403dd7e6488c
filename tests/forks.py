"""How a process ends that does what should end it."""

from __future__ import annotations

import faulthandler
import os
import tempfile
import warnings
from collections.abc import Callable


def ending(action: Callable[[], object]) -> tuple[int, str]:
    """Return the signal that ends a fork of this process which does something, or 0, and what it
    has printed.
    """
    with tempfile.TemporaryFile() as output:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads
            child = os.fork()
        if child == 0:
            faulthandler.disable()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            try:
                action()
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, output.read().decode()
