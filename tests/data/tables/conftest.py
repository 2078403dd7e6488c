"""Tables written to files and read back, by each reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastmlp.base.errors import DataError
from fastmlp.base.table_options import TableOptions
from fastmlp.data import Dataset
from fastmlp.data.tables import fast, read_csv

Read = Callable[..., Dataset]


def write(folder: Path, content: str | bytes, name: str = "flowers.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The function that stores a content and reads it as a dataset."""

    def store_and_read(
        content: str | bytes, *, task: str = "auto", notify: Any = None, **options: Any
    ) -> Dataset:
        return read_csv(write(tmp_path, content), TableOptions(**options), task=task, notify=notify)

    return store_and_read


@pytest.fixture
def refusal(read: Read) -> Callable[..., str]:
    """The function that returns the message with which a content is refused."""

    def message_of(content: str | bytes, **options: Any) -> str:
        with pytest.raises(DataError) as caught:
            read(content, **options)
        message = str(caught.value)
        assert "flowers.csv" in message
        assert "\n" not in message
        return message

    return message_of


@pytest.fixture
def notes_on(read: Read) -> Callable[..., list[str]]:
    """A function that returns the notes about a content."""

    def messages_of(content: str | bytes, **options: Any) -> list[str]:
        said: list[str] = []
        read(content, notify=said.append, **options)
        return said

    return messages_of


@pytest.fixture(params=["exact", *fast.READERS])
def any_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each reader in turn, also for small tables."""
    reader = fast.READERS.get(request.param)
    if reader is not None:
        pytest.importorskip(request.param)
    monkeypatch.setattr(fast, "is_worth_it", lambda n_chars: True)
    monkeypatch.setattr(fast, "fast_reader", lambda: reader)
    yield request.param
