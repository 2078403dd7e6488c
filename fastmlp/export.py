"""``fastmlp export``: a saved model in another format, which the suffix of the file names."""

# Imports are in the functions for the reasons given in train.py.

from __future__ import annotations

from typing import TYPE_CHECKING

from .commands.running import leave, run_command

if TYPE_CHECKING:
    from .commands.options import Parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_command(lambda: _main(arguments))


def parser() -> Parser:
    """Return the command's parser."""
    from .commands.export_options import build_export_parser

    return build_export_parser()


def _main(arguments: list[str] | None) -> int:
    from .commands.export_options import parse_export_arguments
    from .commands.machine import set_threads

    options = parse_export_arguments(arguments)
    set_threads(None)
    from .commands.loading import load_model
    from .exports.formats import FORMATS

    format = FORMATS[options.out.suffix.lower()]
    format.write(load_model(options.model, options.threshold), options.out)
    if not options.quiet:
        print(f"{options.out}: {format.text}")
    return 0


if __name__ == "__main__":
    leave(main())
