#!/usr/bin/env python3
"""Draw the badges of the README from the package's metadata: docs/badges/*.svg."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "badges"
_CHARACTER, _MARGIN = 6.6, 8  # pixels, of Verdana and its substitutes at 11 pixels
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{text}">
<title>{text}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{middle}" height="20" fill="#555"/>
<rect x="{middle}" width="{right}" height="20" fill="#0969a5"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left_center}" y="14" textLength="{left_text}">{name}</text>
<text x="{right_center}" y="14" textLength="{right_text}">{value}</text>
</g>
</svg>
"""


def badges() -> dict[str, str]:
    """Return the text of each file, by its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minors = [
        found[1] for line in project["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    ]  # fmt: skip
    version = (ROOT / "fastmlp" / "_version.py").read_text(encoding="utf-8")
    facts = {
        "version": re.findall(r'__version__ = "(.+)"', version)[0],
        "python": f"{minors[0]} – {minors[-1]}",
        "licence": project["license"],
    }
    return {f"{name}.svg": _drawn(name, value) for name, value in facts.items()}


def _drawn(name: str, value: str) -> str:
    left, right = (round(len(text) * _CHARACTER) for text in (name, value))
    middle, end = left + 2 * _MARGIN, right + 2 * _MARGIN
    return _SVG.format(
        width=middle + end, middle=middle, right=end, text=f"{name}: {value}", name=name,
        value=value, left_text=left, right_text=right, left_center=middle / 2,
        right_center=middle + end / 2,
    )  # fmt: skip


def main() -> int:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in badges().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        print(FOLDER / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
