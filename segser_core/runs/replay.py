"""Rebuild the prediction of a run's clip, without a pass through its model."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.prediction.prediction import Prediction, Segment
from segser_core.prediction.rules import Aggregate
from segser_core.runs.aligned_segments import AlignedSegments
from segser_core.runs.reaggregate import reaggregate, stored_rule
from segser_core.runs.run import Run


def replay_prediction(
    run: Run, utterance_id: str, seed: int | None = None, rule: Aggregate | None = None
) -> Prediction:
    """Rebuild the prediction of one test clip from a run's files, as the model would give it anew.

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
    chosen = rule or stored_rule(run)
    row = reaggregate(one, chosen).iloc[0]
    aligned = one.aligned_segments
    return Prediction(
        file=str(row.get("path", utterance_id)),
        duration_s=float(row.get("duration_s", aligned.end_s.max())),
        model=run.name,
        system=run.system,
        labels=run.labels,
        label=str(row.predicted),
        probabilities={c: float(row[f"p_{c}"]) for c in run.labels},
        utterance={c: float(row[f"u_{c}"] if f"u_{c}" in row else row[f"p_{c}"]) for c in run.labels},
        aggregate=chosen,
        context="segment" if run.meta.get("context") == "segment" else "clip",
        warnings=(),
        segments=tuple(_segments(aligned, run.labels)),
    )


def _segments(aligned: AlignedSegments, labels: tuple[str, ...]) -> list[Segment]:
    each = zip(aligned.start_s.tolist(), aligned.end_s.tolist(), aligned.p.tolist(), strict=True)
    return [Segment(i, start, end, dict(zip(labels, p, strict=True))) for i, (start, end, p) in enumerate(each)]


def replay_predictions(
    run: Run, keys: Collection[tuple[str, int]], rule: Aggregate | None = None
) -> Iterator[tuple[str, int, Prediction]]:
    """Rebuild the predictions of many test clips, each (utterance_id, seed), in this order; errors as above."""
    wanted = {utterance_id for utterance_id, _ in keys}
    few = {
        name: table[table.utterance_id.isin(wanted)]
        for name, table in (("predictions", run.predictions), ("segments", run.segments))
        if table is not None
    }
    some = replace(run, **few)
    return ((u, seed, replay_prediction(some, u, seed, rule)) for u, seed in keys)


def checkpoint_of_clip(run: Run, seed: int, fold: int) -> str | None:
    """Locate the model of a clip's seed and fold, as `Predictor` takes it; None without weights."""
    if (run.path / "checkpoint" / "config.json").is_file():
        return run.name if run.path == BUNDLED / run.name else str(run.path)
    one = run.path / "checkpoint" / f"seed-{seed}" / f"fold-{fold}"
    return str(one) if (one / "config.json").is_file() else None
