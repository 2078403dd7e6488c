"""``--checkpoint-every`` and ``--resume``: a run in its folder is gone on with, or refused."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from command_lines import started
from fastmlp.base.folders import FolderLock
from fastmlp.train import main
from fastmlp.training.run import Run
from interrupting import EndAt, Killed

ROOT = Path(__file__).parents[2]
SMALL = ["--data", "digits", "--hidden", "8", "--epochs", "3", "--no-plots"]
CHECKPOINTS = [*SMALL, "--checkpoint-every", "1"]
# Of the files of a run only this one may tell of time.
TIMED = {"timings.json", "report.html", "checkpoints"}


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, bytes]:
    """The folder of an uninterrupted run."""
    assert main([*SMALL, "--quiet", "--out", str(tmp_path / "alone")]) == 0
    return results(tmp_path / "alone")


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in TIMED}


def end_at(count: int, error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """End the next run after a number of slices and epochs."""
    call, end = Run._call, EndAt(count, error)

    def call_and_end(run: Run, event: str, *arguments: Any) -> Any:
        failure = call(run, event, *arguments)
        if event in ("on_progress", "on_epoch_end"):
            getattr(end, event)(run, *arguments)
        return failure

    monkeypatch.setattr(Run, "_call", call_and_end)


@pytest.mark.parametrize("count", [1, 5])
def test_killed_run_resumes_to_same_files(
    count: int, alone: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        end_at(count, Killed, patch)
        main([*CHECKPOINTS, "--out", str(folder)])
    (folder / f".model.safetensors.{'f' * 32}").write_bytes(b"half")
    assert main(["--resume", str(folder), "--no-plots"]) == 0
    assert ("resuming in epoch" in capsys.readouterr().err) == (count > 1)
    assert results(folder) == alone


def test_killed_convolutional_run_resumes_to_same_files(tmp_path: Path) -> None:
    layers = "conv2d(4, 3), max_pool2d(2), dropout(0.2)"
    small = ["--data", "digits", "--layers", layers, "--epochs", "2", "--no-plots", "--quiet"]
    assert main([*small, "--out", str(tmp_path / "alone")]) == 0
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        end_at(3, Killed, patch)
        main([*small, "--checkpoint-every", "1", "--out", str(folder)])
    assert main(["--resume", str(folder), "--hidden", "8"]) == 2
    assert main(["--resume", str(folder), "--no-plots"]) == 0
    assert results(folder) == results(tmp_path / "alone")


def test_ctrl_c_keeps_checkpoint_and_shows_how_to_resume(
    alone: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        end_at(2, KeyboardInterrupt, patch)
        assert main([*SMALL, "--checkpoint-every", "1h", "--out", str(folder)]) == 130
    assert f"interrupted; resume with --resume {folder}" in capsys.readouterr().out
    assert len(list((folder / "checkpoints").iterdir())) == 2
    assert main(["--resume", str(folder), "--no-plots", "--threads", "1"]) == 0
    assert results(folder) == alone


def test_resume_starts_run_if_there_is_none(alone: dict[str, bytes], tmp_path: Path) -> None:
    assert main([*SMALL, "--quiet", "--resume", str(tmp_path / "new")]) == 0
    assert results(tmp_path / "new") == alone
    assert len(list((tmp_path / "new" / "checkpoints").iterdir())) == 2


def test_a_run_killed_before_it_began_is_begun(alone: dict[str, bytes], tmp_path: Path) -> None:
    """What it leaves: no checkpoint yet, and half of its first file."""
    (tmp_path / "new" / "checkpoints").mkdir(parents=True)
    (tmp_path / "new" / f".config.toml.{'0' * 32}").write_text("seed =")
    assert main([*CHECKPOINTS, "--quiet", "--resume", str(tmp_path / "new")]) == 0
    assert results(tmp_path / "new") == alone


def test_a_run_that_is_under_way_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main([*CHECKPOINTS, "--quiet", "--out", str(folder)]) == 0
    before = results(folder)
    held = FolderLock(folder / "checkpoints")
    assert main([*CHECKPOINTS, "--quiet", "--overwrite", "--out", str(folder)]) == 2
    assert "is in use: another process or thread writes into it" in capsys.readouterr().err
    assert results(folder) == before
    held.release()


def test_without_a_checkpoint_a_run_begins_again_with_its_settings(
    alone: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "alone"
    (folder / "model.safetensors").unlink()
    assert main(["--resume", str(folder), "--quiet", "--no-plots"]) == 0
    assert results(folder) == alone


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--lr", "0.2"], "learning_rate was 0.1, is now 0.2"),
        (["--classes", "1,2"], "classes was [], is now ['1', '2']"),
        (["--mode", "batch"], "mode was 'minibatch', is now 'batch'"),
    ],
)
def test_other_settings_are_refused_and_leave_the_folder_as_it_is(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert main([*CHECKPOINTS, "--quiet", "--out", str(folder)]) == 0
    before = results(folder)
    assert main(["--resume", str(folder), "--quiet", *options]) == 2
    assert says in capsys.readouterr().err
    assert results(folder) == before


def test_other_data_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{i % 7},{i % 5},{i % 2}" for i in range(60)]
    table.write_text("\n".join(["a,b,target", *rows]))
    folder = tmp_path / "run"
    options = ["--quiet", "--no-plots", "--epochs", "2"]
    arguments = ["--data", str(table), *options, "--checkpoint-every", "1", "--out", str(folder)]
    assert main(arguments) == 0
    moved = shutil.move(table, tmp_path / "moved.csv")
    assert main(["--resume", str(folder), *options, "--data", str(moved)]) == 0
    table.write_text("\n".join(["a,b,target", *reversed(rows)]))
    assert main(["--resume", str(folder), *options, "--data", str(table)]) == 2
    assert "X of the data was '60 x 2 float64" in capsys.readouterr().err


def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    assert main([*SMALL, "--resume", str(tmp_path)]) == 2
    assert "must be the folder of a run, or a new one" in capsys.readouterr().err
    (tmp_path / "config.toml").write_text("epochs = 3\n")
    assert main([*SMALL, "--resume", str(tmp_path)]) == 2
    assert "needs all settings in its config.toml" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "mine.txt"]


def test_overwriting_a_run_leaves_none_of_its_checkpoints(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert main([*CHECKPOINTS, "--quiet", "--out", str(folder)]) == 0
    assert main([*SMALL, "--quiet", "--out", str(folder), "--overwrite"]) == 0
    assert not (folder / "checkpoints").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--checkpoint-every", "0"], "--checkpoint-every"),
        (["--checkpoint-every", "1", "--no-out"], "--checkpoint-every does not go with --no-out"),
        (["--checkpoint-every", "1", "--explain"], "--checkpoint-every does not go with --explain"),
        (["--resume", "x", "--no-out"], "--resume does not go with --no-out"),
        (["--resume", "x", "--out", "y"], "--out does not go with --resume"),
        (["--warm-up", "--resume", "x"], "--warm-up does not go with --resume"),
    ],
)
def test_what_would_be_ignored_is_refused(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL[:-1], *options]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals end processes there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_training_with_its_code_and_a_checkpoint(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with started(
        "fastmlp.train", "--data", "digits", "--hidden", "8", "--epochs", "1000000",
        "--checkpoint-every", "1h", "--out", str(folder),
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch"):
                break
        process.send_signal(number)
        out, _ = process.communicate(timeout=300)
    assert process.returncode == code
    assert f"resume with --resume {folder}" in out
    assert len(list((folder / "checkpoints").iterdir())) == 2
    assert {"model.safetensors", "metrics.json", "history.csv"} <= {*os.listdir(folder)}
