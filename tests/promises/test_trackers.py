"""docs/trackers.md: its callbacks work with the real libraries, offline; not in the default run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.soak
TEXT = (Path(__file__).parents[2] / "docs" / "trackers.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
N_EPOCHS = 3


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with runs/ in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    return tmp_path


def run_snippets(word: str) -> dict[str, Any]:
    """Run the callback of a tracker and its use; return the names that they define."""
    first = next(n for n, snippet in enumerate(SNIPPETS) if f"class {word}" in snippet)
    names: dict[str, Any] = {}
    for snippet in SNIPPETS[first : first + 2]:
        exec(snippet, names)
    return names


def test_callbacks_have_at_most_20_lines() -> None:
    for word in ("TensorBoard", "MLflow"):
        body = next(s for s in SNIPPETS if f"class {word}" in s).partition(f"class {word}")[2]
        assert len(body.strip().splitlines()) <= 20


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_has_the_history(elsewhere: Path) -> None:
    pytest.importorskip("tensorboard.summary")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_snippets("TensorBoard")
    events = EventAccumulator(str(elsewhere / "runs" / "board"))
    events.Reload()
    tags = events.Tags()
    found = {name for kind in ("scalars", "tensors") for name in tags[kind]}
    assert {"train_loss", "validation_loss", "validation_f1_macro"} <= found
    kind = events.Scalars if "train_loss" in tags["scalars"] else events.Tensors
    assert [event.step for event in kind("train_loss")] == [1, 2, 3]


@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_settings_history_and_test_metrics() -> None:
    mlflow = pytest.importorskip("mlflow")
    names = run_snippets("MLflow")
    run = mlflow.last_active_run()
    assert run.data.params["epochs"] == str(N_EPOCHS)
    result = names["result"]
    assert run.data.metrics["test_accuracy"] == pytest.approx(result.metrics["test_accuracy"])
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "train_loss")
    assert [entry.value for entry in history] == result.history["train_loss"]
