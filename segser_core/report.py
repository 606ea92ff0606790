"""One run's scores, or two runs' paired difference, as text and as JSON."""

from typing import Any

from segser_core.bootstrap import RESAMPLES, Difference, Interval
from segser_core.errors import RunError
from segser_core.runs import Run
from segser_core.scores import Comparison, Summary, compare, metrics_json, summarise
from segser_core.text import aligned, percent, plain

NAMES = {"uar": "UAR", "accuracy": "accuracy", "macro_f1": "macro F1"}
FEW_SPEAKERS = 20
NOTE = f"""95 % intervals by utterance, {RESAMPLES} resamples; W: Wilson's (few clips, or all or none found).
They leave out that clips of one speaker are alike, and that another training would differ."""


def compare_runs(first: Run, second: Run) -> Comparison:
    """The paired difference of two runs on the same clips.

    Raises:
        RunError: they know different classes, share no clip and seed, or label a clip differently.
    """
    if set(first.labels) != set(second.labels):
        raise RunError(
            f"{first.name} and {second.name} know different classes ({', '.join(first.labels)}; "
            f"{', '.join(second.labels)}), so their scores cannot be paired"
        )
    return compare(first.predictions, second.predictions, first.labels)


def report_text(found: list[Run]) -> str:
    """Scores of each run, and of two the difference, to be read."""
    parts = [_run_text(run, summarise(run.predictions, run.labels)) for run in found]
    if len(found) == 2:
        parts.append(_comparison_text(found[0].name, found[1].name, compare_runs(*found)))
    return "\n\n".join([*parts, NOTE])


def report_json(found: list[Run]) -> dict[str, Any]:
    """The same numbers as fractions: `runs` as in metrics.json, and `difference` (null for one run)."""
    runs = [
        {"run": r.name, "system": r.system, "corpus": r.corpus, **metrics_json(summarise(r.predictions, r.labels))}
        for r in found
    ]
    return {"runs": runs, "difference": _comparison_json(compare_runs(*found)) if len(found) == 2 else None}


def _run_text(run: Run, summary: Summary) -> str:
    lines = [_head(run, summary), *aligned(_score_rows(summary), "13"), *aligned(_recall_rows(summary), "13")]
    lacking = [s.present for s in summary.per_fold if s.present < summary.pooled.present]
    if lacking:
        lines.append(f"{len(lacking)} folds lack a class: UAR of the fewest is over {min(lacking)} classes.")
    return "\n".join(lines)


def _head(run: Run, summary: Summary) -> str:
    parts = [run.name, run.system, run.corpus, run.protocol, f"{summary.utterances} test clips"]
    if summary.speakers:
        few = " (too few for an interval by speaker)" if summary.speakers < FEW_SPEAKERS else ""
        parts.append(f"{summary.speakers} speakers{few}")
    parts.append(f"{summary.pooled.present} of {len(run.labels)} classes present")
    return ", ".join(plain(part) for part in parts if part)


def _score_rows(summary: Summary) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "pooled", "95 %", "mean of folds", "per fold", "per seed")]
    for key, name in NAMES.items():
        by_fold, by_seed = ([getattr(s, key) for s in each] for each in (summary.per_fold, summary.per_seed))
        pooled, sure = percent(getattr(summary.pooled, key)), _interval(getattr(summary.intervals, key))
        rows.append((name, pooled, sure, percent(sum(by_fold) / len(by_fold)), _list(by_fold), _list(by_seed)))
    return rows


def _recall_rows(summary: Summary) -> list[tuple[str, ...]]:
    pooled, clips = summary.pooled, summary.pooled.confusion.sum(axis=1)
    each = zip(pooled.classes, pooled.recall, summary.intervals.recall, clips, strict=True)
    rows = [(f"  {plain(c)}", percent(value), _interval(sure), str(n)) for c, value, sure, n in each]
    return [("recall", "", "95 %", "rows"), *rows]


def _list(values: list[float]) -> str:
    return " ".join(map(percent, values)) if len(values) > 1 else ""


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return "no clip"
    return f"{percent(interval.low)} to {percent(interval.high)}{' W' if interval.method == 'wilson' else ''}"


def _comparison_text(first: str, second: str, found: Comparison) -> str:
    rows = [["", "difference", "95 %"]]
    rows += [[NAMES[key], *_difference(getattr(found.differences, key))] for key in NAMES]
    rows.append(["recall", "", ""])
    rows += [[f"  {plain(c)}", *_difference(d)] for c, d in zip(found.classes, found.differences.recall, strict=True)]
    left = f"; {found.left_out} rows have no partner and are left out" if found.left_out else ""
    head = f"{plain(first)} minus {plain(second)}, paired on {found.utterances} clips{left}"
    return "\n".join([head, *aligned(rows, "1")])


def _difference(of: Difference) -> tuple[str, str]:
    if of.value != of.value:
        return "–", "no clip"
    return f"{100 * of.value:+.1f}", f"{100 * of.interval.low:+.1f} to {100 * of.interval.high:+.1f}"


def _comparison_json(found: Comparison) -> dict[str, Any]:
    def as_json(of: Difference) -> dict[str, Any] | None:
        return None if of.value != of.value else {"value": of.value, "interval": [of.interval.low, of.interval.high]}

    each = found.differences
    return {
        "utterances": found.utterances,
        "left_out": found.left_out,
        **{key: as_json(getattr(each, key)) for key in NAMES},
        "recall": {c: as_json(d) for c, d in zip(found.classes, each.recall, strict=True)},
    }
