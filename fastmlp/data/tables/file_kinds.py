"""Files that are no tables in text: their kinds by their first bytes, and remedies."""

from __future__ import annotations

import re

# Enough for the mark of a tar archive at byte 257, and for a line of LIBSVM.
HEAD_BYTES = 4096

_TO_CSV = "write it as CSV, for example with pandas.{}(path).to_csv('table.csv', index=False)"
_IMAGE = "predict takes PNG images; for training put pixels and labels into an NPZ file"
_EXCEL = "an Excel workbook", _TO_CSV.format("read_excel")
_UNPACK = "unpack it and name the table in it"
_R = "write it as CSV in R: write.csv(x, 'table.csv', row.names = FALSE)"
_NUMPY = "put its arrays into an NPZ file: numpy.savez('data.npz', X=X, y=y)"
_PICKLE = (
    "it is not read, because unpickling can run code; load it where it was written and save it "
    "with to_csv or numpy.savez"
)

_MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG image", _IMAGE),
    (b"\x89PNG\r\n", "a PNG image", _IMAGE),
    (b"GIF8", "a GIF image", _IMAGE),
    (b"II*\0", "a TIFF image", _IMAGE),
    (b"MM\0*", "a TIFF image", _IMAGE),
    (b"RIFF", "a RIFF file, such as a WebP image or WAV sound", _IMAGE),
    (b"%PDF", "a PDF document", "copy its table into a spreadsheet and save that as CSV"),
    (b"{\\rtf", "an RTF document", "save it as plain text"),
    (b"\xd0\xcf\x11\xe0", *_EXCEL),
    (b"PAR1", "a Parquet file", _TO_CSV.format("read_parquet")),
    (b"ARROW1", "an Arrow file", _TO_CSV.format("read_feather")),
    (b"FEA1", "a Feather file", _TO_CSV.format("read_feather")),
    (b"ORC", "an ORC file", _TO_CSV.format("read_orc")),
    (b"Obj\x01", "an Avro file", "write it as CSV, for example with polars.read_avro"),
    (b"\x89HDF", "an HDF5 file", _TO_CSV.format("read_hdf")),
    (b"<stata_dta>", "a Stata file", _TO_CSV.format("read_stata")),
    (b"$FL2", "an SPSS file", _TO_CSV.format("read_spss")),
    (b"SQLite format 3", "an SQLite database", "write a table of it as CSV: sqlite3 -header -csv"),
    (b"MATLAB 5.0", "a MATLAB file", "load it with scipy.io.loadmat, and " + _NUMPY),
    (b"\x93NUMPY", "a NumPy array (.npy)", _NUMPY),
    (b"RDX", "an R data file", _R),
    (b"RDA", "an R data file", _R),
    (b"X\n\0\0", "an R data file (.rds)", _R),
    (b"(\xb5/\xfd", "compressed by Zstandard", "unpack it with unzstd"),
    (b"\x04\"M\x18", "compressed by LZ4", "unpack it with unlz4"),
    (b"\x1f\x9d", "compressed by compress", "unpack it with uncompress"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x7fELF", "a program", "name the table"),
    (b"version https://git-lfs", "a pointer of Git LFS", "run git lfs pull to get the file itself"),
)  # fmt: skip
_PICKLE_START = re.compile(rb"\x80[\x02-\x05](?:[}\]cKX()\x8c\x95]|$)")
_IDX_START = re.compile(rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x04]\0")
_TEXTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)\b", re.I),
        "an HTML page", "download the file itself, or use "
        "pandas.read_html(path)[0].to_csv('table.csv', index=False)",
    ),
    (re.compile(rb"\s*<\?xml\b", re.I), "an XML file", _TO_CSV.format("read_xml")),
    (re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{])'), "a JSON file", _TO_CSV.format("read_json")),
    (
        re.compile(rb"(?:\s|%[^\n]*\n)*@relation\b", re.I),
        "an ARFF file", "write it as CSV, for example with "
        "pandas.DataFrame(scipy.io.arff.loadarff(path)[0]).to_csv('table.csv', index=False)",
    ),
    (
        re.compile(rb"[-+.\de]+(?: \d+:[-+.\de]+)+ *\r?\n"),
        "a LIBSVM file", "load it with sklearn.datasets.load_svmlight_file and pass the sparse "
        "matrix to fastmlp.Dataset",
    ),
)  # fmt: skip


def foreign_kind(head: bytes) -> str | None:
    """Return a file's kind and the remedy, as the end of a sentence; None for a table in text.

    Parameters
    ----------
    head : bytes
        Its first HEAD_BYTES bytes, decompressed.
    """
    for magic, what, remedy in _MAGICS:
        if head.startswith(magic):
            return f"{what}; {remedy}"
    if head[257:262] == b"ustar":
        return f"a tar archive; {_UNPACK}"
    if _PICKLE_START.match(head):
        return f"a Python pickle; {_PICKLE}"
    if _IDX_START.match(head):
        return (
            "an IDX file; name the folder of the four files with --data mnist --data-dir FOLDER, "
            f"or {_NUMPY}"
        )
    for pattern, what, remedy in _TEXTS:
        if pattern.match(head):
            return f"{what}; {remedy}"
    return None


def archive_kind(members: list[str]) -> str:
    """Return the kind of a zip archive of several files, and the remedy.

    Parameters
    ----------
    members : list of str
        Names of its files.
    """
    names = set(members)
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "; ".join(_EXCEL)
    if "word/document.xml" in names:
        return "a Word document; copy its table into a spreadsheet and save that as CSV"
    if "content.xml" in names and "mimetype" in names:
        return "an OpenDocument file; save the sheet as CSV"
    if any(name.endswith("data.pkl") for name in names):
        return f"a PyTorch file; {_PICKLE}"
    if names and all(name.endswith(".npy") for name in names):
        return f"an NPZ file; {_NUMPY}"
    if not names:
        return "an empty zip archive; name the table"
    shown = ", ".join(map(repr, members[:5])) + (", ..." if len(members) > 5 else "")
    return f"a zip archive of {len(members)} files ({shown}); {_UNPACK}"
