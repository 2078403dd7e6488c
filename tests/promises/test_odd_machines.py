"""Machines that lack something: the command line works, and says what it does instead."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Little to compile: evaluation alone, of one activation and softmax.
PREDICT = """
import numpy as np
from fastmlp.commands.introduction import compiling_text
from fastmlp.training.kernel_folder import temporary_note
from fastmlp import Predictor
predictor = Predictor.load({model!r})
print(predictor.outputs(np.ones((3, 4)), threads=1).tobytes().hex())
print(compiling_text())
print(temporary_note())
"""
TRAIN = ["-m", "fastmlp.train", "--data", "digits", "--hidden", "16", "--epochs", "1", "--no-out"]
# In a mount namespace of its own: "ro FOLDER..." makes folders read-only, "fill FILE TEXT" has the
# file's folder hold it alone.
MOUNTS = """
while [ "$1" != -- ]; do
    case $1 in
    ro) mount --bind "$2" "$2" && mount -o remount,bind,ro "$2" || exit 99; shift 2 ;;
    disk) mount -t tmpfs -o size=16k tmpfs "$2" || exit 99; shift 2 ;;
    fill) mount -t tmpfs tmpfs "$(dirname "$2")" && echo "$3" > "$2" || exit 99; shift 3 ;;
    esac
done
shift
exec "$@"
"""


def can_mount() -> bool:
    command = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(not can_mount(), reason="needs the right to mount")


def run(
    arguments: Sequence[str],
    mounts: Sequence[str] = (),
    shell: str = "",
    code: int = 0,
    root: Path = ROOT,
    **variables: str | None,
) -> subprocess.CompletedProcess[str]:
    """Run Python, which imports the package from ``root``, and expect an exit code."""
    command = [sys.executable, *arguments]
    if mounts:
        command = ["unshare", "--mount", "sh", "-c", MOUNTS, "sh", *mounts, "--", *command]
    if shell:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    environment = {**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1", **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8",
        timeout=600,
    )  # fmt: skip
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def predict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A script that compiles little."""
    from toys import model

    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model().save(path)
    return PREDICT.format(model=str(path))


@pytest.fixture(scope="module")
def outputs(predict: str) -> str:
    """What the script prints first, anywhere."""
    return run(["-c", predict]).stdout.splitlines()[0]


@needs_mounts
def test_a_read_only_install_and_a_read_only_home(
    predict: str, outputs: str, tmp_path: Path
) -> None:
    site, home, temporary = (tmp_path / name for name in ("site", "home", "temporary"))
    home.mkdir()
    temporary.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "fastmlp", site / "fastmlp", ignore=ignored)
    done = run(
        ["-c", predict], ["ro", str(site), "ro", str(home)], root=site,
        HOME=str(home), XDG_CACHE_HOME=None, NUMBA_CACHE_DIR=None, TMPDIR=str(temporary),
    )  # fmt: skip
    first, *rest = done.stdout.splitlines()
    assert first == outputs
    assert rest[0] == "compiling kernels: once, then they are kept on disk ..."
    assert f"kept in {temporary}" in rest[1] and "set NUMBA_CACHE_DIR to a folder" in rest[1]
    assert list(home.iterdir()) == []


