"""docs/training.md: every command line and snippet in it runs, and nothing that there is is left
out.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp
from command_lines import arguments_of, lines_in, need, run, stand_in_for_data
from fastmlp.base.settings import WITHOUT_OPTION, flag_of, rows
from fastmlp.commands.options import build_parser
from fastmlp.commands.predict_options import build_predict_parser
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.ops.initializers import INITIALIZERS
from fastmlp.ops.layers import LAYERS
from fastmlp.ops.losses import LOSSES
from fastmlp.ops.optimizers import OPTIMIZERS
from fastmlp.ops.scalers import SCALERS
from fastmlp.ops.schedules import SCHEDULES
from fastmlp.ops.spec import Spec
from fastmlp.predict import main as predict

TEXT = (Path(__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8")
LINES = list(lines_in(TEXT))
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
REGISTRIES = (ACTIVATIONS, LOSSES, INITIALIZERS, OPTIMIZERS, SCHEDULES, SCALERS)
RECORDS = [record for registry in REGISTRIES for record in registry.records.values()]
SMALL_SETS = ("digits", "blobs", "moons", "spirals")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in which nothing is, but a config for the lines that ask for one."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "runs" / "mine" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('data = "digits"\ndropout = 0.2\n')
    return tmp_path


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("line", LINES)
def test_a_command_line_of_the_guide_runs(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in_for_data(monkeypatch)
    assert run(arguments_of(line)) == 0, capsys.readouterr().err
    captured = capsys.readouterr()
    assert "warning" not in captured.err
    assert captured.out


@pytest.mark.parametrize("line", LINES)
def test_example_names_its_requirements(line: str) -> None:
    arguments = arguments_of(line)
    if not {"--config", "--print-config"} & {*arguments}:
        data = arguments[arguments.index("--data") + 1]
        needed = {"mnist": "MNIST", "emnist-letters": "your own file"}.get(
            data, "your own file" if "." in data.partition("(")[0] else ""
        )
        assert need(line) == needed
        assert needed or data.partition("(")[0] in SMALL_SETS


def test_the_predictions_of_the_guide_run(capsys: pytest.CaptureFixture[str]) -> None:
    digits = fastmlp.load_dataset("digits")
    result = fastmlp.fit(fastmlp.TrainConfig(epochs=1), digits)
    result.predictor.save("runs/mine/model.safetensors")
    np.savez("rows.npz", X=digits.X[:20], y=digits.y[:20])
    lines = re.findall(r"^python -m fastmlp\.predict (runs/mine .+)$", TEXT, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        assert predict(shlex.split(line)) == 0
        captured = capsys.readouterr()
        assert "macro average" in captured.out + captured.err
    assert len(json.loads(Path("predictions.json").read_text())["predictions"]) == 20


def test_the_snippets_of_the_guide_run(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fastmlp.fit

    def short(config: fastmlp.TrainConfig, *arguments: Any, **options: Any) -> Any:
        return fit(config.replace(epochs=1), *arguments, **options)

    monkeypatch.setattr(fastmlp, "fit", short)
    names: dict[str, Any] = {}
    for snippet in SNIPPETS:  # one after the other: they share their names
        exec(compile(snippet, "docs/training.md", "exec"), names)
    assert set(names["result"].predictor.predict(names["digits"].X)) <= set(range(10))
    assert sorted(path.name for path in Path().iterdir()) == [
        "best.safetensors", "history.csv", "rows.npz", "runs", "sales.csv", "shapes.npz",
        "train_images.npy", "train_labels.npy",
    ]  # fmt: skip


def default_text(record: type[Spec]) -> str:
    """A record with all its own parameters, at their defaults."""
    fields = [field for field in dataclasses.fields(record) if not field.kw_only]
    if fields and isinstance(fields[0].default, tuple):  # takes any number of values
        return f"{record.name}({', '.join(map(str, fields[0].default))})"
    shown = [f"{field.name}={str(field.default).lower()}" for field in fields]
    return f"{record.name}({', '.join(shown)})" if shown else record.name


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_the_guide_has_a_row_for_everything_with_its_defaults(record: type[Spec]) -> None:
    assert re.search(rf"^\| `{re.escape(default_text(record))}` \| ", TEXT, re.MULTILINE)


def layer_text(record: type[Spec]) -> str:
    """A layer with its parameters, and their defaults unless these follow from others."""
    fields = dataclasses.fields(record)
    needed = [dataclasses.MISSING, "", None]
    shown = [f.name if f.default in needed else f"{f.name}={f.default}" for f in fields]
    return f"{record.name}({', '.join(shown)})" if shown else record.name


@pytest.mark.parametrize("record", LAYERS.records.values(), ids=lambda record: record.name)
def test_the_guide_has_a_row_for_every_layer(record: type[Spec]) -> None:
    assert f"\n| `{layer_text(record)}` | {record.formula} | " in TEXT


@pytest.mark.parametrize("record", LOSSES.records.values(), ids=lambda record: record.name)
def test_the_guide_names_the_outputs_of_each_loss(record: Any) -> None:
    (row,) = (r for r in TEXT.splitlines() if r.startswith(f"| `{default_text(record)}` | "))
    assert row.endswith(f" | {', '.join(record.outputs)} |")


@pytest.mark.parametrize("alias", [a for registry in REGISTRIES[:4] for a in registry.aliases
                                   if "_" not in a and a != "normal"])  # fmt: skip
def test_other_names_in_the_guide_exist(alias: str) -> None:
    assert f"`{alias}`" in TEXT


def test_the_guide_shows_every_option_and_every_field() -> None:
    flags, more = (
        {flag for action in parser._actions for flag in action.option_strings}
        for parser in (build_parser(), build_predict_parser())
    )
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", TEXT))
    assert (flags | more) - shown == {"-h", "--version"}
    assert shown <= flags | more
    for field in dataclasses.fields(fastmlp.TrainConfig):
        assert f"`{field.name}" in TEXT, field.name


@pytest.mark.parametrize("name", rows(fastmlp.TrainConfig))
def test_tables_of_the_guide_state_what_settings_declare(name: str) -> None:
    row = rows(fastmlp.TrainConfig)[name]
    option = f"`{' '.join(filter(None, [flag_of(name, row), row.metavar]))}`"
    if row.group == WITHOUT_OPTION:
        option = "in files"
    text = row.text.replace("|", "\\|")
    assert f"\n| {option} | `{name}` | {text}" in TEXT


def test_links_within_the_guide_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", TEXT)
    assert links and set(links) <= anchors
