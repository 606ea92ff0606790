"""Text that several pages share: models, rules, segments and their names, as people say them."""

import re
from collections.abc import Callable, Sequence

from segser_core.formatting import percent
from segser_core.inference.models import ModelInfo
from segser_core.prediction.known_changes import share_of_time_right
from segser_core.prediction.prediction import Context, LabelledTurn, Prediction
from segser_core.prediction.rules import Aggregate
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import TimeSpan, find_disagreements
from segser_core.runs.corpus_info import FETCH_COMMANDS, CorpusInfo
from segser_core.runs.reaggregate import stored_rule
from segser_core.runs.run import Run
from segser_core.systems import find_system

RULE_TITLES: dict[Aggregate, str] = {
    "max": "most confident segment",
    "mean": "mean of all segments",
    "vote": "vote of the segments",
    "top-k": "three most confident segments",
    "utterance": "recording as a whole",
}
RULE_HELP = """
- **most confident segment**: the segment that the model is surest of decides. The more segments, the higher
  this confidence comes out, right or wrong.
- **mean of all segments**: the segments' probabilities are averaged.
- **vote of the segments**: each segment has one vote; the probabilities shown are shares of the votes.
- **three most confident segments**: the probabilities of these three are averaged.
- **recording as a whole**: segments do not count; the model judges the mean of all frames.
"""
NO_BREAK = "\N{NO-BREAK SPACE}"
NO_SPEECH = "no speech"
MIN_SPEECH = "Speech in a segment, at least"
MIN_SPEECH_HELP = (
    "A segment of which a smaller share is speech is grey, decides nothing, and has no label in the exports' tiers. "
    "0 keeps all segments, noise and pauses among them."
)
NOTHING_YET = "No recording yet: choose one above, or go back to the sample."
CONTEXT_NAMES: dict[Context, str] = {"clip": "in context", "segment": "in isolation"}
SUBJECTS = {"recording": "Two models, one recording", "runs": "Two runs"}
CONTEXT_HELP = """
- **in context**: the model hears the whole recording, then segments are cut. What it says of one segment may
  rest on what came before and after.
- **in isolation**: the model hears each segment's own sound and nothing else; how quiet counts as silence is
  then judged within the segment, too.
"""
CONTEXT_LINE: dict[Context, str] = {
    "clip": "Segments are shown **in context**: the model heard the whole recording before they were cut.",
    "segment": "Segments are shown **in isolation**: the model heard each one by itself.",
}
NO_LABELS = (
    "Segments have no labels of their own: in training each took that of its recording, or those of the clips that "
    "were joined there, and nobody checked that they fit."
)
PROBE = (
    "Segments are **a probe**: this model never met one in training, and by its own rule none decides. "
    "They have no labels of their own to be checked against."
)

HEARD_LINE = (
    "The track **heard** is the label over time: at each moment the emotion of the highest mean probability over the "
    "segments that cover it."
)

KNOWN_CHANGES = (
    "Where the emotions of this recording are known, the timeline shows them as a track, and in how much of the time "
    "its label is right. Give a Praat TextGrid whose interval tier `emotion` holds them, or a manifest (CSV) with the "
    "column `stretches`; `training.corpora join --changing` writes both."
)
TURNS_HELP = (
    "Where it is known who speaks when, each turn has a label of its own, by the mean of its frames: give CSV (columns "
    "`start` and `end` in seconds, `speaker` and `text` as known), a Praat TextGrid or ELAN document with a tier a "
    "speaker, SRT, WebVTT or RTTM."
)


def escape_markdown(text: str) -> str:
    """Escape text from outside, such as a file's name, so that Markdown shows it letter by letter."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def way_to_sound(corpus: str) -> str:
    """Say how the recordings of a corpus are heard: where they are typed in, and the command that fetches them."""
    where = f"To hear clips, say below where {escape_markdown(corpus or 'the corpus')} is."
    if corpus not in FETCH_COMMANDS:
        return where
    return f"{where} On the computer that runs segser, `{FETCH_COMMANDS[corpus]}` fetches it."


def system_title(info: ModelInfo) -> str:
    """Name a model's system as people say it."""
    return find_system(info.system).title


