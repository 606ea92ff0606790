"""Aggregate segments into one label and its probabilities, for one recording or for many."""

from typing import Literal, get_args

import numpy as np

from segser_core.errors import SettingError

Aggregate = Literal["utterance", "max", "mean", "vote", "top-k"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
TOP_K = 3


def aggregate(utterance: np.ndarray | None, segments: np.ndarray, rule: Aggregate) -> tuple[int, np.ndarray]:
    """Aggregate the probabilities of a recording's parts to its label and probabilities.

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

    Example:
        >>> segments = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
        >>> aggregate(None, segments, "max")
        (0, array([0.9, 0.1]))
        >>> aggregate(None, segments, "vote")[0]
        1
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


def aggregate_all(p: np.ndarray, starts: np.ndarray, rule: Aggregate) -> tuple[np.ndarray, np.ndarray]:
    """Aggregate many recordings at once, by any rule but `utterance`.

    Args:
        p: (R, C) the probabilities of all segments, those of a recording beside one another, in order.
        starts: (U,) the place of each recording's first segment.
        rule: `max`, `mean`, `vote` or `top-k`.

    Returns:
        (U, C) probabilities and (U,) the index of the label.

    Example:
        >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
        >>> aggregate_all(p, np.array([0, 2]), "max")  # the first two segments are of one recording
        (array([[0.9, 0.1],
               [0.3, 0.7]]), array([0, 1]))
    """
    counts = np.diff(starts, append=len(p))
    mean = np.add.reduceat(p, starts) / counts[:, None]
    if rule == "mean":
        return mean, mean.argmax(axis=1)
    if rule == "vote":
        shares = np.add.reduceat(np.eye(p.shape[1])[p.argmax(axis=1)], starts) / counts[:, None]
        tied = np.where(shares == shares.max(axis=1, keepdims=True), mean, -1.0)
        return shares, p.shape[1] - 1 - tied[:, ::-1].argmax(axis=1)  # of equals the last, as lexsort has it
    best = rank_by_confidence(p, starts)
    if rule == "max":
        return p[best[starts]], p[best[starts]].argmax(axis=1)
    rank = np.arange(len(p)) - np.repeat(starts, counts)
    top = np.where((rank < TOP_K)[:, None], p[best], 0.0)
    found = np.add.reduceat(top, starts) / np.minimum(counts, TOP_K)[:, None]
    return found, found.argmax(axis=1)


def rank_by_confidence(p: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Rank each recording's segments from the most confident down, the first of equals first: (R,) indices."""
    recording = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(p)))
    return np.lexsort((np.arange(len(p)), -p.max(axis=1), recording))
