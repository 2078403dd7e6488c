"""Checkpoints: whatever ends a run, going on from them gives the bits of a run that did not end."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

import fastmlp
from fastmlp import Callback, ConfigError, DataError, TrainConfig, fit
from fastmlp.base.json_values import digest
from fastmlp.kernels.machine.phases import PARTS_OF_LAYER
from fastmlp.model.tensor_file import read_header, write_tensors
from fastmlp.training import checkpoint as checkpoint_module
from fastmlp.training import identity as identity_module
from fastmlp.training.interval import Interval
from holes import needs_holes, stretch
from image_models import pictures
from interrupting import (
    MODES,
    OPTIMIZER_SPECS,
    SCHEDULE_SPECS,
    EndAt,
    Killed,
    bits,
    config_of,
    datasets,
    ended_again_and_again,
    short_slices,
)
from toys import blobs, settings

DATA = {**datasets(), "pictures": pictures(60)}
PAIRS = list(itertools.product(OPTIMIZER_SPECS, MODES))
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "iterations are recorded": ("blobs", {"log_every": 3, "epochs": 2}),
    "iterations of several blocks": ("blobs", {"log_every": 1, "mode": "batch", "epochs": 4}),
    "deferred": (
        "pixels",
        {"mode": "stochastic", "l2": 0.01, "scale": "standard", "epochs": 2, "log_every": 700},
    ),
    "deferred, a single thread's network": ("pixels", {"mode": "stochastic", "l2": 0.1}),
    "blocks of a batch": ("pixels", {"batch_size": 500, "optimizer": "adam", "epochs": 2}),
    "blocks of a batch, by their norm": (
        "pixels",
        {"batch_size": 300, "clip_norm": 0.1, "max_norm": 1, "epochs": 2},
    ),
    "penalties of a batch": (
        "pixels",
        {"mode": "batch", "l1": 0.01, "monitor": "train_objective", "penalty_per_row": True},
    ),
    "dropout": (
        "blobs",
        {"dropout": 0.4, "input_dropout": 0.2, "optimizer": "adamw", "class_weight": "0=2"},
    ),
    "convolutions": (
        "pixels",
        {
            "layers": "conv2d(5, 2, padding=same), dropout(0.3), max_pool2d((1, 2)), dense(4)",
            "input_shape": (2, 3, 1),
            "batch_size": 100,
            "optimizer": "adam",
            "epochs": 2,
        },
    ),
    "blocks of a batch of images": (
        "pixels",
        {
            "layers": "conv2d(3, 2), avg_pool2d((1, 2))",
            "input_shape": (2, 3, 1),
            "batch_size": 500,
            "clip_norm": 0.1,
            "epochs": 2,
        },
    ),
    "drawn rows": ("blobs", {"sampling": "replacement", "label_smoothing": 0.1}),
    "regression": ("lines", {"monitor": "validation_score", "target_scale": "standard"}),
    "no validation": ("blobs", {"validation": 0, "monitor": "train_accuracy"}),
    "single precision": ("blobs", {"dtype": "float32", "optimizer": "nesterov"}),
    "layers of images": (
        "pictures",
        {
            "hidden_layer_sizes": (),
            "layers": "conv2d(3, 3), max_pool2d(2), dropout(0.2), dense(5)",
            "optimizer": "adam",
            "max_norm": 2,
            "dtype": "float32",
            "epochs": 2,
        },
    ),
    "the last weights": ("noise", {"restore_best": False}),
}
BASE = settings(epochs=4, early_stopping=3)


@pytest.fixture(autouse=True)
def on_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is killed here is no machine."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def moments_of(config: TrainConfig, data: str, seed: int) -> list[int]:
    """Three moments of a run: by all of them it does not end."""
    count = EndAt(10**9)
    fit(config, DATA[data], callbacks=[count])
    count.count = 10**9 - count.count
    drawn = random.Random(seed)
    return [drawn.randint(1, max(1, count.count // 3)) for _ in range(3)]


def assert_same_whatever_happens(
    config: TrainConfig, data: str, folder: Path, error: type[BaseException] = Killed
) -> None:
    alone = bits(fit(config, DATA[data]))
    moments = moments_of(config, data, seed=len(str(config)))
    assert bits(ended_again_and_again(config, DATA[data], folder, moments, error)) == alone


# --- the same bits ---


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=lambda n: "-".join(PAIRS[n]))
def test_every_optimizer_resumes_in_every_mode(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one schedule after the other."""
    short_slices(monkeypatch)
    schedule = list(SCHEDULE_SPECS)[number % len(SCHEDULE_SPECS)]
    config = config_of(*PAIRS[number], schedule)
    error = KeyboardInterrupt if number % 2 else Killed
    assert_same_whatever_happens(config, "noise", tmp_path, error)


