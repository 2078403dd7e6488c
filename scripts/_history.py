"""Which commits have a record of their speed, which still need one, and what a record holds.

Standard library only.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import _asv
import _git
from _asv import BenchError

KERNELS = "fastmlp/kernels"
PACKAGE = "fastmlp"
COMMAND = "scripts/bench --record"
MOST_SHOWN = 20


class Record(NamedTuple):
    """One commit's results on one machine."""

    commit: str
    machine: str
    requirements: dict[str, str]


def _lines(name: str) -> list[str]:
    """Return a file's lines without comments and empty ones."""
    text = (_asv.FOLDER / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def milestones() -> dict[str, str]:
    """Return by commit, oldest first, what it brought."""
    pairs = (line.partition(" ") for line in _lines("milestones.txt"))
    return {commit: words.strip() for commit, _, words in pairs}


def patterns() -> list[str]:
    """Return the patterns of the benchmarks that are recorded."""
    return _lines("recorded.txt")


def records() -> list[Record]:
    """Return all records in the repository."""
    found = []
    for path in sorted((_asv.FOLDER / "results").glob("*/*-*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found.append(Record(content["commit_hash"], path.parent.name, content["requirements"]))
    return found


def comparable(requirements: dict[str, str]) -> bool:
    """Return whether results were measured with the versions that are pinned now."""
    pins = _asv.read_settings()["matrix"]["req"]
    return requirements == {name: versions[0] for name, versions in pins.items()}


def wanted(machine: str, again: bool = False) -> list[str]:
    """Return the commits to record: milestones and HEAD, without those that have a record.

    Parameters
    ----------
    machine : str
    again : bool, default False
        Whether to return those that have a record, too.
    """
    head = _git.hash_of("HEAD")
    commits = [*map(_git.hash_of, milestones()), head]
    if not again:
        known = {r.commit for r in records() if r.machine == machine and comparable(r.requirements)}
        commits = [commit for commit in commits if commit not in known]
        if head in commits and _package(head) in {_package(c) for c in known if _git.has(c)}:
            commits.remove(head)  # measured already, under the commit before the record's own
    return list(dict.fromkeys(commits))


def _package(commit: str) -> str:
    """Return git's hash of the package's files."""
    return _git.git("rev-parse", f"{commit}:{PACKAGE}")


def kernel_changes() -> list[str]:
    """Return lines that say which commits changed kernels since the last record; none if none did.

    A shallow clone may lack the commits of all records, and a copy of the files has no commits.
    """
    if not records():
        return [f"No commit's speed is recorded yet. Record it: {COMMAND}"]
    try:
        known = sorted({r.commit for r in records() if _git.has(r.commit)})
        if not known:
            return [
                "This clone has no commit with a record of its speed, so changes of kernels since "
                "the last record are not known. To see them: git fetch --unshallow"
            ]
        changes = _git.git("log", "--format=%h %s", "HEAD", "--not", *known, "--", KERNELS)
    except BenchError as error:
        return [f"Changes of kernels since the last record are not known: {error}"]
    lines = changes.splitlines()
    if not lines:
        return []
    more = [f"  and {len(lines) - MOST_SHOWN} more"] if len(lines) > MOST_SHOWN else []
    return [
        f"{KERNELS}/ changed since the last record of speed, in:",
        *(f"  {line}" for line in lines[:MOST_SHOWN]),
        *more,
        f"Record it, on a machine that rests: {COMMAND}",
    ]
