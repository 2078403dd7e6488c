"""The SQLite file of a sweep: every finished cell, recorded immediately and exactly once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..base.errors import ConfigError, DataError
from ..base.folders import contents, make_folder, remove_files
from ..base.json_values import digest, to_json
from .leaderboard import Trial
from .records import trial_from

FILE = "sweep.sqlite"
LOCK = "sweep.lock"
FORMAT = "2"
_SEAL = hashlib.sha256().digest_size
# Weights are kept for this number of best cells. The winner is among them, unless only the mean
# over its seeds is good; it can be trained again with the same bits.
MODELS_KEPT = 10
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cells (
    key TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    config TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT NOT NULL,
    history TEXT NOT NULL,
    iterations TEXT NOT NULL,
    metrics TEXT NOT NULL,
    timings TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    score REAL,
    tie REAL,
    params BLOB
) WITHOUT ROWID;
"""
_COLUMNS = "key, settings, config, status, error, history, iterations, metrics, timings"


class Store:
    """Finished cells.

    Every record is one transaction: after a kill at any moment the file holds all cells recorded
    until then, whole. Only one process at a time may write.

    Parameters
    ----------
    folder : Path or None
        None: in memory.
    resume : bool, default False
        Whether the folder may hold a store already, which is then resumed.
    overwrite : bool, default False
        Whether to replace an existing store.

    Raises
    ------
    ConfigError
        If the folder holds a store and neither ``resume`` nor ``overwrite`` is set, holds anything
        else, cannot be written to, or another sweep is writing to it.
    DataError
        If the file is damaged, or of another format.
    """

    def __init__(self, folder: Path | None, resume: bool = False, overwrite: bool = False):
        self._folder = folder
        self._lock: sqlite3.Connection | None = None
        if folder is None:
            self._connection = sqlite3.connect(":memory:", isolation_level=None)
        else:
            _check_folder(folder, resume, overwrite)
            self._lock = _locked(folder)
            if overwrite and not resume:
                endings = ("", "-wal", "-shm", "-journal")
                try:
                    remove_files([folder / f"{FILE}{ending}" for ending in endings], "out")
                except ConfigError:
                    self._lock.close()
                    raise
            self._connection = sqlite3.connect(folder / FILE, isolation_level=None)
        with self._damage_named():
            # Views and triggers of a file that somebody else made run nothing.
            self._connection.execute("PRAGMA trusted_schema = OFF")
            # Where the file system has no shared memory, SQLite keeps its rollback journal.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_TABLES)
            if self.fact("format") is None:
                self.set_facts(format=FORMAT, version=__version__)

    @contextlib.contextmanager
    def _damage_named(self) -> Iterator[None]:
        """Name the store in errors from damage, and close it."""
        try:
            yield
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            self.close()
            raise _damaged(self._folder, error) from None

    def fact(self, name: str) -> str | None:
        """Return a fact about the sweep."""
        with self._damage_named():
            return _facts(self._connection).get(name)

    def data(self) -> set[str] | None:
        """Return the hashes of the sweep's data; None if it has not started."""
        noted = self.fact("data")
        with self._damage_named():
            hashes = json.loads(noted or "null")
            if not (hashes is None or _are_texts(hashes)):
                raise ValueError("its data must be a list of hashes")
        return None if hashes is None else set(hashes)

    def set_facts(self, **values: str) -> None:
        """Store facts about the sweep."""
        with self._transaction():
            facts = {**_facts(self._connection), **values}
            facts["sha256"] = digest(*sorted(facts.items(), key=repr))
            self._connection.executemany("REPLACE INTO facts VALUES (?, ?)", facts.items())

    def keys(self) -> set[str]:
        """Return the keys of all recorded cells."""
        with self._damage_named():
            return {row[0] for row in self._connection.execute("SELECT key FROM cells")}

    def record(self, trial: Trial, rank_by: str, params: np.ndarray | None) -> None:
        """Add a cell, with its weights if it is among the best.

        Raises
        ------
        sqlite3.IntegrityError
            If the cell was recorded before.
        """
        score, tie = trial.score(rank_by) if trial.is_good else (None, None)
        texts = (trial.settings, trial.config, trial.history, trial.iterations, trial.metrics)
        settings, config, history, iterations, metrics = map(to_json, texts)
        record = (
            trial.key, settings, config, trial.status, trial.error, history, iterations, metrics,
            to_json(trial.timings),
        )  # fmt: skip
        kept = None if params is None or score is None else _sealed(params.tobytes())
        with self._transaction():
            self._connection.execute(
                f"INSERT INTO cells ({_COLUMNS}, sha256, epochs, score, tie, params) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*record, digest(*record), trial.config["epochs"], score, tie, kept),
            )
            self._connection.execute(
                "UPDATE cells SET params = NULL WHERE params IS NOT NULL AND key NOT IN (SELECT key"
                " FROM cells WHERE score IS NOT NULL ORDER BY score, tie, key LIMIT ?)",
                (MODELS_KEPT,),
            )

    def forget(self, status: str) -> int:
        """Remove the cells with a status, so that they run again; return their number."""
        with self._transaction():
            return self._connection.execute(
                "DELETE FROM cells WHERE status = ?", (status,)
            ).rowcount

    def trials(self) -> list[Trial]:
        """Return all cells, sorted by key."""
        rank_by = self.fact("rank_by") or "validation_loss"
        with self._damage_named():
            rows = self._connection.execute(f"SELECT {_COLUMNS}, sha256 FROM cells ORDER BY key")
            return [trial_from(row, rank_by) for row in rows]

    def params(self, key: str, size: int, n_models: int) -> bytes | None:
        """Return the recorded weights of a cell; None if they were not kept.

        Parameters
        ----------
        key : str
        size : int
            Of a network's weights, in bytes.
        n_models : int
            Maximum number of networks: models of an ensemble that diverged are left out.

        Raises
        ------
        DataError
            If they are damaged, or have another size.
        """
        query = "SELECT params FROM cells WHERE key = ?"
        with self._damage_named():
            row = self._connection.execute(query, (key,)).fetchone()
            if row is None or row[0] is None:
                return None
            sizes = {_SEAL + size * n for n in range(1, n_models + 1)}
            if not isinstance(row[0], bytes) or len(row[0]) not in sizes:
                raise ValueError(f"the weights of cell {key} must have {size} bytes a network")
            params = row[0][_SEAL:]
            if row[0] != _sealed(params):
                raise ValueError(f"the weights of cell {key} do not have their checksum")
            return params

    def close(self) -> None:
        """Write everything into the one file, and release the lock."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def holds_store(folder: Path) -> bool:
    """Whether a folder holds the store of a sweep."""
    return (folder / FILE).exists()


def stored_sweep(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return the grid and the search of the sweep in a folder; None without a sweep."""
    if not holds_store(folder):
        return None, {}
    try:
        with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            facts = _facts(connection)
        grid, search = (json.loads(facts.get(name, "null")) for name in ("grid", "search"))
        if not (isinstance(grid, dict | None) and isinstance(search, dict | None)):
            raise ValueError("its grid and its search must be tables")
        if not all(type(value) in (int, str) for value in (search or {}).values()):
            raise ValueError("its search must hold whole numbers and names")
    except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError) as error:
        raise _damaged(folder, error) from None
    names = {"seed": "search_seed", "method": "search", "batch": "trial_batch"}
    return grid, {names.get(name) or name: value for name, value in (search or {}).items()}


