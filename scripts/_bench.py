"""The command line of ``scripts/bench``. Standard library only; asv does the measuring."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import _asv
import _environment
import _git
import _history
import _machine
import _record
import _site
import _verdict
from _asv import BenchError
from _verdict import IMPROVEMENT, REGRESSION, SAME, Change

USAGE = """\
scripts/bench                     run the whole suite on HEAD
scripts/bench BASE HEAD           compare two commits, interleaved; exit code 1 if HEAD is slower
scripts/bench --quick             run every benchmark once on the working tree, as a test
scripts/bench --record            record milestones and HEAD in asv_benchmarks/results
scripts/bench --record COMMIT...  record these commits
scripts/bench --publish           build a site of the recorded results
"""

NOTES = """\
examples:
  scripts/bench main HEAD
  scripts/bench --bench "training.*minibatch" HEAD~1 HEAD
  scripts/bench --record
  scripts/bench --record --bench "tables.Narrow" v0.1.0 HEAD

--record measures the benchmarks named in asv_benchmarks/recorded.txt, about three minutes a commit.
Without COMMIT it takes HEAD and the milestones in asv_benchmarks/milestones.txt that have no record
on this machine yet; with --bench all of them, since a record may lack these benchmarks. After an
interruption the same command resumes. Commit the results that it names.

Each commit is built and measured in its own environment, with the versions pinned in
asv_benchmarks/asv.conf.json. Uncommitted changes are measured by --quick only. BASE and HEAD may be
the same commit: it is then compared with a copy of itself.

