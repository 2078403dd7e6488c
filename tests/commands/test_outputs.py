"""Where commands write: regular files are replaced, nothing else; and a folder has one writer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
from command_lines import started
from fastmlp import predict, sweep, train
from fastmlp.base.folders import FolderLock, held_folder
from fastmlp.commands.options import parse_arguments
from fastmlp.commands.sweep_options import parse_sweep_arguments
from toys import blobs, model, settings

posix = pytest.mark.skipif(os.name != "posix", reason="needs devices, FIFOs, links and locks")
TRAIN = ["--data", "digits", "--hidden", "8", "--epochs", "1", "--no-plots", "--quiet"]
SWEEP = [
    "--data", "digits", "--hidden", "8", "--epochs", "1", "--activation", "relu", "--init",
    "he_normal", "--mode", "batch", "--no-plots", "--quiet",
]  # fmt: skip
COMMANDS = {"train": (train.main, TRAIN), "sweep": (sweep.main, SWEEP)}
each_command = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))


@pytest.fixture
def prediction(tmp_path: Path) -> list[str]:
    model().save(tmp_path / "model.safetensors")
    (tmp_path / "rows.csv").write_text("a,b,c,d\n1,2,3,4\n")
    return ["model.safetensors", "rows.csv", "--quiet"]


def make_odd(kind: str, path: Path) -> None:
    """Put something that is no folder at a path."""
    if kind == "a file":
        path.write_text("mine")
    elif kind == "a FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to("none" if "missing" in kind else os.devnull)


def identity(path: Path) -> tuple[int, ...]:
    """What changes when something is replaced or written to; reading changes nothing of it."""
    found = path.lstat()
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns


@posix
@each_command
@pytest.mark.parametrize(
    "kind", ["a file", "a FIFO", "a device", "a link to none, which is missing"]
)
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_only_a_folder_is_written_into(
    command: str, kind: str, overwrite: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("out")
    make_odd(kind, path)
    before = identity(path)
    main, arguments = COMMANDS[command]
    assert main([*arguments, "--out", "out", *overwrite]) == 2
    assert f"out out must be a folder, and it is {kind}; choose" in capsys.readouterr().err
    assert identity(path) == before


@each_command
@pytest.mark.parametrize(
    ("out", "words"),
    [("-", "must be a folder, got -"), ("", "got an empty one"), ("~no-such/x", "whole path")],
)
def test_a_name_of_no_folder_is_refused(
    command: str, out: str, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main, arguments = COMMANDS[command]
    assert main([*arguments, f"--out={out}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: argument --out: ") and words in error
    assert list(tmp_path.iterdir()) == []


@posix
@each_command
def test_a_link_to_a_folder_stays_one(command: str) -> None:
    Path("real").mkdir()
    Path("link").symlink_to("real")
    main, arguments = COMMANDS[command]
    for overwrite in ([], ["--overwrite"]):
        assert main([*arguments, "--out", "link", *overwrite]) == 0
    assert Path("link").is_symlink() and any(Path("real").iterdir())


@posix
@each_command
def test_only_files_in_a_folder_are_overwritten(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main, arguments = COMMANDS[command]
    assert main([*arguments, "--out", "out"]) == 0
    name = {"train": "metrics.json", "sweep": "sweep.sqlite"}[command]
    (Path("out") / name).rename("elsewhere")
    (Path("out") / name).symlink_to(Path("elsewhere").resolve())
    before = {path.name: identity(path) for path in Path("out").iterdir()}
    assert main([*arguments, "--out", "out", "--overwrite"]) == 2
    assert f"{name} in it is a link, not a file; remove that" in capsys.readouterr().err
    assert {path.name: identity(path) for path in Path("out").iterdir()} == before


# --- predictions ---


@posix
def test_predictions_go_through_a_fifo_and_links(prediction: list[str]) -> None:
    assert predict.main([*prediction, "--out", "plain.csv"]) == 0
    expected = Path("plain.csv").read_text()
    os.mkfifo("fifo")
    with subprocess.Popen(["cat", "fifo"], stdout=subprocess.PIPE, encoding="utf-8") as reader:
        assert predict.main([*prediction, "--out", "fifo", "--overwrite"]) == 0
        assert reader.communicate()[0] == expected
    assert Path("fifo").is_fifo()
    Path("target").write_text("old")
    Path("link").symlink_to("target")
    assert predict.main([*prediction, "--out", "link"]) == 2
    assert Path("target").read_text() == "old"
    assert predict.main([*prediction, "--out", "link", "--overwrite"]) == 0
    assert Path("link").is_symlink() and Path("target").read_text() == expected


@posix
@pytest.mark.parametrize("out", ["-", "/dev/stdout", "/dev/fd/1", "link"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_predictions_go_to_standard_output(
    out: str, overwrite: list[str], prediction: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    Path("link").symlink_to("/dev/stdout")
    assert predict.main([*prediction, "--out", out, *overwrite]) == 0
    assert capfd.readouterr().out.startswith("row,prediction")
    assert not Path("-").exists() and Path("link").is_symlink()


@posix
def test_predictions_replace_no_device(prediction: list[str]) -> None:
    before = Path(os.devnull).stat().st_ino
    assert predict.main([*prediction, "--out", os.devnull, "--overwrite"]) == 0
    assert Path(os.devnull).is_char_device() and Path(os.devnull).stat().st_ino == before


@posix
def test_predictions_are_no_folder(
    prediction: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("folder").mkdir()
    assert predict.main([*prediction, "--out", "folder", "--overwrite"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "error: --out folder cannot be written to: it is a folder, not a file; choose another "
        "file\n"
    )


# --- the home folder, and other names ---


@each_command
def test_a_tilde_is_the_home_folder(command: str) -> None:
    main, arguments = COMMANDS[command]
    assert main([*arguments, "--out=~/out"]) == 0
    assert any(Path("home/out").iterdir()) and not Path("~").exists()
    if command == "train":
        assert main(["--config=~/out/config.toml", "--epochs", "1", "--no-out", "--quiet"]) == 0
        assert main(["--resume=~/out", "--no-plots", "--quiet"]) == 0
        run = "~/out"
        Path("home/rows.csv").write_text("".join(f"p{i}," for i in range(63)) + "p63\n" + "0," * 63
                                         + "0\n")  # fmt: skip
        assert predict.main([run, "~/rows.csv", "--out=~/p.csv", "--quiet"]) == 0
        assert Path("home/p.csv").is_file()
    else:
        Path("home/grid.toml").write_bytes(b"\xef\xbb\xbf" + b'activation = ["relu"]\n')
        assert main([*arguments[:2], "--grid=~/grid.toml", "--epochs", "1", "--no-out"]) == 0
    assert not Path("~").exists()


def test_a_tilde_is_the_home_folder_in_python(tmp_path: Path) -> None:
    dataset, home = blobs(), tmp_path / "home"
    home.mkdir()
    callbacks = [fastmlp.CsvLog("~/log.csv"), fastmlp.BestModel("~/best.safetensors")]
    result = fastmlp.fit(settings(), dataset, callbacks=callbacks, checkpoint_dir="~/checkpoints")
    assert fastmlp.save_run(result, dataset, "~/run", plots=False) == home / "run"
    result.predictor.save("~/model.safetensors")
    fastmlp.Predictor.load("~/model.safetensors")
    swept = fastmlp.run_sweep({"epochs": 1}, dataset, out="~/sweep", plots=False)
    assert swept.folder == home / "sweep"
    swept.save("~/again", plots=False)
    np.savez(home / "data.npz", X=dataset.X, y=dataset.y)
    fastmlp.load_dataset("~/data.npz")
    assert {path.name for path in home.iterdir()} == {
        "log.csv", "best.safetensors", "checkpoints", "run", "model.safetensors", "sweep",
        "again", "data.npz",
    }  # fmt: skip
    assert not Path("~").exists()


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_settings_may_begin_with_a_byte_order_mark(mark: bytes) -> None:
    Path("settings.toml").write_bytes(mark + b"epochs = 1\r\n")
    arguments = ["--data", "digits", "--no-out", "--quiet", "--hidden", "8"]
    assert train.main(["--config", "settings.toml", *arguments]) == 0
    assert train.main([*TRAIN, "--out", "run"]) == 0
    config = Path("run/config.toml")
    config.write_bytes(mark + config.read_bytes())
    assert train.main(["--resume", "run", "--no-plots", "--quiet"]) == 0


# --- one writer ---


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@posix
@pytest.mark.parametrize(
    "second",
    [["--out", "out", "--overwrite"], ["--resume", "out"], ["--out", "out"],
     ["--out", "out", "--overwrite", "--checkpoint-every", "1"]],
)  # fmt: skip
@pytest.mark.parametrize("is_new", [True, False])
def test_a_folder_in_use_is_refused(
    second: list[str], is_new: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if not is_new:
        assert train.main([*TRAIN, "--out", "out"]) == 0
    Path("out").mkdir(exist_ok=True)
    before = contents(Path("out"))
    lock = FolderLock(Path("out"))
    assert train.main([*TRAIN, *second]) == 2
    error = capsys.readouterr().err
    assert f"{second[0]} out is in use: another process or thread writes into it; wait" in error
    assert contents(Path("out")) == before
    lock.release()
    if second[0] == "--resume" or second[2:]:
        assert train.main([*TRAIN, *second]) == 0


@posix
def test_the_first_of_two_runs_is_whole(tmp_path: Path) -> None:
    """The second run starts while the first trains, as its history shows."""
    first = ["--data", "digits", "--hidden", "8", "--epochs", "1000000", "--no-plots"]
    with started("fastmlp.train", *first, "--out", str(tmp_path / "out")) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("epoch"):
            assert process.poll() is None
        for options in (["--overwrite", "--out"], ["--out"], ["--resume"]):
            done = subprocess.run(
                [sys.executable, "-m", "fastmlp.train", *TRAIN, *options, str(tmp_path / "out")],
                cwd=Path(__file__).parents[2], capture_output=True, encoding="utf-8",
            )  # fmt: skip
            assert done.returncode == 2 and "is in use" in done.stderr, done.stderr
        process.terminate()
        process.communicate(timeout=300)
    assert "epochs = 1000000" in (tmp_path / "out" / "config.toml").read_text()
    rows = (tmp_path / "out" / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [str(i) for i in range(1, len(rows))]
    assert (tmp_path / "out" / "model.safetensors").is_file()


@posix
def test_a_sweep_holds_its_folder_to_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fastmlp.sweeps.result import SweepResult

    refused: list[bool] = []

    def tried(method: Any) -> Any:
        def attempt(self: Any, *arguments: Any, **options: Any) -> Any:
            try:
                FolderLock(Path("out"))
                refused.append(False)
            except BlockingIOError:
                refused.append(True)
            return method(self, *arguments, **options)

        return attempt

    for name in ("load_best", "save", "retrain_best"):
        monkeypatch.setattr(SweepResult, name, tried(getattr(SweepResult, name)))
    assert sweep.main([*SWEEP, "--out", "out", "--retrain-best"]) == 0
    assert refused == [True, True, True]
    lock = FolderLock(Path("out"))
    for options in (["--overwrite"], ["--resume"]):
        assert sweep.main([*SWEEP, "--out", "out", *options]) == 2
        assert "out out is in use" in capsys.readouterr().err
    lock.release()
    assert sweep.main([*SWEEP, "--out", "out", "--resume"]) == 0


@posix
def test_a_folder_that_python_holds_is_refused() -> None:
    dataset = blobs()
    result = fastmlp.fit(settings(), dataset)
    lock = FolderLock(fastmlp.save_run(result, dataset, "out", plots=False))
    with pytest.raises(fastmlp.ConfigError, match=r"^path out is in use"):
        fastmlp.save_run(result, dataset, "out", plots=False, overwrite=True)
    with pytest.raises(fastmlp.ConfigError, match=r"^out out is in use"):
        fastmlp.run_sweep({"epochs": 1}, dataset, out="out")
    lock.release()
    fastmlp.save_run(result, dataset, "out", plots=False, overwrite=True)
    with held_folder("out", "out"), pytest.raises(fastmlp.ConfigError, match="in use"):
        fastmlp.save_run(result, dataset, "out", plots=False, overwrite=True)


# --- arguments that belong to an option ---


@each_command
@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("epochs", "; did you mean --epochs?"),
        ("--dta", "; did you mean --data?"), ("7", " (--help lists the options)"),
    ],
)  # fmt: skip
def test_argument_without_its_option_is_reported(
    command: str, argument: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COMMANDS[command][0]([argument, "--epochs", "1"]) == 2
    assert capsys.readouterr().err == f"error: unknown argument {argument!r}{hint}\n"


@pytest.mark.parametrize("name", ["iris.csv", "t.npz", "digits", "here", "blobs(n=9)", "-"])
def test_data_need_no_option(name: str) -> None:
    Path("here").touch()
    assert parse_arguments(["--json", name, "--epochs", "1"]).data == name
    assert parse_sweep_arguments([name, "--epochs", "1"]).data == [name]


def test_a_set_of_a_folder_needs_no_option() -> None:
    options = parse_arguments(["letters", "--data-dir", "sets"])
    assert (options.data, options.data_dir) == ("letters", Path("sets"))


@each_command
def test_data_are_given_once(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[command][0](["digits", "--data", "mnist"]) == 2
    error = "error: data must be given once, got 'digits' and --data; leave one of them out\n"
    assert capsys.readouterr().err == error


def test_a_file_is_trained_on(capsys: pytest.CaptureFixture[str]) -> None:
    Path("points.csv").write_text("a,b,class\n" + "1,2,x\n3,1,y\n2,2,x\n4,0,y\n" * 20)
    assert train.main(["points.csv", "--epochs", "1", "--no-out"]) == 0
    assert "data: points.csv, 80 rows" in capsys.readouterr().err
