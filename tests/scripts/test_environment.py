"""The scripts' set-up, without installing anything: pip and venv are recorded or stubbed."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import runpy
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
ENTRY_POINTS = ["bench", "build_wheel", "docs", "train", "test"]

posix_only = pytest.mark.skipif(os.name == "nt", reason="there the module is a child process")


@pytest.fixture(scope="module")
def scripts() -> ModuleType:
    """Return scripts/_environment.py as a module."""
    spec = importlib.util.spec_from_file_location("_environment", SCRIPTS / "_environment.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a clone in a folder with a space, whose modules only say how they were called."""
    monkeypatch.delenv("FASTMLP_VENV", raising=False)
    root = tmp_path.resolve() / "my clone"
    shutil.copytree(SCRIPTS, root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "fastmlp").mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'fastmlp'\n")
    report = "import os, sys\nprint([__name__, *sys.argv[1:]], os.getcwd(), sep='|')\nsys.exit(7)\n"
    (root / "fastmlp" / "train.py").write_text(report)
    (root / "pytest.py").write_text(report)
    for name in ("_bench.py", "_docs.py", "_wheel.py"):
        (root / "scripts" / name).write_text(report)
    return root


@pytest.fixture
def environment(scripts: ModuleType, clone: Path) -> Any:
    """Return the clone's environment, not made yet."""
    return scripts.Environment(str(clone))


class Recorder:
    """Stands in for quietly(): keeps the commands, and plays a working venv and pip."""

    def __init__(self, scripts: ModuleType):
        self.interpreter: Callable[[str], str] = scripts.interpreter
        self.probe = scripts.PROBE
        self.commands: list[list[str]] = []
        self.failing = ""
        self.interrupted = ""

    def __call__(self, command: list[str], folder: str) -> tuple[int, str]:
        if self.probe in command:
            return int(not Path(command[0]).exists()), ""
        self.commands.append(command)
        if self.interrupted and self.interrupted in command:
            raise KeyboardInterrupt
        if self.failing and self.failing in command:
            return 1, "what the step said\n"
        if "venv" in command:
            touch(self.interpreter(command[-1]))
        return 0, ""

    def modules(self) -> list[str]:
        """Return the modules started since the last call, pip with what it was to install."""
        names = [" ".join([c[2], *c[-1:]]) if "install" in c else c[2] for c in self.commands]
        self.commands = []
        return [name for name in names if name != "pip"]


def touch(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch()


@pytest.fixture
def recorder(scripts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(scripts)
    monkeypatch.setattr(scripts, "quietly", recorder)
    return recorder


@pytest.fixture
def prepared(environment: Any) -> Any:
    """Return an environment with a Python that runs and stamps for every extra."""
    venv.create(environment.folder, symlinks=os.name != "nt")
    environment._write_stamps({environment._fingerprint(extra) for extra in ("", "dev", "docs")})
    return environment


# --- the entry points ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_old_pythons_can_read_the_entry_points(name: str) -> None:
    source = (SCRIPTS / name).read_bytes()
    assert source.isascii()
    tree = ast.parse(source, feature_version=(3, 4))
    too_new = (ast.JoinedStr, ast.AnnAssign, ast.Starred, ast.NamedExpr, ast.FunctionDef)
    assert not any(isinstance(node, too_new) for node in ast.walk(tree))


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_old_pythons_get_one_clear_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13, "final", 0))
    monkeypatch.setattr(sys, "version", "3.10.13 (main)")
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
    message = str(stop.value)
    assert "\n" not in message
    assert "3.11 or newer" in message and "3.10.13" in message and f"scripts/{name}" in message


@pytest.mark.skipif(os.name == "nt", reason="permissions are a POSIX matter")
@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_entry_points_are_executable(name: str) -> None:
    assert os.access(SCRIPTS / name, os.X_OK)


