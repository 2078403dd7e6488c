"""Exported models of every kind, and what each language makes of them."""

from __future__ import annotations

import copy
import dataclasses
import shutil
import subprocess
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import fastmlp
from fastmlp import Predictor
from fastmlp.exports.c_header import field_names
from fastmlp.exports.program import Program
from fastmlp.model.network import Network
from fastmlp.model.task import Task
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.layer_lists import parse_layers
from fastmlp.ops.scalers import SCALERS, Scaling

# Each hidden activation, with parameters where it has some; dense layers of them are one network.
HIDDEN = [name for name, record in ACTIVATIONS.records.items() if record.hidden]
IMAGE_LAYERS = (
    "conv2d(3, (2, 3), padding=same, activation=leaky_relu(0.1)), max_pool2d((1, 2), stride=1), "
    "dropout(0.2), conv2d(4, 3, stride=2, padding=same, activation=elu(0.5)), "
    "avg_pool2d(2, stride=1), conv2d(2, 1, activation=gelu), flatten, dense(6, tanh)"
)
TOLERANCE = 1e-5


class Found(NamedTuple):
    """What a language returns: labels or predictions, and probabilities of classes and labels."""

    predictions: np.ndarray
    probabilities: np.ndarray | None = None


class Case(NamedTuple):
    """A model and rows to predict from."""

    predictor: Predictor
    X: Any


def network_of(
    layers: str, shape: tuple[int, ...], dtype: str = "float32", std: float = 0.7
) -> Network:
    network = Network(parse_layers(layers), shape, dtype)
    normal = INITIALIZERS.parse(f"random_normal({std})")
    network.initialize(normal, normal, 3)
    return network


def numbers(
    task: Task,
    layers: str,
    shape: tuple[int, ...] = (4,),
    scale: str = "standard",
    dtype: str = "float32",
    std: float = 0.7,
) -> Case:
    """A model of rows of numbers, whose weights are drawn."""
    n = int(np.prod(shape))
    rng = np.random.default_rng(0)
    X = rng.normal(rng.normal(0, 50, n), rng.uniform(0.5, 20, n), (60, n)).astype(np.float32)
    X[:, 0] = 7.0  # a constant feature
    scaling = SCALERS.parse(scale).fit(X, (-100.0, 300.0))
    return Case(Predictor(network_of(layers, shape, dtype, std), scaling, task), X)


def table(names: bool = True) -> Case:
    """A trained model of a table with gaps, texts, truths and dates; rows have unknown levels."""
    rng = np.random.default_rng(1)
    n = 300
    days = pd.Timestamp("1969-02-25 13:45") + pd.to_timedelta(rng.integers(0, 20_000, n), "D")
    frame = pd.DataFrame({
        "age": np.where(rng.random(n) < 0.1, np.nan, rng.normal(40, 12, n)),
        "label": rng.choice(["a b", 'say "ü"??', "c\\d", "*/", "rare"], n,
                            p=[0.4, 0.3, 0.2, 0.09, 0.01]),
        "int": rng.choice([1.0, 2.5, 3.0], n).astype(object),
        "two": rng.choice(["no", "yes"], n),
        "is it": rng.random(n) < 0.5,
        "when": days + pd.to_timedelta(rng.integers(0, 86_400, n), "s"),
        "ünïcode": rng.normal(1e6, 3, n),
    })  # fmt: skip
    frame.loc[rng.random(n) < 0.1, "label"] = None
    frame.loc[rng.random(n) < 0.1, "when"] = pd.NaT
    y = np.where(frame["age"].fillna(50) + 9 * (frame["two"] == "yes") > 45, "old", "young")
    given: Any = frame if names else frame.to_numpy(object)
    categorical = ["label", "int", "two"] if names else [1, 2, 3]
    data = fastmlp.Dataset(given, y, categorical=categorical)
    config = fastmlp.TrainConfig(hidden_layer_sizes=(8,), epochs=1, scale="robust", validation=0)
    predictor = fastmlp.fit(config, data).predictor
    rows = frame.iloc[:40].copy()
    rows.loc[0:2, "label"] = ["never seen", None, "NA"]
    rows.loc[3, "int"] = None
    rows.loc[4, "age"] = np.nan
    return Case(predictor, rows if names else rows.to_numpy(object))


def _targets(
    offset: float, factor: float, n: int = 1, range_: tuple[float, float] | None = None
) -> Task:
    scaling = Scaling("standard", np.full(n, offset), np.full(n, factor))
    ends = None if range_ is None else np.array([[range_[0]] * n, [range_[1]] * n])
    return Task("regression", n, target_scaling=scaling, target_range=ends)


