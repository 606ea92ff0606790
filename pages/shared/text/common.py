"""What the pages say of models, rules and segments, in one place and in plain language."""

import re
from collections.abc import Callable, Sequence

from segser_core.formatting import percent
from segser_core.inference.models import ModelInfo
from segser_core.prediction.prediction import Context, Prediction, Segment
from segser_core.prediction.rules import Aggregate
from segser_core.prediction.timeline import Stretch, disagreements
from segser_core.runs.reaggregate import own_rule
from segser_core.runs.run import Run
from segser_core.systems import system_of

RULES: dict[Aggregate, str] = {
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
NOTHING_YET = "No recording yet: choose one above, or go back to the sample."
CONTEXTS: dict[Context, str] = {"clip": "in context", "segment": "in isolation"}
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
CORPORA = {"ravdess": "RAVDESS: speech and song of 20 actors who were asked to show an emotion, in two sentences"}
NO_LABELS = (
    "Segments have no labels of their own: in training each took its recording's, and nobody checked that it fits."
)
PROBE = (
    "Segments are **a probe**: this model never met one in training, and by its own rule none decides. "
    "They have no labels of their own to be checked against."
)


def plain(text: str) -> str:
    """Text from outside, such as a file's name, so that Markdown shows it letter by letter."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def system(info: ModelInfo) -> str:
    """A model's system, as people say it."""
    return system_of(info.system).title


def model_name(info: ModelInfo) -> str:
    """A model as people say it, and the name that the command line knows."""
    said = system(info)
    return said if said.lower() == info.name else f"{said} ({info.name})"


def rule(name: Aggregate, system: str) -> str:
    """A rule of aggregation, marked where it is the system's own."""
    return RULES[name] + (" (default)" if name == system_of(system).rule else "")


def run_rule(run: Run, other: Run | None) -> Callable[[str], str]:
    """The rules of aggregation of one or two runs; `own` is said as what it is where they share it."""
    own = dict.fromkeys(RULES[own_rule(each)] for each in (run, other) if each is not None)
    said = f"own rule: {next(iter(own))}" if len(own) == 1 else "each run's own rule"
    return lambda name: said if name == "own" else RULES[name]  # type: ignore[index]


def span(segment: Segment) -> str:
    """A segment's place in the recording."""
    return f"{segment.start_s:.2f}–{segment.end_s:.2f} s"


def segment_lines(prediction: Prediction) -> list[str]:
    """The segments as a list: where each is, what is heard in it, and a star for the one that decided."""
    decided = prediction.deciding
    return [f"{span(s)}: {s.label} {s.confidence:.2f}{' ★' if s is decided else ''}" for s in prediction.segments]


def verdict(prediction: Prediction) -> str:
    """Where a recording's label comes from."""
    where = f",  \n★ {span(prediction.deciding)}" if prediction.deciding is not None else ""
    return f"with probability {prediction.confidence:.2f},  \nfrom the {RULES[prediction.aggregate]}{where}"


def below_timeline(prediction: Prediction, info: ModelInfo) -> str:
    """What must be known to read segments: their context, that nobody labelled them, what the model was taught."""
    return f":small[{CONTEXT_LINE[prediction.context]} {PROBE if prediction.is_probe else NO_LABELS} {taught([info])}]"


def below_comparison(predictions: Sequence[Prediction], infos: Sequence[ModelInfo] = ()) -> str:
    """The same for two models side by side; without what they were trained on where that is not known."""
    each = [f"**{p.model}**: {PROBE if p.is_probe else NO_LABELS}" for p in predictions]
    lines = [CONTEXT_LINE[predictions[0].context], *each, *([taught(infos)] if infos else [])]
    return "  \n".join(f":small[{line}]" for line in lines)


def taught(infos: Sequence[ModelInfo]) -> str:
    """What models were trained on."""
    corpora = dict.fromkeys(CORPORA.get(info.corpus, info.corpus) for info in infos)
    return f"Trained on {' and '.join(corpora)}."


def disagreement(a: Prediction, b: Prediction) -> str:
    """How far two models differ on a recording."""
    labels = "the same emotion" if a.label == b.label else "**different emotions**"
    apart_s = sum(end - start for start, end in disagreements(a, b))
    stretches = f"in {apart_s:.1f} of its {a.duration_s:.1f} s, shaded below (≠)" if apart_s else "nowhere within it"
    return f"For the recording they name {labels}; the segments differ {stretches}."


def both_lines(a: Prediction, b: Prediction) -> list[tuple[Stretch, str]]:
    """Each stretch that is a segment of either model, what each hears in it, and a star where it decided for one."""
    heard: dict[Stretch, list[str]] = {}
    decided = {(p.deciding.start_s, p.deciding.end_s) for p in (a, b) if p.deciding is not None}
    for prediction in (a, b):
        for segment in prediction.segments:
            heard.setdefault((segment.start_s, segment.end_s), []).append(segment.label)
    return [
        ((start, end), f"{start:.2f}–{end:.2f} s: {_pair(labels)}{' ★' if (start, end) in decided else ''}")
        for (start, end), labels in sorted(heard.items())
    ]


def _pair(labels: list[str]) -> str:
    return labels[0] if len(set(labels)) == 1 else " ≠ ".join(labels)


def model_list(infos: Sequence[ModelInfo]) -> str:
    """The bundled models, a line each, and what they were trained on."""
    lines = [f"- **{model_name(info)}**: {info.encoder}, {info.size_bytes / 1e6:.1f} MB" for info in infos]
    return "\n".join([*lines, "", taught(infos)])


def card(info: ModelInfo) -> str:
    """The model card that lies beside a model."""
    file = info.checkpoint.parent / "README.md"
    text = file.read_text(encoding="utf-8") if file.is_file() else "This model has no card."
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)  # what machines read of it
    return re.sub(r"^#", "###", body, flags=re.MULTILINE)  # headings below those of the page


def scores(info: ModelInfo) -> dict[str, str]:
    """A row of the table of scores."""
    figures = {"UAR": info.uar, "accuracy": info.accuracy, "macro F1": info.macro_f1}
    return {"model": info.name, **{name: percent(value) for name, value in figures.items()}}


def files_heard(heard: int, files: int) -> str:
    """How many of several files could be analysed."""
    if heard == files:
        return f"**{files} files.** Choose one to see its timeline below."
    if not heard:
        return f"**None of the {files} files could be analysed.**"
    return f"**{heard} of {files} files could be analysed.** Choose one to see its timeline below."


def refused(why: str) -> str:
    """Why a file is not analysed, as a cell of a table."""
    return f"Not analysed: {why}"
