"""What the page on recall says of scores and differences, in plain language."""

from collections.abc import Mapping, Sequence

import pandas as pd

from pages.shared.text.common import NO_BREAK, RULES, plain
from segser_core.formatting import percent, signed
from segser_core.paper import layer_average_note
from segser_core.prediction.rules import Aggregate
from segser_core.runs.run import Run
from segser_core.statistics.bootstrap import COVERAGE_AT_10, FEW_SPEAKERS, FEWEST_SPEAKERS
from segser_core.statistics.calibration import Calibration
from segser_core.statistics.paired_difference import Difference
from segser_core.statistics.scores import Comparison, Summary
from segser_core.statistics.scores_by_rule import RuleScores
from segser_core.statistics.tables import overconfidence
from segser_core.systems import SYSTEMS

CHANCE = 0.05
SENTENCES = {
    "ravdess": "RAVDESS has two sentences: every test clip says words that the models heard in training.",
    "emodb": "EMO-DB has ten sentences: every test clip says words that the models heard in training.",
}
BY = {"utterance": "by clip", "speaker": "by speaker"}
BY_HELP = """
- **by clip**: how far the score would move with other clips of the same speakers. Clips of one speaker are alike,
  which this leaves out, so it is rather too narrow.
- **by speaker**: how far it would move with other speakers. Whole speakers are drawn.

Both take the trained models as they are: another training would differ, too.
"""
SURE = (
    "They hold for these models; another training would differ. They are not adjusted for the number of classes; p is "
    "(Holm), and never below what so few can tell."
)
METHOD = {  # of the intervals, by the names of `BY`
    "utterance": "The lines are 95 % intervals: a bootstrap; Wilson's for the recall of a class with fewer than 50 "
    "clips and where all or none were found; of one seed, Newcombe's for a difference below 50 clips or where fewer "
    f"than 10 tell the runs apart. {SURE}",
    "speaker": "The lines are 95 % intervals: a bootstrap of whole speakers, widened for few; Wilson's, a speaker "
    f"being one trial, where all or none were found. {SURE}",
}
CLICK = (
    "A click on a bar opens its wrong clips in *Mistakes*; so does choosing a row of the table. A click on a "
    "difference opens the clips that only the worse run has wrong."
)
CLICK_CELL = "A click on a cell opens its clips in *Mistakes*; the table does the same."
RULES_ASIDE = (
    "Same models, same clips: only the rule that makes one label of many segments changes from row to row. "
    "What differs between rows goes with the rule; what differs between runs within a row, with training, and its "
    "interval is of both runs on the same clips. To pick a rule by these test clips would flatter it: pick by others."
)
LAYERS = (
    "What each layer of the frozen encoder weighs in the mix that was learned; *input* is what enters the first one. "
    "Mean, lowest and highest over the run's models. Each layer is normalised before, so weights can be compared."
)
PAPER_ASIDE = (
    "For reference, not for a ranking. The paper fine-tunes wav2vec2. A run on another encoder, such as Whisper's, "
    "which was trained on labelled speech, differs in more than the loss, and does not stand in one line with these."
)


def speakers(summary: Summary) -> str:
    """Whether there are speakers enough to say how sure a score is on others."""
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


def notes(run: Run, summary: Summary) -> list[str]:
    """What must be known beside the scores of a run: speakers, sentences, classes without a clip."""
    lines = [speakers(summary)]
    if run.corpus in SENTENCES:
        lines.append(SENTENCES[run.corpus])
    empty = [plain(c) for c, n in zip(run.labels, summary.pooled.confusion.sum(axis=1), strict=True) if not n]
    if empty:
        lines.append(
            f"No test clip is labelled {_listed(empty)}, so there is no recall of it, and UAR is the mean over the "
            f"other {summary.pooled.present} classes."
        )
    lacking = [s for s in summary.per_fold if s.present < summary.pooled.present]
    if lacking:
        lines.append(
            f"{_count(len(lacking), 'fold')} of {len(summary.per_fold)} lack a class: the mean of folds is of fewer."
        )
    if len(summary.per_seed) > 1:
        lines.append(f"{len(summary.per_seed)} seeds: counts of clips are over all of them.")
    return lines


def p_value(p: float) -> str:
    """A p-value as people write it."""
    return "–" if p != p else "< 0.001" if p < 0.001 else f"{p:.3f}"


def verdict(found: Comparison, names: Sequence[str], by_speaker: bool) -> str:
    """The paired difference of two runs in a few sentences: of UAR, then of each class that differs for sure."""
    of = found.by_speaker if by_speaker and found.by_speaker is not None else found.differences
    adjusted = found.holm_by_speaker if of is found.by_speaker and found.holm_by_speaker else found.holm
    first, second = (plain(name) for name in names)
    chance = "" if of.uar.p_value <= CHANCE else ", which may be chance"
    each = list(zip(found.classes, of.recall, adjusted, strict=True))
    lines = [f"**{first}** has {_uar(of.uar)} than **{second}** ({_interval(of.uar)}){chance}."]
    for worse in (True, False):
        told = [(c, d, p) for c, d, p in each if p <= CHANCE and (d.value < 0) == worse]
        if told:
            parts = [
                f"**{abs(100 * d.value):.0f} points {'less' if worse else 'more'} of {plain(c)}** "
                f"({_interval(d)}, p {p_value(p)})"
                for c, d, p in told
            ]
            lines.append(f"It finds {_listed(parts)}.")
    open_ = [plain(c) for c, d, p in each if d.value == d.value and not p <= CHANCE]
    if open_:
        lines.append(f"For {_listed(open_)} the difference may be chance.")
    return " ".join(lines)


