#!/usr/bin/env python3
"""Execute notebooks of docs/gallery and store their outputs.

python scripts/run_gallery.py [NAME...] takes names without suffix; default: all notebooks. Needs
the extra gallery: pip install -e ".[gallery]".
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"


def execute(path: Path) -> Any:
    """Return a notebook with the outputs of a fresh kernel, which runs in an empty folder.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises an exception.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
        ).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = smaller(data["image/png"])
    del notebook.metadata["language_info"]  # the version of this Python
    return notebook


def smaller(png: str) -> str:
    """Return a picture, in base64, with 256 colours: plots take a third of the bytes."""
    stream = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    picture.convert("RGB").quantize(256).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def main(names: list[str]) -> None:
    """Execute the notebooks with these names, else all of them."""
    for path in [GALLERY / f"{name}.ipynb" for name in names] or sorted(GALLERY.glob("*.ipynb")):
        nbformat.write(execute(path), path)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
