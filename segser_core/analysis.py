"""Many recordings in one call: from paths to predictions, printed together or written one by one.

A recording that cannot be analysed is one plain line on standard error, `PATH: what is wrong`,
and the others go on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from segser_core.errors import AudioError, SegserError, SettingError
from segser_core.exports import EXPORTS
from segser_core.prediction import Aggregate, Context, Prediction
from segser_core.text import aligned, plain

if TYPE_CHECKING:
    from segser_core.predictor import Predictor


@dataclass(frozen=True)
class Job:
    """What is asked for: see `python -m segser_core analyze --help`."""

    paths: tuple[str, ...]
    model: str = "seg+tri-w"
    device: str = "auto"
    format: str = "table"
    out: Path | None = None
    aggregate: Aggregate | None = None
    context: Context = "clip"
    max_duration_s: float | None = None


@dataclass(frozen=True)
class Recording:
    """A recording to analyse: where it is, what the result calls it, and its file below --out."""

    path: Path
    file: str
    target: Path


@dataclass
class Screen:
    """Standard error: a progress bar where it is a terminal, and a line a problem."""

    problems: list[str] = field(default_factory=list)

    def __enter__(self) -> "Screen":
        console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
        )
        self.bar.start()
        self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def step(self, doing: str, done: int, total: int) -> None:
        """Show what is being done, and how many recordings are done."""
        self.bar.update(self.task, description=plain(doing), completed=done, total=total, refresh=True)

    def hear(self, name: str, done: int, total: int, heard_s: float) -> None:
        """Show how many seconds of a recording are analysed."""
        self.step(f"{name} {heard_s:.0f} s", done, total)

    def refuse(self, name: str, why: object) -> None:
        """Say in a line what is wrong with a file, and remember it."""
        self.problems.append(name)
        line = f"{plain(name)}: {plain(why)}"
        self.bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


def run(job: Job, screen: Screen) -> list[Prediction]:
    """Analyse all recordings of a job; write those with a place, return the others' predictions.

    Raises:
        ModelError: the model cannot be loaded.
        SettingError: an aggregation, context or device that does not exist.
    """
    recordings = list(without_clashes(job, gather(job, screen), screen))
    if not recordings:
        return []
    screen.step(f"loading {job.model}", 0, len(recordings))
    predictor = load(job)
    predictions = []
    for done, recording in enumerate(recordings):
        heard = partial(screen.hear, recording.file, done, len(recordings))
        try:
            prediction = predict(predictor, job, recording, heard)
            if job.out is None:
                predictions.append(prediction)
            else:
                write(prediction, job.format, job.out / recording.target)
        except SettingError:
            raise
        except (SegserError, OSError) as error:
            screen.refuse(recording.file, error)
    return predictions


def load(job: Job) -> "Predictor":
    """The job's model, on its device; what transformers says while loading is no news to a user."""
    from transformers.utils import logging

    from segser_core.predictor import Predictor

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    return Predictor.from_pretrained(job.model, device=job.device)


def predict(predictor: "Predictor", job: Job, recording: Recording, heard: Callable[[float], None]) -> Prediction:
    """What the job's model says of one recording; `heard` is called with the seconds analysed so far."""
    heard(0.0)
    return predictor.predict(
        recording.path,
        file=recording.file,
        aggregate=job.aggregate,
        context=job.context,
        max_duration_s=job.max_duration_s,
        progress=heard,
    )


def gather(job: Job, screen: Screen) -> Iterator[Recording]:
    """The recordings of a job: each path as it is, of a folder every audio file below it."""
    ending = EXPORTS[job.format].ending if job.format in EXPORTS else ""
    for given in job.paths:
        path = Path(given)
        if given and is_folder(path):
            for file in below(path, screen):
                yield Recording(file, str(file), file.relative_to(path).parent / (file.stem + ending))
        else:
            yield Recording(path, given, Path(path.stem + ending))


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; one that may not be looked at is taken as a file, and refused as such later."""
    try:
        return path.is_dir()
    except OSError:
        return False


def below(folder: Path, screen: Screen) -> list[Path]:
    """Every audio file below a folder; a folder without any is a problem."""
    from segser_core.audio import audio_files

    try:
        files = list(audio_files(folder))
    except (AudioError, OSError) as error:
        screen.refuse(str(folder), error)
        return []
    if not files:
        screen.refuse(str(folder), "no audio file in this folder or below it")
    return files


def without_clashes(job: Job, recordings: Iterable[Recording], screen: Screen) -> Iterator[Recording]:
    """With --out, of recordings whose results would overwrite one another only the first; without it, all."""
    first: dict[Path, str] = {}
    for recording in recordings:
        if job.out is None or recording.target not in first:
            first[recording.target] = recording.file
            yield recording
        else:
            where, before = job.out / recording.target, first[recording.target]
            why = f"not analysed, since its {where} would overwrite that of {before}; use another --out for it"
            screen.refuse(recording.file, why)


def write(prediction: Prediction, format: str, path: Path) -> None:
    """One prediction as a file, in place at once, so that a file is whole or not there."""
    content = as_bytes(prediction, format)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def as_bytes(prediction: Prediction, format: str) -> bytes:
    """The content of one prediction's file."""
    content = EXPORTS[format].content([prediction])
    return content if isinstance(content, bytes) else content.encode("utf-8", errors="backslashreplace")


def render(predictions: list[Prediction], format: str) -> str:
    """Predictions as one text for standard output, that ends with a line break."""
    if format == "table":
        return "".join(table(p) for p in predictions)
    text = str(EXPORTS[format].content(predictions))
    return text if text.endswith("\n") else text + "\n"


def table(p: Prediction) -> str:
    """One prediction to be read: the label, then a line a segment; the file's name stays whole."""
    how = f"{p.duration_s:.2f} s, {plain(p.model)}, {p.aggregate}" + (", segments alone" * (p.context == "segment"))
    head = f"{plain(p.file)}: {p.label} {p.confidence:.2f}  ({how})"
    rows = [("segment", "start", "end", "label", "confidence", "")]
    for s in p.segments:
        mark = "decides" if s == p.deciding else ""
        rows.append((str(s.index), f"{s.start_s:.2f}", f"{s.end_s:.2f}", s.label, f"{s.confidence:.2f}", mark))
    notes = [f"  note: {plain(w)}" for w in p.warnings]
    if p.is_probe:
        notes.append("  note: this model met no segment in training; its segments are a probe and decide nothing")
    return "\n".join([head, *(f"  {line}" for line in aligned(rows, "0124")), *notes]) + "\n"
