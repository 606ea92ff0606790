"""Keep a recording's time that of its container: silence where sound is missing, as a player has it."""

from dataclasses import dataclass, field

import av
import numpy as np
from av.container import InputContainer

from segser_core.audio.formats import TIMED_DEMUXERS

TOLERANCE_S = 0.05  # packets' times are rounded to a millisecond and, in live recordings, vary by some more
TOLD_S = 0.1  # of a late start: in some formats (WMA) the first packet is only a run-up
LONGEST_PAUSE_S = 24 * 3600.0
LONGEST_PAUSE_OF_UNKNOWN_S = 3600.0  # where the file does not say how long it lasts
LATEST_START_ALONE_S = 60.0  # sound alone that begins later is a piece of a stream, whose clock began long before
MOST_LEFT_OUT = 0.1  # of the recording so far: a clock that would cut more of it is wrong
ZEROED_DEMUXERS = ("mov", "matroska", "ogg")  # whose times count from 0; of the others, from where they begin


@dataclass
class ClockReport:
    """Findings about a recording's time.

    Attributes:
        late_start_s: silence before the first sound.
        n_gaps, gap_s, first_gap_s: gaps inside, seconds of silence there in all, and where the first is.
        overlap_s: sound left out, since the file's clock puts it over what came before.
        jumps: a sentence for each time that the file gives and that is not believed.
    """

    late_start_s: float = 0.0
    n_gaps: int = 0
    gap_s: float = 0.0
    first_gap_s: float = 0.0
    overlap_s: float = 0.0
    jumps: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """List the findings, each a plain sentence."""
        found = []
        if self.late_start_s >= TOLD_S:
            found.append(
                f"The sound begins {self.late_start_s:.2f} s after the file's start; that time is silence here."
            )
        if self.n_gaps:
            where = (
                f"from {self.first_gap_s:.2f} s on" if self.n_gaps == 1 else f"the first at {self.first_gap_s:.2f} s"
            )
            places = "a gap" if self.n_gaps == 1 else f"{self.n_gaps} gaps"
            found.append(
                f"The file has {places} without sound, {self.gap_s:.2f} s in all, {where}: silence stands there."
            )
        if self.overlap_s >= TOLD_S:
            found.append(f"{self.overlap_s:.2f} s of sound overlap what came before by the file's clock: left out.")
        return [*found, *self.jumps[:1]]


class ContainerClock:
    """The clock of one audio track: how much silence stands before each frame, and how much of it overlaps."""

    def __init__(self, container: InputContainer, report: ClockReport):
        names = container.format.name.split(",")
        start_s, length_s = ((t or 0) / av.time_base for t in (container.start_time, container.duration))
        self.report, self.is_timed = report, any(name in TIMED_DEMUXERS for name in names)
        self.longest_s = LONGEST_PAUSE_S if length_s else LONGEST_PAUSE_OF_UNKNOWN_S
        self.end_s = start_s + length_s + 1 if length_s else float("inf")
        self.origin_s = start_s
        if any(name in ZEROED_DEMUXERS for name in names) and -TOLERANCE_S <= start_s <= LATEST_START_ALONE_S:
            self.origin_s = 0.0
        if self.origin_s > LATEST_START_ALONE_S:
            report.jumps.append(f"The file's clock begins at {start_s:.1f} s: times count from there.")
        self.position_s, self.last_s = 0.0, float("-inf")

    def place(self, frame: av.AudioFrame) -> tuple[int, int]:
        """Place the next frame: samples of silence before it, and samples at its start that are left out.

        Times that go back belong to a chained stream, which follows without a pause.
        """
        silent = left_out = 0
        if self.is_timed and frame.pts is not None and frame.time_base is not None:
            time_s = float(frame.pts * frame.time_base)
            gap_s = time_s - self.origin_s - self.position_s
            if time_s < self.last_s:
                self.origin_s = time_s - self.position_s
            elif gap_s > TOLERANCE_S:
                silent = self._fill(time_s, gap_s, frame.sample_rate)
            elif gap_s < -TOLERANCE_S and self.position_s:
                left_out = self._overlap(time_s, -gap_s, frame)
            self.last_s = time_s
        self.position_s += (silent - left_out + frame.samples) / frame.sample_rate
        return silent, left_out

    def _overlap(self, time_s: float, overlap_s: float, frame: av.AudioFrame) -> int:
        left_out = min(round(overlap_s * frame.sample_rate), frame.samples)
        if self.report.overlap_s + left_out / frame.sample_rate > max(1.0, MOST_LEFT_OUT * self.position_s):
            self.report.jumps.append("The file's clock runs slower than its sound, and is not believed.")
            self.origin_s, self.is_timed = time_s - self.position_s, False
            return 0
        self.report.overlap_s += left_out / frame.sample_rate
        return left_out

    def _fill(self, time_s: float, gap_s: float, rate_hz: int) -> int:
        if gap_s > self.longest_s or time_s > self.end_s:
            jump = f"The file's clock jumps ahead by {gap_s:.1f} s at {self.position_s:.2f} s"
            self.report.jumps.append(f"{jump}, beyond its own length: the sound goes on without a pause.")
            self.origin_s += gap_s
            return 0
        if not self.position_s:
            self.report.late_start_s = gap_s
        else:
            self.report.first_gap_s = self.report.first_gap_s or self.position_s
            self.report.n_gaps, self.report.gap_s = self.report.n_gaps + 1, self.report.gap_s + gap_s
        return round(gap_s * rate_hz)


def silence_pieces(n_samples: int, rate_hz: int) -> list[np.ndarray]:
    """Make (n,) zeros float32 in pieces of at most a second, all of which share their memory.

    Example:
        >>> [len(piece) for piece in silence_pieces(20_000, 8_000)]
        [8000, 8000, 4000]
    """
    second = np.zeros(rate_hz, np.float32)
    whole, rest = divmod(n_samples, rate_hz)
    return [second] * whole + ([second[:rest]] if rest else [])
