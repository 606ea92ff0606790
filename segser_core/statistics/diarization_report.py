"""Report how true a run's label over time is, as JSON, as a table, and as lines of text."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from segser_core.formatting import align_columns, one_line, percent, signed_points
from segser_core.prediction.prediction import Context
from segser_core.statistics.bootstrap import FEWEST_SPEAKERS, Interval
from segser_core.statistics.diarization_difference import ShareOfTimeDifference
from segser_core.statistics.emotion_diarization import (
    DIARIZATION_MEASURES,
    SHARES,
    DiarizationEstimate,
    DiarizationSummary,
)
from segser_core.statistics.paired_difference import Difference

if TYPE_CHECKING:
    import pandas as pd
CONTEXT_TITLES: dict[Context, str] = {"clip": "in context", "segment": "in isolation"}
EXPLANATION = (
    "Steps of 20 ms against the truth; EDER is false alarm, missed and confused emotion over all time, neutral being "
    "no emotion. In isolation a segment's own audio is heard alone."
)


def diarization_to_json(found: Mapping[Context, DiarizationSummary], labels: Sequence[str]) -> dict[str, Any] | None:
    """Convert the scores in each context to fractions, seconds and counts, null where not known; None without one."""
    return {context: _summary_json(of, labels) for context, of in found.items()} or None


def _summary_json(of: DiarizationSummary, labels: Sequence[str]) -> dict[str, Any]:
    return {
        **{name: _estimate_json(getattr(of, name)) for name in DIARIZATION_MEASURES},
        "share_of_time_by_class": {c: _estimate_json(e) for c, e in zip(labels, of.by_class, strict=True)},
        **{name: getattr(of, name) for name in ("recordings", "speakers", "minutes", "changes", "resamples")},
    }


def _estimate_json(of: DiarizationEstimate) -> dict[str, Any] | None:
    if isnan(of.value):
        return None
    return {"value": of.value, "interval": _interval_json(of.interval), "by_speaker": _interval_json(of.by_speaker)}


def _interval_json(of: Interval | None) -> list[float] | None:
    return None if of is None or isnan(of.low) else [of.low, of.high]


def share_of_time_difference_to_json(found: Mapping[Context, ShareOfTimeDifference]) -> dict[str, Any] | None:
    """Convert the differences in each context to fractions, null where not known; None without one."""
    return {context: _difference_json(of) for context, of in found.items()} or None


def _difference_json(of: ShareOfTimeDifference) -> dict[str, Any]:
    both = {"difference": of.by_recording, "by_speaker": of.by_speaker}
    sides = {name: d and _one_difference_json(d) for name, d in both.items()}
    return sides | {"recordings": of.recordings, "speakers": of.speakers, "left_out": of.left_out}


def _one_difference_json(of: Difference) -> dict[str, Any]:
    p_value = None if isnan(of.p_value) else of.p_value
    return {"value": of.value, "interval": _interval_json(of.interval), "p_value": p_value}


def diarization_table(found: Mapping[str, DiarizationSummary], labels: Sequence[str]) -> "pd.DataFrame":
    """Tabulate the measures of several runs or contexts, then the share of each class's time.

    Args:
        found: the scores, by the name in the column `run`.
        labels: the classes, in order.

    Returns:
        `run`, `measure`, `label` (of a class's share, else empty), `value`, `low`, `high`, and `low_by_speaker`,
        `high_by_speaker`; fractions, seconds and numbers a minute, NaN where not known.
    """
    import pandas as pd

    rows = []
    for name, of in found.items():
        each = [(measure, "", getattr(of, measure)) for measure in DIARIZATION_MEASURES]
        each += [("share_of_time", label, e) for label, e in zip(labels, of.by_class, strict=True)]
        for measure, label, estimate in each:
            row = {"run": name, "measure": measure, "label": label, "value": estimate.value}
            rows.append(row | _bounds_of("", estimate.interval) | _bounds_of("_by_speaker", estimate.by_speaker))
    return pd.DataFrame(rows)


def _bounds_of(side: str, of: Interval | None) -> dict[str, float]:
    return (
        {f"low{side}": float("nan"), f"high{side}": float("nan")}
        if of is None
        else {
            f"low{side}": of.low,
            f"high{side}": of.high,
        }
    )


def format_measure(name: str, value: float) -> str:
    """Format a measure for people: a share in percent, other numbers with two decimals; a dash where not known."""
    if name in SHARES:
        return percent(value)
    return "–" if isnan(value) else f"{value:.2f}"


def diarization_lines(found: Mapping[Context, DiarizationSummary], labels: Sequence[str]) -> list[str]:
    """Report the scores in each context as lines; none where there is no context."""
    if not found:
        return []
    one = next(iter(found.values()))
    speakers = any(of.share_of_time.by_speaker for of in found.values())
    heads = [cell for context in found for cell in (CONTEXT_TITLES[context], "95 %", *["95 % by speaker"] * speakers)]
    rows = [("label over time", *heads)]
    for name, title in DIARIZATION_MEASURES.items():
        rows.append((f"  {title}", *_cells(name, [getattr(of, name) for of in found.values()], speakers)))
    for i, label in enumerate(labels):
        each = [of.by_class[i] for of in found.values()]
        if not isnan(each[0].value):
            rows.append((f"  time of {one_line(label)}", *_cells("share_of_time", each, speakers)))
    of_whom = f"of {one.speakers} speakers" if one.speakers else "of unknown speakers"
    few = f"; fewer than {FEWEST_SPEAKERS}, so no interval by speaker" if 0 < one.speakers < FEWEST_SPEAKERS else ""
    return [
        f"{one.recordings} recordings {of_whom}, {one.minutes:.1f} min, whose emotion changes {one.changes} times{few}",
        *align_columns(rows, right=[i for i, head in enumerate(heads, 1) if not head.startswith("95")]),
        EXPLANATION,
    ]


def _cells(name: str, each: Sequence[DiarizationEstimate], speakers: bool) -> list[str]:
    cells = []
    for of in each:
        cells += [format_measure(name, of.value), _range_cell(name, of.interval)]
        cells += [_range_cell(name, of.by_speaker)] if speakers else []
    return cells


def _range_cell(name: str, of: Interval | None) -> str:
    return "" if of is None or isnan(of.low) else f"{format_measure(name, of.low)} to {format_measure(name, of.high)}"


def share_of_time_difference_lines(found: Mapping[Context, ShareOfTimeDifference]) -> list[str]:
    """Report the paired differences in each context as lines; none where there is no context."""
    if not found:
        return []
    speakers = any(of.by_speaker for of in found.values())
    rows = [("share of time", "difference", "95 %", "p", *["95 % by speaker", "p by speaker"] * speakers)]
    for context, of in found.items():
        sides = [of.by_recording, *[of.by_speaker] * speakers]
        cells = [cell for side in sides for cell in _difference_cells(side)]
        rows.append((f"  {CONTEXT_TITLES[context]}", signed_points(of.by_recording.value), *cells))
    one = next(iter(found.values()))
    left = f"; {one.left_out} have no partner and are left out" if one.left_out else ""
    return [*align_columns(rows, right=(1,)), f"paired on {one.recordings} recordings{left}"]


def _difference_cells(of: Difference | None) -> tuple[str, str]:
    if of is None or isnan(of.p_value):
        return "", ""
    return f"{signed_points(of.interval.low)} to {signed_points(of.interval.high)}", f"{of.p_value:.2g}"


def diarization_records(found: Mapping[Context, DiarizationSummary]) -> list[dict[str, Any]]:
    """List a row a context: `context`, each measure with its bounds (`NAME_low`, `NAME_speaker_low` …), and counts."""
    rows = []
    for context, of in found.items():
        row: dict[str, Any] = {"context": context}
        for name in DIARIZATION_MEASURES:
            estimate = getattr(of, name)
            row[name] = None if isnan(estimate.value) else estimate.value
            for side, interval in (("", estimate.interval), ("_speaker", estimate.by_speaker)):
                low, high = _interval_json(interval) or (None, None)
                row |= {f"{name}{side}_low": low, f"{name}{side}_high": high}
        counts = {name: getattr(of, name) for name in ("recordings", "speakers", "minutes", "changes")}
        rows.append(row | counts)
    return rows
