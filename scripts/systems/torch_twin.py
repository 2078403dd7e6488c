"""The baseline of D in PyTorch, where it is installed; it is no dependency of anything here."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import torch
from torch import nn

import fastmlp
from fastmlp.data.split import parts


def train(config: fastmlp.TrainConfig, dataset: fastmlp.Dataset) -> tuple[float, float]:
    """Train the same ReLU net on the same rows, scaled alike.

    Parameters
    ----------
    config : TrainConfig
        Of a ReLU net with softmax, scaled by standard_global, trained by plain gradient descent.
    dataset : Dataset

    Returns
    -------
    accuracy, seconds : float
        On the test part; of training.

    Notes
    -----
    On one thread: beside any other threads, fastmlp's own among them, its team waits more than it
    works, and took ten times as long.
    """
    torch.set_num_threads(1)
    split = parts(dataset, **config.split_settings)
    assert split.X_test is not None and split.y_test is not None
    mean, deviation = split.X_train.mean(), split.X_train.std()

    def tensors(X: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        scaled = ((X - mean) / deviation).astype(np.float32)
        return torch.from_numpy(scaled), torch.from_numpy(y.astype(np.int64))

    torch.manual_seed(config.seed)
    model = _model((split.X_train.shape[1], *config.hidden_layer_sizes, len(np.unique(dataset.y))))
    optimizer = torch.optim.SGD(model.parameters(), lr=float(config.learning_rate), fused=True)
    loss = nn.CrossEntropyLoss()
    X, y = tensors(split.X_train, split.y_train)
    started = time.perf_counter()
    for _ in range(config.epochs):
        for batch in torch.randperm(len(y)).split(config.batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss(model(X[batch]), y[batch]).backward()
            optimizer.step()
    seconds = time.perf_counter() - started
    X, y = tensors(split.X_test, split.y_test)
    with torch.inference_mode():
        return float((model(X).argmax(1) == y).float().mean()), seconds


def _model(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layer = nn.Linear(n_in, n_out)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
