"""Read times as tables write them: seconds, or hours, minutes and seconds, or a pandas timedelta."""

import math


def parse_time_s(text: str) -> float:
    """Parse a time to seconds, NaN where the text is empty.

    A number is seconds. `0:01:02.5`, and what pandas and audformat write of a timedelta, `0 days 00:00:01.5`, `1.5s`
    or `500ms`, name their unit.

    Raises:
        ValueError: it is no time; the text is a clause.

    Example:
        >>> [parse_time_s(text) for text in ("1.5", "0 days 00:00:01.500000", "0:01:02.5", "500ms")]
        [1.5, 1.5, 62.5, 0.5]
    """
    text = text.strip()
    if text.lower() in ("", "nat", "nan"):
        return math.nan
    try:
        seconds = float(text)
    except ValueError:
        seconds = _parse_timedelta_s(text)
    if not math.isfinite(seconds):
        raise ValueError(f"is {text[:40]!r}; expected seconds, e.g. 12.5")
    return seconds


def _parse_timedelta_s(text: str) -> float:
    import pandas as pd

    try:
        return pd.Timedelta(text).total_seconds()
    except (ValueError, OverflowError):
        raise ValueError(f"is {text[:40]!r}; expected seconds, e.g. 12.5") from None