exit codes: 0 success, 1 regression or failure, 2 wrong usage, 130 interrupted
"""

HERE = "this-machine"

# Interleaved rounds of each pass. The first pass finds candidates; the other passes run only these
# and must find them again. A change is reported if all passes agree on its direction.
ROUNDS = (2, 4, 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parse(arguments)
    try:
        return _dispatch(options)
    except BenchError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if options.record:
            print("\nInterrupted; the same command resumes.", file=sys.stderr)
        return 130


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        usage=USAGE.replace("\n", "\n       ").rstrip(),
        description="Run the benchmarks, compare commits, publish results.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("commits", nargs="*", metavar="COMMIT", help="a commit, branch or tag")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="run every benchmark once, as a test")
    mode.add_argument("--record", action="store_true", help="record results for the site")
    mode.add_argument("--publish", action="store_true", help="build a site of the recorded results")
    parser.add_argument(
        "--bench", action="append", default=[], metavar="REGEX",
        help="only benchmarks whose name matches, such as kernels or 'training.*batch'; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--machine", metavar="NAME",
        help="name of this machine in recorded results; default: its CPU and number of cores, "
        "such as zen4-2cores-avx512",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.machine is not None and not options.record:
        parser.error("--machine needs --record: other results are not recorded")
    if options.machine is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", options.machine):
        parser.error(
            "--machine must be a name of lower-case letters, digits, hyphens and dots, such as "
            f"zen3-2cores, got {options.machine!r}"
        )
    if (options.quick or options.publish) and options.commits:
        parser.error("--quick and --publish take no commits")
    if not options.record and len(options.commits) not in (0, 2):
        parser.error(f"give two commits, BASE and HEAD, or none, got {len(options.commits)}")
    return options


def _dispatch(options: argparse.Namespace) -> int:
    if options.publish:
        return publish()
    if options.quick:
        return quick(options.bench)
    _warn_of_changes()
    if options.record:
        return record(options.commits, options.bench, options.machine or _machine.default_name())
    if options.commits:
        base, head = options.commits
        return compare_commits(base, head, options.bench)
    return measure_head(options.bench)


def quick(patterns: Sequence[str]) -> int:
    """Run every benchmark once on the working tree; 1 if any fails."""
    settings = _asv.settings_with_results_in(_fresh("quick"))
    _machine.introduce(HERE)
    _asv.prune_kernels()
    code = _asv.asv(
        "run", settings, "--quick", "--python=same", "--show-stderr", "--machine", HERE,
        *_asv.selection(patterns),
        ASV_PYTHONPATH=_environment.ROOT, FASTMLP_BENCH_STRICT="1",
    )  # fmt: skip
    if code == _asv.FAILURES:
        print("scripts/bench: benchmarks failed; their messages are above", file=sys.stderr)
    for line in _history.kernel_changes():
        print(line)
    return min(code, 1) if code >= 0 else 1


def measure_head(patterns: Sequence[str]) -> int:
    """Run the suite on HEAD; asv prints the figures."""
    settings = _asv.settings_with_results_in(_fresh("head"))
    return 0 if _asv.run(settings, [_git.hash_of("HEAD")], patterns, HERE, ROUNDS[0]) else 1


def record(commits: Sequence[str], patterns: Sequence[str], machine: str) -> int:
    """Measure commits, in turns, and keep the results; 1 if benchmarks failed."""
    if commits:
        hashes = list(dict.fromkeys(map(_git.hash_of, commits)))
    else:
        hashes = _history.wanted(machine, again=bool(patterns))
    if not hashes:
        print(f"All milestones and HEAD have a record on {machine}.")
        print(f"To measure commits again, name them: {_history.COMMAND} COMMIT...")
        return 0
    print(f"{len(hashes)} commits to record on {machine}")
    failures = _record.record(hashes, patterns or _history.patterns(), machine)
    print(f"\nRecorded {len(hashes)} commits on {machine}. Commit the results:")
    print("  git add asv_benchmarks/results")
    print(f'  git commit -m "Record the speed on {machine}"')
    if failures:
        print("scripts/bench: these failed: " + "; ".join(failures), file=sys.stderr)
    return 1 if failures else 0


def publish() -> int:
    """Make the site, and say how to look at it."""
    if make_site():
        return 1
    print(f"The site is {_asv.HTML}. It needs no network. Look at it with:")
    print(f'  python -m http.server --bind 127.0.0.1 --directory "{_asv.HTML}"')
    return 0


def make_site() -> int:
    """Make the site of the recorded results; 1 if asv fails."""
    if not list((_asv.FOLDER / "results").glob("*/*-*.json")):
        raise BenchError("there are no results to publish; record some: scripts/bench --record")
    if _asv.asv("publish", _asv.SETTINGS):
        return 1
    _site.make_local(_asv.HTML)
    return 0


def compare_commits(base: str, head: str, patterns: Sequence[str]) -> int:
    """Compare two commits; 1 if the second is slower, or one of its benchmarks fails."""
    first, second = _git.hash_of(base), _git.hash_of(head)
    if first == second:
        second = _git.copy_of(first)
    changes: list[Change] = []
    for number, rounds in enumerate(ROUNDS, 1):
        print(f"Pass {number} of at most {len(ROUNDS)}: {first[:8]} and {second[:8]}", flush=True)
        found = _measure(first, second, patterns, rounds)
        changed = [change for change in found if change.direction != SAME]
        changes = _verdict.confirmed(changes, found) if number > 1 else changed
        if not changes:
            break
        patterns = _verdict.patterns_of([change.name for change in changes])
    return _report(changes, _verdict.read_units(_folder("comparison") / "benchmarks.json"))


def _measure(first: str, second: str, patterns: Sequence[str], rounds: int) -> list[Change]:
    """Run one pass and return what it found; BenchError if benchmarks fail on the second."""
    folder = _fresh("comparison")
    _asv.run(_asv.settings_with_results_in(folder), [first, second], patterns, HERE, rounds)
    before = _verdict.read_figures(_asv.results_of(folder, HERE, first))
    after = _verdict.read_figures(_asv.results_of(folder, HERE, second))
    failures = sorted(name for name, figure in after.items() if figure.failed)
    if failures:
        raise BenchError(f"these fail on {second[:8]}: " + "; ".join(failures))
    return _verdict.compare(before, after, _asv.read_settings()["regressions_thresholds"])


def _report(changes: list[Change], units: dict[str, str]) -> int:
    worse = [change for change in changes if change.direction == REGRESSION]
    better = [change for change in changes if change.direction == IMPROVEMENT]
    for title, group in (("Better", better), ("Worse", worse)):
        if group:
            print(f"\n{title}, in all of {len(ROUNDS)} passes:")
            print("\n".join(_verdict.table(group, units)))
    if not changes:
        print("\nNothing changed beyond the thresholds.")
    return 1 if worse else 0


def _fresh(name: str) -> Path:
    """Return an empty folder for results that are not kept."""
    shutil.rmtree(_folder(name), ignore_errors=True)
    return _folder(name)


def _folder(name: str) -> Path:
    return _asv.DERIVED / "results" / name


def _warn_of_changes() -> None:
    if _git.git("status", "--porcelain", "--", "fastmlp"):
        print("Changes in fastmlp/ that are not committed are not measured.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
