"""The settings of the documentation's site, which ``scripts/docs`` builds."""

from __future__ import annotations

import importlib
import re
from typing import Any

from docutils import nodes

import fastmlp

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
# In the repository links are named by their files, on the site by their pages.
_FILE_NAME = re.compile(r"\[(?:docs/)?(gallery|[\w-]+(?=\.md))(?:\.md)?\](?=\()")
_DOCS_LINK = re.compile(r"""(\]\(|src=")docs/""")
# Methods that scikit-learn adds for the routing of metadata, and those that skl2onnx calls.
_FOR_LIBRARIES = re.compile(r"set_\w+_request|onnx_\w+")


def _link_pages(app: Any, *arguments: Any) -> None:
    """Let links to files in the root, and from them to docs/, lead to pages of the site."""
    text = arguments[-1]
    text[0] = _FILE_NAME.sub(lambda found: f"[{_page_name(found[1])}]", text[0])
    text[0] = _ROOT_LINK.sub(lambda found: f"]({ROOT_PAGES[found[1]]}", text[0])
    text[0] = _DOCS_LINK.sub(r"\1", text[0])


def _page_name(stem: str) -> str:
    return re.sub("[-_]", " ", stem).capitalize()


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


def _is_skipped(app: Any, what: str, name: str, found: Any, *_: Any) -> bool | None:
    """Leave out what estimators inherit from scikit-learn: its documentation has it."""
    module = getattr(found, "__module__", None) or "fastmlp"
    is_ours = module.split(".")[0] == "fastmlp"
    return None if is_ours and not _FOR_LIBRARIES.fullmatch(name) else True


def _flow_descriptions(app: Any, doctree: Any) -> None:
    """Let descriptions of commands be paragraphs; their lines are those of a terminal."""
    if app.env.docname != "commands":
        return
    for block in list(doctree.findall(nodes.literal_block)):
        text = block.astext()
        if "\n" in text and not re.search(r"^ ", text, re.MULTILINE):
            parts = [nodes.paragraph("", " ".join(part.split())) for part in text.split("\n\n")]
            block.replace_self(parts)


def setup(app: Any) -> None:
    """Connect what the site adds to Sphinx."""
    app.connect("doctree-read", _flow_descriptions)
    app.connect("source-read", _link_pages)
    app.connect("include-read", _link_pages)
    app.connect("missing-reference", _show_internal_name)
    app.connect("autodoc-skip-member", _is_skipped)
