"""The site of asv's pages needs no network: every library lies in the repository."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = """<html><head>
<script src="https://code.jquery.com/jquery-3.3.1.min.js" integrity="sha256-FgpC" \
crossorigin="anonymous" onerror="js_load_failure()"></script>
<link rel="stylesheet" href="asv.css">
</head><body><a href="https://github.com/airspeed-velocity/asv/">asv</a></body></html>
"""


@pytest.fixture
def site(bench: Any) -> Any:
    return bench._site


@pytest.fixture
def pages() -> list[Path]:
    """Return the pages that asv makes sites of."""
    asv = pytest.importorskip("asv")
    return sorted((Path(asv.__file__).parent / "www").glob("*.html"))


def test_libraries_are_loaded_from_the_site_and_links_stay(site: Any) -> None:
    page = site.localized(PAGE)
    assert '<script src="vendor/jquery-3.3.1.min.js" onerror="js_load_failure()">' in page
    assert '<a href="https://github.com/airspeed-velocity/asv/">' in page
    assert 'href="asv.css"' in page


@pytest.mark.parametrize("address", ["https://new.example/x.js", "//new.example/x.js"])
def test_an_unknown_library_is_named(bench: Any, site: Any, address: str) -> None:
    with pytest.raises(bench.BenchError, match=r"new\.example/x\.js.*_site\.py"):
        site.localized(f'<script src="{address}"></script>')


def test_the_pages_of_the_installed_asv_load_nothing_from_the_network(
    site: Any, pages: list[Path]
) -> None:
    assert pages
    for page in pages:
        text = site.localized(page.read_text(encoding="utf-8"))
        for tag in re.findall(r"<(?:script|link|img)\b[^>]*>", text):
            assert "//" not in tag, tag


def test_files_equal_those_that_asv_names_by_hash(site: Any, pages: list[Path]) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    proofs = re.findall(r"""(?:src|href)="(https:[^"]+)" integrity="(sha\d+)-([^"]+)\"""", text)
    checked = 0
    for address, kind, expected in proofs:
        name = site.LIBRARIES[address]
        # npm has flot as its authors wrote it, not minified, and a later stupidtable.
        if not name.startswith(("flot-0", "stupidtable")):
            digest = hashlib.new(kind, (site.VENDOR / name).read_bytes()).digest()
            assert base64.b64encode(digest).decode() == expected, name
            checked += 1
    assert checked >= 5


def test_every_file_is_used_and_listed(site: Any) -> None:
    files = {path.name for path in site.VENDOR.iterdir() if path.suffix in (".js", ".css")}
    assert files == set(site.LIBRARIES.values())
    readme = (site.VENDOR / "README.md").read_text(encoding="utf-8")
    assert all(name in readme for name in files)


def test_publishing_makes_the_site_local(
    bench: Any, history: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = tmp_path / "html"

    def publish(*_: Any) -> int:
        html.mkdir()
        (html / "index.html").write_text(PAGE)
        return 0

    history.record(history.commit("fastmlp/a.py"))
    monkeypatch.setattr(bench._asv, "asv", publish)
    monkeypatch.setattr(bench._asv, "HTML", html)
    assert bench.main(["--publish"]) == 0
    assert "https://code.jquery.com" not in (html / "index.html").read_text()
    assert (html / "vendor" / "jquery-3.3.1.min.js").stat().st_size > 80_000
    assert (html / "vendor" / "LICENSES.txt").exists()