def _facts(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the identity of a store's sweep; None if it is new."""
    facts = dict(connection.execute("SELECT name, value FROM facts"))
    noted = facts.pop("sha256", None)
    if facts.get("format", FORMAT) != FORMAT:
        raise sqlite3.DatabaseError(f"its format is {facts['format']}, not {FORMAT}")
    if facts and noted != digest(*sorted(facts.items(), key=repr)):
        raise ValueError("its description of the sweep does not match its checksum")
    return facts


def _sealed(params: bytes) -> bytes:
    """Return weights with their SHA-256 in front."""
    return hashlib.sha256(params).digest() + params


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _damaged(folder: Path | None, error: Exception) -> DataError:
    why = "it is damaged or of another version, choose another folder"
    if isinstance(error, sqlite3.OperationalError):  # of the system; damage is another error
        why = "check the disk and its free space, or choose another folder"
    return DataError(f"the store {folder and folder / FILE} cannot be used: {error}; {why}")


def _check_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    try:
        make_folder(folder, "out")
        is_empty = all(path.name == LOCK for path in contents(folder))
    except OSError as error:
        raise ConfigError(
            f"out {folder} cannot be written to: {error.strerror}; choose another folder"
        ) from None
    if not is_empty and not holds_store(folder):
        raise ConfigError(
            f"out {folder} must be an empty or new folder, or that of a sweep, and it holds other "
            "files; choose another"
        )
    if holds_store(folder) and not (resume or overwrite):
        raise ConfigError(
            f"out {folder} contains a sweep; resume it with resume, replace it with "
            "overwrite, or choose another folder"
        )


def _locked(folder: Path) -> sqlite3.Connection:
    """Return a connection that keeps other sweeps out until it is closed, or its process ends.

    It is a separate database, so that other processes can read the store at any time.
    """
    lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise ConfigError(
            f"out {folder} cannot be written to: {error}; if another sweep is at work there, wait "
            "for it, or choose another folder"
        ) from None
    return lock
