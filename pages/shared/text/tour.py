"""The text of the tour: what to do, where, and what to ask."""

from dataclasses import dataclass, field

from segser_core.systems import BASELINE, DEFAULT_SYSTEM

PAIR = {"run": DEFAULT_SYSTEM, "other": BASELINE}
TIME = """
About twenty minutes on the bundled models and their runs; nothing has to be prepared. Each link opens a page in the
state that the step speaks of. Use recordings of a corpus, or the synthetic sample: the AI Act forbids inferring the
emotions of people in education, so a class never analyses its own voices.
"""


@dataclass(frozen=True)
class Step:
    """One step: its heading, what to do, where the link leads, and a question to talk about."""

    title: str
    text: str
    question: str
    page: str
    link: str
    address: dict[str, str] = field(default_factory=dict)


STEPS = (
    Step(
        "Hear when, not only what",
        "A synthetic voice speaks. Click the bars below the waveform, one by one, and listen: each is a "
        "**segment** of 1.6 s with the emotion that the model finds most probable. The ★ marks the one that decided.",
        "Nobody felt anything here, and the model still answers. What does its probability mean, then?",
        "pages/timeline.py",
        "Open the sample's timeline",
    ),
    Step(
        "Change the rule",
        "The same segments, another rule: under *Label from*, compare the most confident segment with the mean of all "
        "and with their vote. The model did not change, only the rule that makes one label of many.",
        "Which rule would you choose for a recording of a minute? What happens to the most confident segment as a "
        "recording grows longer?",
        "pages/timeline.py",
        "Open it under the mean of all segments",
        {"aggregate": "mean"},
    ),
    Step(
        "Ask how good it is, and how sure we are of that",
        "Both models on 208 clips of two actors whom they never heard. The bars are the share of each emotion's clips "
        "that was found, and the lines how far that could be chance. Choose another rule and watch the bars.",
        "Which differences would you report? Why is there no interval by speaker?",
        "pages/recall.py",
        "Open the recall of both models",
        PAIR,
    ),
    Step(
        "Go from the number to the clip",
        "These clips only one of the two models has wrong. Open one and see its timeline under both, with the segment "
        "that decided. To hear it, say where RAVDESS is.",
        "Can you tell from the timeline why it went wrong? Can you be sure?",
        "pages/mistakes.py",
        "Open clips that one has wrong",
        {**PAIR, "wrong": "this"},
    ),
    Step(
        "See what it must not be used for",
        "What the models were taught, what they cannot know, and what the law of the European Union forbids.",
        "What would have to be true for you to let such a model listen to somebody?",
        "pages/about.py",
        "Open the limits and the law",
    ),
)
