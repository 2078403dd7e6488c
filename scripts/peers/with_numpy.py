"""NumPy over its BLAS, written by hand: no array is made in a step, parameters lie in one buffer so
that an optimizer is a few calls whatever the depth.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import expit as logistic

from .contender import DECAY, Stepwise, classes_of, of_classes, weight_scale
from .nets import units

BETA1, BETA2, EPSILON, MOMENTUM = 0.9, 0.999, 1e-8, 0.9


class Parameters:
    """A flat float32 buffer, with a view for each layer's weights and biases."""

    def __init__(self, sizes: tuple[int, ...]):
        pairs = list(pairwise(sizes))
        self.flat = np.zeros(sum((n_in + 1) * n_out for n_in, n_out in pairs), np.float32)
        self.W, self.b, end = [], [], 0
        for n_in, n_out in pairs:
            start, end = end, end + n_in * n_out
            self.W.append(self.flat[start:end].reshape(n_in, n_out))
            self.b.append(self.flat[end : end + n_out])
            end += n_out


class Buffers:
    """The arrays of a step on a number of rows."""

    def __init__(self, rows: int, sizes: tuple[int, ...]):
        def arrays() -> list[np.ndarray]:
            return [np.empty((rows, n), np.float32) for n in sizes]

        self.A, self.d = arrays(), arrays()
        self.d[-1] = self.A[-1]  # probabilities become the last deltas in place
        self.alive = [np.empty((rows, n), bool) for n in sizes]
        self.column = np.empty((rows, 1), np.float32)
        self.every = np.arange(rows)
        self.ones = np.ones(rows, np.float32)


class Numpy(Stepwise):
    """A training loop in NumPy."""

    def convert(self) -> None:
        self.sizes = units(self.stages)

    def start(self, rows: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.params, self.grads = Parameters(self.sizes), Parameters(self.sizes)
        for W in self.params.W:
            scale = weight_scale(self.case.activation, *W.shape)
            W[...] = self.rng.standard_normal(W.shape, np.float32) * np.float32(scale)
        self.buffers = Buffers(self.case.batch_of(rows), self.sizes)
        size = self.params.flat.size
        self.first, self.second = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self.scratch = np.empty(size, np.float32)
        self.updates = 0

    def epoch(self, rows: int) -> None:
        if self.case.batch_size == 0:
            self._step(self.X[:rows], self.y[:rows])
            return
        X, size = self.buffers.A[0], self.case.batch_size
        order = self.rng.permutation(rows)
        for start in range(0, rows, size):
            batch = order[start : start + size]
            # mode "clip" writes straight to out; the default one buffers.
            self.X.take(batch, 0, out=X, mode="clip")
            self._step(X, self.y[batch])

    def _step(self, X: np.ndarray, y: np.ndarray) -> None:
        buffers, params, grads = self.buffers, self.params, self.grads
        p = self._forward(X, buffers)
        if p.shape[1] == 1:
            p[:, 0] -= y
        else:
            p[buffers.every, y] -= 1
        p *= np.float32(1 / len(X))
        for k in range(len(params.W) - 1, -1, -1):
            d = buffers.d[k + 1]
            np.matmul((buffers.A[k] if k else X).T, d, out=grads.W[k])
            np.matmul(buffers.ones, d, out=grads.b[k])
            if k:
                np.matmul(d, params.W[k].T, out=buffers.d[k])
                self._through_activation(k)
        self._update()

    def _through_activation(self, k: int) -> None:
        """Turn the gradient by a layer's outputs into that by its inputs."""
        buffers = self.buffers
        if self.case.activation == "relu":
            np.greater(buffers.A[k], 0, out=buffers.alive[k])
            buffers.d[k] *= buffers.alive[k]
        else:  # tanh' = 1 - tanh^2; the outputs are not needed any more
            np.square(buffers.A[k], out=buffers.A[k])
            np.subtract(1, buffers.A[k], out=buffers.A[k])
            buffers.d[k] *= buffers.A[k]

    def _forward(self, X: np.ndarray, buffers: Buffers) -> np.ndarray:
        """Return the probabilities, in the last buffer of activations."""
        last = len(self.params.W) - 1
        for k, (W, b) in enumerate(zip(self.params.W, self.params.b, strict=True)):
            Z = buffers.A[k + 1]
            np.matmul(buffers.A[k] if k else X, W, out=Z)
            Z += b
            if k < last:
                self._activate(Z)
        if Z.shape[1] == 1:
            logistic(Z, out=Z)
            return Z
        Z.max(axis=1, keepdims=True, out=buffers.column)
        Z -= buffers.column
        np.exp(Z, out=Z)
        Z.sum(axis=1, keepdims=True, out=buffers.column)
        Z /= buffers.column
        return Z

    def _activate(self, Z: np.ndarray) -> None:
        if self.case.activation == "relu":
            np.maximum(Z, 0, out=Z)
        else:
            np.tanh(Z, out=Z)

    def _update(self) -> None:
        flat, g, rate = self.params.flat, self.grads.flat, np.float32(self.case.learning_rate)
        if self.case.optimizer in ("adam", "adamw"):
            if self.case.optimizer == "adamw":
                for W in self.params.W:
                    W *= 1 - rate * np.float32(DECAY)
            self._adam(flat, g)
            return
        if self.case.optimizer == "momentum":
            self.first *= np.float32(MOMENTUM)
            self.first += g
            g = np.multiply(self.first, rate, out=self.scratch)
        else:
            g *= rate
        flat -= g

    def _adam(self, flat: np.ndarray, g: np.ndarray) -> None:
        self.updates += 1
        m, v, scratch = self.first, self.second, self.scratch
        m *= np.float32(BETA1)
        m += np.multiply(g, np.float32(1 - BETA1), out=scratch)
        v *= np.float32(BETA2)
        np.square(g, out=g)
        v += np.multiply(g, np.float32(1 - BETA2), out=g)
        np.multiply(v, np.float32(1 / (1 - BETA2**self.updates)), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += np.float32(EPSILON)
        np.divide(m, scratch, out=scratch)
        scratch *= np.float32(self.case.learning_rate / (1 - BETA1**self.updates))
        flat -= scratch

    def labels(self, X: np.ndarray) -> np.ndarray:
        """By the scores; there is no need of the softmax."""
        A = X
        last = len(self.params.W) - 1
        for k, (W, b) in enumerate(zip(self.params.W, self.params.b, strict=True)):
            A = A @ W
            A += b
            if k < last:
                self._activate(A)
        return np.asarray(classes_of(A))

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        return of_classes(self._forward(X, Buffers(len(X), self.sizes)))
