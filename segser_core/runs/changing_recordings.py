"""Recordings of a run whose emotion changes at known times: the truth beside the run's label over time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import RunError
from segser_core.formatting import one_line
from segser_core.prediction.prediction import Context
from segser_core.prediction.rules import Aggregate, aggregate_all
from segser_core.prediction.stretches import Stretch, stretches_from_json
from segser_core.prediction.timeline import label_steps, step_centres_s
from segser_core.runs.aligned_segments import KEY, AlignedSegments
from segser_core.runs.class_indices import class_indices
from segser_core.runs.reaggregate import stored_rule
from segser_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd
ALONE = {"clip": "alone", "segment": "alone_isolated"}  # columns of stretches.parquet, by context
MOST_APART_S = 1e-3  # of the same stretch in two files


@dataclass(frozen=True, eq=False)
class ChangingRecording:
    """A recording under one seed, in one context. Classes are indices into the run's labels.

    Attributes:
        utterance_id, seed, fold, speaker: of its row of predictions; the speaker is empty where not known.
        stretches: the truth.
        steps: (T,) class of each step of 20 ms, from the segments that cover it.
        predicted: class of the recording as a whole, by the run's rule.
        alone: class of each stretch when it was analysed alone; None where the run does not say.
    """

    utterance_id: str
    seed: int
    fold: int
    speaker: str
    stretches: tuple[Stretch, ...]
    steps: np.ndarray
    predicted: int
    alone: tuple[int, ...] | None


def changing_contexts(run: Run) -> tuple[Context, ...]:
    """List the contexts in which a run's recordings can be held against their stretches; none without stretches."""
    if "stretches" not in run.predictions or run.segments is None:
        return ()
    is_test = run.predictions["split"] == "test"
    if not (run.predictions["stretches"][is_test] != "").any():
        return ()
    return ("clip", "segment") if {f"i_{c}" for c in run.labels} <= set(run.segments) else ("clip",)


def changing_recordings(run: Run, context: Context) -> list[ChangingRecording]:
    """Read the test recordings that have stretches, in the order of the predictions.

    Args:
        run: with a column `stretches` in its predictions, and segments.
        context: one of `changing_contexts`; `segment` takes each segment's own audio alone.

    Raises:
        RunError: the run cannot be asked for the context, stretches.parquet does not fit the predictions, or stretches
            go on after the recording.
    """
    if context not in changing_contexts(run):
        raise RunError(f"{run.name} has no stretches to score in the context {context}; evaluate a joined corpus")
    aligned = run.aligned_segments
    p = aligned.p if context == "clip" or aligned.isolated is None else aligned.isolated
    predicted = recording_labels(run, aligned, context, stored_rule(run))
    alone = None if run.stretches is None or ALONE[context] not in run.stretches else run.stretches
    of = {} if alone is None else dict(iter(alone.groupby(KEY)))
    ends = [*aligned.starts[1:], len(p)]
    found = []
    for row, first, last, whole in zip(aligned.rows.to_dict("records"), aligned.starts, ends, predicted, strict=True):
        if not row["stretches"] or row["split"] != "test":
            continue
        stretches, here = stretches_from_json(row["stretches"]), slice(first, last)
        check_end(
            run.name, row["utterance_id"], stretches[-1].end_s, aligned.start_s[last - 1], aligned.end_s[last - 1]
        )
        times_s = step_centres_s(stretches[-1].end_s)
        steps = label_steps(aligned.start_s[here], aligned.end_s[here], p[here], times_s, whole)
        key = (row["utterance_id"], row["seed"], row["fold"])
        classes = None if alone is None else stretch_classes(run, stretches, key, of.get(key), ALONE[context])
        found.append(ChangingRecording(*key, speaker_name(row), stretches, steps, int(whole), classes))
    return found


def check_end(name: str, recording: str, end_s: float, start_s: float, stop_s: float) -> None:
    """Check that stretches end with the recording, of which no segment may hold what is shorter than one.

    Args:
        name: of the run.
        recording: its utterance_id.
        end_s: of the last stretch.
        start_s, stop_s: of the recording's last segment.

    Raises:
        RunError: they end later; a step of 20 ms for each moment up to there could fill the memory.
    """
    if end_s > stop_s + (stop_s - start_s) + MOST_APART_S:
        raise RunError(
            f"{name}: the stretches of {one_line(recording)} end at {end_s:g} s, but its segments at {stop_s:g} s; "
            "evaluate the run again"
        )


def speaker_name(row: Mapping[str, Any]) -> str:
    """Name the speaker of a row of predictions; empty where the speaker is not known."""
    value = row.get("speaker")
    return "" if value is None or value != value else str(value)


def recording_labels(run: Run, aligned: AlignedSegments, context: Context, rule: Aggregate) -> np.ndarray:
    """Find each recording's label in a context: (U,) class indices.

    The rule `utterance` takes no segment into account, so that its label is that of the predictions in both contexts.
    """
    if context == "clip" or rule == "utterance" or aligned.isolated is None:
        return class_indices(aligned.rows["predicted"], run.labels)
    return aggregate_all(aligned.isolated, aligned.starts, rule)[1]


def stretch_classes(
    run: Run, stretches: tuple[Stretch, ...], key: tuple[str, int, int], rows: "pd.DataFrame | None", column: str
) -> tuple[int, ...]:
    """Look up the class of each stretch of a recording that was analysed alone.

    Args:
        run: for its labels and name.
        stretches: of the predictions.
        key: the recording's utterance_id, seed and fold.
        rows: of stretches.parquet that belong to the recording; None where there is none.
        column: that holds the label.

    Raises:
        RunError: the rows are not these stretches.
    """
    ordered = None if rows is None else rows.sort_values("stretch")
    named = [] if ordered is None else list(zip(ordered.start_s, ordered.end_s, ordered.label, strict=True))
    fits = len(named) == len(stretches) and all(
        abs(start - s.start_s) < MOST_APART_S and abs(end - s.end_s) < MOST_APART_S and label == s.label
        for (start, end, label), s in zip(named, stretches, strict=True)
    )
    if ordered is None or not fits:
        raise RunError(
            f"stretches.parquet of {run.name} holds {len(named)} stretches of {key[0]} (seed {key[1]}), which are not "
            f"the {len(stretches)} of predictions.parquet; evaluate the run again"
        )
    return tuple(run.labels.index(label) for label in ordered[column])
