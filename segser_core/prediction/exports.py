"""Export predictions as Praat TextGrid, ELAN, CSV, JSON and Parquet: functions return content, callers write it."""

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import TYPE_CHECKING

from segser_core.prediction.prediction import LabelledTurn, Prediction, Segment
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import assign_lanes, label_over_time

if TYPE_CHECKING:
    import pandas as pd


EXPORT_COLUMNS = ("file", "index", "start_s", "end_s", "label", "confidence")
TURN_COLUMNS = ("unit", "speaker", "text")  # the unit is `segment` or `turn`
MIME = {".wav": "audio/x-wav", ".mp4": "video/mp4", ".mov": "video/quicktime"}  # what ELAN names; else it guesses
# What neither XML nor UTF-8 can hold: control characters, and halves of characters from a file name's odd bytes.
UNSTORABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BYTE_ORDER_MARK = "\ufeff"  # by which Excel knows that a CSV file is UTF-8
FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Export:
    """A format: the ending of its files, and the function that makes the content."""

    ending: str
    content: Callable[[Sequence[Prediction]], str | bytes]


@dataclass(frozen=True)
class Tier:
    """Intervals that do not overlap, as Praat and ELAN have them: (start in seconds, end in seconds, label)."""

    name: str
    intervals: tuple[tuple[float, float, str], ...]


def to_json(predictions: Iterable[Prediction]) -> str:
    """Export one JSON list, an object a recording, numbers not rounded, all in ASCII; see `Prediction.to_dict`."""
    return "".join(iter_json(predictions))


def iter_json(predictions: Iterable[Prediction]) -> Iterator[str]:
    """Yield the text of `to_json`, a recording at a time as they come, nothing before the first."""
    before = "[\n"
    for p in predictions:
        yield before + indent(json.dumps(p.to_dict(), indent=2), "  ")
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def to_dataframe(predictions: Sequence[Prediction]) -> "pd.DataFrame":
    """Tabulate a row a segment: file, index, start_s, end_s, label, confidence, and p_<class> of every class.

    Of models with different classes, a segment has NaN where its model has no such class. Where a channel or track was
    chosen, it has a column after the file. Where turns were asked for, they follow the segments of their recording, and
    `TURN_COLUMNS` tell them apart. `speech` comes last where it was told.
    """
    import pandas as pd

    classes = dict.fromkeys(c for p in predictions for c in p.labels)
    segments = [(p, s) for p in predictions for s in (*p.segments, *(p.turns or ()))]
    rows = [
        (escape_for_xml(p.file), s.index, s.start_s, s.end_s, escape_for_xml(s.label), s.confidence)
        for p, s in segments
    ]
    frame = pd.DataFrame(rows, columns=list(EXPORT_COLUMNS))
    for name in ("track", "channel"):
        if any(getattr(p, name) is not None for p in predictions):
            frame.insert(1, name, [getattr(p, name) for p, _ in segments])
    for c in classes:
        frame[f"p_{escape_for_xml(c)}"] = [s.probabilities.get(c, float("nan")) for _, s in segments]
    if any(s.speech is not None for _, s in segments):
        frame["speech"] = [s.speech for _, s in segments]
    if any(p.turns is not None for p in predictions):
        cells = [_turn_cells(s) for _, s in segments]
        for place, (column, values) in enumerate(zip(TURN_COLUMNS, zip(*cells, strict=True), strict=True), start=1):
            frame.insert(place, column, list(values))
    return frame


def _turn_cells(segment: Segment) -> tuple[str, str, str]:
    """Return the cells of `TURN_COLUMNS`."""
    if not isinstance(segment, LabelledTurn):
        return "segment", "", ""
    return "turn", escape_for_xml(segment.speaker), escape_for_xml(segment.text)


def to_csv(predictions: Sequence[Prediction], header: bool = True) -> str:
    """Export the rows of `to_dataframe` as CSV, numbers not rounded.

    A spreadsheet would take a cell that begins with =, +, - or @ as a formula. So a file of such a
    name is written as `./NAME`, which is the same file; a label, speaker or text that begins so gets an apostrophe.
    """
    frame = to_dataframe(predictions)
    frame["file"] = [escape_formula(name, "./") for name in frame["file"]]
    for column in ("label", "speaker", "text"):
        if column in frame:
            frame[column] = [escape_formula(cell, "'") for cell in frame[column]]
    return frame.to_csv(index=False, lineterminator="\n", header=header)