def model_title(info: ModelInfo) -> str:
    """Name a model as people say it, with the name that the command line knows."""
    title = system_title(info)
    return title if title.lower() == info.name else f"{title} ({info.name})"


def rule_title(rule: Aggregate, system: str) -> str:
    """Name a rule of aggregation, marked where it is the system's own."""
    return RULE_TITLES[rule] + (" (default)" if rule == find_system(system).rule else "")


def run_rule_titles(run: Run, other: Run | None) -> Callable[[str], str]:
    """Make a function that names the rules of one or two runs; `own` is named as the rule it is where they share it."""
    own = dict.fromkeys(RULE_TITLES[stored_rule(each)] for each in (run, other) if each is not None)
    own_title = f"own rule: {next(iter(own))}" if len(own) == 1 else "each run's own rule"
    return lambda name: own_title if name == "own" else RULE_TITLES[name]  # type: ignore[index]


def format_span(start_s: float, end_s: float) -> str:
    """Format where a span begins and ends in the recording."""
    return f"{start_s:.2f}–{end_s:.2f} s"


def segment_lines(prediction: Prediction) -> list[str]:
    """List the segments: the span of each, its label and confidence, and a star for the one that decided."""
    decided = prediction.deciding_segment
    return [
        f"{format_span(s.start_s, s.end_s)}: "
        + (f"{s.label} {s.confidence:.2f}{' ★' if s is decided else ''}" if s.is_heard else NO_SPEECH)
        for s in prediction.segments
    ]


def min_speech_title(share: str) -> str:
    """Name a share of speech, from 0 to 1."""
    return f"{float(share):.0%}" if float(share) else "keep all segments"


def label_or_none(prediction: Prediction) -> str:
    """Return a recording's label, or say that there is none without speech."""
    return prediction.label or NO_SPEECH


def label_origin(prediction: Prediction) -> str:
    """Say how probable a recording's label is, and by which rule it was found; nothing where no segment is speech."""
    if not prediction.label:
        return ""
    decided = prediction.deciding_segment
    span = f",  \n★ {format_span(decided.start_s, decided.end_s)}" if decided is not None else ""
    return f"with probability {prediction.confidence:.2f},  \nfrom the {RULE_TITLES[prediction.aggregate]}{span}"


def timeline_caption(prediction: Prediction, info: ModelInfo) -> str:
    """Say how to read the segments of a timeline: their context, that nobody labelled them, the training data."""
    labels = PROBE if prediction.is_probe else NO_LABELS
    return f":small[{HEARD_LINE} {CONTEXT_LINE[prediction.context]} {labels} {training_data([info])}]"


def comparison_caption(predictions: Sequence[Prediction], infos: Sequence[ModelInfo] = ()) -> str:
    """Say how to read the segments of two models side by side; without training data where `infos` is empty."""
    labels = [f"**{p.model}**: {PROBE if p.is_probe else NO_LABELS}" for p in predictions]
    context = CONTEXT_LINE[predictions[0].context]
    lines = [HEARD_LINE, context, *labels, *([training_data(infos)] if infos else [])]
    return "  \n".join(f":small[{line}]" for line in lines)


def training_data(infos: Sequence[ModelInfo]) -> str:
    """Say on which corpora models were trained."""
    known = [info.corpus_info for info in infos]
    corpora = dict.fromkeys(_heard_corpus(each) for each in known)
    return f"Trained on {' and '.join(corpora)}."


def _heard_corpus(info: CorpusInfo) -> str:
    if " + " in info.title and info.training_data:  # the words about several corpora name each
        return info.training_data
    return ": ".join(filter(None, (info.title, info.training_data)))


