"""Dates and times in texts: their formats, and their seconds since 1970."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import numpy as np

NO_FORMAT = ""  # of columns that hold times, not texts
ISO = "iso"
_ISO = re.compile(
    r"\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)?(?:Z|[-+]\d{2}:?\d{2})?"
)
_ZONE = re.compile(r"(?<=\d)(?:Z|[-+]\d{2}:?\d{2})$")
# By priority: a format is taken if all texts have it. Of 3/4/2020 either number may be the month;
# with slashes the month comes first, unless a text contradicts.
_DATES = (
    "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%B %d %Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%m/%Y",
)  # fmt: skip
_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
FORMATS = (
    ISO, *_DATES, *_TIMES, *(f"{date} {time}" for date in _DATES for time in _TIMES),
    "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y", "%a, %d %b %Y %H:%M:%S",
)  # fmt: skip
_MOST_TRIED = 100  # texts, before all are read
MOST_SECONDS = 1e12  # 31,000 years


class Parts(NamedTuple):
    """The parts of times, float64 of shape (n,) each; NaN for gaps."""

    year: np.ndarray
    month: np.ndarray
    weekday: np.ndarray
    hour: np.ndarray


def find_format(texts: Sequence[str]) -> str | None:
    """Return the format of dates or times that all texts have, or None.

    Digits alone (20240131) are dates only if every year is between 1900 and 2099.
    """
    if not texts or not any(character.isdigit() for character in texts[0]):
        return None
    few = texts[:: max(1, len(texts) // _MOST_TRIED)]
    for format in FORMATS:
        has_format = partial(_has_format, format)
        if all(map(has_format, few)) and not np.isnan(seconds_of(texts, format)).any():
            return format
    return None


def seconds_of(texts: Sequence[str], format: str) -> np.ndarray:
    """Return the times of texts in seconds since 1970, NaN for texts of another format.

    Parameters
    ----------
    texts : sequence of str
    format : str
        As :func:`find_format` returns it.
    """
    if format == ISO:
        return _iso_seconds(texts)
    if format not in FORMATS:
        return np.full(len(texts), np.nan)
    return np.array([_seconds(text.strip(), format) for text in texts], np.float64)


def _has_format(format: str, text: str) -> bool:
    if format == ISO:
        return _ISO.fullmatch(text.strip()) is not None
    return not math.isnan(_seconds(text.strip(), format))


def _seconds(text: str, format: str) -> float:
    if format == "%Y%m%d" and not re.fullmatch(r"(?:19|20)\d{6}", text):
        return math.nan
    try:
        return datetime.strptime(text, format).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _iso_seconds(texts: Sequence[str]) -> np.ndarray:
    """Return times by NumPy, which is many times faster than strptime."""
    clean = [text.strip() if _ISO.fullmatch(text.strip()) else "NaT" for text in texts]
    # A zone after a date of days alone is a part of no format.
    zones = np.array([_zone_seconds(text) if ":" in text[11:] else 0.0 for text in clean])
    plain = [_ZONE.sub("", text) if ":" in text[11:] else text for text in clean]
    try:
        times = np.array(plain, "M8[us]")
    except ValueError:  # the 30th of February
        times = np.array([_time(text) for text in plain], "M8[us]")
    found: np.ndarray = microseconds_as_seconds(times) - zones
    return found


def _time(text: str) -> np.datetime64:
    try:
        return np.datetime64(text, "us")
    except ValueError:
        return np.datetime64("NaT", "us")


def _zone_seconds(text: str) -> float:
    match = _ZONE.search(text)
    if match is None or match[0] == "Z":
        return 0.0
    digits = match[0].replace(":", "")
    return float(f"{digits[0]}1") * (3600 * int(digits[1:3]) + 60 * int(digits[3:5]))


def microseconds_as_seconds(times: np.ndarray) -> np.ndarray:
    """Return datetime64 or timedelta64 values as float64 seconds; NaN for NaT."""
    unit = "m8[us]" if times.dtype.kind == "m" else "M8[us]"
    whole = times.astype(unit)
    seconds: np.ndarray = whole.astype(np.int64) / 1e6
    seconds[np.isnat(whole)] = np.nan
    return seconds


def parts_of(seconds: np.ndarray) -> Parts:
    """Return the calendar parts of times in seconds since 1970."""
    bounded = np.where(np.abs(seconds) <= MOST_SECONDS, seconds, np.nan)
    is_known = ~np.isnan(bounded)
    times = np.where(is_known, bounded, 0).astype("M8[s]")
    months = times.astype("M8[M]").astype(np.int64)
    days = times.astype("M8[D]").astype(np.int64)
    hours = times.astype("M8[h]").astype(np.int64)
    found = (months // 12 + 1970, months % 12 + 1, (days + 3) % 7, hours % 24)
    return Parts(*(np.where(is_known, part, np.nan) for part in found))


def time_texts(seconds: Iterable[float]) -> list[str]:
    """Return times as ISO texts, without the time of day at midnight."""
    texts = [
        str(np.datetime64(round(s), "s")) if abs(s) <= MOST_SECONDS else str(s) for s in seconds
    ]
    return [text.removesuffix("T00:00:00") for text in texts]
