"""scripts/compare_peers.py: the convolutional networks of its contenders are fastmlp's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
import reference_layers

SHAPE = (8, 9, 2)
# Windows that leave a column out, and zeros at the edges, more of them after than before.
LAYERS = "conv2d(3, 3), max_pool2d(2), conv2d(4, (2, 3), stride=(1, 2), padding=same), dense(5)"
TWIN: list[reference_layers.Layer] = [
    ("conv2d", {"kernel_size": (3, 3), "stride": (1, 1), "padding": "valid"}),
    ("max_pool2d", {"size": (2, 2), "stride": (2, 2)}),
    ("conv2d", {"kernel_size": (2, 3), "stride": (1, 2), "padding": "same"}),
    ("dense", {}),
    ("dense", {}),
]
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
PEERS = [
    ("torch", "contiguous"), ("torch", "channels_last"), ("jax", "NHWC"), ("jax", "NCHW"),
]  # fmt: skip


def images(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 3
    return rng.normal(size=(rows, np.prod(SHAPE))).astype(np.float32), y


def loaded(name: str, memory_format: str, X: np.ndarray, y: np.ndarray, **settings: Any) -> Any:
    """A contender that has started a case with LAYERS."""
    from peers.case import Case
    from peers.contenders import create

    case = Case("c", "", **{"layers": LAYERS, "batch_size": 0, **settings})
    contender = create(name, 1, memory_format)
    contender.image_shape = SHAPE
    contender.load(case, X, y)
    contender.start(len(X), 0)
    return contender


def twin_parameters(contender: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A contender's weights, as matrices for inputs with channels last, and biases."""
    if hasattr(contender, "model"):
        layers = [layer for layer in contender.model if hasattr(layer, "weight")]
        pairs = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in layers]
        pairs = [(W.T if W.ndim == 2 else W, b) for W, b in pairs]
        channels_first = True  # nn.Flatten and the weights, in both memory formats
    else:
        pairs, channels_first = contender.state["params"], contender.channels_first
    weighted = [stage for stage in contender.stages if stage.is_weighted]
    weights = []
    for stage, (W, _) in zip(weighted, pairs, strict=True):
        matrix = np.array(W, np.float64)
        height, width, channels = (*stage.inputs, 0, 0)[:3]
        if matrix.ndim == 4 and channels_first:
            matrix = matrix.transpose(2, 3, 1, 0)
        elif len(stage.inputs) == 3 and channels_first:
            matrix = matrix.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
        weights.append(matrix.reshape(-1, matrix.shape[-1]))
    return weights, [np.array(b, np.float64) for _, b in pairs]


@pytest.mark.parametrize(("name", "memory_format"), PEERS)
@pytest.mark.parametrize(
    ("optimizer", "parameters", "updates"),
    # One update by gradient descent compares the gradients.
    [("sgd", {"momentum": 0.0, "nesterov": False}, 1), ("adam", ADAM, 5)],
)
def test_convolutional_steps_equal_the_twin(
    comparisons: None, name: str, memory_format: str, optimizer: str, parameters: dict[str, Any],
    updates: int,
) -> None:  # fmt: skip
    pytest.importorskip(name)
    X, y = images(24)
    contender = loaded(name, memory_format, X, y, optimizer=optimizer, learning_rate=0.05)
    weights, biases = twin_parameters(contender)
    assert [W.shape for W in weights] == [(18, 3), (18, 4), (24, 5), (5, 3)]
    reference.train(
        weights, biases, [("relu", 0.0)] * 3 + [("softmax", 0.0)], "cross_entropy",
        [(X.astype(np.float64), reference.one_hot(y, 3))] * updates, [0.05] * updates, optimizer,
        parameters, passes=[reference_layers.passes(TWIN, SHAPE)] * updates,
    )  # fmt: skip
    for _ in range(updates):
        contender.epoch(len(X))
    ours = twin_parameters(contender)
    for one, other in zip([*ours[0], *ours[1]], [*weights, *biases], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    outputs = reference_layers.passes(TWIN, SHAPE).forward(
        weights, biases, [("relu", 0.0)] * 3 + [("softmax", 0.0)], X.astype(np.float64)
    )[1][-1]
    np.testing.assert_allclose(contender.probabilities(X), outputs, rtol=1e-2, atol=1e-3)
    assert (contender.labels(X) == contender.probabilities(X).argmax(1)).all()


@pytest.mark.parametrize(("name", "memory_format"), PEERS)
def test_batches_of_images_train_with_dropout(
    comparisons: None, name: str, memory_format: str
) -> None:
    pytest.importorskip(name)
    X, y = images(48)
    settings = {"layers": f"{LAYERS}, dropout(0.2)", "batch_size": 16, "optimizer": "adam"}
    contender = loaded(name, memory_format, X, y, learning_rate=0.01, **settings)

    def loss() -> float:
        return float(-np.log(contender.probabilities(X)[np.arange(48), y]).mean())

    before = loss()
    for _ in range(10):
        contender.epoch(48)
    assert loss() < 0.8 * before
    assert (contender.probabilities(X) == contender.probabilities(X)).all()


def test_networks_are_those_of_the_reproductions(comparisons: None) -> None:
    from peers.cases import named
    from peers.nets import sizes, stages
    from systems.convolutional import TEN_DIGITS, TWO_DIGITS

    e3, e2, lenet = named(["e3-32", "e2-512", "lenet-32"])
    assert e3.layers == TEN_DIGITS["layers"]
    assert (e2.layers, e2.classes) == (TWO_DIGITS["layers"], TWO_DIGITS["classes"])
    assert (e3.batch_size, e2.batch_size) == (32, 512)
    found = stages(lenet, (28, 28, 1), 10)
    assert sizes(found) == ["28x28x1", "24x24x6", "12x12x6", "8x8x16", "4x4x16", 120, 84, 10]
    weighted = [stage for stage in found if stage.is_weighted]
    parameters = [stage.layer.matrix_shape(stage.inputs) for stage in weighted]
    assert sum((n_in + 1) * n_out for n_in, n_out in parameters) == 44_426
    assert [stage.multiply_adds for stage in weighted] == [86_400, 153_600, 30_720, 10_080, 840]


def test_only_convolutional_cases_have_several_memory_formats(comparisons: None) -> None:
    from peers.cases import CASES
    from peers.contenders import OURS, memory_formats

    for case in CASES:
        found = {name: memory_formats(name, case) for name in ("torch", "jax", OURS)}
        if case.group == "convolutional":
            assert found["torch"] == ("contiguous", "channels_last")
            assert found["jax"] == ("NHWC", "NCHW")
            assert not memory_formats("scikit-learn", case) + memory_formats("numpy", case)
        elif case.group == "dense":
            assert len(found["torch"]) == len(found["jax"]) == 1
        assert len(found[OURS]) == 1