@pytest.mark.soak
@pytest.mark.parametrize("schedule", SCHEDULE_SPECS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("optimizer", OPTIMIZER_SPECS)
def test_every_optimizer_resumes_in_every_mode_with_every_schedule(
    optimizer: str, mode: str, schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    for data in ("noise", "blobs"):
        for error in (Killed, KeyboardInterrupt):
            folder = tmp_path / data / error.__name__
            config = config_of(optimizer, mode, schedule)
            assert_same_whatever_happens(config, data, folder, error)


@pytest.mark.parametrize("error", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_run_resumes(
    case: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    data, changes = CASES[case]
    assert_same_whatever_happens(settings(**changes), data, tmp_path, error)


@pytest.mark.parametrize("every", ["1", "2", "0.000001s"])
def test_writing_checkpoints_changes_no_bit(
    every: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(mode="stochastic", l2=0.01, scale="standard", epochs=3)
    alone = bits(fit(config, DATA["pixels"]))
    short_slices(monkeypatch)
    followed = fit(config, DATA["pixels"], checkpoint_dir=tmp_path, checkpoint_every=every)
    assert bits(followed) == alone
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_can_be_from_within_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    with pytest.raises(Killed):
        fit(
            BASE, blobs(170), callbacks=[EndAt(5)],
            checkpoint_dir=tmp_path, checkpoint_every="0.000001s",
        )  # fmt: skip
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "checkpoint-000000000003.safetensors",
        "checkpoint-000000000004.safetensors",
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("count", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_kills_at_random_moments_change_no_bit(count: int, tmp_path: Path) -> None:
    """Real ones, between and within slices, and while a checkpoint is being written."""
    script = Path(__file__).parents[1] / "killing.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(count)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout)
    assert len(kills) == count
    assert {kill["moment"] for kill in kills} == {"on_progress", "fsync", "replace"}
    assert all(kill["same"] for kill in kills), kills


# --- when, and which are kept ---


def test_checkpoints_are_written_every_n_epochs_and_two_are_kept(tmp_path: Path) -> None:
    seen = []
    look = fastmlp.LambdaCallback(
        on_epoch_end=lambda run, row: seen.append(sorted(path.name for path in tmp_path.iterdir()))
    )
    fit(
        settings(epochs=6, batch_size=50), blobs(125), callbacks=[look],
        checkpoint_dir=tmp_path, checkpoint_every=2,
    )  # fmt: skip
    updates = [[int(name[11:-12]) for name in names] for names in seen]
    assert updates == [[0], [0], [0, 4], [0, 4], [4, 8], [4, 8]]


def test_going_on_keeps_the_interval(tmp_path: Path) -> None:
    config = settings(epochs=5, batch_size=50)
    with pytest.raises(Killed):
        fit(
            config, blobs(125), callbacks=[EndAt(5)],
            checkpoint_dir=tmp_path, checkpoint_every=2,
        )  # fmt: skip
    fit(config, blobs(125), checkpoint_dir=tmp_path, resume=True)
    assert sorted(int(path.name[11:-12]) for path in tmp_path.iterdir()) == [4, 8]


@pytest.mark.parametrize(
    ("text", "epochs", "seconds"),
    [(3, 3, 0), ("3", 3, 0), ("30s", 0, 30), ("1.5m", 0, 90), ("2h", 0, 7200)],
)
def test_an_interval_is_of_epochs_or_of_time(text: Any, epochs: int, seconds: float) -> None:
    interval = Interval.parse(text)
    assert (interval.epochs, interval.seconds) == (epochs, seconds)


@pytest.mark.parametrize("text", [0, "0", "-1", "1.5", "0s", "s", "30 s", "30x", "", True, "1e3s"])
def test_what_is_no_interval_is_refused(text: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="checkpoint_every must be a number of epochs"):
        fit(BASE, blobs(), checkpoint_dir=tmp_path, checkpoint_every=text)


def test_a_full_disk_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("fastmlp.model.tensor_file.write_atomically", full)
        with pytest.warns(UserWarning, match=r"No space left.*training .* without it"):
            result = fit(BASE, blobs(), checkpoint_dir=tmp_path)
    assert bits(result) == bits(fit(BASE, blobs()))


# --- how runs end ---


@pytest.mark.parametrize("changes", [{}, {"early_stopping": 1, "min_delta": 9.0}])
def test_a_run_that_has_ended_ends_the_same_again(changes: Any, tmp_path: Path) -> None:
    config = BASE.replace(**changes)
    first = fit(config, blobs(), checkpoint_dir=tmp_path)
    epochs: list[Any] = []
    look = fastmlp.LambdaCallback(on_epoch_end=lambda run, row: epochs.append(row))
    again = fit(config, blobs(), checkpoint_dir=tmp_path, resume=True, callbacks=[look])
    assert bits(again) == bits(first)
    assert epochs == []


def test_a_run_that_diverges_does_so_again(tmp_path: Path) -> None:
    config = settings(
        learning_rate=3.0, loss="squared_error", activation="relu", epochs=30, optimizer="sgd",
        clip_norm=0.0,
    )  # fmt: skip
    data = DATA["lines"]
    results = []
    for resume in (False, True):
        with pytest.raises(fastmlp.DivergenceError) as caught:
            fit(config, data, checkpoint_dir=tmp_path, resume=resume)
        results.append((str(caught.value), bits(caught.value.result)))
    assert results[0] == results[1]


def test_without_checkpoint_a_run_starts(tmp_path: Path) -> None:
    result = fit(BASE, blobs(), checkpoint_dir=tmp_path / "new", resume=True)
    assert bits(result) == bits(fit(BASE, blobs()))
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_checkpoint_has_the_bytes_that_safetensors_writes(tmp_path: Path) -> None:
    for log_every in (0, 5):
        folder = tmp_path / str(log_every)
        fit(BASE.replace(dtype="float32", log_every=log_every), blobs(), checkpoint_dir=folder)
        for path in folder.iterdir():
            with safe_open(path, "numpy") as file:
                facts = file.metadata()
            assert path.read_bytes() == save(load_file(path), facts)


def test_times_accumulate_over_resumes(tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path, callbacks=[EndAt(5, KeyboardInterrupt)])
    header = read_header(max(tmp_path.iterdir()), checkpoint_module.CHECKPOINT)
    before = header["seconds"]
    after = fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)
    assert after.timings["train_seconds"] > before["train"] > 0
    assert after.timings["step_seconds"] > before["step"] > 0
    assert set(after.phase_seconds) == set(before["phases"])
    assert [layer["name"] for layer in after.layer_seconds] == [
        str(layer) for layer in after.predictor.network.layers
    ]
    for layer, seconds in zip(after.layer_seconds, before["layers"], strict=True):
        assert np.all(np.array([layer[part] for part in PARTS_OF_LAYER]) >= seconds)
    for name, seconds in before["phases"].items():
        assert after.phase_seconds[name] >= seconds


# --- callbacks ---


def test_callbacks_resume_too(tmp_path: Path) -> None:
    def callbacks(folder: Path) -> list[Callback]:
        folder.mkdir()
        return [
            fastmlp.EarlyStopping(patience=2, monitor="train_loss", min_delta=0.2),
            fastmlp.BestModel(folder / "best.safetensors", monitor="train_loss", min_delta=0.1),
            fastmlp.CsvLog(folder / "history.csv"),
        ]

    config = settings(epochs=12, learning_rate=0.01)
    alone = fit(config, blobs(), callbacks=callbacks(tmp_path / "alone"))
    assert alone.status == "stopped early"
    ended = callbacks(tmp_path / "ended")
    options = {"checkpoint_dir": tmp_path / "checkpoints", "checkpoint_every": 2}
    with pytest.raises(Killed):
        fit(config, blobs(), callbacks=[*ended, EndAt(5)], **options)
    resumed = fit(config, blobs(), callbacks=ended, resume=True, **options)
    assert bits(resumed) == bits(alone)
    for name in ("best.safetensors", "history.csv"):
        one, other = (tmp_path / folder / name for folder in ("alone", "ended"))
        assert one.read_bytes() == other.read_bytes()


def test_other_callbacks_are_refused(tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    with pytest.raises(ConfigError, match=r"callbacks must be those .*\['EarlyStopping'\], got \["):
        fit(
            BASE, blobs(), checkpoint_dir=tmp_path, resume=True,
            callbacks=[fastmlp.EarlyStopping(patience=2)],
        )  # fmt: skip


def test_a_state_that_is_not_for_json_is_the_callbacks_fault(tmp_path: Path) -> None:
    class Mine(Callback):
        def state_dict(self) -> dict[str, Any]:
            return {"numbers": np.ones(2)}

    with pytest.warns(UserWarning, match=r"state_dict of a callback \(Mine, EarlyStopping\)"):
        fit(BASE, blobs(), checkpoint_dir=tmp_path, callbacks=[Mine()])


# --- what is refused ---


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"config": BASE.replace(epochs=9)}, "epochs was 4, is now 9"),
        ({"config": BASE.replace(activation="relu")}, "activation was 'tanh', is now 'relu'"),
        ({"dataset": blobs(119)}, "X of the data was '120 x 2 float64 "),
        ({"dataset": blobs(seed=1)}, "y of the data was '120 int64 "),
        ({"sample_weight": np.ones(120)}, "sample_weight of the data was 'none', is now '120 fl"),
        (
            {"initial_weights": ([np.ones((2, 6)), np.ones((6, 3))], [np.ones(6), np.ones(3)])},
            "initial_weights of the data was '', is now '2 x 6 float64",
        ),
    ],
)
def test_another_run_is_refused_with_the_difference(
    arguments: dict[str, Any], says: str, tmp_path: Path
) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    with pytest.raises(ConfigError) as caught:
        fit(
            **{"config": BASE, "dataset": blobs(), **arguments},
            checkpoint_dir=tmp_path, resume=True,
        )  # fmt: skip
    assert says in str(caught.value)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    monkeypatch.setattr(identity_module, "__version__", "99.0")
    with pytest.raises(ConfigError, match=r"fastmlp was \S+, is now 99.0; give the same"):
        fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)


def test_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = dataclasses.replace(checkpoint_module.CHECKPOINT, version=2)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_module, "CHECKPOINT", older)
        fit(BASE, blobs(), checkpoint_dir=tmp_path)
    with (
        pytest.warns(UserWarning, match="resuming from the checkpoint before it"),
        pytest.raises(DataError, match="format version 2, this fastmlp reads 3; use the fastmlp"),
    ):
        fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)


