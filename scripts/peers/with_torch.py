"""PyTorch, eager, after its performance tuning guide: tensors in memory, one index_select a batch
(a DataLoader handles sample by sample), gradients set to None, fused optimizers, inference mode.
Measured: fused is the fastest form of SGD and of Adam on the CPU, index_select of indexing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from .contender import Stepwise


class Torch(Stepwise):
    """PyTorch as its guides advise for small networks on a CPU."""

    def __init__(self, threads: int):
        super().__init__(threads)
        torch.set_num_threads(threads)

    def place(self) -> None:
        self.X_tensor, self.y_tensor = torch.from_numpy(self.X), torch.from_numpy(self.y)
        self.loss = nn.CrossEntropyLoss()

    def start(self, rows: int, seed: int) -> None:
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(self.sizes):
            layer = nn.Linear(n_in, n_out)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            layers += [layer, nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        rate, parameters = self.case.learning_rate, self.model.parameters()
        self.optimizer: torch.optim.Optimizer
        if self.case.optimizer == "adam":
            self.optimizer = torch.optim.Adam(parameters, lr=rate, fused=True)
        else:
            momentum = 0.9 if self.case.optimizer == "momentum" else 0.0
            self.optimizer = torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)

    def epoch(self, rows: int) -> None:
        if self.case.batch_size == 0:
            self._step(self.X_tensor[:rows], self.y_tensor[:rows])
            return
        for batch in torch.randperm(rows).split(self.case.batch_size):
            self._step(self.X_tensor.index_select(0, batch), self.y_tensor.index_select(0, batch))

    def _step(self, X: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.model(X), y).backward()
        self.optimizer.step()

    def labels(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(self.model(torch.from_numpy(X)).argmax(1).numpy())

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(self.model(torch.from_numpy(X)).softmax(1).numpy())
