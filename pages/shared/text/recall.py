"""Text of the page Recall: scores, intervals and differences in plain language."""

from collections.abc import Mapping, Sequence

import pandas as pd

from pages.shared.text.common import NO_BREAK, RULE_TITLES, escape_markdown
from segser_core.formatting import percent, signed_points
from segser_core.paper import layer_average_note
from segser_core.prediction.prediction import Context
from segser_core.prediction.rules import Aggregate
from segser_core.runs.corpus_info import corpus_info
from segser_core.runs.run import Run
from segser_core.statistics.bootstrap import COVERAGE_AT_10, FEW_SPEAKERS, FEWEST_SPEAKERS
from segser_core.statistics.calibration import Calibration
from segser_core.statistics.diarization_difference import ShareOfTimeDifference
from segser_core.statistics.emotion_diarization import DIARIZATION_MEASURES, DiarizationSummary
from segser_core.statistics.paired_difference import Difference
from segser_core.statistics.scores import Comparison, ScoreSummary
from segser_core.statistics.scores_by_rule import RuleScores
from segser_core.statistics.tables import overconfidence
from segser_core.systems import SYSTEMS

CHANCE = 0.05
INTERVAL_KINDS = {"utterance": "by clip", "speaker": "by speaker"}
INTERVAL_HELP = """
- **by clip**: how far the score would move with other clips of the same speakers. Clips of one speaker are alike,
  which this leaves out, so it is rather too narrow.
- **by speaker**: how far it would move with other speakers. Whole speakers are drawn.

Both take the trained models as they are: another training would differ, too.
"""
INTERVAL_METHODS = {  # by the names of `INTERVAL_KINDS`
    "utterance": """The lines are 95 % intervals:

- a bootstrap over clips, where nothing below applies;
- Wilson's, for the recall of a class with fewer than 50 clips, and where all or none of its clips were found;
- Newcombe's, of one seed, for a difference in a class with fewer than 50 clips, and where fewer than 10 clips tell the
  runs apart.

They hold for these models; another training would differ. They are not adjusted for the number of classes; p is
adjusted (Holm), and never below what so few clips can tell.
""",
    "speaker": """The lines are 95 % intervals:

- a bootstrap over whole speakers, widened for few speakers, where nothing below applies;
- Wilson's, each speaker being one trial, where all or none of a class's clips were found.

They hold for these models; another training would differ. They are not adjusted for the number of classes; p is
adjusted (Holm), and never below what so few speakers can tell.
""",
}
BY_CORPUS_CAPTION = (
    "UAR and macro F1 are means over the classes that have a test clip of the corpus; a prediction of any other class "
    "is wrong."
)
CLICK_BAR = (
    "A click on a bar opens its wrong clips in *Mistakes*; so does choosing a row of the table. A click on a "
    "difference opens the clips that only the worse run has wrong."
)
CLICK_CELL = "A click on a cell opens its clips in *Mistakes*; the table does the same."
RULES_CAPTION = (
    "Same models, same clips: only the rule that makes one label of many segments changes from row to row. "
    "What differs between rows goes with the rule; what differs between runs within a row, with training, and its "
    "interval is of both runs on the same clips. To pick a rule by these test clips would flatter it: pick by others."
)
LAYERS_CAPTION = (
    "What each layer of the frozen encoder weighs in the mix that was learned; *input* is what enters the first one. "
    "Mean, lowest and highest over the run's models. Each layer is normalised before, so weights can be compared."
)
PAPER_CAPTION = (
    "For reference, not for a ranking. The paper fine-tunes wav2vec2. A run on another encoder, such as Whisper's, "
    "which was trained on labelled speech, differs in more than the loss, and does not stand in one line with these."
)

FLOOR_AND_CEILING = (
    "**Floor**: what is right if one label, the model's own for the whole recording, stands all through. **Ceiling**: "
    "what is right if the model is told where the emotion changes, and hears each stretch as a recording of its own. "
    "A timeline that knows when lies near its ceiling; one at its floor adds nothing to the one label. The line is a "
    "95 % interval, recordings drawn."
)
DIARIZATION_TITLES = DIARIZATION_MEASURES | {
    "share_of_time": "share of time, %",
    "eder": "EDER, %",
    "false_alarm": "– false alarm, %",
    "missed": "– missed emotion, %",
    "confused": "– confused emotion, %",
    "floor": "floor, %",
    "ceiling": "ceiling, %",
}
EDER_CAPTION = (
    "EDER, the emotion diarization error rate, is the share of time that is labelled wrongly: an emotion where the "
    "truth is neutral (false alarm), neutral where it is an emotion (missed), or one emotion for another (confused). "
    "Boundary error: how far the nearest change of label is from a true change, median. Surplus changes: changes of "
    "label that are the nearest of no true one."
)