def disagreement_text(a: Prediction, b: Prediction) -> str:
    """Say how far two models differ on a recording."""
    if not a.label and not b.label:
        return "Neither names an emotion, since no segment is speech."
    labels = "the same emotion" if a.label == b.label else "**different emotions**"
    apart_s = sum(end - start for start, end in find_disagreements(a, b))
    extent = f"in {apart_s:.1f} of its {a.duration_s:.1f} s, shaded below (≠)" if apart_s else "nowhere within it"
    return f"For the recording they name {labels}; the segments differ {extent}."


def truth_text(predictions: Sequence[Prediction], truth: Sequence[Stretch]) -> str:
    """Say in which share of the known time each model's label over time is right, and which emotions it cannot name."""
    shares = [f"**{percent(share_of_time_right(p, truth))}{NO_BREAK}%**" for p in predictions]
    of_models = [f"{share} ({escape_markdown(p.model)})" for share, p in zip(shares, predictions, strict=True)]
    lines = [f"The label over time is right in {' and '.join(of_models if len(shares) > 1 else shares)} of the time."]
    unknown = [s.label for s in truth if not any(s.label in p.labels for p in predictions)]
    if unknown:
        names = ", ".join(escape_markdown(label) for label in dict.fromkeys(unknown))
        lines.append(f"No model here knows {names}, so that time counts as wrong.")
    return " ".join(lines)


def comparison_lines(a: Prediction, b: Prediction) -> list[tuple[TimeSpan, str]]:
    """List the spans that are a segment of either model.

    Returns:
        Each span with a line: when it is, each model's label, and a star where it decided for one of them.
    """
    labels_of: dict[TimeSpan, list[str]] = {}
    decided = {(p.deciding_segment.start_s, p.deciding_segment.end_s) for p in (a, b) if p.deciding_segment is not None}
    for prediction in (a, b):
        for segment in prediction.segments:
            label = segment.label if segment.is_heard else NO_SPEECH
            labels_of.setdefault((segment.start_s, segment.end_s), []).append(label)
    return [
        (span, f"{format_span(*span)}: {_join_labels(labels)}{' ★' if span in decided else ''}")
        for span, labels in sorted(labels_of.items())
    ]


def _join_labels(labels: list[str]) -> str:
    return labels[0] if len(set(labels)) == 1 else " ≠ ".join(labels)


def model_list(infos: Sequence[ModelInfo]) -> str:
    """List the bundled models, a line each, and what they were trained on."""
    lines = [f"- **{model_title(info)}**: {info.encoder}, {info.size_bytes / 1e6:.1f} MB" for info in infos]
    return "\n".join([*lines, "", training_data(infos)])


def model_card_text(info: ModelInfo) -> str:
    """Read the card beside a model as Markdown, with headings below those of the page."""
    file = info.checkpoint.parent / "README.md"
    card = file.read_text(encoding="utf-8") if file.is_file() else "This model has no card."
    body = re.sub(r"\A---\n.*?\n---\n", "", card, flags=re.DOTALL)  # the front matter, which is for machines
    return re.sub(r"^#", "###", body, flags=re.MULTILINE)


def model_score_row(info: ModelInfo) -> dict[str, str]:
    """Format a model's scores as a row of a table."""
    values = {"UAR": info.uar, "accuracy": info.accuracy, "macro F1": info.macro_f1}
    return {"model": info.name, **{name: percent(value) for name, value in values.items()}}


def analysed_count(analysed: int, files: int) -> str:
    """Say how many of several files could be analysed."""
    if analysed == files:
        return f"**{files} files.** Choose one to see its timeline below."
    if not analysed:
        return f"**None of the {files} files could be analysed.**"
    return f"**{analysed} of {files} files could be analysed.** Choose one to see its timeline below."


def turns_count(turns: Sequence[LabelledTurn]) -> str:
    """Say how many turns there are, and how to hear one."""
    speakers = {turn.speaker for turn in turns if turn.speaker}
    of = f" of {len(speakers)} speakers" if len(speakers) > 1 else ""
    return f"**{len(turns)} {'turn' if len(turns) == 1 else 'turns'}{of}.** Choose a row to hear it."


def refusal_text(reason: str) -> str:
    """Say in a cell of a table why a file is not analysed."""
    return f"Not analysed: {reason}"
