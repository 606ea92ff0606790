"""Hold a prediction against known changes of emotion: read them from a file, and find where the label is right."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import numpy as np

from segser_core.errors import CorpusError
from segser_core.formatting import one_line
from segser_core.labels import is_valid_label, normalise_label
from segser_core.prediction.prediction import Prediction
from segser_core.prediction.stretches import OVERLAP_S, Stretch, stretches_from_json
from segser_core.prediction.timeline import STEPS_PER_S, TimeSpan, prediction_steps, whole_steps

EMOTION_TIER = "emotion"
MOST_TRUTH_BYTES = 1_000_000
BEYOND_END_S = 0.1  # by which a truth may outlast its recording: a codec's padding
NO_CLASS = -1


def true_classes(truth: Sequence[Stretch], labels: Sequence[str], n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Find which steps of 20 ms lie wholly in one stretch, and their true class.

    Returns:
        (T,) whether a step is in a stretch; (T,) its class, `NO_CLASS` where that is none of the labels.
    """
    index, scored, classes = {c: i for i, c in enumerate(labels)}, np.zeros(n_steps, bool), np.full(n_steps, NO_CLASS)
    for stretch in truth:
        steps = whole_steps(stretch.start_s, stretch.end_s)
        scored[steps], classes[steps] = True, index.get(stretch.label, NO_CLASS)
    return scored, classes


def share_of_time_right(prediction: Prediction, truth: Sequence[Stretch]) -> float:
    """Compute the share of the known time in which the label over time is right; NaN where no time is known."""
    told = prediction_steps(prediction, truth[-1].end_s)
    scored, classes = true_classes(truth, prediction.labels, len(told))
    return float((told == classes)[scored].mean()) if scored.any() else float("nan")


def find_wrong_time(prediction: Prediction, truth: Sequence[Stretch]) -> list[TimeSpan]:
    """Find the spans in which the label over time is not the true one, in steps of 20 ms."""
    told = prediction_steps(prediction, truth[-1].end_s)
    scored, classes = true_classes(truth, prediction.labels, len(told))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], scored & (told != classes), [False]]).astype(int)))
    return [(start / STEPS_PER_S, end / STEPS_PER_S) for start, end in edges.reshape(-1, 2).tolist()]


def read_known_changes(name: str, data: bytes, prediction: Prediction) -> tuple[Stretch, ...]:
    """Read the stretches of a recording from a Praat TextGrid, or from its row of a manifest.

    Of a TextGrid it takes the tier `emotion`, or the only tier of intervals; empty intervals are pauses. A manifest is
    a CSV with a column `stretches` (see `stretches_from_json`), and a column `path` where it has several rows.

    Args:
        name: of the file.
        data: its bytes.
        prediction: of the recording.

    Raises:
        CorpusError: it is neither, or its stretches are not of this recording.
    """
    try:
        if len(data) > MOST_TRUTH_BYTES:
            raise ValueError(f"has {len(data)} bytes; expected at most {MOST_TRUTH_BYTES}")
        text = decode_text(data)
        found = stretches_from_textgrid(text) if "ooTextFile" in text[:200] else _of_manifest(text, prediction.file)
        found = tuple(replace(s, label=_as_model(s.label, prediction.labels)) for s in found)
        _check_fit(found, prediction)
    except ValueError as error:
        raise CorpusError(f"{one_line(name)}: {error}") from error
    return found


def _as_model(label: str, labels: Sequence[str]) -> str:
    """Spell a label as the model does: as it is, or in the project's spelling where the model knows that alone."""
    spelled = normalise_label(label)
    return spelled if label not in labels and spelled in labels else label


def decode_text(data: bytes, expected: str = "a Praat TextGrid, or a manifest as CSV") -> str:
    """Decode a text in UTF-8, or in UTF-16 as Praat writes it, with a mark at the beginning."""
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"is no text; expected {expected}") from None


def stretches_from_textgrid(text: str) -> tuple[Stretch, ...]:
    """Read the stretches of a Praat TextGrid, long or short; see `read_known_changes`.

    Raises:
        ValueError: there is no such tier, or an interval is no stretch; the text is a clause.
    """
    rows = {
        name: [(start, end, label.lower()) for start, end, label in entries] for name, entries in interval_tiers(text)
    }
    if EMOTION_TIER not in rows and len(rows) != 1:
        names = ", ".join(one_line(n) for n in rows) or "none"
        raise ValueError(f"has the interval tiers {names}; expected one that is called {EMOTION_TIER}, or one alone")
    return _checked(rows.get(EMOTION_TIER) or next(iter(rows.values())))


def interval_tiers(text: str) -> list[tuple[str, list[tuple[float, float, str]]]]:
    """Read the interval tiers of a Praat TextGrid, long or short: name, and start, end and text of each interval.

    Raises:
        ValueError: the TextGrid is damaged; the text is a clause.
    """
    from praatio.utilities.errors import PraatioException
    from praatio.utilities.textgrid_io import parseTextgridStr  # from text: no recording's data is written to disk

    try:
        tiers = [t for t in parseTextgridStr(text)["tiers"] if t["class"] == "IntervalTier"]
        return [(t["name"], [(float(a), float(b), str(c).strip()) for a, b, c in t["entries"]]) for t in tiers]
    except (PraatioException, ValueError, IndexError, KeyError, TypeError, AttributeError):
        raise ValueError("is a damaged TextGrid; save it again in Praat, as text") from None


def _checked(rows: Sequence[tuple[float, float, str]]) -> tuple[Stretch, ...]:
    found = tuple(Stretch(*row) for row in rows if row[2])
    if not found:
        raise ValueError("names no emotion: all its intervals are empty")
    for stretch in found:
        if not is_valid_label(stretch.label) or not 0 <= stretch.start_s < stretch.end_s:
            raise ValueError(
                f"has the interval {stretch.start_s:g} to {stretch.end_s:g} s, {one_line(stretch.label[:40])!r}; "
                "expected 0 ≤ start < end, and a label of 1 to 40 characters"
            )
    for before, after in pairwise(found):
        if after.start_s < before.end_s - OVERLAP_S:
            raise ValueError(f"a stretch begins at {after.start_s:g} s, before the last one ends at {before.end_s:g} s")
    return found


def _of_manifest(text: str, recording: str) -> tuple[Stretch, ...]:
    try:
        rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text)))
    except csv.Error:
        rows = []
    if not rows or "stretches" not in rows[0]:
        raise ValueError("is no TextGrid, and has no column stretches; expected a Praat TextGrid, or a manifest as CSV")
    name = PurePath(recording).name
    own = [r for r in rows if PurePath(r.get("path") or "").name == name] or rows
    if len(own) > 1:
        raise ValueError(
            f"has {len(rows)} rows, and {len(own)} could be {one_line(name)}; keep the row of the recording"
        )
    found = stretches_from_json(own[0]["stretches"] or "")
    if not found:
        raise ValueError("has no stretches of this recording")
    return found


def _check_fit(truth: Sequence[Stretch], prediction: Prediction) -> None:
    """Check that stretches end with the recording, and that the model knows one of their emotions."""
    if truth[-1].end_s > prediction.duration_s + BEYOND_END_S:
        raise ValueError(
            f"ends at {truth[-1].end_s:.2f} s, and the recording at {prediction.duration_s:.2f} s; choose the file "
            "that belongs to the recording"
        )
    names = list(dict.fromkeys(s.label for s in truth))
    if not set(names) & set(prediction.labels):
        raise ValueError(
            f"names {', '.join(map(one_line, names))}; the model knows {', '.join(prediction.labels)}: use these names"
        )
