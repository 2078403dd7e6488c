"""Driving the kernels as the product does: a network, its data and an objective, step by step."""

from __future__ import annotations

import hashlib
import inspect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import reference
import reference_layers
import twin
from fastmlp.base.random import Purpose, key
from fastmlp.kernels import buffers, slices
from fastmlp.kernels.buffers import QUARTERS
from fastmlp.kernels.layers.layout import IMAGE
from fastmlp.kernels.machine.jit import SOURCES_HASH, kernel
from fastmlp.kernels.machine.launch import Call, call_of
from fastmlp.kernels.machine.lookup import KernelCode
from fastmlp.kernels.machine.team import new_sync
from fastmlp.kernels.rules import codes, losses
from fastmlp.kernels.steps.evaluation import evaluate_rows
from fastmlp.kernels.steps.general_step import train_batches
from fastmlp.kernels.steps.sample_step import train_samples
from fastmlp.model.encoding import encode
from fastmlp.model.functions import objective, penalties_address, with_update
from fastmlp.model.guards import guarded
from fastmlp.model.launch import launch
from fastmlp.model.network import Network
from fastmlp.model.sparse import compress
from fastmlp.model.workspace import Workspace
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.layers import Dense, Dropout, Layer
from fastmlp.ops.losses import LOSSES, legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.scalers import NO_SCALING, SCALERS
from twin import Trained

DTYPES = ("float32", "float64")
HIDDEN = [name for name, record in ACTIVATIONS.records.items() if record.hidden]
# Rounding errors of a few steps, relative to values of the order of 1.
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
# Each hidden activation and each pair of output and loss, in both types; and in float64 all of them
# with each other: they do not know of one another, nor of the type.
_HIDDEN = [*HIDDEN, "leaky_relu(0.3)"]
_EACH = [("tanh", *pair) for pair in legal_pairs()]
_EACH += [(hidden, "softmax", "cross_entropy") for hidden in _HIDDEN if hidden != "tanh"]
SEPARATELY = [(*parts, dtype) for parts in _EACH for dtype in DTYPES]
TOGETHER = [(*parts, "float32") for parts in _EACH]
TOGETHER += [(hidden, *pair, "float64") for hidden in _HIDDEN for pair in legal_pairs()]
TASK_CODES = {
    "multiclass": codes.MULTICLASS,
    "binary": codes.BINARY,
    "regression": codes.REGRESSION,
}


def cached(function: Callable[..., Any]) -> Any:
    """Compile a kernel that a test defines, and keep it on disk for later runs."""
    return _kept(kernel(function, cached=True), function)


def worker(function: Callable[..., Any]) -> Any:
    """The same for a kernel that is launched."""
    return _kept(kernel(function, worker=True), function)


def _kept(dispatcher: Any, function: Callable[..., Any]) -> Any:
    # Its own file is not among the kernel sources.
    source = Path(inspect.getfile(function)).read_bytes()
    version = hashlib.sha256(SOURCES_HASH.encode() + source).hexdigest()
    dispatcher._cache = KernelCode(function, version)
    return dispatcher


@cache
def compiled(inner: Any) -> Any:
    """Return a kernel that Python does not call in the product, kept on disk for later runs."""
    return kernel(inner.py_func, cached=True)


def features(data: buffers.Data) -> np.ndarray:
    """The rows of a part of the data as the network takes them, shape (n, n_features)."""
    dtype, lists = data.targets.dtype, data.sparse
    if lists.X.size:
        return lists.X * lists.factor + (lists.shift if lists.shift.size else dtype.type(0))
    if lists.forward:
        rows = np.repeat(np.arange(len(data.X) + 1), np.diff(lists.starts[::QUARTERS]))
        X = np.zeros((len(data.X) + 1, lists.cuts[-1]), dtype)
        X[rows, lists.columns] = lists.values
        return X[:-1] + X[-1]
    if data.offset.size:
        return ((data.X - data.offset) * data.factor).astype(dtype)
    return data.X.view(dtype).reshape(len(data.X), -1)


def one_row_loss(
    spec: str, z: np.ndarray, a: np.ndarray, y: np.ndarray, d: np.ndarray, scale: float = 1.0
) -> float:
    """Return the loss of one row, and overwrite d."""
    loss, result = LOSSES.parse(spec), np.full(1, np.nan)
    parameters = np.array(loss.kernel_parameters, np.float64)
    getattr(losses, loss.name)(z, a, y, d, a.dtype.type(scale), parameters, result)
    return float(result[0])


