"""Models as modules of PyTorch."""

from __future__ import annotations

import io
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from ..ops.expressions import Language
from ..ops.operations import Affine, Apply, Convolve, Pool, Select, Shape, Sort
from .program import Program, Writer

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "negative": operator.neg, "greater": operator.gt,
    "less": operator.lt, "greater_equal": operator.ge, "less_equal": operator.le,
    "abs": torch.abs, "cos": torch.cos, "erf": torch.erf, "exp": torch.exp, "floor": torch.floor,
    "isnan": torch.isnan, "log": torch.log, "maximum": torch.maximum, "minimum": torch.minimum,
    "row_max": lambda x: torch.amax(x, -1, keepdim=True),
    "row_sum": lambda x: torch.sum(x, -1, keepdim=True),
    "sin": torch.sin, "sqrt": torch.sqrt, "tanh": torch.tanh, "where": torch.where,
}  # fmt: skip


class Formula(nn.Module):
    """A formula of each element, computed in ``dtype`` and returned in another.

    Parameters
    ----------
    operation : Apply
    computed, returned : torch.dtype
    """

    def __init__(self, operation: Apply, computed: torch.dtype, returned: torch.dtype):
        super().__init__()
        self.formula, self.computed, self.returned = operation.formula, computed, returned
        self.names = tuple(operation.constants)
        for name, value in operation.constants.items():
            tensor = torch.tensor(np.array(value), dtype=computed)
            if len(operation.inputs) == 3 and tensor.ndim:
                tensor = tensor.reshape(-1, 1, 1)  # channels come before the pixels
            self.register_buffer(name, tensor, persistent=tensor.ndim > 0)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return the value for each element of ``z``."""
        z = z.to(self.computed)
        language: Language[Any] = Language(_FUNCTIONS, lambda number: z.new_tensor(number))
        values = {name: getattr(self, name) for name in self.names}
        return language.evaluate(self.formula, {**values, "z": z}).to(self.returned)

    def extra_repr(self) -> str:
        return self.formula.replace("\n", "; ")


class ToImages(nn.Module):
    """Rows as images, channels first."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return images of shape (n, channels, height, width)."""
        return rows.reshape(-1, *self.shape).permute(0, 3, 1, 2)


class ToRows(nn.Module):
    """Images as rows: pixel by pixel, channels last."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return rows of shape (n, features)."""
        return images.permute(0, 2, 3, 1).flatten(1)


class Selection(nn.Module):
    """Some elements of each row, in any order."""

    def __init__(self, index: np.ndarray):
        super().__init__()
        self.register_buffer("index", torch.tensor(index))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the elements."""
        return rows[:, self.index]


class Mean(nn.Module):
    """The mean of the outputs of several modules."""

    def __init__(self, members: list[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean."""
        return torch.stack([member(rows) for member in self.members]).mean(0)


class BothClasses(nn.Module):
    """Probabilities of two classes from that of the second."""

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return probabilities, shape (n, 2)."""
        return torch.cat([1 - outputs, outputs], dim=1)


class Ascending(nn.Module):
    """The elements of each row, sorted."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows whose elements ascend."""
        return rows.sort(dim=1).values


class TorchWriter(Writer[list[nn.Module]]):
    """Adds a module for each operation to a list.

    Parameters
    ----------
    dtype : torch.dtype
    """

    def __init__(self, dtype: torch.dtype):
        self.dtype = dtype

    def as_images(self, rows: list[nn.Module], shape: Shape) -> list[nn.Module]:
        return [*rows, ToImages(shape)]

    def as_rows(self, images: list[nn.Module], shape: Shape) -> list[nn.Module]:
        return [*images, ToRows()]

    def affine(self, operation: Affine, found: list[nn.Module]) -> list[nn.Module]:
        layer = nn.Linear(*operation.weights.shape, dtype=self.dtype)
        return [*found, _with(layer, operation.weights.T, operation.biases)]

    def select(self, operation: Select, found: list[nn.Module]) -> list[nn.Module]:
        return [*found, Selection(operation.index)]

    def convolve(self, operation: Convolve, found: list[nn.Module]) -> list[nn.Module]:
        height, width, channels, filters = operation.weights.shape
        layer = nn.Conv2d(
            channels, filters, (height, width), stride=operation.stride, dtype=self.dtype
        )
        top, left, bottom, right = operation.padding
        padding = [nn.ZeroPad2d((left, right, top, bottom))] if any(operation.padding) else []
        weights = operation.weights.transpose(3, 2, 0, 1)
        return [*found, *padding, _with(layer, weights, operation.biases)]

    def pool(self, operation: Pool, found: list[nn.Module]) -> list[nn.Module]:
        kind = nn.MaxPool2d if operation.takes_max else nn.AvgPool2d
        return [*found, kind(operation.size, stride=operation.stride)]

    def sort(self, operation: Sort, found: list[nn.Module]) -> list[nn.Module]:
        return [*found, Ascending()]

    def apply(self, operation: Apply, found: list[nn.Module]) -> list[nn.Module]:
        if operation.formula == "z":
            return found
        return [*found, Formula(operation, self.dtype, self.dtype)]


def torch_module(program: Program) -> nn.Sequential:
    """Return a module in evaluation mode.

    It takes rows, a tensor of shape (n, n_features) of any type, or images; of a table of several
    kinds its features, as ``Predictor.encoded`` returns them. It returns the probabilities of
    classes, shape (n, n_classes), or of labels; of a regression predictions, shape (n, n_outputs).
    """
    dtype = _dtype(program.dtype)
    modules: list[nn.Module] = [nn.Flatten()]
    if program.scaling is not None:
        modules.append(Formula(program.scaling, torch.float64, dtype))
    members = [nn.Sequential(*TorchWriter(dtype).write(m, [])) for m in program.members]
    modules += members[0] if len(members) == 1 else [Mean(list(members))]
    if program.task.kind == "binary":
        modules.append(BothClasses())
    if program.target is not None:
        modules.append(
            Formula(
                program.target, torch.float64, _dtype(program.predicted_dtype(program.dtype.name))
            )
        )
    return nn.Sequential(*modules).eval()


def exported_program(program: Program) -> bytes:
    """Return a file that ``torch.export.load(path).module()`` runs."""
    rows = torch.zeros(2, program.n_features, dtype=_dtype(program.dtype))
    sizes = {"input": {0: torch.export.Dim("n")}}
    exported = torch.export.export(torch_module(program), (rows,), dynamic_shapes=sizes)
    torch.export.save(exported, buffer := io.BytesIO())
    return buffer.getvalue()


def _with(layer: Any, weights: np.ndarray, biases: np.ndarray) -> Any:
    """Return a layer with these weights and biases."""
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(np.ascontiguousarray(weights)))
        layer.bias.copy_(torch.tensor(np.ascontiguousarray(biases)))
    return layer


def _dtype(dtype: np.dtype) -> torch.dtype:
    return torch.float64 if dtype == np.float64 else torch.float32
