"""The documentation's site: nothing is missing, no link is broken, no generated output is stale."""

from __future__ import annotations

import html
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

import fastmlp
from browser import BROWSER, THEMES, needs_browser
from fastmlp.__main__ import COMMANDS, command

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
PAGES_OF_ROOT = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")}
GALLERY = DOCS / "gallery"
TEXTS = [*DOCS.glob("*.md"), *GALLERY.glob("*.md"), *ROOT.glob("*.md")]
SITE_TOOLS = ("sphinx", "furo", "myst_nb", "numpydoc", "sphinx_argparse_cli")
needs_site_tools = pytest.mark.skipif(
    any(importlib.util.find_spec(tool) is None for tool in SITE_TOOLS),
    reason="the extra docs is not installed",
)


def toctree_entries(page: str) -> list[str]:
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_reference_has_every_public_name() -> None:
    listed = re.findall(r"^   (\w+)$", PAGES["api"], re.MULTILINE)
    assert sorted([*listed, "__version__"]) == sorted(fastmlp.__all__)
    assert "fastmlp.__version__" in PAGES["api"]


def test_every_command_has_its_options_from_its_parser() -> None:
    shown = re.findall(r":module: fastmlp\.(\w+)\n   :func: parser\n", PAGES["commands"])
    assert shown == list(COMMANDS)
    assert all(command(name).parser().prog == f"fastmlp {name}" for name in shown)


def test_every_page_is_in_the_menu() -> None:
    files = {*DOCS.glob("*.md"), *GALLERY.glob("*.md"), *GALLERY.glob("*.ipynb")}
    found = [files & {*DOCS.glob(f"{entry}.*")} for entry in toctree_entries("index")]
    assert all(found)
    assert set.union({DOCS / "index.md"}, *found) == files


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = without_code(path.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_first_screen_of_the_readme() -> None:
    """What it is, how to install it, one command, one figure, one picture."""
    first = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20])
    parts = ("# fastmlp", "Train multilayer perceptrons", "pip install", "fastmlp train", "98 %",
             "docs/peers-overview.png")  # fmt: skip
    found = [first.find(part) for part in parts]
    assert -1 not in found and found == sorted(found)


def test_figures_of_the_readme_are_measured() -> None:
    report = json.loads((DOCS / "peers.json").read_text(encoding="utf-8"))
    cases = {case["name"]: case for case in report["cases"]}
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())

    def ratio(case: str, peer: str) -> str:
        value = cases[case]["ratios"][peer]["best"]
        return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"

    seconds = min(
        result["median"] for result in cases["target98"]["results"]
        if result["contender"] == "fastmlp"
    )  # fmt: skip
    torch, sklearn, jax = (ratio("target98", name) for name in ("torch", "scikit-learn", "jax"))
    assert f"after {seconds:.1f} s of training with Adam on two cores" in text
    assert f"PyTorch takes {torch} times as long, scikit-learn {sklearn} and JAX {jax}." in text
    dense, sparse = (
        "{}, {} and {}".format(*(ratio(case, name) for name in ("jax", "torch", "scikit-learn")))
        for case in ("batch32-dense", "batch32")
    )
    assert f"take {dense} times as long as fastmlp, not {sparse}." in text
    relu, gelu = (
        " and ".join(ratio(case, name) for name in ("jax", "torch"))
        for case in ("table-relu", "table-gelu")
    )
    assert f"take {relu} times as long with ReLU, {gelu} times with GELU." in text
    fits = [ratio(case, "scikit-learn") for case in cases if case.startswith(("fit-", "regress-"))]
    least, most = min(fits, key=float), max(fits, key=float)
    assert f"scikit-learn takes {least} to {most} times as long for a fit of its own" in text


def test_badges_are_those_of_the_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from badges import FOLDER, badges

    drawn = badges()
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == drawn
    shown = re.findall(r'src="docs/badges/([^"]+)" alt="([^"]+)"', PAGES_OF_ROOT["README"])
    assert sorted(name for name, _ in shown) == sorted(drawn)
    pythons = re.findall(r">(3\.\d+) – (3\.\d+)<", drawn["python.svg"])[0]
    assert [alt for _, alt in shown] == [
        f"version {fastmlp.__version__}", f"Python {pythons[0]} to {pythons[1]}", "MIT licence"
    ]  # fmt: skip


def test_charts_are_those_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from peers.chart import fingerprint
    from peers.published import PATH, charts, read

    found = charts(read(PATH), PATH)
    assert [path.name for path in found] == ["peers.png", "peers-overview.png"]
    for path, part in found.items():
        with Image.open(path) as chart:
            assert chart.info["Source"] == fingerprint(part), path


