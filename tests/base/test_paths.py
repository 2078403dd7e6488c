"""Names of files: as the user writes them, as the system takes them, and as files hold them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import ConfigError
from fastmlp.base.paths import as_path, as_text, find_path, kind_of

posix = pytest.mark.skipif(os.name != "posix", reason="needs names that are bytes")
names = st.binary(min_size=1, max_size=20).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert as_path("~/x", "--out") == tmp_path / "x"
    assert as_path(Path("~"), "--out") == tmp_path
    assert as_path("a/~", "--out") == Path("a/~")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "--out must be the name of a file or folder, got an empty one"),
        (7, "--out must be the name of a file or folder, got 7"),
        (None, "got None; give a str or a Path"),
        ("~nobody-of-this-name/x", "~nobody-of-this-name/x begins with ~, and no home folder"),
    ],
)
def test_what_names_nothing_is_refused(name: object, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        as_path(name, "--out")  # type: ignore[arg-type]
    assert words in str(caught.value)


@posix
@given(name=names)
def test_the_text_of_a_name_is_unicode(name: bytes) -> None:
    text = as_text(os.fsdecode(name))
    assert text.encode("utf-8").decode("utf-8") == text
    try:
        assert text == name.decode("utf-8")
    except UnicodeDecodeError:
        assert r"\x" in text


@posix
@given(name=names.filter(lambda name: b"\\" not in name and not name.startswith(b"~")))
def test_a_file_is_found_by_the_text_of_its_name(
    name: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("names")
    path = folder / os.fsdecode(name)
    path.touch()
    assert find_path(folder / as_text(path.name), "data") == path
    path.unlink()


def test_a_name_that_looks_like_a_text_is_found_as_it_is(tmp_path: Path) -> None:
    (tmp_path / r"gr\xf6.csv").touch()
    assert find_path(tmp_path / r"gr\xf6.csv", "data").name == r"gr\xf6.csv"
    assert find_path(tmp_path / "none", "data") == tmp_path / "none"


@posix
def test_kinds_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "missing").symlink_to("none")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        kinds = {
            tmp_path: "a folder", tmp_path / "file": "a file", tmp_path / "fifo": "a FIFO",
            tmp_path / "missing": "a link to none, which is missing", Path(os.devnull): "a device",
            tmp_path / "loop": "a link to loop, which cannot be followed",
            tmp_path / "socket": "a socket",
        }  # fmt: skip
        assert {path: kind_of(path) for path in kinds} == kinds
