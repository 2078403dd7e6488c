"""Checkpoints of any content: gone on from, or refused in one line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as load_tensors

from fastmlp import ConfigError, DataError, fit
from fastmlp.model.tensor_file import read_header, write_tensors
from fastmlp.training.checkpoint import CHECKPOINT
from toys import blobs
from toys import settings as toy_settings

CONFIG = toy_settings(epochs=2, optimizer="sgd(momentum=0.9)", early_stopping=2)
fuzz = settings(max_examples=settings.default.max_examples // 3)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The last checkpoint of a run of two epochs."""
    folder = tmp_path_factory.mktemp("run")
    fit(CONFIG, blobs(), checkpoint_dir=folder)
    return max(folder.iterdir()).read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutant")


def attempt(folder: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other machines
            result = fit(CONFIG, blobs(), checkpoint_dir=folder, resume=True)
        assert np.isfinite(result.predictor.network.params).all()
    except (ConfigError, DataError) as error:
        assert str(error) and "\n" not in str(error)
    finally:
        for path in folder.iterdir():
            path.unlink()


@fuzz
@given(data=st.data())
def test_mutated_bytes_are_refused(content: bytes, folder: Path, data: st.DataObject) -> None:
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutated) - 1) | st.integers(0, 1200))
        mutated[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    (folder / "checkpoint-000000000024.safetensors").write_bytes(mutated)
    attempt(folder)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)  # fmt: skip


@fuzz
@given(data=st.data(), value=anything)
def test_odd_entries_are_resumed_or_refused(
    content: bytes, folder: Path, data: st.DataObject, value: Any
) -> None:
    path = folder / "checkpoint-000000000024.safetensors"
    path.write_bytes(content)
    header, tensors = read_header(path, CHECKPOINT), load_tensors(content)
    entries = {name: header[name] for name in CHECKPOINT.entries}
    part = data.draw(
        st.sampled_from([entries, *(e for e in entries.values() if isinstance(e, dict))])
    )
    name = data.draw(st.sampled_from([*sorted(part), "new"]))
    part[name] = value
    write_tensors(path, CHECKPOINT, entries, tensors)
    attempt(folder)


@fuzz
@given(data=st.data(), value=anything)
def test_odd_tables_are_resumed_or_refused(
    content: bytes, folder: Path, data: st.DataObject, value: Any
) -> None:
    path = folder / "checkpoint-000000000024.safetensors"
    path.write_bytes(content)
    header, tensors = read_header(path, CHECKPOINT), load_tensors(content)
    name = data.draw(st.sampled_from([n for n, t in tensors.items() if t.dtype == np.uint8]))
    table = json.loads(tensors[name].tobytes())
    if isinstance(table, dict) and data.draw(st.booleans()):
        table[data.draw(st.sampled_from([*sorted(table), "new"]))] = value
    else:
        table = value
    tensors[name] = np.frombuffer(json.dumps(table).encode(), np.uint8)
    write_tensors(path, CHECKPOINT, {name: header[name] for name in CHECKPOINT.entries}, tensors)
    attempt(folder)
