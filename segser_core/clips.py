"""A run's clips as a table that pages filter, with what may explain a mistake, beside another run's."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from segser_core.aggregation import KEY, Parts, most_confident, own_rule, parts_of, under_rule
from segser_core.errors import RunError
from segser_core.prediction import Aggregate, Prediction, Segment
from segser_core.runs import Run
from segser_core.scores import test_rows

if TYPE_CHECKING:
    import pandas as pd


def clip_table(run: Run, rule: Aggregate | None = None, other: Run | None = None) -> "pd.DataFrame":
    """The test clips of a run, a row an utterance (and seed), with what may explain a mistake.

    Args:
        run: whose clips.
        rule: how labels are found, in both runs; each run's own where it is None.
        other: another run; clips that it lacks have no `other_predicted`.

    Returns:
        The rows of predictions.parquet and, as known: `correct`; `segments` (how many); `true_share`, of
        the segments those that name the true class, 0 to 1; `decided_at`, the centre of the most confident
        segment as a share of the clip's duration; `other_predicted`, `other_confidence`, `other_correct`.

    Raises:
        RunError: a run cannot be asked for the rule, or as in `scores.test_rows`.
    """
    rows = test_rows(under_rule(run, rule or own_rule(run)))
    table = rows.assign(correct=rows.predicted.to_numpy() == rows.label.to_numpy())
    if run.segments is not None:
        table = table.merge(_explained(run), on=KEY, how="left")
    if other is not None:
        table = table.merge(_other_columns(other, rule), on=["utterance_id", "seed"], how="left")
        table["other_correct"] = (table.other_predicted == table.label).where(table.other_predicted.notna())
    return table.reset_index(drop=True)


def _explained(run: Run) -> "pd.DataFrame":
    """How many segments a clip has, how many name its class, and where the most confident one lies."""
    rows, parts = parts_of(run)
    true = rows.label.map({c: i for i, c in enumerate(run.labels)}).to_numpy()
    counts = np.diff(parts.starts, append=len(parts.p))
    names_it = parts.p.argmax(axis=1) == np.repeat(true, counts)
    first = most_confident(parts.p, parts.starts)[parts.starts]
    ends_s = np.maximum.reduceat(parts.end_s, parts.starts)
    duration_s = rows.duration_s.to_numpy(float) if "duration_s" in rows else ends_s
    return rows[KEY].assign(
        segments=counts,
        true_share=np.add.reduceat(names_it.astype(float), parts.starts) / counts,
        decided_at=(parts.start_s[first] + parts.end_s[first]) / 2 / np.maximum(duration_s, 1e-9),
    )


def _other_columns(other: Run, rule: Aggregate | None) -> "pd.DataFrame":
    rows = test_rows(under_rule(other, rule or own_rule(other)))
    names = {"predicted": "other_predicted", "confidence": "other_confidence"}
    return rows[["utterance_id", "seed", *names]].rename(columns=names)


def prediction_of(run: Run, utterance_id: str, seed: int | None = None, rule: Aggregate | None = None) -> Prediction:
    """What a run says of one of its test clips, as the model would say it anew.

    Args:
        run: with segments.
        utterance_id: the clip.
        seed: the run's first where it is None.
        rule: how the label is found; the run's own where it is None.

    Raises:
        RunError: the run has no such test clip, no segments of it, or cannot be asked for the rule.
    """
    wanted = run.seeds[0] if seed is None else seed
    rows = run.predictions[(run.predictions.utterance_id == utterance_id) & (run.predictions.seed == wanted)]
    rows = rows[rows["split"] == "test"]
    if rows.empty or run.segments is None:
        lacks = "no segments.parquet" if run.segments is None else f"no test clip {utterance_id} of seed {wanted}"
        raise RunError(f"{run.name} has {lacks}")
    one = replace(run, predictions=rows, segments=run.segments[run.segments.utterance_id == utterance_id])
    chosen = rule or own_rule(run)
    row = under_rule(one, chosen).iloc[0]
    _, parts = parts_of(one)
    return Prediction(
        file=str(row.get("path", utterance_id)),
        duration_s=float(row.get("duration_s", parts.end_s.max())),
        model=run.name,
        system=run.system,
        labels=run.labels,
        label=str(row.predicted),
        probabilities={c: float(row[f"p_{c}"]) for c in run.labels},
        utterance={c: float(row[f"u_{c}"] if f"u_{c}" in row else row[f"p_{c}"]) for c in run.labels},
        aggregate=chosen,
        context="segment" if run.meta.get("context") == "segment" else "clip",
        warnings=(),
        segments=tuple(_segments(parts, run.labels)),
    )


def _segments(parts: Parts, labels: tuple[str, ...]) -> list[Segment]:
    each = zip(parts.start_s.tolist(), parts.end_s.tolist(), parts.p.tolist(), strict=True)
    return [Segment(i, start, end, dict(zip(labels, p, strict=True))) for i, (start, end, p) in enumerate(each)]