def run_members(worker: Any, team: int, *arguments: Any) -> None:
    """Run a worker on a full team, each member on a Python thread of its own.

    ``launch`` may run a smaller team; this function does not.
    """
    failures: list[BaseException] = []

    def member(number: int, call: Call) -> None:
        try:
            call.run(number, team)
        except BaseException as error:
            failures.append(error)

    with guarded(arguments) as given:
        call = call_of(worker, new_sync(), given)
        threads = [threading.Thread(target=member, args=(n, call)) for n in range(team)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures, failures


@dataclass(frozen=True)
class Case:
    """A network, its data and an objective, all drawn from a seed. Specs as users write them."""

    sizes: tuple[int, ...] = (5, 7, 3)
    layers: str = ""  # instead of hidden sizes, of which only the number of outputs is left
    input_shape: tuple[int, ...] = ()  # with layers
    hidden: str | tuple[str, ...] = "tanh"  # one for all hidden layers, or one for each
    output: str = "softmax"
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    l1: float = 0.0
    l2: float = 0.0
    penalty_per_row: bool = False
    label_smoothing: float = 0.0
    clip_norm: float = 0.0
    clip_value: float = 0.0
    max_norm: float = 0.0
    dropout: tuple[float, ...] = ()  # of each dense layer's inputs
    weighted: bool = False  # whether rows have sample weights, some of them 0
    dtype: str = "float64"
    rows: int = 10
    batch_size: int = 4
    block_rows: int = 96
    epochs: int = 2
    rate: float = 0.1
    threshold: float = 0.5
    zeros: float = 0.3  # the share of inputs that are 0
    blank: bool = False  # whether every third row, and every third feature, is all 0
    inputs: str = "dense"  # how rows are kept
    of_bytes: bool = False  # whether features are uint8
    scale: str = "none"
    seed: int = 0

    def __str__(self) -> str:
        usual = Case()
        parts = [
            f"{name}={value}".replace(" ", "")
            for name, value in vars(self).items()
            if value != getattr(usual, name)
        ]
        return "-".join(parts) or "usual"

    def but(self, **changes: Any) -> Case:
        return replace(self, **changes)

    def network(self) -> Network:
        """A network of its layers; all weights are zero."""
        output = Dense(self.sizes[-1], self.output)
        if self.layers:
            given = [layer.complete(str(self.hidden)) for layer in parse_layers(self.layers)]
            return Network([*given, output], self.input_shape, self.dtype)
        hidden = self.hidden
        if isinstance(hidden, str):
            hidden = (hidden,) * (len(self.sizes) - 2)
        dense = [*map(Dense, self.sizes[1:-1], hidden), output]
        layers: list[Layer] = []
        for layer, rate in zip(dense, self.dropout or (0.0,) * len(dense), strict=True):
            layers += [Dropout(rate), layer] if rate else [layer]
        return Network(layers, self.sizes[:1], self.dtype)


def with_each_option(case: Case) -> list[Case]:
    """The case with each optimizer, and with each other option of a descent."""
    return [
        *(case.but(optimizer=name, rate=0.001) for name in OPTIMIZERS.names()),
        case.but(optimizer="sgd(momentum=0.9)"),
        case.but(optimizer="adam", scale="standard", rate=0.001),
        case.but(l1=0.01),
        case.but(l2=0.1),
        case.but(l2=0.1, scale="standard"),
        case.but(clip_norm=0.1, scale="standard"),
        case.but(clip_value=0.01),
        case.but(max_norm=0.5),
        case.but(weighted=True, optimizer="adam", batch_size=23, block_rows=7),
        case.but(dropout=(0.0, 0.5, 0.2)),
    ]


def indices(workspace: Workspace, number: int, start: int) -> np.ndarray:
    """Where a matrix of activations lies: indices (rows of a block, logical columns).

    ``number`` is a row of the table of layers; ``start`` the field IN, of inputs, or OUT.
    """
    layers = workspace.net.layers
    fields = (buffers.IN_ROW, buffers.IN_PANEL) if start == buffers.IN else (
        buffers.OUT_ROW, buffers.OUT_PANEL
    )  # fmt: skip
    stride, panel = layers[number, list(fields)]
    if start == buffers.OUT:
        size = layers[number, buffers.WIDTH]
    else:
        size = layers[number - 1, buffers.WIDTH] if number else workspace.network.n_inputs
    columns, lanes = np.arange(size), workspace.lanes
    rows = np.arange(len(workspace.work.row_loss))[:, np.newaxis]
    if panel == IMAGE:
        group = layers[number, start] + rows // lanes * lanes * stride
        return group + columns * lanes + rows % lanes
    return layers[number, start] + rows * stride + columns // lanes * panel + columns % lanes


def transposed_indices(workspace: Workspace, row: np.ndarray) -> np.ndarray:
    """Where the outputs of a layer lie in Work.T: indices (rows of a block, logical columns)."""
    rows = np.arange(len(workspace.work.row_loss))[:, np.newaxis]
    columns, lanes = np.arange(row[buffers.WIDTH]), workspace.lanes
    panels = rows // lanes * lanes * row[buffers.LD]
    return row[buffers.T] + panels + columns * lanes + rows % lanes


class Run:
    """One case: the buffers that the kernels receive, and the same values for the twin."""

    def __init__(self, case: Case):
        self.case = case
        rng = np.random.default_rng(case.seed)
        self.loss = LOSSES.parse(case.loss)
        self.optimizer = OPTIMIZERS.parse(case.optimizer)
        self.network = case.network()
        self.activations = self.network.activations
        for weights, biases in zip(self.network.weights, self.network.biases, strict=True):
            weights[...] = rng.normal(0, 1, weights.shape) / np.sqrt(weights.shape[0])
            biases[...] = rng.normal(0, 0.5, biases.shape)
        dtype = self.network.dtype
        X = rng.normal(0, 1, (case.rows, self.network.n_inputs))
        if case.of_bytes:
            X = rng.integers(1, 256, X.shape)
        raw = np.where(rng.random(X.shape) < case.zeros, 0, X)
        raw = raw.astype(np.uint8 if case.of_bytes else dtype)
        if case.blank:
            raw[::3], raw[:, ::3] = 0, 0
        scaling = SCALERS.parse(case.scale).fit(raw, (0.0, 255.0) if case.of_bytes else None)
        # What the kernels read, where nothing has to be made of it.
        self.X = (
            scaling.apply(raw, dtype) if case.scale != "none" else raw.astype(dtype, copy=False)
        )
        self.task, labels, self.Y = self._draw_targets(rng)
        self.orders = [rng.permutation(case.rows) for _ in range(case.epochs)]
        targets = self.Y if labels is None else np.empty((0, case.sizes[-1]), dtype)
        labels = np.empty(0, np.int32) if labels is None else labels
        # Quarters, whose sums are exact in any order.
        weights = rng.integers(0, 8, case.rows) / 4 if case.weighted else np.empty(0)
        data = encode(raw, scaling, dtype, labels, targets, inputs=case.inputs)
        self.data = data._replace(weights=weights)
        self.objective = objective(
            self.loss, self.optimizer, dtype, TASK_CODES[self.task], case.threshold,
            case.label_smoothing, case.l1, case.l2, case.clip_norm, case.clip_value, case.max_norm,
            case.penalty_per_row,
        )  # fmt: skip
        self.workspace = Workspace(
            self.network,
            case.block_rows,
            self.optimizer.state_buffers,
            sparse=self.data.sparse,
        )
        self.steps_before = 0
        self.dropout_keys = [key(case.seed, Purpose.DROPOUT, e) for e in range(1, case.epochs + 1)]

    def _draw_targets(self, rng: np.random.Generator) -> tuple[str, np.ndarray | None, np.ndarray]:
        """Return what the outputs mean, the labels where there are any, and the targets."""
        shape, dtype = (self.case.rows, self.case.sizes[-1]), self.network.dtype
        if self.activations[-1].name == "softmax":
            labels = rng.integers(0, shape[1], shape[0]).astype(np.int32)
            return "multiclass", labels, reference.one_hot(labels, shape[1], dtype)
        if self.activations[-1].name == "sigmoid":
            return "binary", None, rng.integers(0, 2, shape).astype(dtype)
        if self.activations[-1].name == "exponential":
            return "regression", None, rng.poisson(1.5, shape).astype(dtype)
        return "regression", None, rng.normal(0, 1, shape).astype(dtype)

    # --- the kernels ---

    @property
    def blocks_per_batch(self) -> int:
        return -(-min(self.case.batch_size, self.case.rows) // self.case.block_rows)

    @property
    def padded_size(self) -> int:
        """How long a buffer is that is laid out like the parameters."""
        return int(self.network.params.size)

    @property
    def batches(self) -> int:
        return -(-self.case.rows // self.case.batch_size)

    @property
    def blocks(self) -> int:
        """How many blocks an epoch has."""
        return self.batches * self.blocks_per_batch

    def new_report(self) -> slices.Report:
        return slices.Report(
            np.zeros(self.batches),
            np.zeros(self.batches, np.int64),
            np.zeros(self.batches, np.int64),
            np.zeros(self.batches),
            np.zeros(self.batches),
            np.full(self.batches, float(self.case.rate)),
            self.workspace.net.params[:0],
            penalties_address(self.network.dtype),
        )

    def train(
        self,
        threads: int = 1,
        pieces: int | None = None,
        full_team: bool = False,
        worker: Any = train_batches,
    ) -> list[reference.Step]:
        """Train all epochs by the general step, at most ``pieces`` blocks a launch (None: all)."""
        steps = []
        for epoch, order in enumerate(self.orders):
            report = self.new_report()
            for first in range(0, self.blocks, pieces or self.blocks):
                last = min(first + (pieces or self.blocks), self.blocks)
                part = self._part(epoch, order, first, last, report)
                is_per_sample = worker is train_samples
                arguments = (self.workspace.samples, *part) if is_per_sample else part
                self._launch(worker, threads, full_team, *arguments)
            self.steps_before += self.batches
            steps += [reference.Step(*step) for step in zip(*report[:5], strict=True)]
        return steps

    def train_samples(
        self, threads: int = 1, pieces: int | None = None, full_team: bool = False
    ) -> list[reference.Step]:
        """Train all epochs by the per-sample step; parameters as for :meth:`train`."""
        self.lay_out_for_samples()
        return self.train(threads, pieces, full_team, worker=train_samples)

    def lay_out_for_samples(self) -> None:
        """Give the per-sample step the rows and the workspace it needs; keep one that it has."""
        assert self.case.batch_size == 1
        if self.case.inputs == "dense":
            lists = compress(self.X, NO_SCALING, self.network.dtype)
            self.data = self.data._replace(sparse=lists)
        if self.workspace.samples is None:
            self.workspace = Workspace(self.network, per_sample=True, sparse=self.data.sparse)

    def train_part(self, first: int, last: int, rates: Sequence[float]) -> slices.Report:
        """Blocks ``first`` to ``last`` of the first epoch, with a rate for each of its steps."""
        report = self.new_report()
        report.rates[:] = rates
        part = self._part(0, self.orders[0], first, last, report)
        self._launch(train_batches, 1, False, *part)
        return report

    def _launch(self, worker: Any, threads: int, full_team: bool, *arguments: Any) -> None:
        self.workspace.load()
        (run_members if full_team else launch)(worker, threads, *arguments)
        self.workspace.store()

    def _part(
        self, epoch: int, order: np.ndarray, first: int, last: int, report: slices.Report
    ) -> tuple[Any, ...]:
        part = slices.Slice(
            first, last, self.case.batch_size, self.case.block_rows, self.blocks_per_batch,
            len(order), self.batches, self.steps_before, self.dropout_keys[epoch],
        )  # fmt: skip
        data = self.data._replace(order=order)
        net = self.workspace.net
        if self.workspace.samples is None:
            net = with_update(net, self.objective, self.blocks_per_batch)
        return net, self.workspace.work, data, self.objective, part, report

    def evaluate(
        self, threads: int = 1, want_outputs: bool = True, full_team: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return outputs, losses and hits of the rows of ``data.order``."""
        arguments, results = self._evaluation(want_outputs)
        self.workspace.load()
        (run_members if full_team else launch)(evaluate_rows, threads, *arguments, *results)
        return results

    def evaluate_as(self, member: int, team: int) -> None:
        """Only what one member of a team does."""
        arguments, results = self._evaluation(want_outputs=True)
        self.workspace.load()
        call_of(evaluate_rows, new_sync(), (*arguments, *results)).run(member, team)

    def _evaluation(
        self, want_outputs: bool
    ) -> tuple[tuple[Any, ...], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        n, n_outputs = self.data.order.size, self.case.sizes[-1]
        outputs = np.full((n if want_outputs else 0, n_outputs), np.nan, self.X.dtype)
        results = outputs, np.full(n, np.nan), np.full(n, -1)
        net, work = self.workspace.net, self.workspace.work
        scratch, block_rows = self.workspace.list_scratch, self.case.block_rows
        return (net, work, scratch, self.data, self.objective, block_rows), results

    def activation_rows(self, layer: int) -> np.ndarray:
        """What the last block left of a layer's activations."""
        return self.workspace.work.A[indices(self.workspace, layer, buffers.OUT)]

    def gradients(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Gradients of the objective on all rows, as a step of rate 0 leaves them."""
        assert self.case.optimizer == "sgd" and self.case.batch_size >= self.case.rows
        if not self.case.clip_norm:  # a limit that is never reached: plain SGD stores no gradients
            self.objective = self.objective._replace(clip_norm=1e300)
        self.train_part(0, self.blocks, [0.0])
        return self.network.gradient_views(self.workspace.in_rows(self.workspace.work.grads))

    def poison(self) -> None:
        """Fill all scratch with NaN."""
        poison(self.workspace)

    def padding(self, flat: np.ndarray) -> np.ndarray:
        """The cells between the rows of a buffer that is laid out like the parameters."""
        logical = np.zeros(self.network.params.size)
        for views in self.network.gradient_views(logical):
            for view in views:
                view[...] = 1
        return flat[logical == 0]

    # --- the twin ---

    def model(self) -> tuple[list[np.ndarray], list[np.ndarray], list[reference.Activation], str]:
        """Copies of weights and biases, the activations and the loss, as the twin takes them."""
        return (
            [weights.copy() for weights in self.network.weights],
            [biases.copy() for biases in self.network.biases],
            twin.activations_of(self.activations),
            self.loss.name,
        )

    def twin(self) -> Trained:
        """Return the weights, biases and steps of the twin after all epochs. Call before train."""
        case, size = self.case, self.case.batch_size
        starts = range(0, case.rows, size)
        rows = [order[start : start + size] for order in self.orders for start in starts]
        positions = [range(start, min(start + size, case.rows)) for start in starts]
        masks = [self.masks(epoch, part) for epoch in range(case.epochs) for part in positions]
        return twin.train(
            self.network, self.loss, self.optimizer, case, self.task, self.X, self.Y,
            rows, [case.rate] * len(rows),
            row_weights=self.data.weights if case.weighted else None,
            masks=masks,
        )  # fmt: skip

    def masks(self, epoch: int, positions: Sequence[int]) -> reference_layers.Masks:
        """Return the twin's dropout masks of an epoch's rows at some positions, from 0."""
        return twin.masks_of(self.network, self.dropout_keys[epoch], positions)


def poison(workspace: Workspace) -> None:
    """Fill all scratch with NaN, and counts with nonsense: logical cells only."""
    work, layers = workspace.work, workspace.net.layers
    if layers[0, buffers.IN] < layers[0, buffers.OUT]:  # sparse inputs have no buffer
        work.A[indices(workspace, 0, buffers.IN)] = np.nan
    for number, row in enumerate(layers):
        for array in (work.A, work.Z, work.D):
            array[indices(workspace, number, buffers.OUT)] = np.nan
        if work.T.size:  # an evaluation has none
            work.T[transposed_indices(workspace, row)] = np.nan
    if workspace.samples is not None:
        samples = workspace.samples
        for array in (samples.values, samples.sums, samples.tail, samples.u, samples.q):
            array[:] = np.nan
        samples.columns[:], samples.counts[:] = -7, -7
        for array in (
            samples.block.row_products,
            samples.block.Z,
            samples.block.D,
            samples.block.scale,
        ):
            array[:] = np.nan
    work.scratch[:] = np.nan
    work.columns.values[:], work.columns.sums[:], work.columns.bytes[:] = np.nan, np.nan, 255
    last = layers[-1]
    Y = work.Y.reshape(-1, last[buffers.LD_OUT])
    Y[:, : last[buffers.N_OUT]] = np.nan
    work.grads[:] = np.nan
    work.group_norms[:] = np.nan
    work.group_penalties[:] = np.nan
    work.row_loss[:] = np.nan
    work.row_hit[:] = -7


def assert_close(ours: Sequence[np.ndarray], twins: Sequence[np.ndarray], dtype: str) -> None:
    """Arrays agree but for rounding."""
    for one, other in zip(ours, twins, strict=True):
        np.testing.assert_allclose(one, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def assert_same_steps(ours: Any, twins: Any, dtype: str) -> None:
    """Losses agree but for rounding, hits and rows exactly."""
    assert_close([np.array([s.loss for s in ours])], [np.array([s.loss for s in twins])], dtype)
    paid = [np.array([step.penalty for step in steps]) for steps in (ours, twins)]
    assert_close(paid[:1], paid[1:], dtype)
    assert [step[1:4] for step in ours] == [step[1:4] for step in twins]


def assert_matches_twin(case: Case) -> None:
    """Training by the general step gives what the twin gives."""
    run = Run(case)
    weights, biases, steps = run.twin()
    assert_same_steps(run.train(), steps, case.dtype)
    assert_close(run.network.weights, weights, case.dtype)
    assert_close(run.network.biases, biases, case.dtype)
