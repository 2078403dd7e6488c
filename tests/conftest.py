"""What must hold before Numba is imported: where compiled kernels are kept, and how many threads.
And for Hypothesis: the same examples in every run, however slow the machine is.

The folder's name holds a hash of the kernel sources: sub-processes and later runs share the
compiled code, and a changed kernel gets a new folder, so that not even a kernel compiled by the
tests themselves can hold the old code of another.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import tempfile
from pathlib import Path

from hypothesis import settings

# Shells let background jobs ignore Ctrl-C, and what a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

KERNELS = Path(__file__).parents[1] / "fastmlp" / "kernels"


def sources_hash() -> str:
    """Return a hash of the kernel sources (without importing them, which would import Numba)."""
    digest = hashlib.sha256()
    for path in sorted(KERNELS.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    if os.environ.get("FASTMLP_DEBUG_MEMORY"):
        digest.update(b"checked")
    return digest.hexdigest()[:16]


assert "numba" not in sys.modules, "Numba must be imported after its settings are made"
# One to four threads are tested everywhere, however many CPUs there are.
os.environ["NUMBA_NUM_THREADS"] = "4"
if "NUMBA_CACHE_DIR" not in os.environ:
    user = os.getuid() if hasattr(os, "getuid") else "tests"
    folder = Path(tempfile.gettempdir()) / f"fastmlp-tests-{user}-{sources_hash()}"
    # The cache contains code: only its owner may write to it.
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user; set NUMBA_CACHE_DIR")
    os.environ["NUMBA_CACHE_DIR"] = str(folder)

settings.register_profile("fastmlp", deadline=None, derandomize=True, database=None)
# For looking longer, at other examples each time: pytest --hypothesis-profile=long
settings.register_profile("long", deadline=None, max_examples=2000, database=None)
settings.load_profile("fastmlp")
