"""Analyse many recordings in one call: from paths to predictions, printed or written as they come.

A recording that cannot be analysed is one plain line on standard error, `PATH: what is wrong`,
and the others go on. Nothing is kept of a recording but its name, so that memory hardly grows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from segser_core.errors import SegserError, SettingError, TurnsError
from segser_core.files import write_whole
from segser_core.inference.prefetch import prefetch
from segser_core.inference.ray_workers import Engine, map_on_ray
from segser_core.inference.turns_source import TurnsSource
from segser_core.prediction.exports import EXPORTS, iter_csv, iter_json
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.rules import Aggregate
from segser_core.prediction.turn_files import list_names
from segser_core.prediction.turns import Turn
from segser_core.systems import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from segser_core.audio.loading import DecodedAudio
    from segser_core.inference.predictor import Precision, Predictor
from segser_core.inference.console import ProgressConsole, format_prediction


@dataclass(frozen=True)
class AnalysisJob:
    """A call of `analyze`: see `python -m segser_core analyze --help`."""

    paths: tuple[str, ...]
    model: str = DEFAULT_SYSTEM
    device: str = "auto"
    format: str = "table"
    out: Path | None = None
    aggregate: Aggregate | None = None
    context: Context = "clip"
    max_duration_s: float | None = None
    resume: bool = False
    engine: Engine = "local"
    ray_address: str | None = None
    precision: "Precision" = "fp32"
    turns: Path | None = None
    turns_tiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueuedRecording:
    """A recording to analyse: its path, its name in the result, its file below --out, and its turns where asked for."""

    path: Path
    file: str
    target: Path
    stem: Path
    turns: tuple[Turn, ...] | None = None


AnalysisResult = Prediction | SegserError | OSError  # what came of a recording, or why nothing did
Refuse = Callable[[str, object], None]


def run_analysis(job: AnalysisJob, screen: ProgressConsole) -> Iterator[Prediction]:
    """Analyse all recordings of a job, in order: written where they have a file, otherwise yielded.

    Raises:
        ModelError: the model cannot be loaded.
        SettingError: an aggregation, context or device that does not exist, or an engine that is not installed.
        TurnsError: the turns file cannot be read.
    """
    turns = None if job.turns is None else TurnsSource(job.turns, job.turns_tiers)
    total = count_recordings(job, turns, screen)
    recordings = drop_finished(job, drop_clashes(job, collect_recordings(job, screen.report_problem), screen), screen)
    if turns is not None:
        recordings = add_turns(turns, recordings, screen)
    if not total:
        list(recordings)  # says why
        return
    screen.begin(f"loading {job.model}", total)
    for recording, result in iter_results(job, recordings, screen):
        try:
            if not isinstance(result, Prediction):
                raise result
            if job.out is None:
                yield result
            else:
                write_prediction(result, job.format, job.out / recording.target)
        except SettingError:
            raise
        except (SegserError, OSError) as error:
            screen.report_problem(recording.file, error)
        screen.count()


def count_recordings(job: AnalysisJob, turns: TurnsSource | None, screen: ProgressConsole) -> int:
    """Count the recordings of a job, and say which turns are of none of them.

    Raises:
        SettingError: turns that name no recording, and several recordings.
    """
    total = 0
    for recording in collect_recordings(job, lambda *_: None):
        total += 1
        if turns is not None:
            turns.claim(recording.path, recording.stem)
    if turns is not None:
        turns.check()
        if unclaimed := turns.unclaimed():
            screen.report_note(f"{job.turns}", f"the turns of {list_names(unclaimed)} are of no recording given")
    return total


def add_turns(
    turns: TurnsSource, recordings: Iterable[QueuedRecording], screen: ProgressConsole
) -> Iterator[QueuedRecording]:
    """Add its turns to each recording; one whose turns cannot be read is a problem, and the others go on."""
    for recording in recordings:
        try:
            yield replace(recording, turns=turns.of_recording(recording.path, recording.stem))
        except TurnsError as error:
            screen.report_problem(recording.file, error)
            screen.count()


def iter_results(
    job: AnalysisJob, recordings: Iterator[QueuedRecording], screen: ProgressConsole
) -> Iterator[tuple[QueuedRecording, AnalysisResult]]:
    """Yield each recording with its prediction or error."""
    if job.engine == "ray":
        listed = list(recordings)
        found = map_on_ray(listed, partial(make_ray_function, job), job.ray_address, job.device == "cuda")
        yield from zip(listed, found, strict=True)
        return
    predictor = load_predictor(job)
    for recording, decoded in prefetch(recordings, decode_recording):
        yield (
            recording,
            analyze_recording(predictor, job, recording, decoded.result, partial(screen.show_position, recording.file)),
        )


def make_ray_function(job: AnalysisJob) -> Callable[[QueuedRecording], "AnalysisResult"]:
    """Make the function that one of Ray's workers applies to each recording."""
    predictor = load_predictor(job)
    return lambda recording: analyze_recording(predictor, job, recording, partial(decode_recording, recording))


