"""How data, settings and models show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ..base.conversion import as_dense
from ..base.csr import is_sparse
from ..base.table_rows import is_table
from ..data.dataset import PARTS, Dataset
from ..model.predictor import Predictor
from ..training.config import TrainConfig
from . import page
from .columns import fact_table, value_columns
from .images import as_shown
from .run_page import settings_html
from .tables import layer_table, number, parameters_text

_ROWS = 5
_IMAGES = 12
_CLASSES = 20


def dataset_fragment(dataset: Dataset) -> str:
    """Return sizes, classes, columns, and the first rows or some images."""
    facts = [("name", dataset.name), ("task", dataset.task), ("rows", f"{len(dataset.y):,}")]
    for part in PARTS:
        y = getattr(dataset, f"y_{part}")
        if y is not None:
            facts.append((f"{part} rows", f"{len(y):,}"))
    facts.append(("features", f"{dataset.n_features:,}"))
    if not is_table(dataset.X):
        facts.append(("type", f"{dataset.X.dtype}{' sparse' if is_sparse(dataset.X) else ''}"))
    parts = [page.pairs(facts), *_targets(dataset)]
    if dataset.column_facts:
        parts.append(page.details("columns", page.table(*fact_table(dataset.column_facts))))
    if dataset.image_shape is not None:
        parts.append(_images(dataset))
    else:
        parts.append(page.table(*_first_rows(dataset)))
    return page.fragment("".join(parts))


def predictor_fragment(predictor: Predictor) -> str:
    """Return the task, the columns and the layers of a model."""
    facts = [("task", predictor.task.describe())]
    if predictor.encoding is None:
        facts.append(("scaling", predictor.scaling.kind))
    if predictor.target_names is not None:
        facts.append(("target", ", ".join(predictor.target_names)))
    network = predictor.network
    names = predictor.feature_names
    listed = "" if names is None else page.details(
        f"{len(names)} features", page.paragraph(", ".join(names))
    )  # fmt: skip
    layers = page.table(*layer_table(network)) + page.paragraph(parameters_text(network))
    return page.fragment(page.pairs(facts) + listed + layers)


def config_fragment(config: TrainConfig) -> str:
    """Return the settings, those that differ from their defaults first."""
    changed = [f.name for f in fields(config) if getattr(config, f.name) != f.default]
    return page.fragment(settings_html(config, changed))


def _targets(dataset: Dataset) -> Iterator[str]:
    """Yield the classes with their counts, or the range of each target."""
    if dataset.classes is not None:
        counts = [(str(c), np.count_nonzero(dataset.y == c)) for c in dataset.classes[:_CLASSES]]
        rows = [(name, f"{n:,}", f"{n / len(dataset.y):.1%}") for name, n in counts]
        yield page.table(("class", "rows", "share"), rows)
        if len(dataset.classes) > _CLASSES:
            yield page.paragraph(f"and {len(dataset.classes) - _CLASSES} more classes")
        return
    y = dataset.y.reshape(len(dataset.y), -1)
    names = dataset.target_names or [f"target {j}" for j in range(y.shape[1])]
    columns = zip(names, y.T.astype(float), strict=True)
    ranges = [
        (name, *map(number, (v.min(), float(np.median(v)), v.mean(), v.max())))
        for name, v in columns
    ]
    yield page.table(("target", "least", "median", "mean", "largest"), ranges)


def _first_rows(dataset: Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    n = min(_ROWS, len(dataset.y))
    names, columns = value_columns(dataset.X[:n], dataset.feature_names)
    y: list[Any] = dataset.y[:n].tolist()
    header = ("row", *(dataset.target_names or ("target",))[:1], *names)
    return header, list(zip(map(str, range(n)), map(str, y), *columns, strict=True))


def _images(dataset: Dataset) -> str:
    rows = np.linspace(0, len(dataset.y) - 1, min(_IMAGES, len(dataset.y))).astype(int)
    assert dataset.image_shape is not None
    X: Any = dataset.X
    images = as_shown(as_dense(X[rows], "X").reshape(-1, *dataset.image_shape))
    limits = dataset.feature_range or (float(images.min()), float(images.max()))
    captions = [str(y) for y in dataset.y[rows].tolist()]
    return page.gallery([page.image_png(image, limits) for image in images], captions)
