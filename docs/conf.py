"""The settings of the documentation's site, which ``scripts/docs`` builds."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import fastmlp

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "asv_benchmarks" / "html"  # built by scripts/bench --publish

project = "fastmlp"
author = "the fastmlp developers"
copyright = author
version = release = fastmlp.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_argparse_cli",
]
exclude_patterns = ["_*", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
nitpicky = True
highlight_language = "none"  # of blocks that name none
smartquotes = False  # of options and texts in quotes

html_theme = "furo"
html_title = f"fastmlp {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_copy_source = False
# The benchmarks' own site, if it is built; pages link it by the tag.
if BENCHMARKS.is_dir():
    tags.add("benchmarks")  # noqa: F821 - Sphinx defines it

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "html_image"]
nb_execution_mode = "off"  # notebooks are shown with the outputs that they store
nb_merge_streams = True

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_member_order = "bysource"
maximum_signature_line_length = 80
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Pages that are files in the root, by the name of their page.
ROOT_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code_of_conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "SECURITY.md": "security.md",
}
_ROOT_LINK = re.compile(rf"\]\((?:\.\./)?({'|'.join(map(re.escape, ROOT_PAGES))})(?=[)#])")
_DOCS_LINK = re.compile(r"""(\]\(|src=")docs/""")
# Methods that scikit-learn adds for the routing of metadata: its documentation has them.
_ROUTING = re.compile(r"set_\w+_request")


def _link_pages(app: Any, *arguments: Any) -> None:
    """Let links to files in the root, and from them to docs/, lead to pages of the site."""
    text = arguments[-1]
    text[0] = _ROOT_LINK.sub(lambda found: f"]({ROOT_PAGES[found[1]]}", text[0])
    text[0] = _DOCS_LINK.sub(r"\1", text[0])


def _show_internal_name(app: Any, env: Any, node: Any, shown: Any) -> Any:
    """Let names of modules that are no public API be text; names that do not exist are errors."""
    module, _, name = node.get("reftarget", "").rpartition(".")
    if not module.startswith("fastmlp."):
        return None
    try:
        found = hasattr(importlib.import_module(module), name)
    except ImportError:
        return None
    return shown if found else None


def _is_skipped(app: Any, what: str, name: str, *_: Any) -> bool | None:
    return True if _ROUTING.fullmatch(name) else None


def setup(app: Any) -> None:
    """Connect what the site adds to Sphinx."""
    app.connect("source-read", _link_pages)
    app.connect("include-read", _link_pages)
    app.connect("missing-reference", _show_internal_name)
    app.connect("autodoc-skip-member", _is_skipped)