def iter_csv(predictions: Iterable[Prediction]) -> Iterator[str]:
    """Yield the text of `to_csv` of predictions of one model, a recording at a time as they come."""
    header = True
    for p in predictions:
        yield to_csv([p], header)
        header = False
    if header:
        yield to_csv([])


def clips_to_csv(table: "pd.DataFrame") -> str:
    """Export a table of clips as CSV, numbers not rounded; text that begins as a formula gets a '."""
    texts = table.select_dtypes(include=["object", "string"]).columns
    safe = {
        name: [escape_formula(escape_for_xml(v), "'") if isinstance(v, str) else v for v in table[name]]
        for name in texts
    }
    return table.assign(**safe).to_csv(index=False, lineterminator="\n")


def to_zip(files: Iterable[tuple[str, Prediction]], ending: str) -> bytes:
    """Pack one TextGrid or ELAN file for each recording in a ZIP; of equal names the second is `NAME-2`.

    Args:
        files: what each is to be called, without its ending, and what it holds.
        ending: `.TextGrid` or `.eaf`.
    """
    make, content, taken = {".TextGrid": to_textgrid, ".eaf": to_elan}[ending], io.BytesIO(), set[str]()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, prediction in files:
            stem = _free(re.sub(r"[^\w.-]+", "_", name)[:120] or "clip", taken)
            taken.add(stem.casefold())
            archive.writestr(stem + ending, make(prediction))
    return content.getvalue()


def _free(name: str, taken: Collection[str]) -> str:
    """Append a number to a name that is taken, whatever the case."""
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def to_parquet(predictions: Sequence[Prediction]) -> bytes:
    """Export the rows of `to_dataframe` as a Parquet file."""
    content = io.BytesIO()
    to_dataframe(predictions).to_parquet(content, index=False)
    return content.getvalue()


def to_textgrid(prediction: Prediction) -> str:
    """Export a Praat TextGrid in the long form; its tiers are those of `build_tiers`."""
    return tiers_to_textgrid(build_tiers(prediction), prediction.duration_s)


def stretches_to_textgrid(stretches: Iterable[Stretch], duration_s: float) -> str:
    """Export stretches as a Praat TextGrid of one tier, `emotion`; pauses are empty intervals."""
    cut = (replace(s, end_s=min(s.end_s, duration_s)) for s in stretches)
    return tiers_to_textgrid([Tier("emotion", stretch_intervals(cut))], duration_s)


def stretch_intervals(stretches: Iterable[Stretch]) -> tuple[tuple[float, float, str], ...]:
    """List start, end and label of each stretch."""
    return tuple((s.start_s, s.end_s, escape_for_xml(s.label)) for s in stretches)


def tiers_to_textgrid(tiers: Iterable[Tier], duration_s: float) -> str:
    """Export tiers of a recording of `duration_s` seconds as a Praat TextGrid; gaps are empty intervals."""
    from praatio.textgrid import IntervalTier, Textgrid

    grid = Textgrid(0, duration_s)
    for tier in tiers:
        grid.addTier(IntervalTier(tier.name, list(tier.intervals), 0, duration_s))
    with TemporaryDirectory() as folder:
        path = Path(folder, "prediction.TextGrid")
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True, reportingMode="silence")
        return path.read_text(encoding="utf-8")


def to_elan(prediction: Prediction, folder: Path | None = None) -> str:
    """Export an ELAN annotation document (EAF 2.8); times in whole milliseconds, the tiers of `build_tiers`.

    Args:
        prediction: what is heard in a recording.
        folder: where the document will lie: its links then lead to the recording, by its whole path and from there.
            Without it they name the recording as it was given, and as lying beside the document.
    """
    from pympi.Elan import Eaf, to_string

    document = Eaf(author="segser")
    link, relative = link_recording(prediction.file, folder)
    mime = MIME.get(PurePath(prediction.file).suffix.lower(), "unknown")
    document.add_linked_file(escape_for_xml(link), relpath=escape_for_xml(relative), mimetype=mime)
    document.remove_tier("default")
    for tier in build_tiers(prediction):
        document.add_tier(tier.name)
        for start_s, end_s, label in tier.intervals:
            start_ms = round(1000 * start_s)
            document.add_annotation(tier.name, start_ms, max(start_ms + 1, round(1000 * end_s)), label)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + to_string(document) + "\n"


