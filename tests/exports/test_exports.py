"""Exported models predict what the Predictor predicts, in each language."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from exported import (
    CASES,
    HIDDEN,
    IMAGE_LAYERS,
    by_c,
    by_numpy,
    by_onnx,
    by_onnxruntime,
    by_torch,
    case,
    check,
    has_cc,
)
from fastmlp.ops.layers import LAYERS

each_case = pytest.mark.parametrize("name", CASES)


def test_every_activation_and_layer_kind_is_exported() -> None:
    activations = case("activations").predictor.network.activations
    assert {activation.name for activation in activations} == {*HIDDEN}
    layers = [
        layer.name
        for name in ("images", "mean of images", "numbers and others")
        for layer in case(name).predictor.network.layers
    ]
    assert {*layers} == {*LAYERS.names()}, f"add the new kind to CASES, or to {IMAGE_LAYERS}"


@each_case
def test_numpy_predicts_the_same(name: str, tmp_path: Path) -> None:
    found = by_numpy(case(name), tmp_path)
    check(found, case(name))
    predictor = case(name).predictor
    dtype = predictor.task.decode(predictor.outputs(case(name).X[:0])).dtype
    assert found.predictions.dtype == dtype


@each_case
@pytest.mark.skipif(not has_cc, reason="needs cc")
def test_c_predicts_the_same(name: str, tmp_path: Path) -> None:
    check(by_c(case(name), tmp_path), case(name))


@each_case
def test_onnx_predicts_the_same(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    check(by_onnx(case(name), tmp_path), case(name))


@pytest.mark.soak
@each_case
def test_onnxruntime_predicts_the_same(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    check(by_onnxruntime(case(name), tmp_path), case(name))


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
@each_case
def test_torch_predicts_the_same(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    check(by_torch(case(name), tmp_path), case(name))

    from fastmlp.exports.formats import export

    export(case(name).predictor, tmp_path / "model.pt")
    module = case(name).predictor.to_torch()
    for parameter in module.parameters():
        parameter.data.zero_()
    module.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    check(by_torch(case(name), tmp_path, module), case(name))


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["activations", "images", "two classes"])
def test_a_program_of_torch_predicts_the_same(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from fastmlp.exports.formats import export

    export(case(name).predictor, tmp_path / "model.pt2")
    module = torch.export.load(str(tmp_path / "model.pt2")).module()
    check(by_torch(case(name)._replace(X=case(name).X), tmp_path, module), case(name))


def test_a_module_of_numpy_imports_nothing_else(tmp_path: Path) -> None:
    case("images").predictor.to_numpy(tmp_path / "model.py")
    np.save(tmp_path / "X.npy", case("images").X)
    script = (
        "import sys; sys.path[:0] = ['.']; before = set(sys.modules); import model, numpy; "
        "print(model.predict_proba(numpy.load('X.npy')).shape, model.predict([]).shape); "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} & "
        "{'fastmlp', 'scipy', 'numba', 'sklearn'})"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(60, 2) (0,)", ""]
