"""PyTorch, eager, after its performance tuning guide: tensors in memory, one index_select a batch
(a DataLoader handles sample by sample), gradients set to None, fused optimizers, inference mode.
Measured: fused is the fastest form of SGD and of Adam on the CPU, index_select of indexing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from .contender import DECAY, Stepwise, classes_of, of_classes, weight_scale

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


class Torch(Stepwise):
    """PyTorch as its guides advise for small networks on a CPU."""

    def __init__(self, threads: int):
        super().__init__(threads)
        torch.set_num_threads(threads)

    def convert(self) -> None:
        self.X_tensor, self.y_tensor = torch.from_numpy(self.X), torch.from_numpy(self.y)
        self.loss: nn.Module = nn.CrossEntropyLoss()
        if self.sizes[-1] == 1:
            self.loss = nn.BCEWithLogitsLoss()
            self.y_tensor = self.y_tensor[:, None].float()

    def start(self, rows: int, seed: int) -> None:
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(self.sizes):
            layer = nn.Linear(n_in, n_out)
            nn.init.normal_(layer.weight, std=weight_scale(self.case.activation, n_in, n_out))
            nn.init.zeros_(layer.bias)
            layers += [layer, ACTIVATIONS[self.case.activation]()]
            if self.case.dropout:
                layers.append(nn.Dropout(self.case.dropout))
        self.model = nn.Sequential(*layers[: -2 if self.case.dropout else -1])
        self.optimizer = self._optimizer()

    def _optimizer(self) -> torch.optim.Optimizer:
        rate, parameters = self.case.learning_rate, list(self.model.parameters())
        if self.case.optimizer == "adam":
            return torch.optim.Adam(parameters, lr=rate, fused=True)
        if self.case.optimizer == "adamw":
            groups = [
                {"params": [p for p in parameters if p.ndim > 1], "weight_decay": DECAY},
                {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
            ]
            return torch.optim.AdamW(groups, lr=rate, fused=True)
        momentum = 0.9 if self.case.optimizer == "momentum" else 0.0
        return torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)

    def epoch(self, rows: int) -> None:
        self.model.train()
        if self.case.batch_size == 0:
            self._step(self.X_tensor[:rows], self.y_tensor[:rows])
            return
        for batch in torch.randperm(rows).split(self.case.batch_size):
            self._step(self.X_tensor.index_select(0, batch), self.y_tensor.index_select(0, batch))

    def _step(self, X: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.model(X), y).backward()
        self.optimizer.step()

    def _scores(self, X: np.ndarray) -> torch.Tensor:
        self.model.eval()
        return self.model(torch.from_numpy(X))

    def labels(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(classes_of(self._scores(X)).numpy())

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scores = self._scores(X)
            found = scores.sigmoid() if scores.shape[1] == 1 else scores.softmax(1)
            return of_classes(np.asarray(found.numpy()))
