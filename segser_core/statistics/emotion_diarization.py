"""Score label over time where the emotion changes at known times: emotion diarization.

In steps of 20 ms, a run's label is held against the truth (`runs.changing_recordings`). A step counts where it lies
wholly in one stretch; pauses between stretches count for nothing. `neutral` is taken as "no emotion", so that the
time that is labelled wrongly has three parts, which together are the emotion diarization error rate: EDER of Wang et
al. (2023, Speech Emotion Diarization: Which Emotion Appears When?), over all time.

Intervals draw recordings, or speakers, with all that they hold, since neighbouring steps are far from independent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from segser_core.prediction.prediction import Context
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import STEPS_PER_S, whole_steps
from segser_core.runs.changing_recordings import ChangingRecording, changing_contexts, changing_recordings
from segser_core.runs.run import Run
from segser_core.statistics.bootstrap import (
    CHUNK,
    FEW_SPEAKERS,
    FEWEST_RESAMPLES,
    FEWEST_SPEAKERS,
    MOST_DRAWN_AT_ONCE,
    NO_INTERVAL,
    RESAMPLES,
    Interval,
    percentile_interval,
)

NO_EMOTION = "neutral"
NOT_SCORED = -1  # class of the steps that lie in no stretch
COUNTS = ("steps", "right", "false_alarm", "missed", "confused", "floor", "ceiling", "surplus_changes")
DIARIZATION_MEASURES = {
    "share_of_time": "share of time",
    "eder": "EDER",
    "false_alarm": "  false alarm",
    "missed": "  missed emotion",
    "confused": "  confused emotion",
    "floor": "floor: one label for all",
    "ceiling": "ceiling: each stretch alone",
    "boundary_error_s": "boundary error, s",
    "surplus_changes_per_min": "surplus changes a minute",
}
SHARES = tuple(DIARIZATION_MEASURES)[:7]


@dataclass(frozen=True)
class DiarizationEstimate:
    """A measure over all recordings.

    Attributes:
        value: NaN where it is not known.
        interval: 95 %, recordings drawn.
        by_speaker: 95 %, speakers drawn; None below `FEWEST_SPEAKERS`.
    """

    value: float
    interval: Interval
    by_speaker: Interval | None


@dataclass(frozen=True, kw_only=True)
class DiarizationSummary:
    """How true a run's label over time is.

    Attributes:
        share_of_time: that is labelled right, 0 to 1.
        eder: its complement, the sum of the next three, which are shares of all time.
        false_alarm: an emotion where the truth is neutral.
        missed: neutral where the truth is an emotion.
        confused: an emotion for another one.
        floor: share of time that is right if the recording's one label stands everywhere.
        ceiling: share of time that is right if each stretch has the label that it got when analysed alone.
        boundary_error_s: median distance of a true change to the nearest change of label, in seconds.
        surplus_changes_per_min: changes of label that are the nearest of no true change, a minute.
        by_class: share of each class's time that is labelled right, in the order of the labels.
        recordings, speakers, minutes, changes: how many there are; speakers 0 where one's is not known.
        resamples: how many were drawn.
    """

    share_of_time: DiarizationEstimate
    eder: DiarizationEstimate
    false_alarm: DiarizationEstimate
    missed: DiarizationEstimate
    confused: DiarizationEstimate
    floor: DiarizationEstimate
    ceiling: DiarizationEstimate
    boundary_error_s: DiarizationEstimate
    surplus_changes_per_min: DiarizationEstimate
    by_class: tuple[DiarizationEstimate, ...]
    recordings: int
    speakers: int
    minutes: float
    changes: int
    resamples: int

    @property
    def few_speakers(self) -> bool:
        """Check whether the speakers are known and fewer than an interval by speaker should have."""
        return 0 < self.speakers < FEW_SPEAKERS


@dataclass(frozen=True, eq=False)
class DiarizationTallies:
    """Numbers of steps, and distances, of N recordings, or of N units into which these are summed up.

    Attributes:
        counts: (N, 8) as in `COUNTS`; `ceiling` is NaN where it is not known.
        class_steps, class_right: (N, C) steps of each class, and those of them that are labelled right.
        errors_s: (E,) distance of each true change to the nearest change of label.
        error_unit: (E,) index of its recording, or unit.
    """

    counts: np.ndarray
    class_steps: np.ndarray
    class_right: np.ndarray
    errors_s: np.ndarray
    error_unit: np.ndarray

    def grouped(self, unit: np.ndarray) -> "DiarizationTallies":
        """Sum up recordings by unit: (N,) indices, 0 to G − 1, each of which occurs."""
        counts, steps, right = (sum_by_unit(v, unit) for v in (self.counts, self.class_steps, self.class_right))
        return DiarizationTallies(counts, steps, right, self.errors_s, unit[self.error_unit])


def sum_by_unit(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Sum up rows by unit: (N, K) values and (N,) indices → (G, K)."""
    total = np.zeros((unit.max() + 1, values.shape[1]))
    np.add.at(total, unit, values)
    return total


