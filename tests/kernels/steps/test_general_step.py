"""The general step against its twin, for everything; and the same bits however it is run."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.ops.optimizers import OPTIMIZERS
from harness import (
    DTYPES,
    HIDDEN,
    TOGETHER,
    Case,
    Run,
    assert_close,
    assert_matches_twin,
    assert_same_steps,
)

OPTIMIZER_SPECS = [
    "sgd", "sgd(0.9)", "nesterov", "adam", "adam(0.8, 0.99, 0.01)", "adamw(weight_decay=0.5)",
    "rmsprop", "rmsprop(0.9, momentum=0.5)",
]  # fmt: skip
PENALTIES = [(0.0, 0.0), (0.01, 0.0), (0.0, 0.1), (0.01, 0.1)]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)

SHAPES = [
    Case(sizes=(1, 1), output="sigmoid", loss="binary_cross_entropy"),
    Case(sizes=(1, 1, 1), output="identity", loss="squared_error"),
    Case(sizes=(4, 1, 3)),
    Case(sizes=(1, 4, 1), output="tanh", loss="mean_squared_error"),
    Case(sizes=(5, 3)),
    Case(sizes=(16, 32, 16)),
    Case(sizes=(17, 33, 9)),
    Case(sizes=(5, 4, 6, 7, 3)),
    Case(sizes=(40, 3, 40)),
    Case(sizes=(150, 70, 140, 3)),  # several groups of inputs, several panels of units
    Case(sizes=(150, 70, 140, 3), optimizer="sgd(0.9)", l2=0.1),
    Case(rows=1, batch_size=1),
    Case(batch_size=1),
    Case(batch_size=10),
    Case(batch_size=1000),
    Case(rows=23, batch_size=7),
    Case(rows=40, batch_size=13, block_rows=4),
    Case(rows=40, batch_size=12, block_rows=12),
    Case(rows=200, batch_size=150),  # more than the usual block, and a last batch with less
    Case(rows=20, batch_size=8, block_rows=1),
    Case(zeros=1.0),
]
OPTIONS = [
    Case(hidden=("elu(0.5)", "gelu"), sizes=(5, 7, 6, 3)),
    Case(label_smoothing=0.1, weighted=True),
    Case(l2=0.2, l1=0.05, penalty_per_row=True),
    Case(l2=0.2, l1=0.05, penalty_per_row=True, weighted=True, optimizer="adam"),
    Case(label_smoothing=0.3, output="sigmoid", loss="binary_cross_entropy"),
    Case(label_smoothing=0.3, output="softmax", loss="squared_error"),
    Case(output="identity", loss="huber(0.3)", sizes=(5, 4, 2)),
    Case(
        sizes=(9, 20, 6, 3), hidden=("silu", "softplus"), rows=40, batch_size=13, block_rows=4,
        dropout=(0.2, 0.5, 0.3), weighted=True, label_smoothing=0.1, clip_norm=0.2, clip_value=0.1,
        max_norm=0.8, l1=0.01, l2=0.1, optimizer="adamw(weight_decay=0.5)", rate=0.03,
    ),
]  # fmt: skip
# What is sensitive to how work is split: several blocks a batch, many rows, ragged ends, state.
SPLITS = [
    Case(rows=50, batch_size=23, sizes=(20, 33, 5)),
    Case(rows=70, batch_size=40, block_rows=17, sizes=(9, 4, 20, 3), optimizer="adam", l2=0.1),
    Case(rows=9, batch_size=1, optimizer="sgd(0.9)", l1=0.01),
    Case(rows=50, batch_size=40, sizes=(150, 70, 3), block_rows=9, l2=0.1, penalty_per_row=True),
    Case(sizes=(1, 1, 1), output="sigmoid", loss="squared_error"),
    Case(sizes=(7, 6, 6, 2), hidden="softmax", output="tanh", loss="squared_error"),
    OPTIONS[-1],
    # Layers whose units are shared, with panels for all; and one shared by groups of its inputs.
    Case(rows=40, batch_size=17, sizes=(150, 70, 140, 3), epochs=1),
    Case(
        rows=40, batch_size=17, sizes=(150, 70, 140, 3), epochs=1, optimizer="adam", l2=0.1,
        block_rows=9, clip_norm=0.1, max_norm=0.5, dropout=(0.1, 0.2, 0.3),
    ),
    Case(rows=50, batch_size=23, clip_norm=0.1, sizes=(20, 33, 5), dropout=(0.0, 0.5)),
    Case(rows=50, batch_size=23, block_rows=7, max_norm=0.5, weighted=True, sizes=(20, 33, 5)),
]  # fmt: skip

each_split = pytest.mark.parametrize("case", SPLITS, ids=str)


def trained(case: Case, **how: object) -> tuple[bytes, bytes, list[object]]:
    """Everything that training leaves: parameters, the optimizer's state, and the reports."""
    run = Run(case)
    steps = run.train(**how)  # type: ignore[arg-type]
    return run.network.params.tobytes(), run.workspace.work.state.tobytes(), steps


