"""The table of cold starts: every case is measured in every environment, in turns."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import cold_start
from cold_start import Case
from fastmlp.training.setting_checks import MODES


def test_environments_take_turns_and_cold_cases_find_no_kernels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[tuple[str, str, bool]] = []

    def seconds(python: str, arguments: tuple[str, ...], kernels: Path) -> float:
        calls.append((python, arguments[0], kernels.is_dir() and not any(kernels.iterdir())))
        kernels.mkdir(exist_ok=True)
        (kernels / "kernel").touch()
        return float(len(calls))

    monkeypatch.setattr(cold_start, "_seconds", seconds)
    cases = [Case("cold one", ("cold",), True), Case("warm one", ("warm",), False)]
    found = cold_start.measure(cases, {"clone": "a", "wheel": "b"}, 2, tmp_path)
    warmed, measured = calls[:2], calls[2:]
    assert warmed == [("a", "warm", False), ("b", "warm", False)]
    turn = [("a", "cold", True), ("b", "cold", True), ("a", "warm", False), ("b", "warm", False)]
    assert measured == turn * 2
    assert found == {
        "cold one": {"clone": [3.0, 7.0], "wheel": [4.0, 8.0]},
        "warm one": {"clone": [5.0, 9.0], "wheel": [6.0, 10.0]},
    }


def test_table_holds_medians() -> None:
    text = cold_start.table({"one": {"clone": [3.0, 1.0, 2.0], "wheel": [0.5]}}, ["clone", "wheel"])
    assert text.splitlines()[0] == "| seconds | clone | wheel |"
    assert text.splitlines()[-1] == "| one | 2.00 | 0.50 |"


def test_a_process_that_fails_has_no_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [Case("bad", ("-c", "raise ValueError('no')"), True), Case("good", ("-c", ""), True)]
    found = cold_start.measure(cases, {"clone": sys.executable}, 1, tmp_path)
    rows = cold_start.table(found, ["clone"]).splitlines()
    assert rows[-2] == "| bad | failed |" and re.fullmatch(r"\| good \| \d+\.\d\d \|", rows[-1])
    assert "ValueError: no" in capsys.readouterr().err


def test_cases_are_those_of_the_table_of_cold_starts() -> None:
    names = [(case.name, case.is_cold) for case in cold_start.CASES]
    for what in ("`--data digits`", "first `MLPClassifier().fit`"):
        assert {(f"{what}, cold", True), (f"{what}, warm", False)} <= set(names)
    assert {f"an epoch of MNIST, {mode}, cold" for mode in MODES} <= {name for name, _ in names}


def test_a_wheel_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cold_start.main(["--wheel", "nothing.whl"])
    assert "nothing.whl does not exist; build a wheel" in capsys.readouterr().err


def test_unknown_cases_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cold_start.main(["--only", "nothing"])
    assert "`--data digits`, cold" in capsys.readouterr().err
