"""Models of tables with columns of several kinds: their files, and the rows that they take."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import DataError, Dataset, Predictor, TrainConfig, fit
from model_files import DELETED, change_entries, parts_of, write_parts

pandas = pytest.importorskip("pandas")
N = 60
RNG = np.random.default_rng(0)
FRAME = pandas.DataFrame({
    "x": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(size=N)),
    "city": RNG.choice(["Rome", "Bern", "Kyiv"], N),
    "day": pandas.date_range("2020-01-01", periods=N, freq="37h"),
    "flag": RNG.random(N) < 0.5,
    "whole": RNG.integers(0, 9, N),
})  # fmt: skip
Y = np.where(FRAME.city == "Rome", "yes", "no")
CONFIG = TrainConfig(hidden_layer_sizes=(4,), epochs=2, batch_size=8)


@pytest.fixture(scope="module")
def trained() -> Predictor:
    return fit(CONFIG, Dataset(FRAME, Y)).predictor


@pytest.fixture
def rewrite(trained: Predictor, tmp_path: Path) -> Callable[..., Path]:
    """Change entries of the saved section ``columns``."""
    trained.save(tmp_path / "model")
    header, tensors = parts_of(tmp_path / "model")

    def change(**entries: Any) -> Path:
        return write_parts(tmp_path / "model", change_entries(header, entries), tensors)

    return change


def test_a_saved_model_predicts_the_same(trained: Predictor, tmp_path: Path) -> None:
    trained.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    assert loaded.encoding is not None and trained.encoding is not None
    assert loaded.encoding.columns == trained.encoding.columns
    assert loaded.feature_names == tuple(FRAME.columns) and loaded.n_columns == 5
    np.testing.assert_array_equal(loaded.outputs(FRAME), trained.outputs(FRAME))
    assert "features x, city, day, flag, whole" in repr(loaded)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("columns", 3, "must hold named values"),
        ("columns.scale", "bogus", "unknown scale"),
        ("columns.names", ["a"], "column names must be 5 different texts"),
        ("columns.names", [1, 2, 3, 4, 5], "names must be a finite str"),
        ("columns.columns", [], "must be a list of at least one"),
        ("columns.columns", [3] * 5, "a column must hold named values"),
        ("columns.more", 1, "must not hold 'more'"),
        ("columns.scale", DELETED, "it has no 'scale'"),
    ],
)
def test_damaged_sections_are_refused(
    path: str, value: Any, words: str, rewrite: Callable[..., Path]
) -> None:
    with pytest.raises(DataError, match=words):
        Predictor.load(rewrite(**{path: value}))


@pytest.mark.parametrize(
    ("column", "changes", "words"),
    [
        (0, {"kind": "colour"}, "unknown kind"),
        (0, {"kind": "identifier"}, "must be left out"),
        (0, {"fill": "1"}, "fill must be a finite float"),
        (0, {"fill": float("nan")}, "fill must be a finite float"),
        (0, {"n_missing": -1}, "n_missing must be at least 0"),
        (0, {"n_missing": 0}, "the network takes"),
        (0, {"fill": DELETED}, "it has no 'fill'"),
        (1, {"levels": ["Rome", "Rome", "Bern"]}, "levels must be different"),
        (1, {"levels": "Rome"}, "levels must be a list"),
        (1, {"levels": ["Rome"] }, "the network takes"),
        (1, {"gap": "hole"}, "gap must be known"),
        (1, {"gap": "rare"}, "n_merged must count the gaps"),
        (2, {"parts": ["century"]}, "parts must be of year"),
        (2, {"fills": []}, "parts must have a number each"),
    ],
)  # fmt: skip
def test_damaged_columns_are_refused(
    column: int, changes: dict[str, Any], words: str, rewrite: Callable[..., Path], tmp_path: Path
) -> None:
    header, _ = parts_of(tmp_path / "model")
    columns = header["columns"]["columns"]
    for name, value in changes.items():
        columns[column][name] = value
        if value is DELETED:
            del columns[column][name]
    with pytest.raises(DataError, match=words):
        Predictor.load(rewrite(**{"columns.columns": columns}))


def test_rows_of_any_form_are_taken(trained: Predictor) -> None:
    labels = trained.predict(FRAME).tolist()
    shuffled = FRAME[["flag", "whole", "day", "x", "city"]]
    assert trained.predict(shuffled).tolist() == labels
    assert trained.predict(FRAME.to_numpy(object)).tolist() == labels
    assert trained.predict(FRAME.to_numpy(object).tolist()).tolist() == labels
    assert trained.predict(FRAME.astype(str).replace({"nan": None})).tolist() == labels
    assert trained.predict(FRAME[:0]).shape == (0,)
    for library in ("polars", "pyarrow"):
        module = pytest.importorskip(library)
        read = module.from_pandas if library == "polars" else module.Table.from_pandas
        assert trained.predict(read(FRAME)).tolist() == labels


def test_gaps_and_new_levels_are_taken_with_notes(trained: Predictor) -> None:
    rows = FRAME.astype({"flag": object, "whole": object})
    rows.loc[:2, ["city", "flag"]] = ["Oslo", None]
    rows.loc[5, "whole"] = "many"
    with pytest.warns(UserWarning) as caught:
        assert len(trained.predict(rows)) == N
    notes = [str(warning.message) for warning in caught]
    assert any("'flag' has 3 gap(s), training had none; they are the more fre" in n for n in notes)
    assert any("'many' in 1 row(s) is taken as a gap" in note for note in notes)
    assert all(warning.filename == __file__ for warning in caught)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (FRAME.drop(columns="city"), "got none for 'city'"),
        (FRAME.assign(x="red"), "column 'x' must hold numbers, as in training, got texts such as"),
        (FRAME.assign(x=np.inf), "got infinity in column 'x', row 0"),
        (FRAME.to_numpy(object)[:, :3], "X must have 5 columns"),
        (FRAME.to_numpy(object)[0], "X must be a table of 5 columns"),
        (FRAME.assign(city=[["Rome"]] * N), "'city' of X must hold numbers, texts, dates"),
    ],
)
def test_other_rows_are_refused(rows: Any, words: str, trained: Predictor) -> None:
    with pytest.raises(DataError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained.predict(rows)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_frames_with_gaps_for_a_model_of_plain_numbers() -> None:
    numbers = FRAME[["whole"]].assign(y=np.arange(N) / 7)
    predictor = fit(CONFIG, Dataset(numbers, Y)).predictor
    assert predictor.encoding is None
    rows = numbers.astype(object)
    rows.loc[3, "whole"] = None
    with pytest.warns(UserWarning, match="'whole' has 1 gap.* they are the mean"):
        found = predictor.outputs(rows)
    filled = numbers.astype(float)
    assert predictor.features is not None
    filled.loc[3, "whole"] = predictor.features.mean[0]
    np.testing.assert_array_equal(found, predictor.outputs(filled))