def load_predictor(job: AnalysisJob) -> "Predictor":
    """Load the job's model on its device, without transformers' messages."""
    from transformers.utils import logging

    from segser_core.inference.predictor import Predictor

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    return Predictor.from_pretrained(job.model, job.device, job.precision)


def decode_recording(recording: QueuedRecording) -> "DecodedAudio | Path":
    """Decode a recording's samples, before it is its turn."""
    from segser_core.audio.loading import predecode

    return predecode(recording.path)


def analyze_recording(
    predictor: "Predictor",
    job: AnalysisJob,
    recording: QueuedRecording,
    decoded: Callable[[], "DecodedAudio | Path"],
    heard: Callable[[float], None] = lambda heard_s: None,
) -> AnalysisResult:
    """Analyse one recording by the job's model; `heard` is called with the seconds analysed so far."""
    heard(0.0)
    given = {} if recording.turns is None else {"turns": recording.turns}
    try:
        return predictor.predict(
            decoded(),
            file=recording.file,
            aggregate=job.aggregate,
            context=job.context,
            max_duration_s=job.max_duration_s,
            progress=heard,
            **given,
        )
    except (SegserError, OSError) as error:
        return error


def collect_recordings(job: AnalysisJob, refuse: Refuse) -> Iterator[QueuedRecording]:
    """Collect the recordings of a job: each path as it is, of a folder every audio file below it."""
    ending = EXPORTS[job.format].ending if job.format in EXPORTS else ""
    for given in job.paths:
        path = Path(given)
        if given and is_visible_folder(path):
            for file in recordings_below(path, refuse):
                stem = file.relative_to(path).parent / file.stem
                yield QueuedRecording(file, str(file), stem.with_name(stem.name + ending), stem)
        else:
            yield QueuedRecording(path, given, Path(path.stem + ending), Path(path.stem))


def is_visible_folder(path: Path) -> bool:
    """Check for a folder; a path that may not be looked at is taken as a file, and refused as such later."""
    try:
        return path.is_dir()
    except OSError:
        return False


def recordings_below(folder: Path, refuse: Refuse) -> Iterator[Path]:
    """Yield every audio file below a folder; a folder without any is a problem."""
    from segser_core.audio.folders import find_audio_files

    found = False
    for file in find_audio_files(folder):
        found = True
        yield file
    if not found:
        refuse(str(folder), "no audio file in this folder or below it")


def drop_clashes(
    job: AnalysisJob, recordings: Iterable[QueuedRecording], screen: ProgressConsole
) -> Iterator[QueuedRecording]:
    """Drop, with --out, recordings whose results would overwrite an earlier one's."""
    if job.out is None:
        yield from recordings
        return
    first: dict[str, str] = {}
    for recording in recordings:
        before = first.setdefault(str(recording.target), recording.file)
        if before == recording.file:
            yield recording
        else:
            why = f"not analysed, since its {job.out / recording.target} would overwrite that of {before}"
            screen.report_problem(recording.file, f"{why}; use another --out for it")
            screen.count()


def drop_finished(
    job: AnalysisJob, recordings: Iterable[QueuedRecording], screen: ProgressConsole
) -> Iterator[QueuedRecording]:
    """Drop, with --resume, the recordings whose file is there: files are written whole or not at all."""
    for recording in recordings:
        if job.resume and job.out is not None and (job.out / recording.target).is_file():
            screen.count()
        else:
            yield recording


def write_prediction(prediction: Prediction, format: str, path: Path) -> None:
    """Export one prediction to a file, whole or not there."""
    write_whole(path, EXPORTS[format].content([prediction]))


def iter_printed(predictions: Iterable[Prediction], format: str) -> Iterator[str]:
    """Yield predictions as text for standard output, piece by piece as they come."""
    if format == "table":
        return map(format_prediction, predictions)
    return iter_json(predictions) if format == "json" else iter_csv(predictions)
