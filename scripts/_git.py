"""Calling git on this clone. Standard library only."""

from __future__ import annotations

import os
import subprocess

import _environment
from _asv import BenchError


def git(*arguments: str) -> str:
    """Run git in the clone and return what it wrote; BenchError if it fails."""
    # Names for commit-tree, which refuses to work without them.
    roles = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    names = dict.fromkeys(roles, "bench")
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=_environment.ROOT, env={**os.environ, **names}, capture_output=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise BenchError(f"git does not start: {error.strerror}; install it") from error
    if done.returncode:
        raise BenchError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def hash_of(commit: str) -> str:
    """Return the full hash of a commit, by any name that git understands."""
    try:
        return git("rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")
    except BenchError:
        raise BenchError(
            f"COMMIT must name a commit of this clone (a branch, a tag, a hash), got {commit!r}; "
            "see git log, or fetch it first (a shallow clone: git fetch --unshallow)"
        ) from None


def has(commit: str) -> bool:
    """Return whether the clone has a commit."""
    try:
        git("cat-file", "-e", f"{commit}^{{commit}}")
    except BenchError:
        return False
    return True


def copy_of(commit: str) -> str:
    """Return a commit with the same files. asv files results by commit, and would mix the two.

    No branch points to it: git removes it in time.
    """
    return git("commit-tree", f"{commit}^{{tree}}", "-p", commit, "-m", "The same files again")
