"""PyTorch, eager, after its performance tuning guide: tensors in memory, one index_select a batch
(a DataLoader handles sample by sample), gradients set to None, fused optimizers, inference mode.
Measured: fused is the fastest form of SGD and of Adam on the CPU, index_select of indexing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from fastmlp.ops.layers import Conv2d, Dense, Dropout, MaxPool2d, Shape, pair

from .contender import DECAY, Stepwise, classes_of, of_classes, weight_scale
from .nets import Stage, padding

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU,
}  # fmt: skip


class Images(nn.Module):
    """Views rows as images, without a copy; their order is that of the memory format."""

    def __init__(self, shape: Shape, channels_first: bool):
        super().__init__()
        height, width, channels = shape
        self.channels_first = channels_first
        self.shape = (channels, height, width) if channels_first else shape

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        images = X.view(-1, *self.shape)
        return images if self.channels_first else images.permute(0, 3, 1, 2)


def _convolution(stage: Stage) -> list[nn.Module]:
    layer = stage.layer
    assert isinstance(layer, Conv2d)
    (above, below), (left, right) = padding(stage)
    convolution = nn.Conv2d(
        stage.inputs[2], layer.filters, pair(layer.kernel_size), pair(layer.stride)
    )
    padded = [nn.ZeroPad2d((left, right, above, below))] if above + below + left + right else []
    return [*padded, convolution, ACTIVATIONS[layer.activation]()]


def _dense(stage: Stage) -> list[nn.Module]:
    layer = stage.layer
    assert isinstance(layer, Dense)
    flatten = [nn.Flatten()] if len(stage.inputs) == 3 else []
    linear = nn.Linear(math.prod(stage.inputs), layer.units)
    return [*flatten, linear, ACTIVATIONS[layer.activation]()]


def _max_pool(stage: Stage) -> list[nn.Module]:
    layer = stage.layer
    assert isinstance(layer, MaxPool2d)
    return [nn.MaxPool2d(pair(layer.size), pair(layer.stride or layer.size))]


def _dropout(stage: Stage) -> list[nn.Module]:
    assert isinstance(stage.layer, Dropout)
    return [nn.Dropout(stage.layer.rate)]


MODULES: dict[str, Callable[[Stage], list[nn.Module]]] = {
    "dense": _dense, "conv2d": _convolution, "max_pool2d": _max_pool, "dropout": _dropout,
}  # fmt: skip


class Torch(Stepwise):
    """PyTorch as its guides advise for small networks on a CPU."""

    def __init__(self, threads: int, memory_format: str):
        super().__init__(threads, memory_format)
        torch.set_num_threads(threads)
        self.channels_first = memory_format == "contiguous"

    def convert(self) -> None:
        self.X_tensor, self.y_tensor = torch.from_numpy(self.X), torch.from_numpy(self.y)
        self.loss: nn.Module = nn.CrossEntropyLoss()
        if self.stages[-1].outputs == (1,):
            self.loss = nn.BCEWithLogitsLoss()
            self.y_tensor = self.y_tensor[:, None].float()

    def start(self, rows: int, seed: int) -> None:
        torch.manual_seed(seed)
        modules: list[nn.Module] = []
        if self.case.takes_images:
            modules.append(Images(self.image_shape, self.channels_first))
        for stage in self.stages:
            made = MODULES[stage.layer.name](stage)
            for module in made:
                if isinstance(module, nn.Linear | nn.Conv2d):
                    fans = stage.layer.fans(stage.inputs)
                    nn.init.normal_(module.weight, std=weight_scale(self.case.activation, *fans))
                    nn.init.zeros_(module.bias)
            modules += made
        self.model = nn.Sequential(*modules[:-1])  # without the output layer's identity
        if not self.channels_first:
            self.model = self.model.to(memory_format=torch.channels_last)
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
        return self.model(torch.from_numpy(self.ordered(X)))

    def labels(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(classes_of(self._scores(X)).numpy())

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scores = self._scores(X)
            found = scores.sigmoid() if scores.shape[1] == 1 else scores.softmax(1)
            return of_classes(np.asarray(found.numpy()))