def _uar(of: Difference) -> str:
    return f"a UAR {abs(100 * of.value):.1f} points {'higher' if of.value >= 0 else 'lower'}"


def _interval(of: Difference) -> str:
    return f"95 %: {signed(of.interval.low)} to {signed(of.interval.high)}"


def rule_verdict(name: str, found: Mapping[Aggregate, RuleScores], label: str | None) -> str:
    """What a run's own rule costs or gains beside the rule that serves it best; empty where it has one rule."""
    own = next(iter(found))
    values = {rule: _value(of, label) for rule, of in found.items()}
    best = max(values, key=values.__getitem__)
    if len(values) < 2 or values[best] != values[best]:
        return ""
    what = "UAR" if label is None else f"recall of {plain(label)}"
    if best == own:
        return f"**{plain(name)}**: no other rule gives a higher {what} than its own ({RULES[own]})."
    return (
        f"**{plain(name)}**: its own rule ({RULES[own]}) gives a {what} of {percent(values[own])} %, the "
        f"{RULES[best]} {percent(values[best])} %. It is one and the same model: these "
        f"{percent(values[best] - values[own])} points go with the rule."
    )


def same_rule_verdict(differences: pd.DataFrame, names: Sequence[str]) -> str:
    """Under which rules one run is ahead of another that is asked for the same rule; empty where they share none.

    Args:
        differences: of `rules.rule_difference_table`, with the rules as people say them.
        names: the first run's, the second's.
    """
    first, second = (f"**{plain(name)}**" for name in names)
    ahead, behind = differences.low > 0, differences.high < 0
    parts = [
        f"{how}{', whatever the rule' if which.all() else f' under the {_listed(differences.rule[which].tolist())}'}"
        for how, which in (
            (f"ahead of {second}", ahead),
            (f"behind {second}", behind),
            ("neither for sure", ~(ahead | behind)),
        )
        if which.any()
    ]
    return f"With the same rule for both, {first} is {'; '.join(parts)}." if parts else ""


def _value(of: RuleScores, label: str | None) -> float:
    return of.pooled.uar if label is None else float(of.pooled.recall[of.pooled.classes.index(label)])


def calibration(name: str, of: Calibration) -> str:
    """A run's calibration in a sentence or two."""
    gap = overconfidence(of)
    text = (
        f"**{plain(name)}**: calibration error (ECE) {percent(of.ece)} points; on the whole it is "
        f"{'too sure' if gap > 0 else 'not sure enough'}, by {percent(abs(gap))}."
    )
    if of.temperature is None or of.ece_at_temperature is None:
        return f"{text} There are no development clips in this run, so no temperature can be fitted."
    return (
        f"{text} Temperature fitted on its development clips: {of.temperature:.2f}, which would leave an error of "
        f"{percent(of.ece_at_temperature)} points; labels stay as they are."
    )


def agreement(found: Comparison, names: Sequence[str]) -> str:
    """How alike two runs judge, both ways round, and McNemar's test of each seed."""
    of, (first, second) = found.agreement, (plain(name) for name in names)
    lines = [
        f"The two give the same label to **{percent(of.share)} %** of the clips, right or wrong; Cohen's κ "
        f"**{of.kappa:.2f}**.",
        f"Of what {first} has right, {second} has right {percent(of.second_of_first)} %; the other way round "
        f"{percent(of.first_of_second)} %.",
        f"With {first}'s labels taken as truth, {second} has a UAR of {percent(of.uar_first_as_truth)} %; the other "
        f"way round {percent(of.uar_second_as_truth)} %.",
    ]
    for test in found.mcnemar:
        seed = f" (seed {test.seed})" if len(found.mcnemar) > 1 else ""
        lines.append(
            f"McNemar's test of accuracy{seed}: {test.first_only} clips only {first} has right, "
            f"{test.second_only} only {second}; p {p_value(test.p_value)}."
        )
    return "\n".join(f"- {line.replace(' %', NO_BREAK + '%')}" for line in lines)


def paper_notes(corpus: str) -> str:
    """What stands beside the paper's numbers."""
    both = layer_average_note(corpus)
    if both is None:
        return PAPER_ASIDE
    return (
        f"{PAPER_ASIDE} {SYSTEMS['layer-average'].title}'s {percent(both[0])} knows the test speakers' own statistics; "
        f"with those of the training set it is {percent(both[1])}."
    )


def encoder(run: Run) -> str:
    """The encoder that a run names; a dash where it names none."""
    said = run.meta.get("encoder", "")
    return str(said.get("name", "") if isinstance(said, dict) else said) or "–"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