def changing_text(runs: Sequence[Run], found: Mapping[Context, DiarizationSummary]) -> str:
    """Say what the recordings are on which a run's label over time is held against the truth.

    Args:
        runs: the runs that have stretches.
        found: the scores of the first one, by context.
    """
    of = next(iter(found.values()))
    made = (
        "Each was made of single clips of one speaker, one after the other, so that it is known when the emotion "
        "changes. The voices are real, the changes are not. "
        if "joined" in runs[0].predictions
        else "When their emotion changes is known from the corpus. "
    )
    speakers = f"{_count_noun(of.speakers, 'speaker')}, " if of.speakers else ""
    return (
        f"{_count_noun(of.recordings, 'recording')}, {speakers}{of.minutes:.1f} minutes, "
        f"{_count_noun(of.changes, 'change')} of emotion. {made}Each 20 ms are right where the label over time, the "
        "emotion of the highest mean probability over the segments that cover the moment, is the true one."
    )


def no_stretches_text(names: Sequence[str]) -> str:
    """Say that runs hold no recordings whose emotion changes, and by which commands one is made that does."""
    listed = _join([f"**{escape_markdown(name)}**" for name in names])
    return (
        f"{listed} {'holds' if len(names) == 1 else 'hold'} no recordings whose emotion changes at known times: "
        "`python -m training.corpora join NAME --root DIR --out CHANGING --changing` makes some of a corpus, and "
        "`python -m training.evaluate --model MODEL --corpus manifest --root CHANGING --out RUN` evaluates a model."
    )


def share_intervals_text(of: DiarizationSummary) -> str:
    """Format the intervals of a share of time, and the floor and ceiling between which it lies."""
    share = of.share_of_time
    sides = [(share.interval, "by recording"), (share.by_speaker, "by speaker")]
    parts = [
        f"{percent(interval.low)} to {percent(interval.high)} {how}"
        for interval, how in sides
        if interval is not None and interval.low == interval.low
    ]
    sure = f"95 %: {' · '.join(parts)}" if parts else "too few recordings for an interval"
    return f":small[{sure}  \nfloor {percent(of.floor.value)}, ceiling {percent(of.ceiling.value)}]"


def share_difference_text(paired: ShareOfTimeDifference) -> str:
    """Format the intervals and p-values of a paired difference of shares of time, and what was not paired."""
    sides = [(paired.by_recording, "by recording"), (paired.by_speaker, "by speaker")]
    parts = [
        f"{signed_points(of.interval.low)} to {signed_points(of.interval.high)} {how} (p {format_p_value(of.p_value)})"
        for of, how in sides
        if of is not None and of.interval.low == of.interval.low
    ]
    sure = f"95 %: {' · '.join(parts)}" if parts else "too few recordings for an interval"
    left = f"  \n{paired.left_out} without a partner are left out" if paired.left_out else ""
    return f":small[{sure}{left}]"


def speaker_note(summary: ScoreSummary) -> str:
    """Say whether there are speakers enough to tell how sure a score is on other people."""
    n = summary.speakers
    if not n:
        return "It is not known who speaks in these clips, so there are intervals by clip alone."
    if n < FEWEST_SPEAKERS:
        many = {1: "One speaker", 2: "Two speakers", 3: "Three speakers", 4: "Four speakers"}[n]
        return (
            f"**{many}, no interval by speaker.** So few cannot show how far speakers differ: how good the models "
            "are on other people cannot be told from this run, and no number would change that."
        )
    if n < FEW_SPEAKERS:
        return (
            f"**{n} speakers are few** (below {FEW_SPEAKERS}). The interval by speaker is widened for that: "
            f"simulated with 10 speakers, a 95 % interval held the truth in {percent(COVERAGE_AT_10)} % of "
            "cases. It still rests on them being like those whom the models will meet."
        )
    return f"{n} speakers."


