"""Benchmarks of fastmlp for asv: a module per area. ``scripts/bench`` runs them.

They go through the package's public names wherever these suffice, so that the suite runs on old
commits and on those to come; what needs internals stands in ``_kernels`` alone.
"""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

ENVIRONMENTS = Path(__file__).parents[1] / "env"


def kernel_folder() -> Path:
    """Return where the kernels of the installed package are kept once compiled.

    asv installs one commit over the other, at the same place. With one folder for both, each would
    compile anew whenever its turn comes; a folder for each state of the kernels lets commits with
    equal kernels share them, down to the bytes of the machine code.
    """
    package = Path(next(iter(find_spec("fastmlp").submodule_search_locations)))
    kernels = package / "kernels"
    digest = hashlib.sha256(str(package).encode())
    for path in sorted((kernels if kernels.is_dir() else package).rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return ENVIRONMENTS / "kernels" / digest.hexdigest()[:16]


if find_spec("fastmlp"):
    os.environ["NUMBA_CACHE_DIR"] = str(kernel_folder())
