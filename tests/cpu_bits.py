"""Tiny runs of every kind, whose bits are the same on every CPU: a hash of each.

As a script it prints them, to compare machines: ``python tests/cpu_bits.py [START...]``, those of
the cases whose names start so. ``--stages`` prints a hash of every stage of a run, so that the
first one that differs is found; ``--write`` stores the hashes in ``cpu_bits.json``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

import fastmlp
from fastmlp.data.synthetic import SYNTHETIC
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.losses import legal_pairs
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.training.config import TrainConfig

STORED = Path(__file__).with_suffix(".json")
ROWS = 90
MODES = ("stochastic", "minibatch", "batch")
FORMS = (
    "conv2d(8, 3, padding=same), conv2d(16, 3, padding=same), max_pool2d(2), "
    "conv2d(5, 2), max_pool2d(2), dense(4)"
)
DIRECT = (
    "conv2d(3, 2, padding=same, activation=leaky_relu(0.1)), max_pool2d((1, 2), stride=1), "
    "dropout(0.2), avg_pool2d(2), flatten, dense(6, tanh), dropout(0.3)"
)


def _draw(*shape: int) -> np.ndarray:
    """Numbers between -2 and 2."""
    return np.random.default_rng(len(shape)).random(shape) * 4 - 2


def classes() -> fastmlp.Dataset:
    return fastmlp.Dataset(_draw(ROWS, 5), np.arange(ROWS) % 3, name="classes")


def tags() -> fastmlp.Dataset:
    X = _draw(ROWS, 5)
    return fastmlp.Dataset(X, (X[:, :3] > 0).astype(np.int64), name="tags", task="multilabel")


def counts() -> fastmlp.Dataset:
    return fastmlp.Dataset(_draw(ROWS, 5), (np.arange(ROWS) % 4).astype(float), name="counts")


def number() -> fastmlp.Dataset:
    X = _draw(ROWS, 5)
    return fastmlp.Dataset(X, X[:, 0] * X[:, 1], name="number")


def numbers() -> fastmlp.Dataset:
    X = _draw(ROWS, 5)
    return fastmlp.Dataset(X, X[:, :2] * X[:, 1:3] / 8 + 0.5, name="numbers")


def images(dtype: str = "uint8", is_sparse: bool = False) -> fastmlp.Dataset:
    """Rows of bytes or numbers of which a fifth is not zero."""
    rng = np.random.default_rng(3)
    X = rng.integers(1, 256, (ROWS, 64)) * (rng.random((ROWS, 64)) < 0.2)
    rows = X.astype(dtype)
    return fastmlp.Dataset(
        scipy.sparse.csr_array(rows) if is_sparse else rows,
        np.arange(ROWS) % 3, feature_range=(0, 255), name="images",
    )  # fmt: skip


def pictures() -> fastmlp.Dataset:
    return fastmlp.Dataset(images().X.reshape(ROWS, 8, 8), np.arange(ROWS) % 3, name="pictures")


Case = tuple[Callable[[], fastmlp.Dataset], dict[str, Any]]


def cases() -> Iterator[tuple[str, Case]]:
    """Every case and its name, for both dtypes."""
    for dtype in ("float32", "float64"):
        for name, (data, settings) in _cases():
            yield f"{dtype} {name}", (data, {"dtype": dtype, **settings})


def _cases() -> Iterator[tuple[str, Case]]:
    for name, record in ACTIVATIONS.records.items():
        if record.hidden:
            yield f"activation {name}", (classes, {"activation": name})
    for output, loss in legal_pairs():
        data = {"softmax": classes, "sigmoid": tags, "exponential": counts}.get(output, numbers)
        data = number if loss == "quantile" else data
        settings = {"output_activation": output, "loss": loss, "learning_rate": 1e-4}
        yield f"loss {loss} of {output}", (data, settings)
    for mode in MODES:
        for name in (*OPTIMIZERS.names(), "sgd(momentum=0.9)", "rmsprop(momentum=0.5)"):
            settings = {"optimizer": name, "mode": mode, "learning_rate": 1e-3, "epochs": 2}
            yield f"optimizer {name} {mode}", (
                classes, {**settings, "max_norm": 0.5, "clip_norm": 1.0, "l2": 1e-3},
            )  # fmt: skip
        for kind in ("uint8", "float32", "float64"):
            for is_sparse in (False, True):
                yield f"rows {kind} {'sparse' if is_sparse else 'dense'} {mode}", (
                    lambda kind=kind, is_sparse=is_sparse: images(kind, is_sparse), {"mode": mode},
                )  # fmt: skip
        for scale in ("standard", "standard_global", "minmax"):
            yield f"bytes {scale} {mode}", (images, {"mode": mode, "scale": scale, "l2": 1e-3})
        for title, layers in (("forms", FORMS), ("direct", DIRECT), ("pool", "global_avg_pool2d")):
            settings = {"layers": layers, "hidden_layer_sizes": (), "mode": mode}
            yield f"layers {title} {mode}", (pictures, settings)
        yield (
            f"numbers {mode}",
            (
                classes,
                {
                    "layers": "diagonal, periodic(2), dense(4)",
                    "hidden_layer_sizes": (),
                    "mode": mode,
                },
            ),
        )
        yield f"dropout {mode}", (classes, {"mode": mode, "dropout": 0.5, "optimizer": "adam"})
    for name in INITIALIZERS.names():
        yield f"initializer {name}", (
            classes, {"weight_init": name, "bias_init": "random_normal"},
        )  # fmt: skip
    for name in SCHEDULES.names():
        settings = {"schedule": name, "epochs": 4, "early_stopping": 3, "monitor": "train_loss"}
        yield f"schedule {name}", (classes, settings)
    yield "schedule warmup", (classes, {"schedule": "inverse(0.3, warmup=0.5)", "epochs": 2})
    for scale in ("standard", "standard_global", "robust", "maxabs", "minmax"):
        yield f"scale {scale}", (classes, {"scale": scale})
    for name in SYNTHETIC.names():
        yield f"data {name}", (SYNTHETIC.parse(f"{name}(90)").draw, {})
    yield (
        "weights",
        (
            classes,
            {"class_weight": "balanced", "label_smoothing": 0.1, "l1": 0.1, "clip_value": 0.1},
        ),
    )
    yield "targets", (
        numbers, {"target_scale": "standard", "monitor": "validation_score", "l2": 0.01},
    )  # fmt: skip
    yield "calibrated", (classes, {"calibrate": "temperature"})
    yield "ensemble", (classes, {"n_models": 2})


def stages(data: Callable[[], fastmlp.Dataset], settings: dict[str, Any]) -> dict[str, str]:
    """Return a hash of each stage of a run, in their order."""
    usual = {
        "hidden_layer_sizes": (20,), "epochs": 1, "batch_size": 16, "validation": 20, "seed": 7,
    }  # fmt: skip
    config = TrainConfig(**{**usual, **settings})
    dataset = data()
    X = dataset.X.toarray() if scipy.sparse.issparse(dataset.X) else dataset.X
    found = {"data": _hash(X, dataset.y)}
    result = fastmlp.fit(config, dataset, threads=1)
    predictor = result.predictor
    found["history"] = _hash(repr(result.history.rows))
    models = getattr(predictor, "models", (predictor,))
    found["weights"] = _hash(*(model.network.params for model in models))
    found["outputs"] = _hash(predictor.outputs(dataset.X, 1))
    found["metrics"] = _hash(repr({**result.metrics, "seconds": 0}))
    return found


def _hash(*parts: Any) -> str:
    """Return 16 hexadecimal digits over arrays and texts."""
    digest = hashlib.sha256()
    for part in parts:
        text = part if isinstance(part, str) else np.ascontiguousarray(part).tobytes()
        digest.update(text.encode() if isinstance(text, str) else text)
    return digest.hexdigest()[:16]


def digest(case: Case) -> str:
    """Return the hash of all stages of a case."""
    return _hash(*stages(*case).values())


def main(arguments: list[str]) -> None:
    """Print or store the hashes."""
    starts = tuple(argument for argument in arguments if not argument.startswith("--"))
    found = {}
    for name, case in cases():
        if starts and not name.startswith(starts):
            continue
        of_stages = stages(*case)
        found[name] = _hash(*of_stages.values())
        shown = of_stages.items() if "--stages" in arguments else [("all", found[name])]
        for stage, text in shown:
            print(f"{name}: {stage} {text}", flush=True)
    if "--write" in arguments:
        STORED.write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