def run_notes(run: Run, summary: ScoreSummary) -> list[str]:
    """List what must be known beside the scores of a run: speakers, sentences, classes without a clip."""
    lines = [speaker_note(summary)]
    info = corpus_info(run.meta)
    if info.sentences:
        words = "every test clip says words that the models heard in training"
        lines.append(f"{escape_markdown(info.title)} has {info.sentence_count}: {words}.")
    clips_per_class = summary.pooled.confusion.sum(axis=1)
    empty = [escape_markdown(label) for label, n in zip(run.labels, clips_per_class, strict=True) if not n]
    if empty:
        lines.append(
            f"No test clip is labelled {_join(empty)}, so there is no recall of it, and UAR is the mean over the "
            f"other {summary.pooled.present} classes."
        )
    lacking = [fold for fold in summary.per_fold if fold.present < summary.pooled.present]
    if lacking:
        lines.append(
            f"{_count_noun(len(lacking), 'fold')} of {len(summary.per_fold)} lack a class: the mean of folds is of "
            "fewer."
        )
    if len(summary.per_seed) > 1:
        lines.append(f"{len(summary.per_seed)} seeds: counts of clips are over all of them.")
    return lines


def format_p_value(p: float) -> str:
    """Format a p-value as people write it; a dash where there is none."""
    return "–" if p != p else "< 0.001" if p < 0.001 else f"{p:.3f}"


def difference_text(comparison: Comparison, names: Sequence[str], by_speaker: bool) -> str:
    """Say how two runs differ: in UAR, then in each class whose recall differs by more than chance among clips.

    Args:
        comparison: the paired difference of the runs.
        names: the first run's, the second's.
        by_speaker: whether intervals and p-values are by speaker, where there are such.
    """
    of_speakers = comparison.by_speaker if by_speaker else None
    paired = of_speakers or comparison.differences
    adjusted = (of_speakers and comparison.holm_by_speaker) or comparison.holm
    first, second = (escape_markdown(name) for name in names)
    chance = "" if paired.uar.p_value <= CHANCE else ", which may be chance"
    by_class = list(zip(comparison.classes, paired.recall, adjusted, strict=True))
    lines = [f"**{first}** has {_uar_text(paired.uar)} than **{second}** ({_interval_text(paired.uar)}){chance}."]
    for worse in (True, False):
        sure = [(c, d, p) for c, d, p in by_class if p <= CHANCE and (d.value < 0) == worse]
        if sure:
            parts = [
                f"**{abs(100 * d.value):.0f} points {'less' if worse else 'more'} of {escape_markdown(c)}** "
                f"({_interval_text(d)}, p {format_p_value(p)})"
                for c, d, p in sure
            ]
            lines.append(f"It finds {_join(parts)}.")
    unsure = [escape_markdown(c) for c, d, p in by_class if d.value == d.value and not p <= CHANCE]
    if unsure:
        lines.append(f"For {_join(unsure)} the difference may be chance.")
    return " ".join([*lines, _seeds_note(len(comparison.mcnemar), "speakers" if of_speakers else "clips")])


def _seeds_note(seeds: int, units: str) -> str:
    """Say that an interval over clips or speakers leaves out how far trainings differ."""
    if seeds == 1:
        return "Both runs have one seed: this holds for their models, and another training of either would differ."
    return f"Both runs have {seeds} seeds: the intervals are over {units}, and leave out how far trainings differ."


def _uar_text(uar: Difference) -> str:
    return f"a UAR {abs(100 * uar.value):.1f} points {'higher' if uar.value >= 0 else 'lower'}"


def _interval_text(difference: Difference) -> str:
    return f"95 %: {signed_points(difference.interval.low)} to {signed_points(difference.interval.high)}"