def ensemble(case: Case) -> Case:
    """Three networks, of which the second and third have other weights."""
    network = case.predictor.network
    others = [copy.deepcopy(network) for _ in range(2)]
    for number, other in enumerate(others):
        other.params[...] *= 0.5 * number - 0.7
    return case._replace(predictor=case.predictor.replace(more_networks=others))


_ALL_ACTIVATIONS = ", ".join(f"dense(5, {name})" for name in HIDDEN)
_QUANTILES = dataclasses.replace(_targets(30.0, 0.2, 3), quantiles=(0.1, 0.5, 0.9))
_THREE = Task("multiclass", 3, np.array([-5, 0, 7]))
CASES: dict[str, Callable[[], Case]] = {
    "activations": lambda: numbers(_THREE, f"{_ALL_ACTIVATIONS}, dense(3, softmax)", std=1.5),
    "images": lambda: numbers(
        Task("multiclass", 2, np.array([0.5, 2.0])), f"{IMAGE_LAYERS}, dense(2, softmax)",
        (6, 5, 2), scale="unit",
    ),
    "mean of images": lambda: numbers(
        _THREE, "conv2d(4, 2, activation=mish), global_avg_pool2d, dense(3, softmax)", (4, 3, 1),
        scale="standard_global",
    ),
    "numbers and others": lambda: numbers(
        _THREE, "diagonal(2), periodic(3, sigma=0.5, numbers=2), dense(4, relu), dense(3, softmax)"
    ),
    "several models": lambda: ensemble(
        numbers(_targets(30.0, 0.2, range_=(25.0, 33.0)), "dense(4, tanh), dense(1, identity)")
    ),
    "two classes": lambda: numbers(
        Task("binary", 1, np.array(["c\\d", 'say "ü"??\n']), threshold=0.3),
        "dense(5, leaky_relu(slope=-0.5)), dense(1, sigmoid)", scale="robust",
    ),
    "truths": lambda: numbers(
        Task("binary", 1, np.array([False, True])), "dense(1, sigmoid)", scale="none", std=0.02
    ),
    "labels": lambda: numbers(
        Task("multilabel", 3, threshold=0.7), "dense(4, elu(alpha=2)), dense(3, sigmoid)"
    ),
    "regression": lambda: numbers(_targets(30.0, 0.2), "dense(4, tanh), dense(1, identity)"),
    "large targets": lambda: numbers(
        _targets(3e9, 0.5, 2), "dense(4, silu), dense(2, tanh)", dtype="float32"
    ),
    "counts": lambda: numbers(
        Task("regression", 1), "dense(4, softplus), dense(1, exponential)", dtype="float64", std=0.3
    ),
    "quantiles that cross": lambda: ensemble(
        numbers(_QUANTILES, "dense(4, tanh), dense(3, identity)")
    ),
    "table": table,
    "columns without names": lambda: table(names=False),
}  # fmt: skip


@cache
def case(name: str) -> Case:
    return CASES[name]()


def check(found: Found, case: Case) -> None:
    """Compare with the Predictor; labels may differ where outputs are at the threshold."""
    predictor = case.predictor
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X: column .* gap")
        expected = predictor.predict(case.X)
    if predictor.task.kind == "regression":
        assert found.predictions.shape == expected.shape
        size = np.abs(expected).max()
        np.testing.assert_allclose(found.predictions, expected, atol=TOLERANCE * size, rtol=0)
        return
    assert found.probabilities is not None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X: column .* gap")
        probabilities = predictor.predict_proba(case.X)
    np.testing.assert_allclose(found.probabilities, probabilities, atol=TOLERANCE, rtol=0)
    np.testing.assert_array_equal(found.predictions, expected)


# --- the languages -------------------------------------------------------------------------------


def by_numpy(case: Case, folder: Path) -> Found:
    """Run the module in this process."""
    names: dict[str, Any] = {}
    exec(compile(case.predictor.to_numpy(), "exported.py", "exec"), names)
    proba = names["predict_proba"](case.X) if "predict_proba" in names else None
    return Found(names["predict"](case.X), proba)


