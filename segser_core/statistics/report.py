"""Report one run's scores, or two runs' paired difference, as text and as JSON."""

from dataclasses import asdict
from typing import Any

from segser_core.formatting import align_columns, one_line, percent, signed_points
from segser_core.prediction.rules import Aggregate
from segser_core.runs.reaggregate import stored_rule
from segser_core.runs.run import Run
from segser_core.statistics.bootstrap import COVERAGE_AT_10, FEWEST_SPEAKERS, Interval, ScoreIntervals
from segser_core.statistics.calibration import Calibration, run_calibration
from segser_core.statistics.diarization_difference import compare_share_of_time
from segser_core.statistics.diarization_report import (
    diarization_lines,
    diarization_to_json,
    share_of_time_difference_lines,
    share_of_time_difference_to_json,
)
from segser_core.statistics.emotion_diarization import diarization_by_context
from segser_core.statistics.metrics import SCORES
from segser_core.statistics.paired_difference import Difference, Differences
from segser_core.statistics.scores import Comparison, ScoreSummary, compare_runs, summarise_scores, summary_to_json
from segser_core.statistics.scores_by_corpus import CorpusScores, by_corpus_to_json, scores_by_corpus
from segser_core.statistics.scores_by_rule import RuleScores, differences_by_rule, scores_by_rule
from segser_core.statistics.tables import layer_table

NOTE = """95 % intervals are bootstrap ones of {resamples} resamples, by utterance, and by speaker where it says so;
W: Wilson's (few clips, or all or none found); N: Newcombe's (few clips, or few that tell the runs apart). Those by
utterance leave out that clips of one speaker are alike, and all leave out that another training would differ.
p (Holm): of the class's difference, adjusted for all classes."""
Rows = list[tuple[str, ...]]


def report_text(found: list[Run]) -> str:
    """Report the scores of each run, and of two the difference, as text."""
    summaries = [summarise_scores(run.test_rows, run.labels) for run in found]
    parts = [_run_text(run, summary) for run, summary in zip(found, summaries, strict=True)]
    drawn = [summary.intervals.resamples for summary in summaries]
    if len(found) == 2:
        comparison = compare_runs(*found)
        by_rule = _rule_difference_text(differences_by_rule(found[0], found[1]))
        over_time = ["", *share_of_time_difference_lines(compare_share_of_time(found[0], found[1]))]
        parts.append(
            _comparison_text(found[0].name, found[1].name, comparison) + by_rule + "\n".join(over_time).rstrip()
        )
        drawn.append(comparison.differences.resamples)
    resamples = " to ".join(str(n) for n in sorted({min(drawn), max(drawn)}))
    return "\n\n".join([*parts, NOTE.format(resamples=resamples)])


def report_json(found: list[Run]) -> dict[str, Any]:
    """Report the same numbers as fractions: `runs` as in metrics.json and more, and `difference` (null for one run)."""
    runs = [_run_json(run, summarise_scores(run.test_rows, run.labels)) for run in found]
    return {"runs": runs, "difference": _difference_json(*found) if len(found) == 2 else None}


def _difference_json(first: Run, second: Run) -> dict[str, Any]:
    comparison, by_rule = compare_runs(first, second), differences_by_rule(first, second)
    return _comparison_json(comparison) | {
        "by_rule": {rule: _as_json(of.uar) for rule, of in by_rule.items()},
        "when": share_of_time_difference_to_json(compare_share_of_time(first, second)),
    }


def _run_json(run: Run, summary: ScoreSummary) -> dict[str, Any]:
    rules, layers = scores_by_rule(run), layer_table(run)
    return {
        "run": run.name,
        "system": run.system,
        "corpus": run.corpus,
        **summary_to_json(summary),
        "speakers": summary.speakers,
        **by_corpus_to_json(scores_by_corpus(run.test_rows, run.labels)),
        "calibration": _nan_to_none(asdict(run_calibration(run))),
        "aggregate": stored_rule(run),
        "by_rule": {r: {"uar": of.pooled.uar, "interval": _bounds(of.intervals.uar)} for r, of in rules.items()},
        "when": diarization_to_json(diarization_by_context(run), run.labels),
        "layer_weights": None if layers is None else layers.set_index("layer")["weight"].to_dict(),
    }


