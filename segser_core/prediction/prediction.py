"""Dataclasses of a prediction, which exports, figures and pages know.

Nothing here needs torch. A `Prediction` holds the probabilities of the whole utterance and
of every segment, so that another rule of aggregation needs no second pass through the model.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from segser_core.prediction.rules import Aggregate, aggregate
from segser_core.systems import find_system

Context = Literal["clip", "segment"]
CONTEXTS: tuple[Context, ...] = get_args(Context)


@dataclass(frozen=True)
class Segment:
    """A segment of the recording, from `start_s` to `end_s` seconds, and its probabilities.

    `speech` is false where too little of it is speech: such a segment decides nothing. None where nobody looked.
    """

    index: int
    start_s: float
    end_s: float
    probabilities: dict[str, float]
    speech: bool | None = field(default=None, kw_only=True)

    @property
    def is_heard(self) -> bool:
        """Check that the segment counts: that it is speech, as far as is known."""
        return self.speech is not False

    @property
    def label(self) -> str:
        """Return the most probable emotion."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """Return the probability of the label, 0 to 1."""
        return self.probabilities[self.label]


@dataclass(frozen=True)
class LabelledTurn(Segment):
    """A turn of speech, its probabilities, and speaker and text where the turns file has them."""

    speaker: str = ""
    text: str = ""


@dataclass(frozen=True)
class Prediction:
    """The prediction of one model for one recording, under one rule of aggregation.

    `utterance` holds the head's probabilities on the mean of all frames, empty where only segments
    were heard; `label` and `probabilities` are what the rule makes of it and of the segments. `turns` is None where
    none were asked for. `channel` and `track` count from 1, and are None where none was chosen.
    Where no segment is speech, the label is empty, and so are the probabilities.
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
    turns: tuple[LabelledTurn, ...] | None = None
    channel: int | None = None
    track: int | None = None

    @property
    def confidence(self) -> float:
        """Return the probability of the label, 0 to 1; 0 where there is none."""
        return self.probabilities.get(self.label, 0.0)

    @property
    def heard_segments(self) -> tuple[Segment, ...]:
        """Return the segments that count: those that are speech, as far as is known."""
        return tuple(s for s in self.segments if s.is_heard)

    @property
    def deciding_segment(self) -> Segment | None:
        """Return the segment whose probabilities became the recording's; None but under `max`."""
        return max(self.heard_segments, key=lambda s: s.confidence, default=None) if self.aggregate == "max" else None

    @property
    def is_probe(self) -> bool:
        """Check whether training never met a segment, so that the segments are a probe."""
        return not find_system(self.system).segments

    def with_rule(self, rule: Aggregate) -> "Prediction":
        """Aggregate the same recording and model under another rule."""
        return self._aggregated(rule) if self.heard_segments else replace(self, aggregate=rule)

    def _aggregated(self, rule: Aggregate) -> "Prediction":
        """Aggregate the segments that are speech; all of them where none is."""
        utterance = np.array([self.utterance[c] for c in self.labels]) if self.utterance else None
        segments = np.array([[s.probabilities[c] for c in self.labels] for s in self.heard_segments or self.segments])
        index, p = aggregate(utterance, segments, rule)
        return replace(
            self,
            aggregate=rule,
            label=self.labels[index],
            probabilities=dict(zip(self.labels, p.tolist(), strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert to the object that the command line prints as JSON, numbers not rounded.

        Of a recording without speech it holds what the model would name all the same, and `speech` is false.
        """
        keys = ("file", "duration_s", "model", "labels", "label", "confidence", "probabilities", "aggregate", "context")
        of_segments = ("index", "start_s", "end_s", "label", "confidence", "probabilities")
        chosen = {k: getattr(self, k) for k in ("channel", "track") if getattr(self, k) is not None}
        named = self if self.label else self._aggregated(self.aggregate)
        found = {
            **{k: getattr(named, k) for k in keys},
            **({} if self.label else {"speech": False}),
            **chosen,
            "warnings": list(self.warnings),
            "segments": [_to_object(s, of_segments) for s in self.segments],
        }
        if self.turns is not None:
            of_turns = (*of_segments[:3], "speaker", "text", *of_segments[3:])
            found["turns"] = [_to_object(turn, of_turns) for turn in self.turns]
        return found


def _to_object(segment: Segment, keys: tuple[str, ...]) -> dict[str, Any]:
    """Convert a segment or turn to its object in JSON, with `speech` where it is known."""
    told = {} if segment.speech is None else {"speech": segment.speech}
    return {**{k: getattr(segment, k) for k in keys}, **told}
