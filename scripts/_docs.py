"""The command line of ``scripts/docs``: Sphinx builds the site, and any warning is an error."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import _environment

ROOT = Path(_environment.ROOT)
DOCS = ROOT / "docs"
GENERATED = DOCS / "api"  # a page for each public name, made anew by each build
BENCHMARKS = ROOT / "asv_benchmarks" / "html"  # made by scripts/bench --publish

NOTES = """\
The build needs no network. A link within the site that leads nowhere is an error, as any warning.
The site of the benchmarks is included, if scripts/bench --publish has built it.

exit codes: 0 success, 1 warnings or failure, 2 wrong usage, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parse(arguments)
    for folder in (GENERATED, options.out):
        shutil.rmtree(folder, ignore_errors=True)
    code = _sphinx("html", options.out)
    if code == 0 and options.links:
        code = _sphinx("linkcheck", options.out / "_links")
    if code == 0:
        if BENCHMARKS.is_dir():
            shutil.copytree(BENCHMARKS, options.out / "benchmarks")
        print(options.out / "index.html")
    return code


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/docs",
        description="Build the documentation as a site.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=_site_folder, default=ROOT / "build" / "site", metavar="DIR",
        help="folder of the site, which is replaced (default: build/site)",
    )  # fmt: skip
    parser.add_argument(
        "--links", action="store_true", help="check links to other sites, too, over the network"
    )
    return parser.parse_args(arguments)


def _site_folder(text: str) -> Path:
    """Return a folder that may be replaced: a site, an empty folder, or one yet to be made."""
    folder = Path(text).resolve()
    is_site = (folder / ".buildinfo").exists()
    if folder.exists() and not is_site and (not folder.is_dir() or any(folder.iterdir())):
        raise argparse.ArgumentTypeError(
            f"must be a new or empty folder or an older site, got {text!r}, which holds other "
            "files; choose another folder"
        )
    return folder


def _sphinx(builder: str, out: Path) -> int:
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"]
    doctrees = ["--doctree-dir", str(ROOT / "build" / "doctrees")]
    command = [sys.executable, "-m", "sphinx", "--builder", builder, *options, *doctrees]
    return _environment.wait_for([*command, str(DOCS), str(out)])


if __name__ == "__main__":
    sys.exit(main())