@pytest.mark.parametrize(
    "name, place", [("train", None), ("test", "."), ("bench", "scripts"), ("docs", "scripts")]
)
def test_entry_points_run_their_module(
    prepared: Any, clone: Path, tmp_path: Path, name: str, place: str | None
) -> None:
    """Arguments, the current folder or the module's own, and the exit code pass through."""
    folder = tmp_path / "some where"
    folder.mkdir()
    search = {**os.environ, "PYTHONPATH": str(clone)}
    command = [sys.executable, str(clone / "scripts" / name), "--out", "a b", "*"]
    done = subprocess.run(command, cwd=folder, env=search, capture_output=True, text=True)
    expected = clone / place if place else folder.resolve()
    assert done.stdout.strip() == f"['__main__', '--out', 'a b', '*']|{expected}"
    assert (done.returncode, done.stderr) == (7, "")


@posix_only
def test_interrupt_is_the_modules_own_matter(prepared: Any, clone: Path) -> None:
    (clone / "fastmlp" / "train.py").write_text(
        "import sys\ntry:\n    print('ready', flush=True)\n    sys.stdin.read()\n"
        "except KeyboardInterrupt:\n    sys.exit(130)\n"
    )
    command = [sys.executable, str(clone / "scripts" / "train")]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=clone, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate()
    assert (child.returncode, errors) == (130, "")