def test_another_machine_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    monkeypatch.setattr("fastmlp.training.checkpoints.machine", lambda: "an abacus")
    with pytest.warns(UserWarning, match="this is an abacus: its last bits may differ") as caught:
        fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)
    assert [warning.filename for warning in caught] == [__file__]


def test_checkpoints_are_never_written_among_others(tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    with pytest.raises(ConfigError, match="contains checkpoints; resume from them with resume"):
        fit(BASE, blobs(), checkpoint_dir=tmp_path)


@pytest.mark.parametrize("options", [{"resume": True}, {"checkpoint_every": 2}])
def test_options_of_checkpoints_need_their_folder(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=f"{name} needs checkpoint_dir"):
        fit(BASE, blobs(), **options)


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    class Second(Callback):
        def on_epoch_end(self, run: Any, row: Any) -> None:
            with pytest.raises(ConfigError, match="another process or thread writes into it; wait"):
                fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)

    first = fit(BASE, blobs(), callbacks=[Second()], checkpoint_dir=tmp_path)
    assert bits(fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)) == bits(first)


@pytest.mark.parametrize("changes", [{"epochs": 9}, {}])
def test_refused_process_holds_no_lock(changes: dict[str, Any], tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    callbacks = [fastmlp.EarlyStopping(patience=2)]
    with pytest.raises(ConfigError) as caught:  # which holds on to all that was on the stack
        fit(
            BASE.replace(**changes), blobs(),
            checkpoint_dir=tmp_path, resume=True, callbacks=callbacks,
        )  # fmt: skip
    assert "trains in it" not in str(caught.value)
    fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)