def true_steps(stretches: Sequence[Stretch], labels: Sequence[str], n_steps: int) -> np.ndarray:
    """Find the true class of each step of 20 ms: (T,) indices, `NOT_SCORED` where it lies wholly in no stretch."""
    steps = np.full(n_steps, NOT_SCORED)
    for s in stretches:
        steps[whole_steps(s.start_s, s.end_s)] = labels.index(s.label)
    return steps


def boundary_errors(stretches: Sequence[Stretch], steps: np.ndarray) -> tuple[np.ndarray, int]:
    """Measure how far each true change is from the nearest change of label.

    A change over a pause may be told anywhere in the pause.

    Args:
        stretches: the truth.
        steps: (T,) class of each step of 20 ms.

    Returns:
        (B,) seconds, the recording's length where the label never changes; and the number of changes of label that
        are the nearest of no true change.

    Example:
        >>> truth = [Stretch(0, 1, "sad"), Stretch(1, 2, "angry")]
        >>> boundary_errors(truth, np.repeat([0, 1, 0], [45, 30, 25]))
        (array([0.1]), 1)
    """
    gaps = np.array([(a.end_s, b.start_s) for a, b in pairwise(stretches) if a.label != b.label]).reshape(-1, 2)
    told_s = (np.flatnonzero(np.diff(steps)) + 1) / STEPS_PER_S
    if not len(told_s):
        return np.full(len(gaps), len(steps) / STEPS_PER_S), 0
    distance = np.maximum(0.0, np.maximum(gaps[:, :1] - told_s, told_s - gaps[:, 1:]))  # (B, K)
    return np.round(distance.min(axis=1), 9), len(told_s) - len(np.unique(distance.argmin(axis=1)))


def tally_recordings(recordings: Sequence[ChangingRecording], labels: Sequence[str]) -> DiarizationTallies:
    """Count, for each recording, the steps that are right and wrong, and measure its changes."""
    n, n_classes = len(recordings), len(labels)
    counts, class_steps, class_right = np.zeros((n, len(COUNTS))), np.zeros((n, n_classes)), np.zeros((n, n_classes))
    none = labels.index(NO_EMOTION) if NO_EMOTION in labels else NOT_SCORED
    errors = []
    for i, recording in enumerate(recordings):
        truth = true_steps(recording.stretches, labels, len(recording.steps))
        scored = truth != NOT_SCORED
        true, told = truth[scored], recording.steps[scored]
        wrong = true != told
        distances, surplus = boundary_errors(recording.stretches, recording.steps)
        counts[i] = (
            len(true),
            (~wrong).sum(),
            (wrong & (true == none)).sum(),
            (wrong & (told == none)).sum(),
            (wrong & (true != none) & (told != none)).sum(),
            (true == recording.predicted).sum(),
            right_alone(recording, labels),
            surplus,
        )
        class_steps[i] = np.bincount(true, minlength=n_classes)
        class_right[i] = np.bincount(true[~wrong], minlength=n_classes)
        errors.append(distances)
    unit = np.repeat(np.arange(n), [len(e) for e in errors])
    return DiarizationTallies(counts, class_steps, class_right, np.concatenate(errors), unit)


def right_alone(recording: ChangingRecording, labels: Sequence[str]) -> float:
    """Count the steps in stretches whose label is right when they are analysed alone; NaN where that is not known."""
    if recording.alone is None:
        return np.nan
    pairs = zip(recording.stretches, recording.alone, strict=True)
    right = [s for s, alone in pairs if labels.index(s.label) == alone]
    return float((true_steps(right, labels, len(recording.steps)) != NOT_SCORED).sum())


