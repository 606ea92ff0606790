"""Aggregate segments into one label and its probabilities, for one recording or for many."""

from typing import Literal, get_args

import numpy as np

from segser_core.errors import SettingError

Aggregate = Literal["utterance", "max", "mean", "vote", "top-k"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
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
