"""Download of a gzip file over HTTP: checked, and stored completely or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import DataError
from ..base.files import write_atomically

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT_SECONDS = 15.0
# MNIST's largest file has 10 MB; a server that sends more sends something else.
MAX_BYTES = 64 << 20
CHUNK = 1 << 20
LEAST_BYTES = 64 << 10


class FetchError(Exception):
    """The reason why a download failed, in a few words."""


def fetch(url: str, sha256: str, timeout: float = TIMEOUT_SECONDS) -> bytes:
    """Download a gzip file and check its decompressed content.

    Parameters
    ----------
    url : str
    sha256 : str
        Hexadecimal digest of the decompressed content.
    timeout : float, default 15
        Seconds without any answer, or with less than 64 kB of it, after which the server counts as
        dead.

    Returns
    -------
    bytes
        The file as the server sent it, still compressed.

    Raises
    ------
    FetchError
    """
    # Imported here: 60 ms that only a download has to pay.
    import http.client
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            body = _read(response, timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchError(_one_line(f"HTTP {error.code} {error.reason}")) from error
    except urllib.error.URLError as error:
        raise FetchError(_one_line(error.reason)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError(_one_line(error)) from error
    check_content(body, sha256)
    return body


def _read(response: HTTPResponse, timeout: float) -> bytes:
    """Return the body, up to a little more than the size of the largest file.

    Fails if fewer than ``LEAST_BYTES`` arrive per ``timeout``: a server that sends byte after byte
    never exceeds the timeout of a single read.
    """
    body, before, due = bytearray(), 0, time.monotonic() + timeout
    while len(body) <= MAX_BYTES and (piece := response.read1(CHUNK)):
        body += piece
        if time.monotonic() > due:
            if len(body) - before < LEAST_BYTES:
                raise FetchError(f"too slow: {len(body) - before} bytes in {timeout:g} s")
            before, due = len(body), time.monotonic() + timeout
    return bytes(body)


def check_content(body: bytes, sha256: str) -> None:
    """Raise FetchError unless ``body`` is a gzip file whose content has this digest."""
    if len(body) > MAX_BYTES:
        raise FetchError(f"file larger than {MAX_BYTES >> 20} MB")
    digest = hashlib.sha256()
    try:
        with gzip.open(io.BytesIO(body)) as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise FetchError(f"truncated or damaged file ({_one_line(error)})") from error
    if digest.hexdigest() != sha256:
        raise FetchError("wrong SHA-256, content refused")


def is_stored(path: Path, sha256: str) -> bool:
    """Whether ``path`` already is a gzip file whose content has this digest."""
    try:
        check_content(path.read_bytes(), sha256)
    except (OSError, FetchError):
        return False
    return True


def store(body: bytes, path: Path) -> None:
    """Write ``body`` to ``path``, atomically; create its folder if needed.

    Raises
    ------
    DataError
        If the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, body)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror or error}; choose another folder with "
            "--data-dir"
        ) from error


def _one_line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
