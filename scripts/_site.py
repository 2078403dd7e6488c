"""The benchmark site without a network: asv's pages load their libraries from the site itself.

Standard library only.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import _asv
from _asv import BenchError

VENDOR = _asv.FOLDER / "vendor"
FOLDER = "vendor"  # within the site

_CDNJS = "https://cdnjs.cloudflare.com/ajax/libs"
_JSDELIVR = "https://cdn.jsdelivr.net/npm"
# The addresses in asv's page, and the files that stand for them.
LIBRARIES = {
    "https://code.jquery.com/jquery-3.3.1.min.js": "jquery-3.3.1.min.js",
    f"{_CDNJS}/flot/0.8.3/jquery.flot.min.js": "flot-0.8.3.js",
    f"{_CDNJS}/flot/0.8.3/jquery.flot.time.min.js": "flot-0.8.3-time.js",
    f"{_CDNJS}/flot/0.8.3/jquery.flot.selection.min.js": "flot-0.8.3-selection.js",
    f"{_CDNJS}/flot/0.8.3/jquery.flot.categories.min.js": "flot-0.8.3-categories.js",
    f"{_JSDELIVR}/flot-orderbars@1.0.0/js/jquery.flot.orderBars.js": "flot-orderbars-1.0.0.js",
    f"{_CDNJS}/stupidtable/1.0.1/stupidtable.min.js": "stupidtable-1.1.3.min.js",
    f"{_CDNJS}/blueimp-md5/2.19.0/js/md5.min.js": "blueimp-md5-2.19.0.min.js",
    f"{_JSDELIVR}/bootstrap@3.1.1/dist/js/bootstrap.min.js": "bootstrap-3.1.1.min.js",
    f"{_JSDELIVR}/bootstrap@3.1.1/dist/css/bootstrap.min.css": "bootstrap-3.1.1.min.css",
}

_TAG = re.compile(r"<(?:script|link)\b[^>]*>")
_ADDRESS = re.compile(r"""\b(?:src|href)=["'](https?:)?//[^"']*["']""")
# Hashes of the public files: flot's are minified, and a page needs no proof of its own files.
_PROOF = re.compile(r"""\s+(?:integrity|crossorigin|referrerpolicy)=["'][^"']*["']""")


def make_local(html: Path) -> None:
    """Copy the libraries into a site, and let its pages load them from there.

    Raises
    ------
    BenchError
        If a page loads something else from the network.
    """
    for page in sorted(html.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        page.write_text(localized(text), encoding="utf-8")
    shutil.copytree(VENDOR, html / FOLDER, dirs_exist_ok=True)


def localized(page: str) -> str:
    """Return a page whose tags load the libraries from the site."""
    return _TAG.sub(lambda tag: _localized_tag(tag[0]), page)


def _localized_tag(tag: str) -> str:
    for address, name in LIBRARIES.items():
        if address in tag:
            return _PROOF.sub("", tag.replace(address, f"{FOLDER}/{name}"))
    if _ADDRESS.search(tag):
        raise BenchError(
            f"asv's page loads from the network what asv_benchmarks/vendor has no file for: {tag}; "
            "add the file there and its address in scripts/_site.py, or install the asv before"
        )
    return tag
