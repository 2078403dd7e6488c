"""The text of a table: decoded, in blocks of whole lines."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

import numpy as np

from ...base.errors import DataError
from ...base.settings import AUTO

# Large enough to make a library's cost per call negligible, small enough for the caches.
BLOCK_BYTES = 4 << 20
# A record is held in memory. A longer one means a file without line ends, or an open quote.
MAX_RECORD = 8 << 20
# Longer marks first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Text:
    """The lines of a file, with line feeds as their ends; read once, from the start.

    Parameters
    ----------
    file : binary file
    name : str
        What messages call it.
    encoding : str
        A codec of Python, or ``auto``: by a byte order mark, else UTF-8.

    Attributes
    ----------
    line : int
        Number, from 1, of the first line of the next block.
    encoding : str
        The encoding in use.
    """

    def __init__(self, file: BinaryIO, name: str, encoding: str = AUTO):
        self.name, self.line = name, 1
        self._file = file
        self._first = file.read(BLOCK_BYTES)
        self.encoding = _encoding_of(self._first) if encoding == AUTO else encoding
        self._is_told = encoding != AUTO
        decoder = codecs.getincrementaldecoder(self.encoding)()
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._rest = ""
        self._at_start = True
        self._at_end = False

    def next_block(self) -> str | None:
        """Return the next lines, a few megabytes, or None at the end.

        Raises
        ------
        DataError
            If bytes cannot be decoded, or a line is too long.
        """
        pieces = [self._rest]
        size = len(self._rest)
        while not self._at_end:
            piece = self._decoded()
            end = piece.rfind("\n") + 1
            if end and not (self._at_end and end < len(piece)):
                self._rest = piece[end:]
                return self._counted("".join((*pieces, piece[:end])))
            pieces.append(piece)
            size += len(piece)
            if size > MAX_RECORD:
                raise too_long(self.name, self.line)
        self._rest = ""
        return self._counted("".join(pieces)) or None

    @property
    def is_read(self) -> bool:
        """Whether all blocks were returned."""
        return self._at_end and not self._rest

    def skip_to(self, line: int) -> str | None:
        """Return the block that begins with the given line, or None beyond the end."""
        while (block := self.next_block()) is not None:
            first = self.line - lines_in(block)
            if line < self.line:
                start = 0
                for _ in range(line - first):
                    start = block.index("\n", start) + 1
                return block[start:]
        return None

    def _decoded(self) -> str:
        data = self._first or self._file.read(BLOCK_BYTES)
        self._first = b""
        self._at_end = len(data) < BLOCK_BYTES
        try:
            text = str(self._decoder.decode(data, final=self._at_end))
        except UnicodeError as error:
            raise self._undecodable(error) from None
        if self._at_start and text:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        if "\0" in text:
            raise self._with_nul(text)
        return text

    def _counted(self, block: str) -> str:
        self.line += lines_in(block)
        return block

    def _line_after(self, text: str) -> int:
        return self.line + text.count("\n")

    def _undecodable(self, error: UnicodeError) -> DataError:
        line, byte, data = self.line, " other bytes", b""
        if isinstance(error, UnicodeDecodeError):
            data = error.object
            before = data[: error.start].decode(self.encoding, "replace")
            line = self._line_after(self._rest + before.replace("\r\n", "\n").replace("\r", "\n"))
            byte = f" byte 0x{data[error.start]:02X}"
        remedy = "name its encoding: --encoding cp1252 for most files of Windows, or latin-1"
        if self._is_told:
            remedy = "leave --encoding out, or name another one"
        elif b"\0" in data:
            remedy = _no_text(data)
        encoding = "UTF-8" if self.encoding.startswith("utf-8") else self.encoding
        return DataError(f"{self.name}: line {line} must be {encoding}, got{byte}; {remedy}")

    def _with_nul(self, text: str) -> DataError:
        line = self._line_after(self._rest + text[: text.index("\0")])
        return DataError(
            f"{self.name}: line {line} must be text, got a NUL byte; {_no_text(text.encode())}"
        )


def _no_text(data: bytes) -> str:
    """Return a remedy for bytes with NULs."""
    if 0.3 < data.count(0) / len(data) < 0.7:
        order = "be" if data.startswith(b"\0") else "le"
        return f"if it is UTF-16 without a byte order mark, use --encoding utf-16-{order}"
    return "it is no text file, or is damaged: save the table as CSV in UTF-8"


def lines_in(block: str) -> int:
    """Return the number of lines; the last may lack a line end."""
    return count_of("\n", block.encode("utf-8", "surrogatepass")) + (
        bool(block) and not block.endswith("\n")
    )


def count_of(character: str, data: bytes) -> int:
    """Return how often an ASCII character occurs."""
    # bytes.count() is slow: it would take half the time of all reading.
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord(character)))


def too_long(name: str, line: int) -> DataError:
    """Return the error for a row that is too long."""
    return DataError(
        f"{name}: a row must have at most {MAX_RECORD >> 20} MB, the one in line {line} is longer; "
        "check its line ends and quotes"
    )


def _encoding_of(head: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")
