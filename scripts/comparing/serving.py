"""The loop of a process that answers requests: lines of JSON on stdin, answers lines on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any


def serve(make: Callable[[], Any]) -> None:
    """Answer requests until stdin ends.

    Parameters
    ----------
    make : callable
        Returns an object with a method for each kind of request, made at the first one. A request
        names the method as ``do`` and gives its arguments.
    """
    # Ctrl-C reaches the driver too, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Output of libraries must not mix with answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    desk: Any = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            desk = desk or make()
            answer = getattr(desk, request.pop("do"))(**request)
        except Exception:
            answer = {"failure": traceback.format_exc()}
        try:
            print(json.dumps(answer), file=answers, flush=True)
        except BrokenPipeError:
            os._exit(1)  # the driver has ended