def link_recording(file: str, folder: Path | None) -> tuple[str, str]:
    """Link a recording from a folder: its URL, unescaped as ELAN reads it, and its path from there.

    Example:
        >>> link_recording("/data/in/a.wav", Path("/data/out"))
        ('file:///data/in/a.wav', '../in/a.wav')
    """
    if folder is None:
        return file, f"./{PurePath(file).name}"
    path = Path(file).absolute().as_posix()
    try:
        relative = Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # on Windows, where both lie on different drives
        relative = PurePath(file).name
    return f"file:///{path.lstrip('/')}", relative if relative.startswith("../") else f"./{relative}"


def build_tiers(prediction: Prediction) -> list[Tier]:
    """Build the utterance's tier, the segments', which overlap one another and so need several, and `emotion`.

    Segments alternate between `segments even` and `segments odd`, and the last of several, when it
    is flush with the end and so off the others' grid, has `segments last`. Where segments overlap
    more than their next but one, as many tiers as it takes. `emotion` is the label over time: the
    class of the highest mean probability over the segments that cover a moment, and none without speech.
    Turns have a tier a speaker, `turns SPEAKER`, and a further one where two of a speaker overlap.
    """
    grid = list(prediction.segments)
    is_flush = len(grid) > 1 and grid[-1].end_s >= prediction.duration_s
    last = [grid.pop()] if is_flush else []
    n = split_into_tiers(grid)
    names = ("even", "odd") if n == 2 else tuple(f"{k + 1} of {n}" for k in range(n))
    whole = Tier("utterance", ((0.0, prediction.duration_s, escape_for_xml(prediction.label)),))
    parts = [Tier(f"segments {name}", tuple(segment_intervals(grid[k::n]))) for k, name in enumerate(names)]
    told = Tier("emotion", stretch_intervals(label_over_time(prediction)))
    return [whole, *parts, Tier("segments last", tuple(segment_intervals(last))), told, *turn_tiers(prediction)]


def turn_tiers(prediction: Prediction) -> Iterator[Tier]:
    """Build the tiers of the turns."""
    by_place: dict[tuple[str, int], list[LabelledTurn]] = {}
    turns = prediction.turns or ()
    for speaker in dict.fromkeys(turn.speaker for turn in turns):
        own = [turn for turn in turns if turn.speaker == speaker]
        for turn, lane in zip(own, assign_lanes(own), strict=True):
            by_place.setdefault((speaker, lane), []).append(turn)
    taken = set[str]()
    for (speaker, _), placed in by_place.items():
        name = _free(escape_for_xml(f"turns {speaker}".strip()), taken)
        taken.add(name.casefold())
        yield Tier(name, tuple(segment_intervals(placed)))


def split_into_tiers(segments: Sequence[Segment]) -> int:
    """Split segments into the fewest tiers, at least two, in which none overlap."""
    n = 2
    while any(a.end_s > b.start_s for a, b in zip(segments, segments[n:], strict=False)):
        n += 1
    return n


def segment_intervals(segments: Sequence[Segment]) -> Iterator[tuple[float, float, str]]:
    """List start, end and label of each segment, an empty one where it is no speech."""
    return ((s.start_s, s.end_s, escape_for_xml(s.label) if s.is_heard else "") for s in segments)


def escape_for_xml(text: str) -> str:
    """Escape what XML and UTF-8 cannot hold: control characters and lone surrogates, by their code."""
    return UNSTORABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def escape_formula(cell: str, guard: str) -> str:
    """Escape a cell that a spreadsheet would take for a formula."""
    return guard + cell if cell.lstrip().startswith(FORMULA) else cell


EXPORTS = {
    "json": Export(".json", to_json),
    "csv": Export(".csv", to_csv),
    "parquet": Export(".parquet", to_parquet),
    "textgrid": Export(".TextGrid", lambda predictions: to_textgrid(*predictions)),
    "elan": Export(".eaf", lambda predictions: to_elan(predictions[0])),
}
