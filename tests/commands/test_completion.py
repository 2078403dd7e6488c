"""``fastmlp --print-completion``: scripts for shells, tried in bash."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fastmlp.__main__ import COMMANDS, main
from fastmlp.commands.completion import SHELLS
from fastmlp.ops.activations import ACTIVATIONS
from fastmlp.training.setting_checks import MODES

# Calls the script's function as bash does when the last word is to be completed.
TRY = r"""
source ./script
words() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMPREPLY=()
    $(complete -p fastmlp | sed 's/.*-F \([^ ]*\) .*/\1/')
    echo "${COMPREPLY[*]}"
}
"""


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["--print-completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_names_all_commands_and_options(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = script(shell, capsys)
    for name in (*COMMANDS, "batch-size", "print-config", "halving", "labels", "rounds"):
        assert name in text


def test_the_script_for_tcsh_has_no_quote_within_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    rules = [line for line in script("tcsh", capsys).splitlines() if line.startswith(" " * 8)]
    assert len(rules) > 50
    assert [rule for rule in rules if rule.count("'") != 2] == []


@pytest.mark.parametrize(("shell", "load"), [
    ("zsh", "autoload -U compinit; compinit -u -D; eval \"$(cat script)\"; [[ $_comps[fastmlp] ]]"),
    ("tcsh", "source script; complete fastmlp > rules; test -s rules"),
])  # fmt: skip
def test_shell_loads_its_script(
    shell: str, load: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    (tmp_path / "script").write_text(script(shell, capsys))
    done = subprocess.run([shell, "-f", "-c", load], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_names_and_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "script").write_text(script("bash", capsys))
    (tmp_path / "table.csv").touch()
    (tmp_path / "runs").mkdir()
    tried = {
        "''": list(COMMANDS),
        "--": ["--help", "--version", "--print-completion"],
        "--print-completion ''": list(SHELLS),
        "tr": ["train"],
        "train --batch-s": ["--batch-size"],
        "train --activation ''": ACTIVATIONS.names(),
        "sweep --mode ''": list(MODES),
        "train tab": ["table.csv"],
        "train --data tab": ["table.csv"],
        "train mn": ["mnist"],
        "train --data di": ["digits"],
        "train --out ''": ["runs"],
        "sweep --recipe tab": ["tabular", "tabular-fast"],
        "sweep --search ''": ["grid", "tpe"],
        "sweep --prune m": ["median"],
        "bench --cases i": ["images"],
        "predict tab": ["table.csv"],
        "predict --format ''": ["csv", "json"],
    }
    calls = "\n".join(f"words fastmlp {words}" for words in tried)
    done = subprocess.run(
        ["bash", "-c", TRY + calls], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    found = [line.split() for line in done.stdout.splitlines()]
    assert dict(zip(tried, found, strict=True)) == tried


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zhs"], "--print-completion: unknown shell 'zhs'; did you mean 'zsh'?"),
        ([], "--print-completion takes one shell, got 0; write --print-completion bash"),
        (["bash", "zsh"], "--print-completion takes one shell, got 2"),
    ],
)
def test_shells_that_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--print-completion", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
