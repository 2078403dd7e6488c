"""Any mixture of kinds, gaps and unseen levels trains and predicts, or is refused in a sentence."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp import ConfigError, DataError, Predictor, TrainConfig, fit, load_dataset
from fastmlp.base.table_options import TableOptions
from fastmlp.base.table_rows import is_table
from fastmlp.commands.predictions import known_columns
from fastmlp.data.tables import read_rows
from fastmlp.model.table_inputs import stored_rows

cells = {
    "numbers": st.integers(-5, 99).map(str) | st.floats(-1e9, 1e9).map(repr),
    "whole": st.integers(0, 3).map(str),
    "levels": st.sampled_from(["red", "green", "blue", "a, b", "é"]),
    "truth": st.sampled_from(["true", "false", "True"]),
    "days": st.dates().map(str),
    "times": st.times().map(lambda time: time.isoformat("minutes")),
    "texts": st.text("abc XYZ_-1", min_size=1, max_size=6),
    "strays": st.integers(0, 40).map(str) | st.just("unknown"),
    "nothing": st.just(""),
    "anything": st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
}
gap = st.sampled_from(["", "NA", "?"])


def column(n: int) -> st.SearchStrategy[list[str]]:
    return st.sampled_from(sorted(cells)).flatmap(
        lambda kind: st.lists(
            cells[kind] | (gap if kind < "n" else cells[kind]), min_size=n, max_size=n
        )
    )


def write(path: Path, columns: dict[str, list[str]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@settings(
    deadline=None, max_examples=60, suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(data=st.data(), regression=st.booleans(), order=st.permutations(["y", "c0", "c1", "c2"]))
def test_any_table(data: st.DataObject, regression: bool, order: list[str], tmp_path: Path) -> None:
    n = data.draw(st.integers(8, 30))
    target = [f"{i / 3 if regression else 'uv'[i % 2]}" for i in range(n)]
    columns = {"y": target, **{f"c{j}": data.draw(column(n)) for j in range(3)}}
    try:
        dataset = load_dataset(
            write(tmp_path / "t.csv", columns), target="y", header="yes", notify=lambda note: None
        )
        config = TrainConfig(hidden_layer_sizes=(4,), epochs=1, batch_size=4, min_frequency=2)
        predictor = fit(config, dataset, threads=1).predictor
    except (ConfigError, DataError) as error:
        assert "\n" not in str(error) and len(str(error)) > 20
        return
    predictor.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    m = data.draw(st.integers(1, 5))
    others = {"y": target[:m], **{f"c{j}": data.draw(column(m)) for j in range(3)}}
    path = write(tmp_path / "new.csv", {name: others[name] for name in order})
    try:
        rows = read_rows(path, TableOptions(header="yes"), known_columns(loaded))
        X = rows.X
        if is_table(X):
            X, _ = stored_rows(X, loaded.encoding, loaded.features, "new.csv")
        found = loaded.outputs(X, threads=1)
    except (ConfigError, DataError) as error:
        assert "\n" not in str(error)
        return
    assert found.shape[0] == m and np.isfinite(found).all()
    np.testing.assert_array_equal(found, predictor.outputs(X, threads=1))
