"""The command line of ``scripts/build_wheel``.

The wheel of setuptools, which any platform can install, gets a file of compiled kernels for each
level of this machine, and the tags of the platform and the Python whose compiler made them.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import _environment

LEVEL = os.path.join(_environment.ROOT, "scripts", "_level.py")

NOTES = """\
Each level is compiled in a process of its own, which takes one to three minutes of one CPU. Kernels
for AVX-512 are compiled on any x86-64 CPU. The wheel holds them in fastmlp/kernels/shipped.
"""


class BuildError(Exception):
    """A wheel that cannot be built; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/build_wheel",
        description="Build a wheel with compiled kernels, for this platform and this Python.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, default=Path(_environment.ROOT, "dist"), metavar="FOLDER",
        help="where the wheel is written; default: dist in the clone",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        print(build(options.out.absolute()))
    except BuildError as error:
        print(f"scripts/build_wheel: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def build(out: Path) -> Path:
    """Return the path of the wheel, written to a folder."""
    from fastmlp.kernels.machine.levels import levels_of

    levels = levels_of(platform.machine())
    if not levels:
        raise BuildError(
            f"no kernels are shipped for {platform.machine()}; build a wheel without them by "
            "python -m build --wheel"
        )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _run(sys.executable, "-m", "build", "--wheel", "--outdir", str(work), _environment.ROOT)
        (pure,) = work.glob("*.whl")
        _run(sys.executable, "-m", "wheel", "unpack", "--dest", str(work), str(pure))
        pure.unlink()
        (content,) = (path for path in work.iterdir() if path.is_dir())
        shipped = content / "fastmlp" / "kernels" / "shipped"
        shipped.mkdir()
        for level in levels:
            compile_level(level.name, level.variables(), shipped / f"{level.name}.kernels")
        _set_tags(content)
        _run(sys.executable, "-m", "wheel", "pack", "--dest-dir", str(work), str(content))
        (wheel,) = work.glob("*.whl")
        target = out / wheel.name
        # Not a rename: the folders may be on different file systems.
        target.write_bytes(wheel.read_bytes())
    return target


def compile_level(level: str, variables: dict[str, str], path: Path) -> None:
    """Write all kernels of a level to a file, compiled from an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            **variables,
            "NUMBA_CACHE_DIR": folder,
            "NUMBA_NUM_THREADS": "2",
            "PYTHONPATH": _environment.ROOT,
        }
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NUMBA_", "FASTMLP_"))
        }
        _run(sys.executable, LEVEL, level, str(path), env={**kept, **settings})


def tags() -> list[str]:
    """Return the tags of the compiler's own wheel: where it runs, its code runs."""
    text = distribution("llvmlite").read_text("WHEEL") or ""
    found = [line.partition(":")[2].strip() for line in text.splitlines() if line[:4] == "Tag:"]
    if not found:
        raise BuildError("llvmlite is not installed from a wheel, whose tags are needed; do so")
    return found


def _set_tags(content: Path) -> None:
    (path,) = content.glob("*.dist-info/WHEEL")
    kept = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))
    ]
    lines = [*kept, "Root-Is-Purelib: false", *(f"Tag: {tag}" for tag in tags()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a step of the build; what it prints goes to stderr."""
    done = subprocess.run(command, env=env, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command[:4])} failed, see above")


if __name__ == "__main__":
    sys.exit(main())