# Without an entry for its id and without HOME a user has no home folder: as in many containers.
HOMELESS: dict[str, str | None] = {
    "HOME": None, "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": None, "FASTMLP_DATA": None,
    "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip
NO_ENTRY = """
import os, pwd, sys, runpy
def unknown(user):
    raise KeyError(f"getpwuid(): uid not found: {user}")
pwd.getpwuid = unknown
"""


@pytest.fixture
def homeless(tmp_path: Path) -> Iterator[dict[str, str | None]]:
    """Variables of a process whose user has no home folder, and the sources of none of its own."""
    (tmp_path / "sitecustomize.py").write_text(NO_ENTRY, encoding="utf-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    yield {**HOMELESS, "TMPDIR": str(temporary), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


@pytest.mark.parametrize("command", ["train", "sweep", "predict"])
def test_a_user_without_a_home_folder(
    command: str, homeless: dict[str, str | None], tmp_path: Path
) -> None:
    from toys import model

    model().save(tmp_path / "model.safetensors")
    (tmp_path / "rows.csv").write_text("a,b,c,d\n1,2,3,4\n", encoding="utf-8")
    arguments = {
        "train": ["--data", "auto", "--explain"],
        "sweep": ["--data", "auto", "--list"],
        "predict": [str(tmp_path / "model.safetensors"), str(tmp_path / "rows.csv")],
    }[command]
    done = run(["-m", f"fastmlp.{command}", *arguments], **homeless)
    if command != "predict":
        assert f"{tmp_path}/temporary/fastmlp-{os.geteuid()}/fastmlp/mnist" in done.stderr
    assert not (ROOT / "~").exists()


def test_temporary_folder_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fastmlp import _folders
    from fastmlp.commands.machine import print_temporary_note
    from fastmlp.kernels.machine.lookup import KernelCode
    from fastmlp.training import kernel_folder

    _folders.temporary_folder.cache_clear()
    print_temporary_note()
    folder = _folders.temporary_folder() / "numba"
    monkeypatch.setattr(kernel_folder, "kept_in", lambda: str(folder))
    print_temporary_note()
    note = capsys.readouterr().err
    assert note.count("are kept in") == 1 and "set NUMBA_CACHE_DIR to a folder that lasts" in note
    monkeypatch.setattr(KernelCode, "is_shipped", True)
    print_temporary_note()
    assert capsys.readouterr().err == ""
    _folders.temporary_folder.cache_clear()


def test_a_compiler_that_is_turned_off_is_named_on_import() -> None:
    script = "import fastmlp; fastmlp.MLPClassifier().fit([[0.0], [1.0]], [0, 1])"
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=variables, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 1
    assert "ImportError: kernels need Numba's compiler" in done.stderr.splitlines()[-1]


def test_a_name_with_a_tilde_needs_a_home_folder(homeless: dict[str, str | None]) -> None:
    done = run([*TRAIN[:-1], "--out", "~/run"], code=2, **homeless)
    assert "--out" in done.stderr and "give the whole path" in done.stderr


def test_temporary_folders_belong_to_one_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from fastmlp import _folders

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    usual = tmp_path / f"fastmlp-{os.geteuid()}"
    fresh = _folders.temporary_folder.__wrapped__
    assert fresh() == usual and usual.stat().st_mode & 0o777 == 0o700
    assert fresh() == usual
    usual.chmod(0o777)  # another user may have put code there
    other = fresh()
    assert other != usual and other.stat().st_mode & 0o777 == 0o700
    usual.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    usual.symlink_to(tmp_path / "elsewhere")
    assert fresh() not in (usual, other)


@pytest.mark.parametrize("given", ["", "relative", "a file", "within a file"])
def test_an_odd_cache_gives_way_to_a_temporary_folder(
    given: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from fastmlp import _folders
    from fastmlp.kernels.machine.disk import KernelCache

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(
        "fastmlp.kernels.machine.disk.InTreeCacheLocator.ensure_cache_path", _refuse
    )
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    (tmp_path / "file").touch()
    variable = {
        "a file": str(tmp_path / "file"),
        "within a file": str(tmp_path / "file" / "x"),
    }.get(given, given)
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    _folders.temporary_folder.cache_clear()
    try:
        cache = KernelCache(_refuse)
        assert cache.cache_path.startswith(f"{tmp_path}/fastmlp-{os.geteuid()}/numba/")
        if given != "relative":
            assert _folders.cache_folder("x") == tmp_path / f"fastmlp-{os.geteuid()}" / "x"
    finally:
        _folders.temporary_folder.cache_clear()


def _refuse(self: object) -> None:
    raise OSError("no rights")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinities")
def test_one_cpu() -> None:
    pinned = "import os, runpy, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    pinned += "sys.argv = sys.argv[1:]; runpy.run_module('fastmlp.train', run_name='__main__')"
    done = run(["-c", pinned, *TRAIN[1:], "--explain"], NUMBA_NUM_THREADS=None)
    assert "threads: 1" in done.stdout


@needs_mounts
@pytest.mark.skipif(not Path("/sys/fs/cgroup").is_dir(), reason="needs a place for a quota")
def test_a_container_with_half_a_cpu() -> None:
    quota = ["fill", "/sys/fs/cgroup/cpu.max", "50000 100000"]
    done = run([*TRAIN, "--explain"], quota, NUMBA_NUM_THREADS=None)
    assert "threads: 1" in done.stdout
    cpus = len(os.sched_getaffinity(0))
    assert (
        f"the container may use 0.5 of {cpus} CPUs: the number of threads is this quota"
        in done.stdout
    )


@pytest.fixture
def without_openmp(tmp_path: Path) -> Iterator[str]:
    """A search path on which neither OpenMP's nor TBB's threads can be imported."""
    hidden = "".join(
        f"import sys; sys.modules['numba.np.ufunc.{name}'] = None\n"
        for name in ("omppool", "tbbpool")
    )
    (tmp_path / "sitecustomize.py").write_text(hidden)
    yield f"{tmp_path}{os.pathsep}{ROOT}"


def test_without_openmp_numbas_own_threads_do(without_openmp: str) -> None:
    wide = [*TRAIN, "--hidden", "700", "--threads", "2", "--json"]
    done = run(wide, PYTHONPATH=without_openmp, NUMBA_THREADING_LAYER=None)
    assert "OpenMP cannot be loaded: Numba's own threads are used" in done.stderr
    with_it = run(wide).stdout
    for name in ("validation_loss", "train_loss"):
        found = [
            text.partition(f'"{name}":')[2].partition(",")[0] for text in (done.stdout, with_it)
        ]
        assert found[0] == found[1] != ""


def test_openmp_that_was_asked_for_and_is_missing_is_named(without_openmp: str) -> None:
    wide = [*TRAIN, "--hidden", "700", "--threads", "2"]
    done = run(wide, code=2, PYTHONPATH=without_openmp, NUMBA_THREADING_LAYER="omp")
    assert "Unset NUMBA_THREADING_LAYER, or use one thread" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_streams_that_are_closed() -> None:
    run([*TRAIN, "--quiet"], shell="<&- >&- 2>&-")


def test_a_locale_without_utf_8(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{i % 5},{'äßç'[i % 3]}\n" for i in range(40))
    (tmp_path / "table.csv").write_text(f"a,b,ü\n{rows}", encoding="utf-8")
    done = run(
        ["-m", "fastmlp.train", "--data", str(tmp_path / "table.csv"), "--epochs", "1",
         "--hidden", "3", "--out", str(tmp_path / "run")],
        LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert r"\xdf" in done.stdout and done.stdout.isascii() and done.stderr.isascii()
    assert "ß" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "table.csv" in (tmp_path / "run" / "config.toml").read_text(encoding="utf-8")


@needs_mounts
def test_full_disk_is_reported(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    mounts = ["disk", str(tmp_path / "disk")]
    out = ["--no-plots", "--out", str(tmp_path / "disk" / "run")]
    done = run([*TRAIN[:-1], "--quiet", *out], mounts, code=1)
    assert done.stderr.endswith("No space left on device; free some space\n")
    assert "test accuracy" in done.stdout