def weighted_median(ordered: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute the median of values that each occur as often as their weight says.

    Args:
        ordered: (E,) ascending.
        weights: (R, E) whole numbers.

    Returns:
        (R,) medians, the mean of the two middle values where there is an even number; NaN where all weights are 0.
    """
    if not len(ordered):
        return np.full(len(weights), np.nan)
    reached = weights.cumsum(axis=1)
    n = reached[:, -1]
    middle = [(reached > ((n - k) // 2)[:, None]).argmax(axis=1) for k in (1, 0)]
    return np.where(n > 0, (ordered[middle[0]] + ordered[middle[1]]) / 2, np.nan)


def measure_values(of: DiarizationTallies, weights: np.ndarray) -> np.ndarray:
    """Compute all measures, then the share of each class's time, with each unit taken as often as its weight says.

    Args:
        of: tallies of G units.
        weights: (R, G) whole numbers.

    Returns:
        (R, 9 + C) in the order of `DIARIZATION_MEASURES` and of the classes; NaN where nothing of the kind was drawn.
    """
    sums = dict(zip(COUNTS, (weights @ of.counts).T, strict=True))
    order = np.argsort(of.errors_s, kind="stable")
    minutes = sums["steps"] / STEPS_PER_S / 60
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [sums[name] / sums["steps"] for name in COUNTS[1:7]]
        by_class = (weights @ of.class_right) / (weights @ of.class_steps)
        surplus = sums["surplus_changes"] / minutes
    median = weighted_median(of.errors_s[order], weights[:, of.error_unit[order]])
    return np.column_stack([shares[0], 1 - shares[0], *shares[1:], median, surplus, by_class])


def resample_measures(of: DiarizationTallies, generator: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Compute all measures of as many units, drawn with replacement: (R, 9 + C), see `measure_values`."""
    drawn = draw_weights(len(of.counts), generator, resamples, held=len(of.errors_s))
    return np.concatenate([measure_values(of, weights) for weights in drawn])


def draw_weights(n: int, generator: np.random.Generator, resamples: int, held: int = 0) -> Iterator[np.ndarray]:
    """Draw how often each of n units is taken, (r, n) at a time; fewer resamples, 1000 at least, of very many units.

    Args:
        n: units.
        generator: draws.
        resamples: how many.
        held: numbers that the caller holds of each resample, which bounds r.
    """
    resamples = min(resamples, max(FEWEST_RESAMPLES, MOST_DRAWN_AT_ONCE // n))
    step = max(1, CHUNK // max(n, held))
    for start in range(0, resamples, step):
        yield generator.multinomial(n, np.full(n, 1 / n), size=min(step, resamples - start))


def index_units(names: Sequence[str]) -> np.ndarray:
    """Index names in order: (N,) from 0."""
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1]


def speaker_units(recordings: Sequence[ChangingRecording]) -> np.ndarray | None:
    """Index the recordings' speakers: (N,) from 0; None where one is not known."""
    names = [r.speaker for r in recordings]
    return index_units(names) if all(names) else None


def summarise_diarization(
    recordings: Sequence[ChangingRecording], labels: Sequence[str], seed: int = 0
) -> DiarizationSummary:
    """Score the label over time of some recordings, one at least, with intervals by recording and by speaker.

    Seeds of a recording are pooled and drawn together.

    Args:
        recordings: of `changing_recordings`.
        labels: the run's classes, in order.
        seed: of the resampling.
    """
    tallies = tally_recordings(recordings, labels)
    by_recording = tallies.grouped(index_units([r.utterance_id for r in recordings]))
    speaker = speaker_units(recordings)
    by_speaker = None if speaker is None or speaker.max() + 1 < FEWEST_SPEAKERS else tallies.grouped(speaker)
    values = measure_values(by_recording, np.ones((1, len(by_recording.counts)), dtype=int))[0]
    draws = resample_measures(by_recording, np.random.default_rng(seed))
    intervals = unit_intervals(by_recording, draws)
    further: Sequence[Interval | None] = [None] * len(values)
    if by_speaker is not None:
        further = unit_intervals(by_speaker, resample_measures(by_speaker, np.random.default_rng(seed)))
    found = [DiarizationEstimate(float(v), i, s) for v, i, s in zip(values, intervals, further, strict=True)]
    first, n = {r.utterance_id: r for r in recordings}, len(DIARIZATION_MEASURES)
    return DiarizationSummary(
        **dict(zip(DIARIZATION_MEASURES, found[:n], strict=True)),
        by_class=tuple(found[n:]),
        recordings=len(first),
        speakers=0 if speaker is None else int(speaker.max()) + 1,
        minutes=sum(s.duration_s for r in first.values() for s in r.stretches) / 60,
        changes=sum(a.label != b.label for r in first.values() for a, b in pairwise(r.stretches)),
        resamples=len(draws),
    )


def unit_intervals(of: DiarizationTallies, draws: np.ndarray) -> list[Interval]:
    """Take the 95 % interval of each measure, expanded for few units; that of a class counts the units that have it."""
    holders = (of.class_steps > 0).sum(axis=0)
    units = [len(of.counts)] * len(DIARIZATION_MEASURES) + holders.tolist()
    return [
        percentile_interval(column, clusters=n) if n >= FEWEST_SPEAKERS and not np.isnan(column).all() else NO_INTERVAL
        for column, n in zip(draws.T, units, strict=True)
    ]


def diarization_by_context(run: Run) -> dict[Context, DiarizationSummary]:
    """Score a run's label over time in each context that it has; empty for a run without stretches.

    Raises:
        RunError: as in `changing_recordings`.
    """
    return {
        context: summarise_diarization(changing_recordings(run, context), run.labels)
        for context in changing_contexts(run)
    }