def build(*options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "_docs.py"), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_folder_of_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("kept")
    done = build("--out", str(tmp_path), folder=tmp_path)
    assert done.returncode == 2 and "must be a new or empty folder" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning."""
    out = tmp_path_factory.mktemp("site") / "html"
    done = build("--out", str(out), folder=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    return out


@pytest.mark.soak
@needs_site_tools
def test_site_has_a_page_for_every_name_and_loads_nothing_from_the_network(site: Path) -> None:
    assert {path.stem for path in (site / "api").glob("*.html")} == {
        f"fastmlp.{name}" for name in fastmlp.__all__ if name != "__version__"
    }
    commands = (site / "commands.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        for action in command(name).parser()._actions:
            assert all(f'id="fastmlp-{name}-{o}"' in commands for o in action.option_strings)
    for page in site.rglob("*.html"):
        tags = re.findall(r"<(?:script|link|img)\b[^>]*>", page.read_text(encoding="utf-8"))
        assert not [tag for tag in tags if re.search(r"""(?:src|href)=["'](https?:)?//""", tag)]


@pytest.mark.soak
@needs_site_tools
def test_reference_has_every_public_method(site: Path) -> None:
    public = [getattr(fastmlp, name) for name in fastmlp.__all__ if name != "__version__"]
    # Subclasses refer to the page of their public base.
    bases = {fastmlp.Callback, *fastmlp.Callback.__subclasses__()} - {*public}
    for found in filter(inspect.isclass, public):
        page = (site / "api" / f"fastmlp.{found.__name__}.html").read_text(encoding="utf-8")
        for base in found.__mro__:
            own = base is found or base not in {*public, *bases}
            methods = vars(base) if own and base.__module__.startswith("fastmlp") else {}
            names = [name for name, value in methods.items() if inspect.isfunction(value)
                     and value.__module__.startswith("fastmlp")]  # fmt: skip
            for name in names:
                is_shown = f'id="fastmlp.{found.__name__}.{name}"' in page
                assert is_shown or name.startswith(("_", "onnx_")), name


@pytest.mark.soak
@needs_site_tools
def test_links_of_the_site_lead_somewhere(site: Path) -> None:
    """Links of raw HTML, too, which Sphinx does not check."""
    pages = {p: p.read_text(encoding="utf-8") for p in site.rglob("*.html")}
    pages = {page: text for page, text in pages.items() if "benchmarks" not in page.parts}
    ids = {page: {*re.findall(r'\bid="([^"]+)"', text)} for page, text in pages.items()}
    checked = 0
    for page, text in pages.items():
        for link in re.findall(r"""\b(?:href|src)="([^"]+)\"""", text):
            if re.match(r"[a-z]+:", link) or link == "#":
                continue
            name, _, anchor = unquote(html.unescape(link)).partition("#")
            target = (page.parent / name.partition("?")[0]).resolve() if name else page
            assert target.exists(), (page.name, link)
            assert not anchor or target not in ids or anchor in ids[target], (page.name, link)
            checked += 1
    assert checked > 1000


@pytest.mark.soak
@needs_site_tools
def test_site_has_the_recorded_benchmarks(site: Path) -> None:
    pytest.importorskip("asv")
    if not (ROOT / ".git").exists():
        pytest.skip("needs the repository")
    assert 'href="benchmarks/index.html"' in (site / "benchmarks.html").read_text("utf-8")
    index = json.loads((site / "benchmarks" / "index.json").read_text(encoding="utf-8"))
    assert index["project"] == "fastmlp" and len(index["benchmarks"]) > 10
    assert "cdnjs" not in (site / "benchmarks" / "index.html").read_text(encoding="utf-8")


# What is beyond the right edge and in nothing that scrolls, by page.
_TOO_WIDE = """
const found = {};
for (const frame of document.querySelectorAll('iframe')) {
  const page = frame.contentDocument, wide = [];
  for (const element of page.querySelectorAll('article :is(pre, table, img, p, dt, li, h1, h2)')) {
    let parent = element;
    while (parent && !['auto', 'scroll'].includes(page.defaultView.getComputedStyle(parent).overflowX))
      parent = parent.parentElement === page.body ? null : parent.parentElement;
    if (!parent && element.getBoundingClientRect().right > page.documentElement.clientWidth + 1)
      wide.push(element.textContent.slice(0, 60));
  }
  if (wide.length) found[frame.src] = wide;
}
const shown = document.createElement('pre');
shown.id = 'found'; shown.textContent = JSON.stringify(found); document.body.append(shown);
"""  # noqa: E501


@pytest.mark.soak
@needs_site_tools
@needs_browser
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(
    site: Path, tmp_path: Path, width: int, theme: str
) -> None:
    assert BROWSER is not None
    frames = "".join(
        f'<iframe src="{page.as_uri()}" style="width:{width}px;height:900px"></iframe>'
        for page in sorted([*site.glob("*.html"), *(site / "api").glob("*.html")])
    )
    outer = tmp_path / "outer.html"
    outer.write_text(
        f"<meta charset=utf-8><body>{frames}<script>"
        f"window.addEventListener('load', () => {{{_TOO_WIDE}}})</script>"
    )
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
            "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={THEMES[theme]}",
            f"--window-size={width + 100},1000", "--virtual-time-budget=5000", outer.as_uri(),
        ],
        capture_output=True, text=True, timeout=300, encoding="utf-8",
    )  # fmt: skip
    assert '<pre id="found">{}</pre>' in done.stdout, done.stdout[-3000:]
