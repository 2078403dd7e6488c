"""Data prepared once for all runs that take them alike."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from fastmlp import TrainConfig
from fastmlp.training import preparations as module
from fastmlp.training.preparations import Preparations
from fastmlp.training.prepare import prepare
from fastmlp.training.resolve import Resolved, resolve
from toys import blobs, images

DATASET = blobs()


def resolved(**settings: Any) -> Resolved:
    return resolve(TrainConfig(**settings), DATASET)


def test_runs_that_differ_in_nothing_of_the_data_share_them() -> None:
    preparations = Preparations()
    first = preparations.get(DATASET, "blobs", resolved(activation="relu", epochs=3))
    assert preparations.get(DATASET, "blobs", resolved(activation="tanh", l2=0.1)) is first
    assert first.test is None


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1}, {"validation": 0.2}, {"hold_out": "last"}, {"split": "70-30"},
        {"scale": "minmax"}, {"dtype": "float64"}, {"class_weight": "balanced"},
        {"mode": "stochastic"}, {"input_dropout": 0.1},
        {"output_activation": "softmax", "loss": "squared_error"},
    ],
    ids=str,
)  # fmt: skip
def test_shared_data_equal_data_prepared_by_single_run(other: dict[str, Any]) -> None:
    preparations = Preparations()
    preparations.get(DATASET, "blobs", resolved())
    wanted = resolved(**other)
    found = preparations.get(DATASET, "blobs", wanted)
    alone = prepare(DATASET, wanted.config, wanted.task)
    np.testing.assert_array_equal(found.train.X, alone.train.X)
    np.testing.assert_array_equal(found.train.sparse.values, alone.train.sparse.values)
    np.testing.assert_array_equal(found.train.weights, alone.train.weights)
    np.testing.assert_array_equal(found.train.labels, alone.train.labels)
    assert found.inputs == alone.inputs


def test_other_data_are_not_mistaken_for_these() -> None:
    preparations = Preparations()
    first = preparations.get(DATASET, "a", resolved())
    assert preparations.get(blobs(seed=1), "b", resolved()) is not first


def test_several_threads_prepare_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(module, "prepare", lambda *a: calls.append(1) or prepare(*a))
    preparations, found = Preparations(), []
    threads = [
        threading.Thread(
            target=lambda: found.append(preparations.get(DATASET, "blobs", resolved()))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len({id(prepared) for prepared in found}) == 1


def test_those_asked_for_longest_ago_are_dropped() -> None:
    preparations = Preparations(most=2)
    first = preparations.get(DATASET, "blobs", resolved(seed=0))
    second = preparations.get(DATASET, "blobs", resolved(seed=1))
    assert preparations.get(DATASET, "blobs", resolved(seed=0)) is first
    preparations.get(DATASET, "blobs", resolved(seed=2))
    assert preparations.get(DATASET, "blobs", resolved(seed=0)) is first
    assert preparations.get(DATASET, "blobs", resolved(seed=1)) is not second


@pytest.mark.parametrize("layers", [(8,), ()], ids=str)
def test_images_are_bytes_for_networks_that_look_ahead_and_lists_for_others(
    layers: tuple[int, ...],
) -> None:
    preparations, dataset = Preparations(), images(60)
    for hidden in (layers, (8,), ()):
        config = TrainConfig(mode="stochastic", scale="unit", hidden_layer_sizes=hidden)
        kind = preparations.get(dataset, "images", resolve(config, dataset)).inputs.kind
        assert kind == ("bytes" if hidden else "shifted lists")