def onnx_inputs(case: Case, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The inputs of an ONNX model, of these names."""
    encoding = case.predictor.encoding
    if encoding is None:
        return {"X": np.asarray(case.X, np.float32).reshape(len(case.X), -1)}
    columns = zip(names, table_columns(case), encoding.columns, strict=True)
    return {
        name: np.array(values, object if column.fitted.takes == "text" else float).reshape(-1, 1)
        for name, values, column in columns
    }


def table_columns(case: Case) -> list[list[Any]]:
    """The values of each column as exports take them: texts, numbers, seconds since 1970."""
    encoding = case.predictor.encoding
    assert encoding is not None
    frame = case.X if isinstance(case.X, pd.DataFrame) else pd.DataFrame(case.X)
    found = []
    for name, column in zip(encoding.names or frame.columns, encoding.columns, strict=True):
        values = frame[name]
        if column.fitted.takes == "text":
            whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
            found.append(["" if pd.isna(v) else str(v).strip() for v in whole])
        elif column.fitted.takes == "time":
            texts = pd.to_datetime(values, format=None if values.dtype.kind == "M" else "mixed")
            seconds = (texts - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
            found.append(seconds.to_list())
        else:
            found.append(pd.to_numeric(values).astype(float).to_list())
    return found


def by_c(case: Case, folder: Path) -> Found:
    """Compile a program that predicts all rows, and run it."""
    program = Program.of(case.predictor)
    case.predictor.to_c(folder / "model.h")
    row, stdin = "const float *row = rows + MODEL_FEATURES * i;", b""
    X = np.asarray(case.X)
    if program.encoding is None:
        stdin = X.astype(np.float32).tobytes()
        rows = (f"static float rows[{X.size}];",
                "if (fread(rows, sizeof rows, 1, stdin) != 1) return 1;")  # fmt: skip
    else:
        fields, lines = field_names(program), []
        for values in zip(*table_columns(case), strict=True):
            cells = [f".{f} = {_c_value(v)}" for f, v in zip(fields, values, strict=True)]
            lines.append(f"{{{', '.join(cells)}}}")
        rows = f"static const model_row rows[] = {{{', '.join(lines)}}};", ""
        row = "const model_row *row = rows + i;"
    kind = program.task.kind
    call = {
        "regression": "model_predict(row, y);",
        "multilabel": "int labels[MODEL_OUTPUTS]; model_predict(row, labels);"
        'for (int j = 0; j < MODEL_OUTPUTS; j++) printf("%d ", labels[j]);'
        "model_probabilities(row, y);",
    }.get(kind, 'printf("%d ", model_predict(row)); model_probabilities(row, y);')
    real = (
        "double"
        if kind == "regression" and program.predicted_dtype("float32") == "float64"
        else "float"
    )
    n = len(program.labels) if program.task.classes is not None else program.task.n_outputs
    (folder / "main.c").write_text(
        f'#include <stdio.h>\n#include "model.h"\n{rows[0]}\nint main(void) {{ {rows[1]}\n'
        f"for (int i = 0; i < {len(X)}; i++) {{ {row} {real} y[{n}]; {call}\n"
        f'for (int j = 0; j < {n}; j++) printf("%.12g ", (double)y[j]);\nprintf("\\n"); }}\n'
        "return 0; }\n"
    )
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-pedantic", "-O1"]
    build = ["cc", *flags, "main.c", "-o", "main", "-lm"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    run = subprocess.run([folder / "main"], input=stdin, capture_output=True, check=True)
    values = np.array([line.split() for line in run.stdout.decode().splitlines()], float)
    if kind == "regression":
        return Found(values[:, 0] if n == 1 else values)
    labels = values[:, :-n].astype(int)
    if kind == "multilabel":
        return Found(labels, values[:, -n:])
    return Found(program.labels[labels[:, 0]], values[:, -n:])


def _c_value(value: Any) -> str:
    if isinstance(value, str):
        octal = "".join(f"\\{byte:03o}" for byte in value.encode())
        return f'"{octal}"' if value else "NULL"
    return "NAN" if np.isnan(value) else repr(float(value))


has_cc = shutil.which("cc") is not None


def by_onnx(case: Case, folder: Path) -> Found:
    """Run ONNX's reference implementation, which is written in Python."""
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(case.predictor.to_onnx())
    with np.errstate(over="ignore"):
        return _onnx_found(case, session.run(None, onnx_inputs(case, session.input_names)))


def by_onnxruntime(case: Case, folder: Path) -> Found:
    import onnxruntime

    case.predictor.to_onnx(folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    names = [value.name for value in session.get_inputs()]
    return _onnx_found(case, session.run(None, onnx_inputs(case, names)))


def _onnx_found(case: Case, outputs: list[Any]) -> Found:
    labels = outputs[0]
    if labels.dtype == object:
        labels = labels.astype(str)
    return Found(labels, outputs[1] if len(outputs) > 1 else None)


def by_torch(case: Case, folder: Path, module: Any = None) -> Found:
    import torch

    predictor = case.predictor
    X = case.X if predictor.encoding is None else predictor.encoded(case.X)
    module = predictor.to_torch() if module is None else module
    with torch.no_grad():
        found = module(torch.tensor(np.asarray(X))).numpy()
    task = predictor.task
    if task.kind == "regression":
        return Found(found[:, 0] if task.n_outputs == 1 else found)
    if task.kind == "multilabel":
        return Found((found >= task.threshold).astype(int), found)
    second = found[:, -1] >= task.threshold
    index = second.astype(int) if task.kind == "binary" else found.argmax(axis=1)
    assert task.classes is not None
    return Found(task.classes[index], found)