def own_rule_text(name: str, scores: Mapping[Aggregate, RuleScores], label: str | None) -> str:
    """Say what a run's own rule costs or gains beside the rule that serves it best; empty where it has one rule.

    Args:
        name: the run's.
        scores: by rule, the run's own first.
        label: the class whose recall is compared; None: UAR.
    """
    own = next(iter(scores))
    values = {rule: _score_value(of_rule, label) for rule, of_rule in scores.items()}
    best = max(values, key=values.__getitem__)
    if len(values) < 2 or values[best] != values[best]:
        return ""
    measure = "UAR" if label is None else f"recall of {escape_markdown(label)}"
    run = f"**{escape_markdown(name)}**"
    if best == own:
        return f"{run}: no other rule gives a higher {measure} than its own ({RULE_TITLES[own]})."
    return (
        f"{run}: its own rule ({RULE_TITLES[own]}) gives a {measure} of {percent(values[own])} %, the "
        f"{RULE_TITLES[best]} {percent(values[best])} %. It is one and the same model: these "
        f"{percent(values[best] - values[own])} points go with the rule."
    )


def same_rule_text(differences: pd.DataFrame, names: Sequence[str]) -> str:
    """Say under which rules one run is better than another under the same rule; empty where they share none.

    Args:
        differences: of `scores_by_rule.rule_difference_table`, with the rules' titles.
        names: the first run's, the second's.
    """
    first, second = (f"**{escape_markdown(name)}**" for name in names)
    better, worse = differences.low > 0, differences.high < 0
    parts = [
        f"{how}{', whatever the rule' if rows.all() else f' under the {_join(differences.rule[rows].tolist())}'}"
        for how, rows in (
            (f"ahead of {second}", better),
            (f"behind {second}", worse),
            ("neither for sure", ~(better | worse)),
        )
        if rows.any()
    ]
    return f"With the same rule for both, {first} is {'; '.join(parts)}." if parts else ""


def _score_value(scores: RuleScores, label: str | None) -> float:
    pooled = scores.pooled
    return pooled.uar if label is None else float(pooled.recall[pooled.classes.index(label)])


def calibration_text(name: str, calibration: Calibration) -> str:
    """Say how well a run's confidences fit, and which temperature would mend them."""
    gap = overconfidence(calibration)
    error = (
        f"**{escape_markdown(name)}**: calibration error (ECE) {percent(calibration.ece)} points; on the whole it is "
        f"{'too sure' if gap > 0 else 'not sure enough'}, by {percent(abs(gap))}."
    )
    if calibration.temperature is None or calibration.ece_at_temperature is None:
        return f"{error} There are no development clips in this run, so no temperature can be fitted."
    return (
        f"{error} Temperature fitted on its development clips: {calibration.temperature:.2f}, which would leave an "
        f"error of {percent(calibration.ece_at_temperature)} points; labels stay as they are."
    )


def agreement_text(comparison: Comparison, names: Sequence[str]) -> str:
    """List how alike two runs judge, both ways round, and McNemar's test of each seed.

    Args:
        comparison: the paired difference of the runs.
        names: the first run's, the second's.
    """
    alike, (first, second) = comparison.agreement, (escape_markdown(name) for name in names)
    lines = [
        f"The two give the same label to **{percent(alike.share)} %** of the clips, right or wrong; Cohen's κ "
        f"**{alike.kappa:.2f}**.",
        f"Of what {first} has right, {second} has right {percent(alike.second_of_first)} %; the other way round "
        f"{percent(alike.first_of_second)} %.",
        f"With {first}'s labels taken as truth, {second} has a UAR of {percent(alike.uar_first_as_truth)} %; the "
        f"other way round {percent(alike.uar_second_as_truth)} %.",
    ]
    for test in comparison.mcnemar:
        seed = f" (seed {test.seed})" if len(comparison.mcnemar) > 1 else ""
        lines.append(
            f"McNemar's test of accuracy{seed}: {test.first_only} clips only {first} has right, "
            f"{test.second_only} only {second}; p {format_p_value(test.p_value)}."
        )
    return "\n".join(f"- {line.replace(' %', NO_BREAK + '%')}" for line in lines)


def paper_caption(corpus: str) -> str:
    """Say how to read the paper's scores on a corpus beside ours."""
    both = layer_average_note(corpus)
    if both is None:
        return PAPER_CAPTION
    return (
        f"{PAPER_CAPTION} {SYSTEMS['layer-average'].title}'s {percent(both[0])} knows the test speakers' own "
        f"statistics; with those of the training set it is {percent(both[1])}."
    )


def encoder_title(run: Run) -> str:
    """Name the encoder of a run; a dash where run.json names none."""
    encoder = run.meta.get("encoder", "")
    return str(encoder.get("name", "") if isinstance(encoder, dict) else encoder) or "–"


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _count_noun(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
