"""Intervals of UAR from 10 000 resamples of 5531 utterances, ours and by what a user would pick instead.

    python -m benchmarks.resampling

The labels are four classes of IEMOCAP's sizes, three in four predicted right. Ours gives the intervals of UAR,
accuracy, macro F1 and every recall at once, the others that of UAR alone. They take `--their-resamples` of
them, and their time is scaled up.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from benchmarks.turns import alternate, publish, ratio
from segser_core.statistics.bootstrap import RESAMPLES, Interval, group_utterances, score_intervals

SIZES = (1708, 1636, 1103, 1084)  # neutral, happy with excited, angry, sad
RIGHT = 0.75


def utterances(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions, (5531,) each."""
    generator, labels = np.random.default_rng(seed), np.repeat(np.arange(len(SIZES)), SIZES)
    guesses = generator.integers(0, len(SIZES), len(labels))
    return labels, np.where(generator.random(len(labels)) < RIGHT, labels, guesses)


def ours(labels: np.ndarray, predicted: np.ndarray, seed: int) -> Interval:
    """From predictions to the interval of UAR, and all others with it."""
    return score_intervals(group_utterances(labels, [predicted[:, None]], len(SIZES)), np.random.default_rng(seed)).uar


def by_package(labels: np.ndarray, predicted: np.ndarray, resamples: int) -> Interval:
    """The package `confidence_intervals` with scikit-learn's metric."""
    from confidence_intervals import evaluate_with_conf_int

    _, (low, high) = evaluate_with_conf_int(predicted, balanced_accuracy_score, labels, num_bootstraps=resamples)
    return Interval(low, high)


def by_loop(labels: np.ndarray, predicted: np.ndarray, resamples: int, seed: int) -> Interval:
    """scikit-learn's metric in a loop."""
    generator, n = np.random.default_rng(seed), len(labels)
    drawn = [generator.integers(0, n, n) for _ in range(resamples)]
    low, high = np.quantile([balanced_accuracy_score(labels[i], predicted[i]) for i in drawn], [0.025, 0.975])
    return Interval(float(low), float(high))


def main() -> None:
    """Both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--their-resamples", type=int, default=200)
    parser.add_argument("--turns", type=int, default=9)
    asked = parser.parse_args()
    labels, predicted = utterances()
    kept: dict[str, Interval] = {}
    sides: dict[str, Callable[[int], Any]] = {
        "ours": lambda turn: kept.update(ours=ours(labels, predicted, turn)),
        "package": lambda turn: kept.update(package=by_package(labels, predicted, asked.their_resamples)),
        "loop": lambda turn: kept.update(loop=by_loop(labels, predicted, asked.their_resamples, turn)),
    }
    alternate([0], sides)
    times = alternate(range(asked.turns), sides)
    scale = RESAMPLES / asked.their_resamples
    against = {"package": "the package `confidence_intervals`", "loop": "scikit-learn in a loop"}

    def said(name: str) -> str:
        a, b = (f"{100 * kept[side].low:.1f} to {100 * kept[side].high:.1f}" for side in ("ours", name))
        return f"theirs scaled from {asked.their_resamples}; UAR {a}, theirs {b}"

    what = f"{RESAMPLES} resamples of {len(labels)} utterances"
    figures = []
    for name, whom in against.items():
        theirs = [scale * t for t in times[name]]
        figures.append(ratio(what, whom, theirs, times["ours"], "≥ 200 ×", said(name)))
    publish("resampling", figures)


if __name__ == "__main__":
    main()
