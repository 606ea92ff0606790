"""The seven systems of the paper's Table 1: what each is trained with, and how its label is found."""

from dataclasses import dataclass
from typing import Literal

TripletUnit = Literal["utterances", "segments"]
Frames = Literal["tuned", "layer-mix", "rectified"]


@dataclass(frozen=True)
class System:
    """What tells one system from the others.

    Attributes:
        name: in settings, runs and addresses.
        title: for people.
        segments: whether the loss holds segments (Eq. 3).
        triplets: what the triplet loss (Eq. 2) compares, if there is one.
        frames: how the encoder gives frames: all its layers `tuned`; a learned mix of its frozen layers (`layer-mix`);
            or tuned above a frozen stem and `rectified` by a ReLU.
        pretrained_in_stages: whether the encoder goes through the stages of P-TAPT before it is tuned.
    """

    name: str
    title: str
    segments: bool = False
    triplets: TripletUnit | None = None
    frames: Frames = "tuned"
    pretrained_in_stages: bool = False

    @property
    def rule(self) -> Literal["utterance", "max"]:
        """Name the rule of aggregation by which the label is found unless another is asked for."""
        return "max" if self.segments else "utterance"


SYSTEMS = {  # in the order of the paper's Table 1
    system.name: system
    for system in (
        System("p-tapt", "P-TAPT", frames="rectified", pretrained_in_stages=True),
        System("layer-average", "Layer average", frames="layer-mix"),
        System("baseline", "Baseline"),
        System("seg", "Segments", segments=True),
        System("tri-w", "Triplets", triplets="utterances"),
        System("seg+tri-s", "Segments + triplets (S)", segments=True, triplets="segments"),
        System("seg+tri-w", "Segments + triplets", segments=True, triplets="utterances"),
    )
}
BASELINE = "baseline"
DEFAULT_SYSTEM = "seg+tri-w"
DEFAULT_MIN_SPEECH = 0.3  # the share of a segment that has to be speech for it to count: docs/speech.md


def find_system(name: str) -> System:
    """Look a system up by its name; one that is not of the paper counts as trained on utterances alone."""
    return SYSTEMS.get(name) or System(name, name)
