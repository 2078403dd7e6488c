"""The virtual environment behind the scripts: made, repaired and updated, only when needed.

Standard library only. With everything in place a script costs one more interpreter start, so
modules that are slow to import (subprocess, pathlib, typing) stay out of the top level.
"""

from __future__ import annotations

import hashlib
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

# Files in the environment's folder. The stamp holds a fingerprint for each extra installed; the
# mark stands there from the first step of making an environment to the end of its first install.
STAMP = "fastmlp-installed"
UNFINISHED = "fastmlp-unfinished"
LOCK = "fastmlp-lock"

GRACE_SECONDS = 5

TOO_OLD = 3
PROBE = f"import sys; sys.exit({TOO_OLD} if sys.version_info < (3, 11) else 0)"

NO_VENV_REMEDY = (
    "This Python cannot make virtual environments. On Debian and Ubuntu install the missing part "
    "with: sudo apt install python3-venv; elsewhere install Python from python.org. "
    "Then run the script again."
)

PIP_REMEDY = (
    "pip's messages are above. Check the network connection, the proxy and pip's settings, and "
    "that the packages it names exist for this version of Python. Then run the script again."
)


class SetupError(Exception):
    """A set-up that failed; the message names the remedy."""


def run(module: str, arguments: list[str], extra: str = "", folder: str = "") -> int:
    """Run ``python -m module arguments`` in the environment, set up first where that is needed.

    Parameters
    ----------
    module : str
    arguments : list of str
    extra : str
        The package's extra that the module needs.
    folder : str
        Where to run it; the current folder if empty.

    Returns
    -------
    int
        The exit code: the module's own, 1 if the set-up failed, 130 if it was interrupted. Where
        the operating system can replace this process by the module, the call does not return.
    """
    environment = Environment()
    try:
        if not environment.is_ready(extra):
            environment.set_up(extra)
    except KeyboardInterrupt:
        say("Set-up interrupted; the next call completes it.")
        return 130
    except (OSError, SetupError) as error:
        say(f"Set-up of {environment.folder} failed: {error}")
        return 1
    if folder:
        os.chdir(folder)
    command = [environment.python, "-m", module, *arguments]
    if sys.platform == "win32":
        return wait_for(command)
    os.execv(command[0], command)


