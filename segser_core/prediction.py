"""What a model says of a recording: the dataclasses that exports, figures and pages know.

Nothing here needs torch. A `Prediction` holds the probabilities of the whole utterance and
of every segment, so that another rule of aggregation needs no second pass through the model.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from segser_core.errors import SettingError
from segser_core.systems import system_of

Aggregate = Literal["utterance", "max", "mean", "vote", "top-k"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
Context = Literal["clip", "segment"]
CONTEXTS: tuple[Context, ...] = get_args(Context)
TOP_K = 3


def aggregate(utterance: np.ndarray | None, segments: np.ndarray, rule: Aggregate) -> tuple[int, np.ndarray]:
    """Label and probabilities of a recording, from those of its parts.

    Args:
        utterance: (C,) probabilities of the head on the mean of all frames; None where only segments were heard.
        segments: (S, C) probabilities of the segments, S >= 1.
        rule: `utterance`; `max`, the most confident segment (the paper's section 3.1), the
            first of equals; `mean` of the segments; `vote`, shares of the segments' labels,
            ties by the mean; `top-k`, mean of the three most confident.

    Returns:
        Index of the label, and (C,) probabilities that sum to 1.

    Raises:
        SettingError: the rule has no such name, or asks for the utterance, which was not heard.
    """
    if rule == "utterance":
        if utterance is None:
            raise SettingError("only segments were heard: analyse again with the rule utterance, or with none named")
        p = utterance
    elif rule == "max":
        p = segments[segments.max(axis=1).argmax()]
    elif rule == "mean":
        p = segments.mean(axis=0)
    elif rule == "vote":
        p = np.bincount(segments.argmax(axis=1), minlength=segments.shape[1]) / len(segments)
        return int(np.lexsort((segments.mean(axis=0), p))[-1]), p
    elif rule == "top-k":
        most_confident = np.argsort(-segments.max(axis=1), kind="stable")[:TOP_K]
        p = segments[most_confident].mean(axis=0)
    else:
        raise SettingError(f"aggregation {rule!r} is unknown; choose one of {', '.join(AGGREGATES)}")
    return int(p.argmax()), p


@dataclass(frozen=True)
class Segment:
    """A stretch of the recording, from `start_s` to `end_s` seconds, and what the model hears in it."""

    index: int
    start_s: float
    end_s: float
    probabilities: dict[str, float]

    @property
    def label(self) -> str:
        """The most probable emotion."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """The probability of the label, 0 to 1."""
        return self.probabilities[self.label]


@dataclass(frozen=True)
class Prediction:
    """All that one model says of one recording, under one rule of aggregation.

    `utterance` holds the head's probabilities on the mean of all frames, empty where only segments
    were heard; `label` and `probabilities` are what the rule makes of it and of the segments.
    """

    file: str
    duration_s: float
    model: str
    system: str
    labels: tuple[str, ...]
    label: str
    probabilities: dict[str, float]
    utterance: dict[str, float]
    aggregate: Aggregate
    context: Context
    warnings: tuple[str, ...]
    segments: tuple[Segment, ...]

    @property
    def confidence(self) -> float:
        """The probability of the label, 0 to 1."""
        return self.probabilities[self.label]

    @property
    def deciding(self) -> Segment | None:
        """The segment whose probabilities became the recording's: only under `max` is there one."""
        return max(self.segments, key=lambda s: s.confidence) if self.aggregate == "max" else None

    @property
    def is_probe(self) -> bool:
        """Whether the model never met a segment in training, so that its segments are a probe."""
        return not system_of(self.system).segments

    def under(self, rule: Aggregate) -> "Prediction":
        """The same recording and model under another rule of aggregation."""
        utterance = np.array([self.utterance[c] for c in self.labels]) if self.utterance else None
        segments = np.array([[s.probabilities[c] for c in self.labels] for s in self.segments])
        index, p = aggregate(utterance, segments, rule)
        return replace(
            self,
            aggregate=rule,
            label=self.labels[index],
            probabilities=dict(zip(self.labels, p.tolist(), strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The recording as the command line's JSON has it, numbers not rounded."""
        keys = ("file", "duration_s", "model", "labels", "label", "confidence", "probabilities", "aggregate", "context")
        return {
            **{k: getattr(self, k) for k in keys},
            "warnings": list(self.warnings),
            "segments": [
                {k: getattr(s, k) for k in ("index", "start_s", "end_s", "label", "confidence", "probabilities")}
                for s in self.segments
            ],
        }
