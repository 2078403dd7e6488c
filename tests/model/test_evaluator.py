from __future__ import annotations

import copy
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from fastmlp import DataError, Predictor
from fastmlp.model import evaluator as evaluators
from fastmlp.model import predictor as predictors
from fastmlp.model.encoding import encode_for_outputs
from fastmlp.model.evaluator import Evaluator, NetworkLayout, borrowed
from fastmlp.model.network import Network
from fastmlp.model.task import Task
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.layers import Dense
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.scalers import SCALERS
from forks import ending
from toys import model

X = np.random.default_rng(2).normal(size=(300, 4))


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Begin without evaluators; the list of those that the test leaves."""
    kept: list[Any] = []
    monkeypatch.setattr(evaluators, "_kept", kept)
    yield kept
    assert not evaluators._lock.locked()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Evaluator]:
    """All evaluators that the test lets be built."""
    found: list[Evaluator] = []

    class Noted(Evaluator):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            found.append(self)

    monkeypatch.setattr(evaluators, "Evaluator", Noted)
    return found


def alone(predictor: Predictor, X: Any, **options: Any) -> bytes:
    """The bits of outputs from buffers that were never used."""
    kept, evaluators._kept = evaluators._kept, []
    try:
        return predictor.outputs(X, **options).tobytes()
    finally:
        evaluators._kept = kept


def wide_model(scale: str = "maxabs", seed: int = 0) -> Predictor:
    """70 features, as many as lists are made of."""
    network = Network.of_sizes(
        (70, 20, 3), [ACTIVATIONS.parse("tanh"), ACTIVATIONS.parse("softmax")]
    )
    rng = np.random.default_rng(seed)
    network.set_weights(
        [rng.normal(size=view.shape) for view in network.weights],
        [rng.normal(size=view.shape) for view in network.biases],
    )
    fitted = SCALERS.parse(scale).fit(rng.integers(0, 200, (50, 70)), None)
    return Predictor(network, fitted, Task("multiclass", 3, classes=np.arange(3)))


def with_zeros(n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    return rng.integers(1, 200, (n, 70)) * (rng.random((n, 70)) < 0.2) + 0.0


# --- what is kept ---


def test_the_second_prediction_builds_nothing(built: list[Evaluator]) -> None:
    predictor = model()
    for n in (1, 3, 16, 1):
        predictor.predict(X[:n])
    assert len(built) == 1
    for n in (17, 300, 128):
        predictor.predict_proba(X[:n])
    assert len(built) == 2


def test_models_of_one_layout_share_what_is_kept(built: list[Evaluator]) -> None:
    first, second, other = model(), model(), model(hidden="tanh")
    second.network.params[...] *= 2
    expected = [alone(each, X[:5]) for each in (first, second, other)]
    assert len(set(expected)) == 3
    built.clear()
    for _ in range(3):
        assert [each.outputs(X[:5]).tobytes() for each in (first, second, other)] == expected
    assert len(built) == 2


def test_lent_workspace_is_exclusive() -> None:
    data = encode_for_outputs(X, model().scaling, np.dtype("float32"), n_outputs=3)
    layout = NetworkLayout((Dense(3, "softmax"),), (4,), np.dtype("float32"))
    with borrowed(layout, data) as one, borrowed(layout, data) as other:
        assert one is not other
    with borrowed(layout, data) as again:
        assert again in (one, other)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, nothing_is_kept: list[Any]) -> None:
    hidden = ("relu", "tanh", "gelu", "silu")
    for name in hidden:
        model(hidden=name).predict(X[:1])
    each = nothing_is_kept[0][1].bytes
    assert each > 4 * 16 * 64  # at least a block of inputs
    monkeypatch.setattr(evaluators, "KEPT_BYTES", 3 * each)

    def kept() -> list[str]:
        return [key[0].layers[0].activation for key, _ in nothing_is_kept]

    model(hidden="relu").predict(X[:1])
    assert kept() == ["gelu", "silu", "relu"]
    model(hidden="gelu").predict(X[:1])
    assert kept() == ["silu", "relu", "gelu"]
    monkeypatch.setattr(evaluators, "KEPT_BYTES", each - 1)
    model(hidden="gelu").predict(X[:1])
    assert kept() == []


def test_no_rows_are_kept(nothing_is_kept: list[Any]) -> None:
    many = np.random.default_rng(0).normal(size=(20_000, 4))
    model().predict(many)
    (entry,) = nothing_is_kept
    assert entry[1].bytes < 300_000 < many.nbytes


def test_a_failed_use_is_not_kept(nothing_is_kept: list[Any]) -> None:
    predictor, rows = wide_model(), with_zeros(20)
    expected = alone(predictor, rows)
    bad = rows.copy()
    bad[11, 3] = np.nan
    for _ in range(2):
        with pytest.raises(DataError, match="X must be finite"):
            predictor.outputs(bad)
        assert nothing_is_kept == []
        assert predictor.outputs(rows).tobytes() == expected
        nothing_is_kept.clear()


def test_old_flag_raises_no_alarm(nothing_is_kept: list[Any]) -> None:
    predictor, rows = wide_model(), with_zeros(20)
    predictor.outputs(rows)
    nothing_is_kept[0][1].workspace.list_scratch.is_infinite[0] = 1
    assert predictor.outputs(rows).tobytes() == alone(predictor, rows)


# --- the bits ---


@pytest.mark.parametrize("scale", ["none", "standard", "maxabs"])
def test_buffers_in_use_give_the_bits_of_new_ones(scale: str) -> None:
    predictor = wide_model(scale)
    rows = with_zeros(300)
    forms: list[Callable[[np.ndarray], Any]] = [
        lambda rows: rows,
        lambda rows: rows + 1.0,
        lambda rows: rows.astype(np.uint8),
    ]
    if scale == "maxabs":
        forms.append(scipy.sparse.csr_array)
    rng = np.random.default_rng(0)
    for n in (300, 1, 17, 2, 130, 16, 1):
        start = int(rng.integers(0, 301 - n))
        for form in forms:
            some = form(rows[start : start + n])
            for threads in (1, 2):
                found = predictor.outputs(some, threads)
                assert found.tobytes() == alone(predictor, some, threads=1)


def test_a_loss_leaves_no_trace() -> None:
    predictor, loss = model("multiclass"), LOSSES.parse("cross_entropy")
    y = np.array([1, 4, 9])[np.arange(16) % 3]
    before = predictor.outputs(X[:16])
    found = [predictor.evaluate(X[:16], y, loss) for _ in range(2)]
    assert found[0].loss == found[1].loss > 0
    np.testing.assert_array_equal(found[1].outputs, before)
    np.testing.assert_array_equal(predictor.outputs(X[:16]), before)


# --- weights ---


@pytest.mark.parametrize("place", ["weights", "biases"])
def test_a_changed_weight_counts_at_once(place: str) -> None:
    predictor = model("regression", "float64")
    before = predictor.outputs(X[:3])
    getattr(predictor.network, place)[-1][...] += 0.5
    after = predictor.outputs(X[:3])
    assert (after != before).all()
    assert after.tobytes() == alone(predictor, X[:3])


def test_another_network_and_another_scaling_count_at_once() -> None:
    predictor, other = wide_model(seed=0), wide_model(seed=1)
    rows = with_zeros(5)
    predictor.outputs(rows)
    predictor.network = other.network
    predictor.scaling.factor[...] *= 3
    assert predictor.outputs(rows).tobytes() == alone(predictor, rows)
    predictor.scaling = other.scaling
    assert predictor.outputs(rows).tobytes() == alone(other, rows)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.zeros(3), np.zeros(3), True),
        (np.zeros(3), -np.zeros(3), False),
        (np.full(3, np.nan), np.full(3, np.nan), True),
        (np.arange(3.0), np.array([0.0, 1.0, 3.0]), False),
        (np.zeros(3), np.zeros(3, np.float32), False),
        (np.zeros(3), np.zeros((1, 3)), False),
        ([0.0, 0.0, 0.0], np.zeros(3), False),
        (np.ones((4, 3)).T, np.ones((3, 8))[:, :4], True),
    ],
)
def test_equal_bits_are_reported(one: Any, other: np.ndarray, same: bool) -> None:
    assert evaluators._same_bits(one, other) == same


# --- copies, threads, processes ---


def test_copies_and_pickles_carry_nothing_along() -> None:
    predictor = model()
    before = pickle.dumps(predictor)
    expected = predictor.outputs(X[:3])
    assert pickle.dumps(predictor) == before
    for twin in (pickle.loads(before), copy.deepcopy(predictor)):
        np.testing.assert_array_equal(twin.outputs(X[:3]), expected)
        twin.network.weights[0][...] = 0
        assert (twin.outputs(X[:3]) != expected).all()
    np.testing.assert_array_equal(predictor.outputs(X[:3]), expected)


def test_eight_threads_each_get_their_own_predictions() -> None:
    first, second = model("regression"), model("regression")
    second.network.params[...] *= -1
    jobs = [
        (predictor, X[start : start + n])
        for predictor in (first, second)
        for start, n in ((0, 1), (7, 16), (30, 5), (50, 200))
    ]
    expected = [alone(*job) for job in jobs]
    line = threading.Barrier(len(jobs))

    def work(job: tuple[Predictor, np.ndarray]) -> set[bytes]:
        predictor, rows = job
        line.wait()
        return {predictor.outputs(rows).tobytes() for _ in range(300)}

    with ThreadPoolExecutor(len(jobs)) as pool:
        found = list(pool.map(work, jobs))
    assert found == [{bits} for bits in expected]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_predicts_and_keeps_though_a_thread_had_the_lock(
    nothing_is_kept: list[Any], built: list[Evaluator]
) -> None:
    predictor = model()
    expected = alone(predictor, X[:3])
    predictor.outputs(X[:3])
    built.clear()

    def in_child() -> None:
        right = [predictor.outputs(X[:3]).tobytes() == expected for _ in range(3)]
        os.write(1, f"{all(right)} {len(nothing_is_kept)} {len(built)}".encode())

    with evaluators._lock:
        assert ending(in_child) == (0, "True 1 0")
        assert predictor.outputs(X[:3]).tobytes() == expected  # and without it there is a fallback
    assert len(built) == 1


# --- threads of a few rows ---


def test_a_few_rows_ask_for_no_team(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []
    monkeypatch.setattr(predictors, "check_threads", lambda threads: asked.append(threads) or 1)
    predictor = model()
    predictor.outputs(X)
    predictor.outputs(X, threads=2)
    monkeypatch.setattr(predictors, "WORTH_A_TEAM", 300 * predictor.network.params.size)
    predictor.outputs(X)
    predictor.outputs(X[:299])
    assert asked == [1, 2, None, 1]
