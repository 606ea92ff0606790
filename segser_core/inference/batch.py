"""Analyse many recordings in one call: from paths to predictions, printed or written as they come.

A recording that cannot be analysed is one plain line on standard error, `PATH: what is wrong`,
and the others go on. Nothing is kept of a recording but its name, so that memory hardly grows.
"""

import glob
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from segser_core.errors import SegserError, SettingError, TurnsError
from segser_core.files import write_whole
from segser_core.inference.prefetch import prefetch
from segser_core.inference.ray_workers import Engine, map_on_ray
from segser_core.inference.turns_source import TurnsSource
from segser_core.prediction.exports import BYTE_ORDER_MARK, EXPORTS, iter_csv, iter_json, to_elan
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.rules import Aggregate
from segser_core.prediction.turn_files import list_names
from segser_core.prediction.turns import Turn
from segser_core.systems import DEFAULT_MIN_SPEECH, DEFAULT_SYSTEM

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
    channel: int | Literal["each"] | None = None
    track: int | None = None
    bom: bool = False
    min_speech: float = DEFAULT_MIN_SPEECH


@dataclass(frozen=True)
class QueuedRecording:
    """A recording to analyse: its path, its name in the result, its file below --out, and what was asked for of it."""

    path: Path
    file: str
    target: Path
    stem: Path
    turns: tuple[Turn, ...] | None = None
    channel: int | None = None
    track: int | None = None


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
        report_passed_over(job, screen)
        return
    screen.begin(f"loading {job.model}", total)
    for recording, result in iter_results(job, recordings, screen):
        try:
            if not isinstance(result, Prediction):
                raise result
            if job.out is None:
                yield result
            else:
                write_prediction(result, job.format, job.out / recording.target, bom=job.bom)
        except SettingError:
            raise
        except (SegserError, OSError) as error:
            screen.report_problem(recording.file, error)
        screen.count()
    report_passed_over(job, screen)


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

    logging.set_verbosity_error()
    return Predictor.from_pretrained(job.model, job.device, job.precision)


def decode_recording(recording: QueuedRecording) -> "DecodedAudio | Path":
    """Decode a recording's samples, before it is its turn."""
    from segser_core.audio.channels import AudioChoice
    from segser_core.audio.loading import predecode

    return predecode(recording.path, AudioChoice(recording.track, recording.channel))


def analyze_recording(
    predictor: "Predictor",
    job: AnalysisJob,
    recording: QueuedRecording,
    decoded: Callable[[], "DecodedAudio | Path"],
    heard: Callable[[float], None] = lambda heard_s: None,
) -> AnalysisResult:
    """Analyse one recording by the job's model; `heard` is called with the seconds analysed so far."""
    heard(0.0)
    given: dict[str, Any] = {} if recording.turns is None else {"turns": recording.turns}
    given |= {name: n for name in ("channel", "track") if (n := getattr(recording, name)) is not None}
    if job.min_speech != DEFAULT_MIN_SPEECH:
        given["min_speech"] = job.min_speech
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
    for given in expand_wildcards(job.paths, refuse):
        path = Path(given)
        if given and is_visible_folder(path):
            for file in recordings_below(path, refuse):
                stem = file.relative_to(path).parent / file.stem
                target = stem.with_name(stem.name + ending)
                yield from split_channels(job, QueuedRecording(file, str(file), target, stem, track=job.track))
        else:
            target, stem = Path(path.stem + ending), Path(path.stem)
            yield from split_channels(job, QueuedRecording(path, given, target, stem, track=job.track))


def expand_wildcards(paths: Iterable[str], refuse: Refuse) -> Iterator[str]:
    """Expand `*`, `?` and `[…]` in paths as a shell does, for systems where none has; a path that exists stays."""
    for given in paths:
        if not glob.has_magic(given) or path_exists(given):
            yield given
            continue
        found = sorted(glob.glob(given, recursive=True))  # noqa: PTH207  the pattern may be absolute
        yield from found
        if not found:
            refuse(given, "there is no such file, and none fits it as a pattern; check the path")


def path_exists(given: str) -> bool:
    """Check for a file or folder, also for a link that leads nowhere; a path that cannot be looked at is one."""
    try:
        return Path(given).exists() or Path(given).is_symlink()
    except (OSError, ValueError):
        return True


def split_channels(job: AnalysisJob, recording: QueuedRecording) -> Iterator[QueuedRecording]:
    """Queue each channel of a recording by itself where that was asked for, each with a file of its own."""
    if job.channel != "each":
        yield replace(recording, channel=job.channel)
        return
    from segser_core.audio.loading import count_channels

    try:
        n = count_channels(recording.path, job.track)
    except SegserError:  # said when it is decoded
        yield recording
        return
    for channel in range(1, n + 1):
        target = recording.target.with_name(f"{recording.target.stem}-channel-{channel}{recording.target.suffix}")
        yield replace(recording, channel=channel, target=target)


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


def report_passed_over(job: AnalysisJob, screen: ProgressConsole) -> None:
    """Say in a line of each folder what it holds that is no recording, counted by ending."""
    from segser_core.audio.folders import count_passed_over

    for given in job.paths:
        if given and is_visible_folder(Path(given)) and (found := count_passed_over(Path(given))):
            kinds = ", ".join(name if name.startswith("the ") else f"{n} {name}" for name, n in found.most_common())
            screen.report_note(given, f"passed over, since no recording by ending or content: {kinds}")


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


def write_prediction(prediction: Prediction, format: str, path: Path, bom: bool = False) -> None:
    """Export one prediction to a file, whole or not there; `bom` puts a byte order mark before text."""
    content = to_elan(prediction, path.parent) if format == "elan" else EXPORTS[format].content([prediction])
    write_whole(path, BYTE_ORDER_MARK + content if bom and isinstance(content, str) else content)


def iter_printed(predictions: Iterable[Prediction], format: str, bom: bool = False) -> Iterator[str]:
    """Yield predictions as text for standard output, piece by piece as they come; `bom` as in `write_prediction`."""
    if bom:
        yield BYTE_ORDER_MARK
    if format == "table":
        yield from map(format_prediction, predictions)
    else:
        yield from iter_json(predictions) if format == "json" else iter_csv(predictions)
