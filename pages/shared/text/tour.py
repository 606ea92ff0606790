"""Text of the tour: what to do, where, and what to ask."""

from dataclasses import dataclass, field

from segser_core.systems import BASELINE, DEFAULT_SYSTEM

BUNDLED_RUNS = {"run": DEFAULT_SYSTEM, "other": BASELINE}
PREPARATION = """
About twenty minutes on the bundled models and their runs; nothing has to be prepared. Each link opens a page in the
state that the step speaks of. Use recordings of a corpus, or the synthetic sample: the AI Act forbids inferring the
emotions of people in education, so a class never analyses its own voices.
"""


@dataclass(frozen=True)
class TourStep:
    """A step of the tour.

    Attributes:
        title: its heading.
        text: what to do.
        question: to talk about.
        page: the file where the link leads.
        link: what the link says.
        address: the values with which it opens the page.
    """

    title: str
    text: str
    question: str
    page: str
    link: str
    address: dict[str, str] = field(default_factory=dict)


STEPS = (
    TourStep(
        title="Hear when, not only what",
        text=(
            "A synthetic voice speaks. Click the bars below the waveform, one by one, and listen: each "
            "is a **segment** of 1.6 s with the emotion that the model finds most probable. The ★ marks the one that "
            "decided."
        ),
        question="Nobody felt anything here, and the model still answers. What does its probability mean, then?",
        page="pages/timeline.py",
        link="Open the sample's timeline",
    ),
    TourStep(
        title="Change the rule",
        text=(
            "The same segments, another rule: under *Label from*, compare the most confident segment with the mean of "
            "all and with their vote. The model did not change, only the rule that makes one label of many."
        ),
        question=(
            "Which rule would you choose for a recording of a minute? What happens to the most confident segment as a "
            "recording grows longer?"
        ),
        page="pages/timeline.py",
        link="Open it under the mean of all segments",
        address={"aggregate": "mean"},
    ),
    TourStep(
        title="Ask how good it is, and how sure we are of that",
        text=(
            "Both models on 1622 clips of 20 speakers whom they never heard, of three corpora. The bars are the share "
            "of each emotion's clips that was found, and the lines how far that could be chance. Choose another rule, "
            "or one corpus, and watch the bars."
        ),
        question="Which differences would you report? Why is the interval by speaker wider than that by clip?",
        page="pages/recall.py",
        link="Open the recall of both models",
        address=BUNDLED_RUNS,
    ),
    TourStep(
        title="Go from the number to the clip",
        text=(
            "These clips only one of the two models has wrong. Open one and see its timeline under both, with the "
            "segment that decided. To hear it, say where the corpora are."
        ),
        question="Can you tell from the timeline why it went wrong? Can you be sure?",
        page="pages/mistakes.py",
        link="Open clips that one has wrong",
        address={**BUNDLED_RUNS, "wrong": "this"},
    ),
    TourStep(
        title="See what it must not be used for",
        text="What the models were taught, what they cannot know, and what the law of the European Union forbids.",
        question="What would have to be true for you to let such a model listen to somebody?",
        page="pages/about.py",
        link="Open the limits and the law",
    ),
)
