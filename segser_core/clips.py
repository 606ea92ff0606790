"""A run's clips as a table that pages filter, with what may explain a mistake, beside another run's."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segser_core.aggregation import KEY, Parts, most_confident, own_rule, parts_of, under_rule
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.errors import RunError
from segser_core.prediction.prediction import Prediction, Segment
from segser_core.prediction.rules import Aggregate
from segser_core.rows import test_rows
from segser_core.runs import BUNDLED, Run

if TYPE_CHECKING:
    import pandas as pd

PIECE_SAMPLES = SAMPLE_RATE_HZ // 50
SILENT_BELOW_DB = 25  # what Praat's "To TextGrid (silences)" takes at first
LOWEST_DB = -120.0


def clip_table(
    run: Run, rule: Aggregate | None = None, other: Run | None = None, explained: bool = True
) -> "pd.DataFrame":
    """The test clips of a run, a row an utterance (and seed), with what may explain a mistake.

    Args:
        run: whose clips.
        rule: how labels are found, in both runs; each run's own where it is None.
        other: another run; clips that it lacks have no `other_predicted`.
        explained: whether with what the segments tell; a large run takes longer for that than for the rest.

    Returns:
        The rows of predictions.parquet and, as known: `correct`; `segments` (how many); `true_share`, of
        the segments those that name the true class, 0 to 1; `surest_from_s` and `surest_to_s`, the bounds of
        the most confident segment; `decided_at`, its centre as a share of the clip's duration;
        `other_predicted`, `other_confidence`, `other_correct`.

    Raises:
        RunError: a run cannot be asked for the rule, a clip has another label in the other run, or as in
            `scores.test_rows`.
    """
    rows = test_rows(under_rule(run, rule or own_rule(run)))
    table = rows.assign(correct=rows.predicted.to_numpy() == rows.label.to_numpy())
    if explained and run.segments is not None:
        table = table.merge(_explained(run), on=KEY, how="left")
    if other is not None:
        table = table.merge(_other_columns(other, rule), on=["utterance_id", "seed"], how="left")
        known = table.other_predicted.notna()
        differing = table.utterance_id[known & (table.other_label != table.label)]
        if len(differing):
            raise RunError(f"{len(differing)} clips have another label in {other.name}, {differing.iloc[0]} among them")
        table["other_correct"] = (table.other_predicted == table.label).where(known)
        table = table.drop(columns="other_label")
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
        surest_from_s=parts.start_s[first],
        surest_to_s=parts.end_s[first],
        decided_at=(parts.start_s[first] + parts.end_s[first]) / 2 / np.maximum(duration_s, 1e-9),
    )


def _other_columns(other: Run, rule: Aggregate | None) -> "pd.DataFrame":
    rows = test_rows(under_rule(other, rule or own_rule(other)))
    names = {name: f"other_{name}" for name in ("label", "predicted", "confidence")}
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


def predictions_of(
    run: Run, keys: Collection[tuple[str, int]], rule: Aggregate | None = None
) -> Iterator[tuple[str, int, Prediction]]:
    """`prediction_of` for many test clips, each (utterance_id, seed), in this order; errors as there."""
    wanted = {utterance_id for utterance_id, _ in keys}
    few = {
        name: table[table.utterance_id.isin(wanted)]
        for name, table in (("predictions", run.predictions), ("segments", run.segments))
        if table is not None
    }
    some = replace(run, **few)
    return ((u, seed, prediction_of(some, u, seed, rule)) for u, seed in keys)


def weights_of(run: Run, seed: int, fold: int) -> str | None:
    """The model that a run's clip of this seed and fold was heard by, as `Predictor` takes it; None without weights."""
    if (run.path / "checkpoint" / "config.json").is_file():
        return run.name if run.path == BUNDLED / run.name else str(run.path)
    one = run.path / "checkpoint" / f"seed-{seed}" / f"fold-{fold}"
    return str(one) if (one / "config.json").is_file() else None


def cut(samples: np.ndarray, part: Literal["first", "last"], seconds: float) -> np.ndarray:
    """The first or last seconds of a recording at 16 kHz, (n,); all of it where it is shorter."""
    n = round(seconds * SAMPLE_RATE_HZ)
    return samples[:n] if part == "first" else samples[-n:]


@dataclass(frozen=True)
class Level:
    """How loud a stretch of a recording is.

    Attributes:
        rms_db: of all its samples, relative to full scale; -120 where it is lower.
        silent_share: of its pieces of 20 ms, those more than 25 dB below the loudest of the whole
            recording, 0 to 1: a stretch is silent beside the rest, for recordings differ in level.
    """

    rms_db: float
    silent_share: float


def level_of(samples: np.ndarray, start_s: float, end_s: float) -> Level:
    """The level of a stretch, from `start_s` to `end_s`, of (N,) samples at 16 kHz.

    A stretch that lies beyond the recording is silent.
    """
    pieces_db = _levels_db(samples)
    first, end = (round(t * SAMPLE_RATE_HZ) for t in (start_s, end_s))
    stretch = _levels_db(samples[first:end])
    if not len(stretch):
        return Level(LOWEST_DB, 1.0)
    power = np.mean(np.square(samples[first:end], dtype=np.float64))
    silent = stretch < max(pieces_db.max() - SILENT_BELOW_DB, LOWEST_DB + 1)
    return Level(_db(power), float(silent.mean()))


def _levels_db(samples: np.ndarray) -> np.ndarray:
    """The level of each whole piece of 20 ms, or of what there is where it is shorter: (pieces,)."""
    size = min(PIECE_SAMPLES, max(len(samples), 1))
    whole = samples[: len(samples) // size * size].astype(np.float64).reshape(-1, size)
    return _db(np.mean(whole**2, axis=1))


def _db(power: Any) -> Any:
    return 10 * np.log10(np.maximum(power, 10 ** (LOWEST_DB / 10)))
