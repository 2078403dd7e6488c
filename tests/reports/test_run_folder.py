from __future__ import annotations

import json
from pathlib import Path

import pytest

import fastmlp
from toys import blobs, settings


def test_a_run_is_saved_from_python(tmp_path: Path) -> None:
    dataset = blobs()
    result = fastmlp.fit(settings(), dataset)
    folder = fastmlp.save_run(result, dataset, tmp_path / "run")
    assert {path.name for path in folder.iterdir()} == {
        "config.toml", "history.csv", "metrics.json", "timings.json", "model.safetensors",
        "curves.png", "confusion.png", "calibration.png", "report.html",
    }  # fmt: skip
    sets = json.loads((folder / "metrics.json").read_text())["sets"]
    assert sets["test"]["accuracy"] == result.metrics["test_accuracy"]
    assert (folder / "history.csv").read_text() == result.history.to_csv()
    with pytest.raises(fastmlp.ConfigError, match="new or empty"):
        fastmlp.save_run(result, dataset, folder)
    fastmlp.save_run(result, dataset, folder, plots=False, overwrite=True)
    assert not list(folder.glob("*.png"))