# --- what is damaged ---


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(place: float) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        at = int(place * len(content))
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return flip


def other_settings(content: bytes) -> bytes:
    changed = content.replace(rb"\"epochs\": 4", rb"\"epochs\": 5")
    assert changed != content
    return changed


@pytest.mark.parametrize(
    "damage", [cut, flipped(0.1), flipped(0.9), other_settings, lambda content: b""]
)
def test_a_damaged_checkpoint_is_passed_over(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    alone = bits(fit(BASE, blobs(), checkpoint_dir=tmp_path))
    newest = max(tmp_path.iterdir())
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.warns(UserWarning, match="resuming from the checkpoint before it") as caught:
        resumed = fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)
    assert {warning.filename for warning in caught} == {__file__}
    assert bits(resumed) == alone


@pytest.mark.filterwarnings("ignore:.*resuming from the checkpoint before it")
def test_if_all_are_damaged_nothing_begins(tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(DataError, match=r"checkpoint file .* cannot be read"):
        fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], None]) -> None:
    """Write a checkpoint again, changed, with the checksum that it then must have."""
    form = checkpoint_module.CHECKPOINT
    header = read_header(path, form)
    tensors = load_file(path)
    change(header, tensors)
    entries = {name: v for name, v in header.items() if "format" not in name and name != "sha256"}
    facts = {name: entries[name] for name in checkpoint_module.FACTS}
    entries["facts_sha256"] = digest(facts)
    write_tensors(path, form, entries, tensors)


