"""Show progress, problems and predictions on a terminal."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from segser_core.formatting import align_columns, one_line
from segser_core.prediction.prediction import LabelledTurn, Prediction, Segment

LONGEST_TEXT = 60  # of a turn, in the table
NO_SPEECH_MARK = "no speech"


class ProgressConsole:
    """Standard error: a progress bar where it is a terminal, and a line a problem; it counts both."""

    def __init__(self):
        self.done = self.problems = 0

    def __enter__(self) -> "ProgressConsole":
        console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not is_terminal(sys.stderr),
        )
        self.bar.start()
        self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, *_):
        self.bar.stop()

    def begin(self, doing: str, total: int) -> None:
        """Show the first step, and how many recordings there are."""
        self.bar.update(self.task, description=one_line(doing), total=total, refresh=True)

    def show_position(self, name: str, heard_s: float) -> None:
        """Show how many seconds of a recording are analysed."""
        self.bar.update(self.task, description=f"{one_line(name)} {heard_s:.0f} s")

    def count(self) -> None:
        """Count one recording more as done."""
        self.done += 1
        self.bar.update(self.task, completed=self.done)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hide the bar while something is printed on the same terminal."""
        if is_terminal(sys.stdout):
            self.bar.stop()
        yield
        if is_terminal(sys.stdout):
            self.bar.start()

    def report_problem(self, name: str, why: object) -> None:
        """Print in a line what is wrong with a file."""
        self.problems += 1
        self.report_note(name, why)

    def report_note(self, name: str, why: object) -> None:
        """Print in a line what is to be said of a file or folder, and is no problem."""
        line = f"{one_line(name)}: {one_line(why)}"
        self.bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Check whether a stream is a terminal; a pipe or a file is none, whatever the environment says of colours."""
    return stream is not None and stream.isatty()


def format_prediction(p: Prediction) -> str:
    """Format one prediction for reading: the label, then a line a segment; the file's name stays whole."""
    how = f"{p.duration_s:.2f} s, {one_line(p.model)}, {p.aggregate}" + (", segments alone" * (p.context == "segment"))
    chosen = "".join(f", {name} {n}" for name, n in (("track", p.track), ("channel", p.channel)) if n is not None)
    answer = f"{p.label} {p.confidence:.2f}" if p.label else NO_SPEECH_MARK
    head = f"{one_line(p.file)}{chosen}: {answer}  ({how})"
    rows = [("segment", "start", "end", "label", "confidence", "")]
    for s in p.segments:
        mark = "decides" if s == p.deciding_segment else ""
        rows.append((str(s.index), f"{s.start_s:.2f}", f"{s.end_s:.2f}", *label_cells(s), mark))
    notes = [f"  note: {one_line(w)}" for w in p.warnings]
    if p.is_probe:
        notes.append("  note: this model met no segment in training; its segments are a probe and decide nothing")
    lines = [f"  {line}" for line in [*align_columns(rows, right=(0, 1, 2, 4)), *turn_lines(p.turns or ())]]
    return "\n".join([head, *lines, *notes]) + "\n"


def label_cells(segment: Segment) -> tuple[str, str]:
    """Format the label and confidence of a segment or turn; neither is shown where it is no speech."""
    return (segment.label, f"{segment.confidence:.2f}") if segment.is_heard else (NO_SPEECH_MARK, "")


def turn_lines(turns: Sequence[LabelledTurn]) -> list[str]:
    """Format a line a turn for reading; the columns of speakers and text are there where any are known."""
    if not turns:
        return []
    columns = {"turn": True, "start": True, "end": True, "speaker": any(turn.speaker for turn in turns)}
    columns |= {"label": True, "confidence": True, "text": any(turn.text for turn in turns)}
    rows = [tuple(columns)]
    for t in turns:
        text = t.text if len(t.text) <= LONGEST_TEXT else f"{t.text[:LONGEST_TEXT]} …"
        times = (str(t.index), f"{t.start_s:.2f}", f"{t.end_s:.2f}")
        rows.append((*times, t.speaker, *label_cells(t), text))
    kept = [i for i, is_kept in enumerate(columns.values()) if is_kept]
    right = [kept.index(i) for i in (0, 1, 2, 5)]
    return align_columns([[row[i] for i in kept] for row in rows], right=right)
