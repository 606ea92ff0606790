"""Compare the share of time that two runs label right, on the same recordings: a paired difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segser_core.errors import RunError
from segser_core.prediction.prediction import Context
from segser_core.runs.changing_recordings import ChangingRecording, changing_contexts, changing_recordings
from segser_core.runs.run import Run
from segser_core.statistics.bootstrap import FEWEST_SPEAKERS, NO_INTERVAL, RESAMPLES, percentile_interval
from segser_core.statistics.emotion_diarization import (
    draw_weights,
    index_units,
    speaker_units,
    sum_by_unit,
    tally_recordings,
)
from segser_core.statistics.paired_difference import Difference, two_sided_p_value


@dataclass(frozen=True)
class ShareOfTimeDifference:
    """Paired difference of the share of time that is labelled right, first run minus second.

    Attributes:
        by_recording: recordings drawn.
        by_speaker: speakers drawn; None below `FEWEST_SPEAKERS`.
        recordings, speakers: how many both runs have; speakers 0 where one's is not known.
        left_out: recordings (and seeds) of either run that the other one lacks.
    """

    by_recording: Difference
    by_speaker: Difference | None
    recordings: int
    speakers: int
    left_out: int


def compare_share_of_time(first: Run, second: Run) -> dict[Context, ShareOfTimeDifference]:
    """Compare two runs in each context that both have; empty where one has no stretches.

    Raises:
        RunError: no recording and seed in common, or one whose truth differs.
    """
    theirs = changing_contexts(second)
    return {
        context: paired_share_of_time(
            changing_recordings(first, context), changing_recordings(second, context), first.labels, second.labels
        )
        for context in changing_contexts(first)
        if context in theirs
    }


def paired_share_of_time(
    first: Sequence[ChangingRecording],
    second: Sequence[ChangingRecording],
    first_labels: Sequence[str],
    second_labels: Sequence[str],
    seed: int = 0,
) -> ShareOfTimeDifference:
    """Compare the share of time that two runs label right, paired by recording and seed.

    Args:
        first, second: of `changing_recordings`.
        first_labels, second_labels: of the runs, in order.
        seed: of the resampling.

    Raises:
        RunError: no recording and seed in common, or one whose truth differs.
    """
    pairs = pair_recordings(first, second)
    ours = [a for a, _ in pairs]
    one, two = tally_recordings(ours, first_labels), tally_recordings([b for _, b in pairs], second_labels)
    counts = np.column_stack([one.counts[:, :2], two.counts[:, 1]])  # (N, 3): steps, right in either run
    recording, speaker = index_units([r.utterance_id for r in ours]), speaker_units(ours)
    speakers = 0 if speaker is None else int(speaker.max()) + 1
    return ShareOfTimeDifference(
        share_difference(sum_by_unit(counts, recording), np.random.default_rng(seed)),
        None
        if speaker is None or speakers < FEWEST_SPEAKERS
        else share_difference(sum_by_unit(counts, speaker), np.random.default_rng(seed)),
        int(recording.max()) + 1,
        speakers,
        len(first) + len(second) - 2 * len(pairs),
    )


def pair_recordings(
    first: Sequence[ChangingRecording], second: Sequence[ChangingRecording]
) -> list[tuple[ChangingRecording, ChangingRecording]]:
    """Pair the recordings of two runs by name and seed; see `paired_share_of_time`."""
    others = {(r.utterance_id, r.seed): r for r in second}
    pairs = [(r, others[r.utterance_id, r.seed]) for r in first if (r.utterance_id, r.seed) in others]
    if not pairs:
        raise RunError("the two runs have no recording with stretches of the same seed in common, so nothing is paired")
    if different := [a.utterance_id for a, b in pairs if a.stretches != b.stretches]:
        raise RunError(
            f"{len(different)} recordings have other stretches in the other run, {different[0]} among them; evaluate "
            "both models on the same corpus"
        )
    return pairs


def share_difference(counts: np.ndarray, generator: np.random.Generator, resamples: int = RESAMPLES) -> Difference:
    """Compute the difference of two shares of time with its interval and p-value, units drawn with replacement.

    Args:
        counts: (G, 3) steps of each unit, and those that the first and the second run have right.
        generator: draws the resamples.
        resamples: how many.

    Returns:
        Without an interval below `FEWEST_SPEAKERS` units.
    """
    n = len(counts)

    def difference(weights: np.ndarray) -> np.ndarray:
        steps, first, second = (weights @ counts).T
        return (first - second) / steps

    value = float(difference(np.ones((1, n)))[0])
    if n < FEWEST_SPEAKERS:
        return Difference(value, NO_INTERVAL, np.nan)
    drawn = np.concatenate([difference(weights) for weights in draw_weights(n, generator, resamples)])
    told_apart = int((counts[:, 1] != counts[:, 2]).sum())
    return Difference(value, percentile_interval(drawn, clusters=n), two_sided_p_value(drawn, told_apart, n))
