"""Many recordings in one call: from paths to predictions, printed or written as they come.

A recording that cannot be analysed is one plain line on standard error, `PATH: what is wrong`,
and the others go on. Nothing is kept of a recording but its name, so that memory hardly grows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from segser_core.errors import SegserError, SettingError
from segser_core.files import write_whole
from segser_core.inference.prefetch import ahead
from segser_core.inference.ray_workers import Engine, on_ray
from segser_core.prediction.exports import EXPORTS, iter_csv, iter_json
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.rules import Aggregate
from segser_core.systems import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from segser_core.audio.loading import DecodedAudio
    from segser_core.inference.predictor import Precision, Predictor
from segser_core.inference.console import Screen, table


@dataclass(frozen=True)
class Job:
    """What is asked for: see `python -m segser_core analyze --help`."""

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


@dataclass(frozen=True)
class Recording:
    """A recording to analyse: where it is, what the result calls it, and its file below --out."""

    path: Path
    file: str
    target: Path


Result = Prediction | SegserError | OSError  # what came of a recording, or why nothing did
Refuse = Callable[[str, object], None]


def run(job: Job, screen: Screen) -> Iterator[Prediction]:
    """Analyse all recordings of a job, in order; those with a place are written, the others' predictions given back.

    Raises:
        ModelError: the model cannot be loaded.
        SettingError: an aggregation, context or device that does not exist, or an engine that is not installed.
    """
    total = sum(1 for _ in gather(job, lambda *_: None))
    recordings = to_do(job, without_clashes(job, gather(job, screen.refuse), screen), screen)
    if not total:
        list(recordings)  # says why
        return
    screen.begin(f"loading {job.model}", total)
    for recording, result in results(job, recordings, screen):
        try:
            if not isinstance(result, Prediction):
                raise result
            if job.out is None:
                yield result
            else:
                write(result, job.format, job.out / recording.target)
        except SettingError:
            raise
        except (SegserError, OSError) as error:
            screen.refuse(recording.file, error)
        screen.count()


def results(job: Job, recordings: Iterator[Recording], screen: Screen) -> Iterator[tuple[Recording, Result]]:
    """Each recording with what came of it."""
    if job.engine == "ray":
        listed = list(recordings)
        found = on_ray(listed, partial(listener, job), job.ray_address, job.device == "cuda")
        yield from zip(listed, found, strict=True)
        return
    predictor = load(job)
    for recording, decoded in ahead(recordings, decode):
        yield recording, hear(predictor, job, recording, decoded.result, partial(screen.hear, recording.file))


def listener(job: Job) -> Callable[[Recording], "Result"]:
    """What one of Ray's workers does with each recording."""
    predictor = load(job)
    return lambda recording: hear(predictor, job, recording, partial(decode, recording))


def load(job: Job) -> "Predictor":
    """The job's model, on its device; what transformers says while loading is no news to a user."""
    from transformers.utils import logging

    from segser_core.inference.predictor import Predictor

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    return Predictor.from_pretrained(job.model, job.device, job.precision)


def decode(recording: Recording) -> "DecodedAudio | Path":
    """A recording's samples, before it is its turn."""
    from segser_core.audio.loading import predecode

    return predecode(recording.path)


def hear(
    predictor: "Predictor",
    job: Job,
    recording: Recording,
    decoded: Callable[[], "DecodedAudio | Path"],
    heard: Callable[[float], None] = lambda heard_s: None,
) -> Result:
    """What the job's model says of one recording; `heard` is called with the seconds analysed so far."""
    heard(0.0)
    try:
        return predictor.predict(
            decoded(),
            file=recording.file,
            aggregate=job.aggregate,
            context=job.context,
            max_duration_s=job.max_duration_s,
            progress=heard,
        )
    except (SegserError, OSError) as error:
        return error


def gather(job: Job, refuse: Refuse) -> Iterator[Recording]:
    """The recordings of a job: each path as it is, of a folder every audio file below it."""
    ending = EXPORTS[job.format].ending if job.format in EXPORTS else ""
    for given in job.paths:
        path = Path(given)
        if given and is_folder(path):
            for file in below(path, refuse):
                yield Recording(file, str(file), file.relative_to(path).parent / (file.stem + ending))
        else:
            yield Recording(path, given, Path(path.stem + ending))


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; one that may not be looked at is taken as a file, and refused as such later."""
    try:
        return path.is_dir()
    except OSError:
        return False


def below(folder: Path, refuse: Refuse) -> Iterator[Path]:
    """Every audio file below a folder; a folder without any is a problem."""
    from segser_core.audio.folders import find_audio_files

    found = False
    for file in find_audio_files(folder):
        found = True
        yield file
    if not found:
        refuse(str(folder), "no audio file in this folder or below it")


def without_clashes(job: Job, recordings: Iterable[Recording], screen: Screen) -> Iterator[Recording]:
    """With --out, of recordings whose results would overwrite one another only the first; without it, all."""
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
            screen.refuse(recording.file, f"{why}; use another --out for it")
            screen.count()


def to_do(job: Job, recordings: Iterable[Recording], screen: Screen) -> Iterator[Recording]:
    """The recordings; with --resume, without those whose file is there: files are written whole or not at all."""
    for recording in recordings:
        if job.resume and job.out is not None and (job.out / recording.target).is_file():
            screen.count()
        else:
            yield recording


def write(prediction: Prediction, format: str, path: Path) -> None:
    """Export one prediction to a file, whole or not there."""
    write_whole(path, EXPORTS[format].content([prediction]))


def printed(predictions: Iterable[Prediction], format: str) -> Iterator[str]:
    """Predictions as text for standard output, piece by piece as they come."""
    if format == "table":
        return map(table, predictions)
    return iter_json(predictions) if format == "json" else iter_csv(predictions)
