"""A headless browser, which opens pages and runs scripts in them."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
THEMES = {"light": "1", "dark": "0"}  # Blink's numbers


def found_in(page: str, script: str, folder: Path, theme: str = "light", width: int = 800) -> Any:
    """Open a page, run a script in it, and return what it leaves in ``found``.

    Parameters
    ----------
    page : str
        HTML.
    script : str
        JavaScript that adds to the object ``found``; it may await.
    folder : Path
        For the page, and the browser's profile.
    theme : {"light", "dark"}
    width : int
        Of the page in pixels; a window may be wider, so the page is in a frame.
    """
    assert BROWSER is not None
    script = (
        "window.addEventListener('error', (event) => { parent.document.title = event.message; });\n"
        f"window.addEventListener('load', async () => {{ const found = {{}};\n{script}\n"
        "const shown = parent.document.createElement('pre'); shown.id = 'found';\n"
        "shown.textContent = JSON.stringify(found); parent.document.body.append(shown); });"
    )
    page = page.replace("</head>", f"<script>{script}</script></head>", 1)
    outer = folder / "outer.html"
    frame = f'<iframe srcdoc="{html.escape(page)}" style="width:{width}px;height:900px"></iframe>'
    outer.write_text(f'<meta charset="utf-8"><body>{frame}</body>', encoding="utf-8")
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        f"--user-data-dir={folder / 'profile'}", f"--window-size={width + 100},1000",
        f"--blink-settings=preferredColorScheme={THEMES[theme]}", "--virtual-time-budget=3000",
        "--dump-dom", outer.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, encoding="utf-8")
    match = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert match, re.findall("<title>(.*?)</title>", done.stdout) or done.stderr[-2000:]
    return json.loads(html.unescape(match[1]))