def as_bytes(value: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def with_header(**values: Any) -> Callable[[dict[str, Any], dict[str, np.ndarray]], None]:
    return lambda header, tensors: header.update(values)


def with_tensor(name: str, value: np.ndarray) -> Callable[..., None]:
    def change(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        tensors[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_header(epoch=0), "epoch must be a whole number from 1 to 4, got 0"),
        (with_header(epoch=10**30), "epoch must be a whole number"),
        (with_header(epoch=True), "epoch must be a whole number"),
        (with_header(epoch=2), "history must go up to epoch 2"),
        (with_header(block=-1), "block must be a whole number from 0 to 9, got -1"),
        (with_header(block=3), "loss must be F64 of shape (3,), got F64 of (9,)"),
        (with_header(recorded_steps="1"), "recorded_steps must be"),
        (with_header(loss_limit=-1), "times and limits must be"),
        (with_header(loss_limit=float("nan")), "times and limits must be"),
        (with_header(loss_limit=10**400), "does not fit together"),
        (with_header(stop_status=None), "stop_status must be a text"),
        (with_header(best={"best": 1.0}), "it has no 'stale'"),
        (with_header(best={"best": 1, "stale": float("inf")}), "does not fit together"),
        (with_header(rate_controller=[]), "does not fit together"),
        (with_header(callbacks=[["EarlyStopping", 1]]), "callbacks must hold a state each"),
        (with_header(callbacks=7), "does not fit together"),
        (with_header(seconds={}), "it has no 'train'"),
        (with_header(identity=[]), "settings and data of its run cannot be read"),
        (
            with_header(identity={"version": fastmlp.__version__}),
            "settings and data of its run cannot be read",
        ),
        (with_header(more=1), "has a section 'more'"),
        (with_tensor("params", np.ones(7)), "params must be F64 of shape"),
        (with_tensor("more", np.ones(7)), "must not hold 'more'"),
        (with_tensor("history", as_bytes([["epoch"]])), "history must have columns"),
        (with_tensor("history", as_bytes(7)), "does not fit together"),
        (with_tensor("history", np.frombuffer(b"[" * 10**5, np.uint8)), "does not fit together"),
        (with_tensor("iterations", np.empty(0, np.uint8)), "does not fit together"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*resuming from the checkpoint before it")
def test_inconsistent_checkpoint_is_refused(
    change: Callable[..., None], says: str, tmp_path: Path
) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    older, newer = sorted(tmp_path.iterdir())
    older.unlink()
    rewritten(newer, change)
    with pytest.raises(DataError) as caught:
        fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)
    assert says in str(caught.value)


@needs_holes
@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("params", {}, "params must be F64 of shape (80,), got F64 of (137438953472,)"),
        ("history", {}, "history must be U8 of shape (at most "),
        ("params", {"epochs": 5}, "epochs was 4, is now 5"),
    ],
)
def test_a_hole_of_a_terabyte_is_not_read(
    name: str, changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    older, newer = sorted(tmp_path.iterdir())
    older.unlink()
    stretch(newer, name, 1 << 40)
    with pytest.raises((DataError, ConfigError)) as caught:
        fit(BASE.replace(**changes), blobs(), checkpoint_dir=tmp_path, resume=True)
    assert says in str(caught.value)


def test_rows_of_a_history_must_be_numbers(tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    for path in tmp_path.iterdir():
        rewritten(path, _with_texts)
    with pytest.warns(UserWarning), pytest.raises(DataError, match="history must hold numbers"):
        fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)


def _with_texts(header: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
    columns, *rows = json.loads(tensors["history"].tobytes())
    tensors["history"] = as_bytes([columns, *([str(value) for value in row] for row in rows)])


def test_what_a_kill_left_half_written_is_removed(tmp_path: Path) -> None:
    fit(BASE, blobs(), checkpoint_dir=tmp_path)
    partial = tmp_path / f".checkpoint-000000000099.safetensors.{'0a' * 16}"
    partial.write_bytes(b"half")
    fit(BASE, blobs(), checkpoint_dir=tmp_path, resume=True)
    assert not partial.exists()


def test_folder_of_checkpoints_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nothing" / "there")
    names = [os.devnull, tmp_path / "file", tmp_path / "file" / "below", tmp_path / "link"]
    for name in [*names, "x" * 300, "a\0b"]:
        for resume in (False, True):
            with pytest.raises(ConfigError, match=r"^checkpoint_dir .*; (choose|correct)"):
                fit(settings(epochs=1), blobs(), checkpoint_dir=name, resume=resume)
