"""The options of ``fastmlp info``."""

from __future__ import annotations

from .options import Parser
from .run_options import JSON, THREADS, add_last_options, add_options

DESCRIPTION = """\
Print versions, CPU, instruction set, threads, threading layer and folders: what a report of an
issue needs. Nothing is sent anywhere.
"""

EPILOG = """\
examples:
  fastmlp info
  fastmlp info --json
"""


def build_info_parser() -> Parser:
    """Return the parser of ``fastmlp info``."""
    parser = Parser("info", "[options]", DESCRIPTION, EPILOG)
    add_options(parser, (THREADS, JSON))
    add_last_options(parser)
    return parser
