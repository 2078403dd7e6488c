#!/usr/bin/env python3
"""Write the modules of d3 that the page of a sweep uses as one file, with their licences.

Needs npm and a network. The page itself needs neither: the file is part of the package.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

BUNDLE = Path(__file__).parents[1] / "fastmlp" / "sweeps" / "reports" / "d3.min.js"
MODULES = {"d3-brush": "3.0.1", "d3-scale": "4.0.3", "d3-selection": "3.0.1"}
ESBUILD = "0.28.2"
ENTRY = """\
export { brushY } from "d3-brush";
export { scaleLinear, scaleLog } from "d3-scale";
export { pointer, select } from "d3-selection";
"""


def main() -> None:
    """Fetch the modules and write the bundle."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text("{}", encoding="utf-8")
        (folder / "entry.js").write_text(ENTRY, encoding="utf-8")
        wanted = [f"{module}@{version}" for module, version in MODULES.items()]
        _run(folder, "npm", "install", "--no-audit", "--no-fund", f"esbuild@{ESBUILD}", *wanted)
        _run(
            folder, "npx", "esbuild", "entry.js", "--bundle", "--minify", "--format=iife",
            "--global-name=d3", "--target=es2018", "--metafile=meta.json", "--legal-comments=none",
            "--outfile=d3.js",
        )  # fmt: skip
        minified = (folder / "d3.js").read_text(encoding="utf-8")
        inputs = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["inputs"]
        modules = sorted({path.split("/")[1] for path in inputs if "/" in path})
        header = _header([folder / "node_modules" / module for module in modules])
    BUNDLE.write_text(f"/*!\n{header}*/\n{minified}", encoding="utf-8")
    print(f"{BUNDLE}: {BUNDLE.stat().st_size:,} bytes")


def _header(modules: list[Path]) -> str:
    """Return the modules with their versions, grouped by licence."""
    groups: dict[str, list[str]] = {}
    for module in modules:
        version = json.loads((module / "package.json").read_text(encoding="utf-8"))["version"]
        licence = (module / "LICENSE").read_text(encoding="utf-8").strip()
        groups.setdefault(licence, []).append(f"{module.name} {version}")
    parts = [f"{', '.join(names)}\n\n{licence}\n" for licence, names in groups.items()]
    return "Written by scripts/bundle_d3.py from npm packages.\n\n" + "\n".join(parts)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