def _nan_to_none(value: Any) -> Any:
    """Replace each NaN by None, as JSON has it."""
    if isinstance(value, dict):
        return {k: _nan_to_none(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_to_none(v) for v in value]
    return None if isinstance(value, float) and value != value else value


def _bounds(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _run_text(run: Run, summary: ScoreSummary) -> str:
    right = (1, 4) if summary.by_speaker is None else (1, 5)
    lines = [
        _head(run, summary),
        *align_columns(_score_rows(summary), right=right),
        *align_columns(_recall_rows(summary), right=right),
    ]
    lines += _corpus_lines(scores_by_corpus(run.test_rows, run.labels), len(run.labels))
    lacking = [s.present for s in summary.per_fold if s.present < summary.pooled.present]
    if lacking:
        lines.append(f"{len(lacking)} folds lack a class: UAR of the fewest is over {min(lacking)} classes.")
    lines += _about_speakers(summary.speakers, summary.few_speakers)
    lines += _calibration_lines(run_calibration(run))
    rules = scores_by_rule(run)
    lines += _rule_lines(rules) if len(rules) > 1 else []
    lines += diarization_lines(diarization_by_context(run), run.labels)
    return "\n".join([*lines, *_layer_lines(run)])


def _head(run: Run, summary: ScoreSummary) -> str:
    parts = [run.name, run.system, run.corpus, run.protocol, f"{summary.utterances} test clips"]
    if summary.speakers:
        few = " (too few for an interval by speaker)" if summary.by_speaker is None else ""
        parts.append(f"{summary.speakers} speakers{few}")
    parts.append(f"{summary.pooled.present} of {len(run.labels)} classes present")
    return ", ".join(one_line(part) for part in parts if part)


def _about_speakers(speakers: int, few: bool) -> list[str]:
    """Explain an interval by speaker, or why there is none."""
    if not speakers:
        return ["The speaker is not known of every clip, so there is no interval by speaker."]
    if speakers < FEWEST_SPEAKERS:
        return [
            f"{speakers} speakers say nothing of how far others would differ (an interval needs {FEWEST_SPEAKERS}): "
            "the intervals hold for these speakers alone."
        ]
    if few:
        return [
            f"{speakers} speakers are few: in a simulation with 10, intervals by speaker held the true UAR in "
            f"{percent(COVERAGE_AT_10)} % of cases. Where models were trained on one another's speakers, count on less."
        ]
    return []


def _score_rows(summary: ScoreSummary) -> Rows:
    rows = [("", "pooled", *_interval_heads(summary.by_speaker), "mean of folds", "per fold", "per seed")]
    for key, name in SCORES.items():
        by_fold, by_seed = ([getattr(s, key) for s in each] for each in (summary.per_fold, summary.per_seed))
        sure = [_interval(getattr(i, key)) for i in (summary.intervals, summary.by_speaker) if i is not None]
        mean = percent(sum(by_fold) / len(by_fold))
        rows.append((name, percent(getattr(summary.pooled, key)), *sure, mean, _list(by_fold), _list(by_seed)))
    return rows


def _interval_heads(by_speaker: ScoreIntervals | Differences | None) -> tuple[str, ...]:
    return ("95 %",) if by_speaker is None else ("95 %", "95 % by speaker")


def _recall_rows(summary: ScoreSummary) -> Rows:
    pooled, clips = summary.pooled, summary.pooled.confusion.sum(axis=1)
    rows: Rows = [("recall", "", *_interval_heads(summary.by_speaker), "rows")]
    for i, (c, value) in enumerate(zip(pooled.classes, pooled.recall, strict=True)):
        sure = [_interval(summary.intervals.recall[i])]
        if summary.by_speaker is not None:
            sure.append(_interval(summary.by_speaker.recall[i], "too few speakers" if clips[i] else "no clip"))
        rows.append((f"  {one_line(c)}", percent(value), *sure, str(clips[i])))
    return rows


def _corpus_lines(found: tuple[CorpusScores, ...], n_classes: int) -> list[str]:
    """List the scores of each of several corpora, and how many classes and clips they are of."""
    if not found:
        return []
    rows: Rows = [("by corpus", "UAR", "95 %", "95 % by speaker", *list(SCORES.values())[1:], "classes", "clips")]
    for of in found:
        sure = (_interval(of.uar_interval), _interval(of.uar_interval_by_speaker, "too few speakers"))
        counts = (f"{len(of.classes)} of {n_classes}", str(of.utterances))
        rows.append(
            (f"  {one_line(of.corpus)}", percent(of.uar), *sure, percent(of.accuracy), percent(of.macro_f1), *counts)
        )
    return align_columns(rows, right=(1, 4, 5, 6, 7))


def _list(values: list[float]) -> str:
    return " ".join(map(percent, values)) if len(values) > 1 else ""


def _interval(interval: Interval | None, otherwise: str = "no clip") -> str:
    if interval is None:
        return otherwise
    return f"{percent(interval.low)} to {percent(interval.high)}{_mark(interval)}"


def _mark(interval: Interval) -> str:
    """Mark an interval that is no bootstrap's."""
    return {"wilson": " W", "newcombe": " N"}.get(interval.method, "")


def _calibration_lines(of: Calibration) -> list[str]:
    at = "no development clips to fit a temperature on"
    if of.temperature is not None:
        at = f"{percent(of.ece_at_temperature)} % at temperature {of.temperature:.2f} (fitted on development clips)"
    rows: Rows = [("segments", "confidence", "accuracy", "ECE", "rows")]
    for g in of.by_segments:
        span = f"  {g.n_low}" if g.n_low == g.n_high else f"  {g.n_low} to {g.n_high}"
        rows.append((span, percent(g.mean_confidence), percent(g.accuracy), percent(g.ece), str(g.count)))
    return [
        f"expected calibration error {percent(of.ece)} %; {at}",
        *(align_columns(rows, right=(1, 2, 3, 4)) if of.by_segments else []),
    ]


def _rule_lines(rules: dict[Aggregate, RuleScores]) -> list[str]:
    """List UAR under each rule of aggregation, the run's own first."""
    rows = [(f"  {rule}", percent(of.pooled.uar), _interval(of.intervals.uar)) for rule, of in rules.items()]
    return align_columns([("label from", "UAR", "95 %"), *rows], right=(1,))


def _rule_difference_text(found: dict[Aggregate, Differences]) -> str:
    """List the difference of UAR under each rule that both runs can be asked for; nothing where there is but one."""
    rows = [(f"  {rule}", signed_points(of.uar.value), _range(of.uar)) for rule, of in found.items()]
    return (
        "\n".join(["", *align_columns([("both, label from", "UAR", "95 %"), *rows], right=(1,))])
        if len(rows) > 1
        else ""
    )


def _layer_lines(run: Run) -> list[str]:
    """List each layer's weight in a learned mix, in percent; nothing of a model that has none."""
    table = layer_table(run)
    if table is None:
        return []
    rows = [
        (f"  {r.layer}", percent(r.weight), f"{percent(r.lowest)} to {percent(r.highest)}") for r in table.itertuples()
    ]
    return align_columns([("layer", "weight", "of its models"), *rows], right=(1,))


def _comparison_text(first: str, second: str, found: Comparison) -> str:
    one, two = one_line(first), one_line(second)
    left = f"; {found.left_out} rows have no partner and are left out" if found.left_out else ""
    agreement = found.agreement
    lines = [
        f"{one} minus {two}, paired on {found.utterances} clips{left}",
        *align_columns(_difference_rows(found), right=(1,)),
        *_about_speakers(found.speakers, found.few_speakers),
        f"equal labels {percent(agreement.share)} %, Cohen's kappa {agreement.kappa:.2f}",
        f"  of what {one} has right, {two} has right {percent(agreement.second_of_first)} %; "
        f"the other way round {percent(agreement.first_of_second)} %",
        f"  UAR of {two} with the labels of {one} as truth {percent(agreement.uar_first_as_truth)}; "
        f"the other way round {percent(agreement.uar_second_as_truth)}",
        "McNemar's exact test of accuracy, which takes clips as independent:",
    ]
    lines += [
        f"  seed {t.seed}: right alone {t.first_only} and {t.second_only}, p = {t.p_value:.2g}" for t in found.mcnemar
    ]
    return "\n".join(lines)


def _difference_rows(found: Comparison) -> Rows:
    """List the difference of each score and class, by utterance, and by speaker where there is one."""
    each = [(found.differences, found.holm)]
    heads = ["difference", "95 %", "p (Holm)"]
    if found.by_speaker is not None and found.holm_by_speaker is not None:
        each.append((found.by_speaker, found.holm_by_speaker))
        heads += ["95 % by speaker", "p (Holm) by speaker"]
    rows: Rows = [("", *heads)]
    for key, name in SCORES.items():
        sure = [cell for of, _ in each for cell in (_range(getattr(of, key)), "")]
        rows.append((name, signed_points(getattr(found.differences, key).value), *sure))
    rows.append(("recall", *[""] * len(heads)))
    for i, c in enumerate(found.classes):
        sure = [cell for of, adjusted in each for cell in (_range(of.recall[i]), _p(adjusted[i]))]
        rows.append((f"  {one_line(c)}", signed_points(found.differences.recall[i].value), *sure))
    return rows


def _range(of: Difference) -> str:
    if of.value != of.value:
        return "no clip"
    if of.p_value != of.p_value:
        return "too few speakers"
    return f"{signed_points(of.interval.low)} to {signed_points(of.interval.high)}{_mark(of.interval)}"


def _p(value: float) -> str:
    return "" if value != value else f"{value:.2g}"


def _comparison_json(found: Comparison) -> dict[str, Any]:
    return {
        "utterances": found.utterances,
        "speakers": found.speakers,
        "left_out": found.left_out,
        **_differences_json(found.differences, found.holm, found.classes),
        "by_speaker": None
        if found.by_speaker is None or found.holm_by_speaker is None
        else _differences_json(found.by_speaker, found.holm_by_speaker, found.classes),
        "mcnemar": [asdict(test) for test in found.mcnemar],
        "agreement": _nan_to_none(asdict(found.agreement)),
    }


def _differences_json(of: Differences, adjusted: tuple[float, ...], classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        **{key: _as_json(getattr(of, key)) for key in SCORES},
        "recall": {c: _as_json(d) for c, d in zip(classes, of.recall, strict=True)},
        "holm": dict(zip(classes, _nan_to_none(adjusted), strict=True)),
    }


def _as_json(of: Difference) -> dict[str, Any] | None:
    return None if of.value != of.value else _nan_to_none({"value": of.value, "interval": _bounds(of.interval)})