def wait_for(command: list[str]) -> int:
    """Run a command and return its exit code. Ctrl-C, which it gets too, is its own to handle."""
    import subprocess

    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def quietly(command: list[str], folder: str) -> tuple[int, str]:
    """Run a command in a folder and return its exit code and all that it wrote.

    Ctrl-C reaches the command too, and it gets some seconds to clean up after itself: pip, killed
    at once, leaves its temporary folders behind.
    """
    import subprocess

    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        try:
            output, _ = child.communicate()
        except KeyboardInterrupt:
            try:
                child.communicate(timeout=GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
    return child.returncode, output


def say(line: str) -> None:
    """Print a line on stderr: stdout belongs to the program that is run."""
    print(line, file=sys.stderr, flush=True)


def interpreter(folder: str, windows: bool = os.name == "nt") -> str:
    """Return the path of the Python in a virtual environment."""
    if windows:
        return os.path.join(folder, "Scripts", "python.exe")
    return os.path.join(folder, "bin", "python")


class Environment:
    """A virtual environment with the clone in ``root`` installed in editable form.

    ``folder`` defaults to ``$FASTMLP_VENV``, or ``.venv`` in ``root`` where that is not set.
    """

    def __init__(self, root: str = ROOT, folder: str = ""):
        chosen = folder or os.environ.get("FASTMLP_VENV") or os.path.join(root, ".venv")
        self.root = root
        self.folder = os.path.abspath(chosen)
        self.python = interpreter(self.folder)

    def is_ready(self, extra: str) -> bool:
        """Return whether the package is installed with ``extra``, as pyproject.toml now asks."""
        return os.path.exists(self.python) and self._fingerprint(extra) in self._stamps()

    def set_up(self, extra: str) -> None:
        """Make or repair the environment and install the package, one process at a time."""
        self._refuse_foreign_folder()
        os.makedirs(self.folder, exist_ok=True)
        with Lock(self._file(LOCK)):
            if self.is_ready(extra):
                return
            if self._is_usable():
                say(f"Installing fastmlp in {self.folder} ...")
            else:
                say(f"Setting up {self.folder} (once, about a minute) ...")
                self._make()
            self._install(extra)

    def _file(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _remove(self, name: str) -> None:
        if os.path.exists(self._file(name)):
            os.unlink(self._file(name))

    def _fingerprint(self, extra: str) -> str:
        """Return a hash of all that an installation depends on.

        The interpreter counts with links resolved: a system's upgrade from one Python to the next
        leaves the environment's link in place and its packages behind.
        """
        with open(os.path.join(self.root, "pyproject.toml"), "rb") as file:
            project = file.read()
        facts = (project, self.root, os.path.realpath(self.python), extra)
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def _stamps(self) -> set[str]:
        try:
            with open(self._file(STAMP), encoding="ascii") as file:
                return set(file.read().split())
        except FileNotFoundError:
            return set()

    def _refuse_foreign_folder(self) -> None:
        """Keep a mistaken FASTMLP_VENV from making a folder of other things an environment."""
        if not os.path.exists(self.folder):
            return
        found = os.listdir(self.folder)
        if found and not {"pyvenv.cfg", LOCK}.intersection(found):
            raise SetupError(
                "the folder holds other things than a virtual environment. Set FASTMLP_VENV to a "
                "new or empty folder, or leave it unset."
            )

    def _is_usable(self) -> bool:
        """Return whether a complete environment is there whose Python runs."""
        if os.path.exists(self._file(UNFINISHED)):
            return False
        try:
            code, _ = quietly([self.python, "-c", PROBE], self.root)
        except OSError:
            return False
        if code == TOO_OLD:
            raise SetupError(
                "its Python is older than 3.11. Remove the folder, or set FASTMLP_VENV to another."
            )
        return code == 0

    def _make(self) -> None:
        """Make the environment anew, leaving nothing of a broken or half-made one."""
        with open(self._file(UNFINISHED), "wb"):
            pass
        self._clear()
        # The script may itself run in the environment that is being made anew.
        python = getattr(sys, "_base_executable", "") or sys.executable
        # pip comes later, in _install, as environments made by other tools may lack it too.
        self._call([python, "-m", "venv", "--without-pip", self.folder], NO_VENV_REMEDY)

    def _clear(self) -> None:
        import shutil

        for entry in os.scandir(self.folder):
            if entry.name in (LOCK, UNFINISHED):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)

    def _install(self, extra: str) -> None:
        """Install the package; the stamp is away meanwhile, so that an interruption shows."""
        base = self._fingerprint("")
        stamps = self._stamps()
        if base not in stamps:
            stamps = set()
        stamps |= {base, self._fingerprint(extra)}
        self._remove(STAMP)
        self._install_pip()
        target = f".[{extra}]" if extra else "."
        options = ["--quiet", "--no-input", "--disable-pip-version-check"]
        self._call(
            [self.python, "-m", "pip", "install", *options, "--editable", target], PIP_REMEDY
        )
        self._remove(UNFINISHED)
        self._write_stamps(stamps)

    def _install_pip(self) -> None:
        code, _ = quietly([self.python, "-m", "pip", "--version"], self.root)
        if code != 0:
            self._call([self.python, "-m", "ensurepip", "--default-pip"], NO_VENV_REMEDY)

    def _write_stamps(self, stamps: set[str]) -> None:
        complete = self._file(STAMP + ".new")
        with open(complete, "w", encoding="ascii") as file:
            file.write("\n".join(sorted(stamps)) + "\n")
        os.replace(complete, self._file(STAMP))

    def _call(self, command: list[str], remedy: str) -> None:
        """Run a step of the set-up without a word, unless it fails: then show all it said.

        It runs in the root, as Python would import modules of the same name from the current
        folder, whose contents are the user's.
        """
        code, output = quietly(command, self.root)
        if code != 0:
            say(output.rstrip())
            raise SetupError(remedy)


class Lock:
    """A file lock, held in a ``with`` block; the system frees it when its process ends."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self) -> None:
        import time

        self.file = open(self.path, "ab")
        if try_lock(self.file.fileno()):
            return
        say("Waiting for another process that is setting up the same environment ...")
        while not try_lock(self.file.fileno()):
            time.sleep(0.2)

    def __exit__(self, *exception: object) -> None:
        self.file.close()


def try_lock(descriptor: int) -> bool:
    """Lock an open file, unless another holds the lock, and return whether it is now ours."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