def test_the_cases_cover_the_registry() -> None:
    names = {OPTIMIZERS.parse(spec).name for spec in OPTIMIZER_SPECS}
    assert names == set(OPTIMIZERS.names())


@each_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZER_SPECS)
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_every_optimizer_and_penalty_is_the_twin(
    optimizer: str, l1: float, l2: float, dtype: str
) -> None:
    assert_matches_twin(Case(optimizer=optimizer, l1=l1, l2=l2, dtype=dtype, rate=0.03))


@pytest.mark.parametrize(("hidden", "output", "loss", "dtype"), TOGETHER)
def test_every_activation_and_loss_is_the_twin(
    hidden: str, output: str, loss: str, dtype: str
) -> None:
    sizes = (5, 6, 4, 3)
    assert_matches_twin(Case(sizes=sizes, hidden=hidden, output=output, loss=loss, dtype=dtype))


@each_dtype
@pytest.mark.parametrize("case", SHAPES + OPTIONS, ids=str)
def test_every_shape_and_option_is_the_twin(case: Case, dtype: str) -> None:
    assert_matches_twin(case.but(dtype=dtype))


@pytest.mark.parametrize("threshold", [0.2, 0.8])
def test_binary_hits_follow_the_threshold(threshold: float) -> None:
    case = Case(output="sigmoid", loss="binary_cross_entropy", threshold=threshold, rows=60)
    assert_matches_twin(case)


def test_each_step_has_its_own_rate() -> None:
    stopped, slowed = Run(Case(batch_size=5)), Run(Case(batch_size=5))
    stopped.train_part(0, 1, [0.1, 0.1])
    losses = slowed.train_part(0, 2, [0.1, 0.0]).loss
    assert stopped.network.params.tobytes() == slowed.network.params.tobytes()
    assert (losses > 0).all()


@each_dtype
def test_blocks_of_one_row_accumulate_to_the_batch(dtype: str) -> None:
    whole, summed = (Run(Case(rows=12, batch_size=6, dtype=dtype, block_rows=b)) for b in (96, 1))
    assert_same_steps(whole.train(), summed.train(), dtype)
    assert_close([whole.network.params], [summed.network.params], dtype)


@each_dtype
@each_split
@pytest.mark.parametrize("threads", [2, 3, 4])
def test_bits_are_the_same_on_any_number_of_threads(case: Case, dtype: str, threads: int) -> None:
    case = case.but(dtype=dtype)
    assert trained(case, threads=threads) == trained(case, threads=1)


@each_dtype
@each_split
@pytest.mark.parametrize("team", [2, 3, 4])
def test_bits_are_the_same_in_a_team_of_any_size(case: Case, dtype: str, team: int) -> None:
    case = case.but(dtype=dtype)
    assert trained(case, threads=team, full_team=True) == trained(case)


@each_dtype
@each_split
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_bits_are_the_same_if_an_epoch_is_done_in_pieces(
    case: Case, dtype: str, pieces: int
) -> None:
    case = case.but(dtype=dtype)
    assert trained(case, pieces=pieces) == trained(case)


@each_dtype
@pytest.mark.parametrize("case", SHAPES + SPLITS, ids=str)
def test_results_do_not_depend_on_what_scratch_held_before(case: Case, dtype: str) -> None:
    clean, poisoned = Run(case.but(dtype=dtype)), Run(case.but(dtype=dtype))
    poisoned.poison()
    assert poisoned.train() == clean.train()
    assert poisoned.network.params.tobytes() == clean.network.params.tobytes()
    assert np.isfinite(poisoned.network.params).all()


@each_dtype
@pytest.mark.parametrize(
    ("hidden", "optimizer"),
    [(name, "sgd(0.9)") for name in HIDDEN] + [("tanh", spec) for spec in OPTIMIZER_SPECS],
)
def test_padding_stays_exactly_zero(hidden: str, optimizer: str, dtype: str) -> None:
    case = Case(hidden=hidden, optimizer=optimizer, dtype=dtype, l1=0.1, l2=0.1, max_norm=1.0)
    run = Run(case.but(dropout=(0.1, 0.2), clip_norm=1.0, clip_value=0.1, label_smoothing=0.1))
    run.train()
    states = run.workspace.work.state.reshape(-1, run.padded_size)
    for buffer in (run.network.params, *(run.workspace.in_rows(state) for state in states)):
        assert (run.padding(buffer) == 0).all()


@each_dtype
def test_a_nan_in_the_weights_reaches_the_loss(dtype: str) -> None:
    run = Run(Case(hidden="relu", dtype=dtype, zeros=0.0, epochs=1))
    run.network.weights[0][2, 3] = np.nan
    assert all(np.isnan(step.loss) for step in run.train())
