"""JAX: an epoch is one jitted scan over its batches, the data are on the device, the state's
buffers are donated. Measured: the gather by rows within the scan beats one gather of all rows
before it, and telling it that the indices are within bounds helps a little. Convolutions take 3 to
11 times as long within a scan on a CPU, so their updates are jitted one by one.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .contender import DECAY, Stepwise, classes_of, of_classes
from .jax_net import JaxNet, Parameters

BETA1, BETA2, EPSILON, MOMENTUM = 0.9, 0.999, 1e-8, 0.9
State = dict[str, Any]


def mean_loss(params: Parameters, net: JaxNet, X: Any, y: Any, key: Any) -> Any:
    """Return the mean cross-entropy of a training step."""
    found = net.scores(params, X, key, is_training=True)
    if found.shape[1] == 1:
        return jax.nn.softplus(jnp.where(y, -found[:, 0], found[:, 0])).mean()
    return -jnp.take_along_axis(jax.nn.log_softmax(found), y[:, None], 1).mean()


def updated(state: State, gradients: Any, optimizer: str, rate: float) -> State:
    """Return the state after an update."""
    params, tree_map = state["params"], jax.tree.map
    if optimizer == "sgd":
        return {"params": tree_map(lambda p, g: p - rate * g, params, gradients)}
    if optimizer == "momentum":
        velocity = tree_map(lambda v, g: MOMENTUM * v + g, state["velocity"], gradients)
        params = tree_map(lambda p, v: p - rate * v, params, velocity)
        return {"params": params, "velocity": velocity}
    count = state["count"] + 1
    first = tree_map(lambda m, g: BETA1 * m + (1 - BETA1) * g, state["first"], gradients)
    second = tree_map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state["second"], gradients)
    unbias1, unbias2 = 1 / (1 - BETA1**count), 1 / (1 - BETA2**count)
    params = tree_map(
        lambda p, m, v: p - rate * unbias1 * m / (jnp.sqrt(unbias2 * v) + EPSILON),
        params, first, second,
    )  # fmt: skip
    if optimizer == "adamw":
        decayed = 1 - rate * DECAY
        params = [
            (W - (1 - decayed) * old, b)
            for (W, b), (old, _) in zip(params, state["params"], strict=True)
        ]
    return {"params": params, "first": first, "second": second, "count": count}


class Jax(Stepwise):
    """JAX with jit and scan."""

    def __init__(self, threads: int, memory_format: str):
        super().__init__(threads, memory_format)
        self.channels_first = memory_format == "NCHW"

    def convert(self) -> None:
        self.X_device, self.y_device = jnp.asarray(self.X), jnp.asarray(self.y, jnp.int32)
        case = self.case
        self.net = net = JaxNet(self.stages, self.channels_first)

        def step(state: State, X: Any, y: Any) -> State:
            extra: State = {}
            key = None
            if net.drops:
                extra["key"], key = jax.random.split(state["key"])
            gradients = jax.grad(mean_loss)(state["params"], net, X, y, key)
            return updated(state, gradients, case.optimizer, case.learning_rate) | extra

        def batch_step(state: State, X: Any, y: Any, rows: Any) -> State:
            def taken(array: Any) -> Any:
                return array.at[rows].get(mode="promise_in_bounds")

            return step(state, taken(X), taken(y))

        def epoch(state: State, X: Any, y: Any, order: Any) -> State:
            last: State = lax.scan(lambda s, rows: (batch_step(s, X, y, rows), None), state, order)[
                0
            ]
            return last

        self._epoch = jax.jit(epoch, donate_argnums=0)
        self._batch_step = jax.jit(batch_step, donate_argnums=0)
        self._step = jax.jit(step, donate_argnums=0)
        self._scores = jax.jit(net.scores)
        self._labels = jax.jit(lambda params, X: classes_of(net.scores(params, X)))

    def start(self, rows: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        params = self.net.draw(self.rng, self.case.activation)
        self.state: State = {"params": params}

        def zeros() -> Any:
            return jax.tree.map(jnp.zeros_like, params)

        if self.case.optimizer == "momentum":
            self.state["velocity"] = zeros()
        elif self.case.optimizer in ("adam", "adamw"):
            self.state |= {"first": zeros(), "second": zeros(), "count": jnp.zeros((), jnp.float32)}
        if self.net.drops:
            # Of the generators that JAX has, the fastest on a CPU.
            self.state["key"] = jax.random.key(seed, impl="rbg")
        # Slices are copies here, and belong to the preparation, not to the epoch.
        whole = rows == len(self.X)
        self.X_used = self.X_device if whole else self.X_device[:rows]
        self.y_used = self.y_device if whole else self.y_device[:rows]
        jax.block_until_ready((self.state, self.X_used))

    def epoch(self, rows: int) -> None:
        X, y = self.X_used, self.y_used
        if self.case.batch_size == 0:
            self.state = self._step(self.state, X, y)
            jax.block_until_ready(self.state)
            return
        # By NumPy: JAX's own permutation sorts, which takes longer.
        order = self.rng.permutation(rows).astype(np.int32).reshape(-1, self.case.batch_size)
        if self.case.takes_images:
            for batch in order:
                self.state = self._batch_step(self.state, X, y, batch)
        else:
            self.state = self._epoch(self.state, X, y, order)
        jax.block_until_ready(self.state)

    def labels(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self._labels(self.state["params"], self.ordered(X)))

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        found = self._scores(self.state["params"], self.ordered(X))
        of_all = jax.nn.sigmoid(found) if found.shape[1] == 1 else jax.nn.softmax(found)
        return of_classes(np.asarray(of_all))
