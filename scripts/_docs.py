"""The command line of ``scripts/docs``: Sphinx builds the site, and any warning is an error."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import _asv
import _bench
import _environment

ROOT = Path(_environment.ROOT)
DOCS = ROOT / "docs"
GENERATED = DOCS / "api"  # a page for each public name, made anew by each build

NOTES = """\
The build needs no network. A link within the site that leads nowhere is an error, as any warning.
asv's site of the recorded benchmarks is built, too, in a clone, and is in benchmarks/.

exit codes: 0 success, 1 warnings or failure, 2 wrong usage, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parse(arguments)
    for folder in (GENERATED, options.out):
        shutil.rmtree(folder, ignore_errors=True)
    has_benchmarks = _publish_benchmarks()
    code = _sphinx("html", options.out, ["--tag", "benchmarks"] if has_benchmarks else [])
    if code == 0 and options.links:
        code = _sphinx("linkcheck", options.out / "_links")
    if code == 0:
        if has_benchmarks:
            shutil.copytree(_asv.HTML, options.out / "benchmarks")
            print("Browsers open the benchmarks' pages from a server only:")
            print(f'  python -m http.server --bind 127.0.0.1 --directory "{options.out}"')
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


def _publish_benchmarks() -> bool:
    """Build the site of the recorded benchmarks, and return whether it is there.

    asv dates results by the history of the repository, which an unpacked source archive lacks.
    """
    missing = [] if importlib.util.find_spec("asv") else ["asv"]
    missing += [] if (ROOT / ".git").exists() else ["the repository's history"]
    if missing:
        print(f"The site has no benchmarks: {' and '.join(missing)} is missing.")
        return False
    try:
        return _bench.make_site() == 0
    except _asv.BenchError as error:
        print(f"The site has no benchmarks: {error}")
        return False


def _sphinx(builder: str, out: Path, more: Sequence[str] = ()) -> int:
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "--quiet", *more]
    doctrees = ["--doctree-dir", str(ROOT / "build" / "doctrees")]
    command = [sys.executable, "-m", "sphinx", "--builder", builder, *options, *doctrees]
    return _environment.wait_for([*command, str(DOCS), str(out)])


if __name__ == "__main__":
    sys.exit(main())
