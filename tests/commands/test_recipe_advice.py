"""A table that is trained without a recipe is told that there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastmlp.train import main

ADVICE = "settings tuned for tables come with fastmlp: --recipe tabular or --recipe tabular-fast"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "table.csv"
    rng = np.random.default_rng(0)
    rows = [f"{x:.3f},{('red', 'blue')[int(x > 0)]},{int(x > 0)}" for x in rng.normal(size=60)]
    file.write_text("\n".join(["x,colour,label", *rows]))
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments, "--epochs", "1", "--no-out"]) == 0
    return capsys.readouterr().err


def test_table_without_a_recipe_is_told_of_one(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "--data", str(table)).count(ADVICE) == 1
    assert ADVICE not in said(capsys, "--data", str(table), "--quiet")
    given = said(capsys, "--data", str(table), "--recipe", "tabular-fast")
    assert ADVICE not in given
    assert 'rules      {when = {task = "classification", ' in given


def test_matrix_in_a_file_is_told_of_a_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "numbers.csv"
    np.savetxt(file, np.column_stack([np.arange(50.0), np.arange(50) % 2]), delimiter=",")
    assert ADVICE in said(capsys, "--data", str(file))


def test_own_settings_and_images_are_not_told_of_a_recipe(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('activation = "tanh"')
    assert ADVICE not in said(capsys, "--data", str(table), "--config", str(mine))
    assert ADVICE not in said(capsys, "--data", "digits")