def test_waiting_for_a_child_outlasts_interrupts(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupts = [KeyboardInterrupt(), KeyboardInterrupt()]

    class Child:
        def __init__(self, command: list[str]):
            assert command == ["python", "-m", "module"]

        def wait(self) -> int:
            if interrupts:
                raise interrupts.pop()
            return 130

    monkeypatch.setattr(subprocess, "Popen", Child)
    assert scripts.wait_for(["python", "-m", "module"]) == 130


# --- where things are ----------------------------------------------------------------------------


def test_interpreter_path_follows_the_system(scripts: ModuleType) -> None:
    folder = os.path.join("a b", ".venv")
    assert scripts.interpreter(folder, False) == os.path.join(folder, "bin", "python")
    assert scripts.interpreter(folder, True) == os.path.join(folder, "Scripts", "python.exe")


def test_environment_is_in_root_by_default(
    scripts: ModuleType, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SCRIPTS.parent.samefile(scripts.ROOT)
    assert scripts.Environment(str(clone)).folder == str(clone / ".venv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FASTMLP_VENV", "else where")
    assert scripts.Environment(str(clone)).folder == str(Path.cwd() / "else where")
    monkeypatch.setenv("FASTMLP_VENV", "")
    assert scripts.Environment(str(clone)).folder == str(clone / ".venv")


# --- when something is installed -----------------------------------------------------------------


def test_first_call_makes_the_environment_and_installs(
    environment: Any, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not environment.is_ready("")
    environment.set_up("")
    assert recorder.modules() == ["venv", "pip ."]
    assert environment.is_ready("") and not environment.is_ready("dev")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"Setting up {environment.folder} (once, about a minute) ...\n"


def test_nothing_is_installed_twice(environment: Any, recorder: Recorder) -> None:
    environment.set_up("dev")
    assert recorder.modules() == ["venv", "pip .[dev]"]
    assert environment.is_ready("dev")
    assert environment.is_ready("")  # an extra includes the package itself
    environment.set_up("dev")  # as a process does that waited while another set it up
    assert recorder.modules() == []


def test_extras_add_up(environment: Any, recorder: Recorder) -> None:
    environment.set_up("")
    environment.set_up("dev")
    assert recorder.modules() == ["venv", "pip .", "pip .[dev]"]
    environment.set_up("other")
    assert all(environment.is_ready(extra) for extra in ("", "dev", "other"))


def test_changed_project_file_is_installed_again(
    environment: Any, recorder: Recorder, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.set_up("dev")
    recorder.modules()
    (clone / "pyproject.toml").write_text("[project]\nname = 'fastmlp' # changed\n")
    assert not environment.is_ready("") and not environment.is_ready("dev")
    environment.set_up("")
    assert recorder.modules() == ["pip ."]
    assert environment.is_ready("") and not environment.is_ready("dev")
    assert "Installing fastmlp in" in capsys.readouterr().err


def test_moved_clone_is_installed_again(
    scripts: ModuleType, environment: Any, recorder: Recorder, clone: Path
) -> None:
    environment.set_up("")
    moved = scripts.Environment(str(clone.rename(clone.with_name("moved"))))
    assert not moved.is_ready("")


@posix_only
def test_another_interpreter_is_installed_for(environment: Any, tmp_path: Path) -> None:
    """A system's upgrade moves the link's target, from python3.11 to python3.12 say."""
    link, target = Path(environment.python), tmp_path / "python3"
    for version in ("python3.11", "python3.12"):
        (tmp_path / version).touch()
    target.symlink_to("python3.11")
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    environment._write_stamps({environment._fingerprint("")})
    assert environment.is_ready("")
    target.unlink()
    target.symlink_to("python3.12")
    assert not environment.is_ready("")


# --- repairs -------------------------------------------------------------------------------------


def test_missing_interpreter_is_never_ready(environment: Any, recorder: Recorder) -> None:
    environment.set_up("")
    os.unlink(environment.python)
    assert not environment.is_ready("")


@pytest.mark.parametrize("step", ["venv", "install"])
def test_interrupted_making_starts_anew(
    environment: Any, recorder: Recorder, clone: Path, step: str
) -> None:
    recorder.interrupted = step
    with pytest.raises(KeyboardInterrupt):
        environment.set_up("")
    assert not environment.is_ready("")
    remains = Path(environment.folder) / "lib" / "half-installed.py"
    touch(str(remains))
    recorder.modules()
    recorder.interrupted = ""
    environment.set_up("")
    assert recorder.modules() == ["venv", "pip ."]
    assert environment.is_ready("") and not remains.exists()


def test_interrupted_update_is_completed(environment: Any, recorder: Recorder, clone: Path) -> None:
    environment.set_up("dev")
    original = (clone / "pyproject.toml").read_text()
    (clone / "pyproject.toml").write_text("[project] # changed")
    recorder.interrupted = "install"
    with pytest.raises(KeyboardInterrupt):
        environment.set_up("dev")
    (clone / "pyproject.toml").write_text(original)
    assert not environment.is_ready("dev")  # the installed packages are unknown now
    recorder.modules()
    recorder.interrupted = ""
    environment.set_up("dev")
    assert recorder.modules() == ["pip .[dev]"]


def test_broken_environment_is_made_anew(environment: Any, recorder: Recorder) -> None:
    remains = Path(environment.folder) / "lib" / "old.py"
    touch(str(remains))
    touch(str(Path(environment.folder) / "pyvenv.cfg"))
    environment.set_up("")
    assert recorder.modules() == ["venv", "pip ."]
    assert not remains.exists()


def test_working_environment_is_kept(environment: Any, recorder: Recorder) -> None:
    """One made by hand or by another tool is installed into, not replaced."""
    touch(environment.python)
    touch(str(Path(environment.folder) / "pyvenv.cfg"))
    environment.set_up("")
    assert recorder.modules() == ["pip ."]


def test_missing_pip_is_added(environment: Any, recorder: Recorder) -> None:
    recorder.failing = "--version"
    environment.set_up("")
    assert recorder.modules() == ["venv", "ensurepip", "pip ."]


def test_folder_with_other_files_is_not_changed(environment: Any, recorder: Recorder) -> None:
    thesis = Path(environment.folder) / "thesis.tex"
    touch(str(thesis))
    with pytest.raises(Exception, match="FASTMLP_VENV"):
        environment.set_up("")
    assert thesis.exists() and recorder.modules() == []


def test_environment_of_old_python_is_not_changed(
    scripts: ModuleType, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(environment.python)
    touch(str(Path(environment.folder) / "pyvenv.cfg"))
    monkeypatch.setattr(scripts, "quietly", lambda command, folder: (scripts.TOO_OLD, ""))
    with pytest.raises(scripts.SetupError, match=r"older than 3\.11"):
        environment.set_up("")
    assert os.path.exists(environment.python)


def test_made_interpreter_runs(environment: Any) -> None:
    """The real thing, short of pip: a path with a space, and remains of an earlier attempt."""
    touch(str(Path(environment.folder) / "remains"))
    environment._make()
    assert not (Path(environment.folder) / "remains").exists()
    code = "import sys; print(sys.prefix)"
    done = subprocess.run([environment.python, "-c", code], capture_output=True, text=True)
    assert Path(done.stdout.strip()).samefile(environment.folder)
    assert not environment._is_usable()  # not before the package is installed
    environment._remove("fastmlp-unfinished")
    assert environment._is_usable()


# --- failures ------------------------------------------------------------------------------------


@pytest.fixture
def run(scripts: ModuleType, environment: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return scripts.run for the clone's environment; nothing may replace this process."""
    monkeypatch.setattr(scripts, "Environment", lambda: environment)
    monkeypatch.setattr(os, "execv", lambda *command: pytest.fail("the module was started"))
    return scripts.run


@pytest.mark.parametrize(
    "step, remedy", [("venv", "python3-venv"), ("install", "network connection")]
)
def test_failed_step_shows_its_output_and_a_remedy(
    run: Any, recorder: Recorder, capsys: pytest.CaptureFixture[str], step: str, remedy: str
) -> None:
    recorder.failing = step
    assert run("fastmlp.train", []) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "what the step said" in captured.err
    assert remedy in captured.err.splitlines()[-1]


def test_missing_ensurepip_has_a_remedy(
    scripts: ModuleType,
    run: Any,
    recorder: Recorder,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_pip(command: list[str], folder: str) -> tuple[int, str]:
        missing = {"pip", "ensurepip"}.intersection(command)
        return (1, f"No module named {missing.pop()}") if missing else recorder(command, folder)

    monkeypatch.setattr(scripts, "quietly", without_pip)
    assert run("fastmlp.train", []) == 1
    errors = capsys.readouterr().err
    assert "No module named ensurepip" in errors and "apt install python3-venv" in errors


@pytest.mark.parametrize("stubborn", [False, True])
def test_interrupted_step_may_clean_up(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch, stubborn: bool
) -> None:
    events: list[Any] = []

    class Child(contextlib.nullcontext[None]):
        def __init__(self, command: list[str], **options: Any):
            super().__init__()

        def __enter__(self) -> Any:
            return self

        def communicate(self, timeout: float | None = None) -> tuple[str, None]:
            events.append(timeout)
            if timeout is None:
                raise KeyboardInterrupt
            if stubborn:
                raise subprocess.TimeoutExpired("step", timeout)
            return "", None

        def kill(self) -> None:
            events.append("killed")

    monkeypatch.setattr(subprocess, "Popen", Child)
    with pytest.raises(KeyboardInterrupt):
        scripts.quietly(["step"], "folder")
    assert events == [None, scripts.GRACE_SECONDS, *(["killed"] if stubborn else [])]


def test_quiet_steps_are_heard_in_full(scripts: ModuleType, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), flush=True); sys.exit('error')"
    outcome = scripts.quietly([sys.executable, "-c", code], str(tmp_path))
    assert outcome == (1, f"{tmp_path.resolve()}\nerror\n")


def test_interrupted_setup_is_reported(
    run: Any, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.interrupted = "install"
    assert run("fastmlp.train", []) == 130
    assert capsys.readouterr().err.splitlines()[-1].startswith("Set-up interrupted")


def test_system_errors_become_one_line(
    run: Any, environment: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(environment.folder).touch()  # a file where the folder should be
    assert run("fastmlp.train", []) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert environment.folder in line


# --- the lock ------------------------------------------------------------------------------------


def test_lock_lets_one_in(
    scripts: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(tmp_path / "lock")
    first, second = scripts.Lock(path), scripts.Lock(path)
    first.__enter__()
    assert capsys.readouterr().err == ""
    # The first leaves while the second waits.
    monkeypatch.setattr("time.sleep", lambda seconds: first.__exit__())
    with second:
        assert "Waiting for another process" in capsys.readouterr().err
        with open(path, "ab") as third:
            assert not scripts.try_lock(third.fileno())
    with open(path, "ab") as third:
        assert scripts.try_lock(third.fileno())
