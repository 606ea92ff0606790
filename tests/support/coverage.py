"""Simulate experiments whose true UAR is known, and make the interval of each.

The estimand is the UAR that the models would reach on endlessly many clips:

- By utterance: N clips, each on its own. Its class is drawn with shares 0.3, 0.2, 0.2, 0.3 (about
  IEMOCAP's); it is found with probability 0.75, 0.5, 0.6, 0.7, and otherwise taken for one of the
  other three at random. True UAR 0.6375.
- By speaker: G speakers of a population. A speaker has Poisson many clips (mean 5531 / G, at least one),
  class shares of their own (Dirichlet, 10 times those above), and an ability: with probability
  logistic(m_c + a + e_c) a clip of class c is found, a ~ N(0, 0.5²) for the speaker and e_c ~ N(0, 0.3²)
  for the speaker and class. True recall is the mean of this over speakers, and UAR the mean over classes.
"""

import numpy as np

from segser_core.statistics.bootstrap import Interval, ResamplingUnits, score_intervals

CLASS_SHARES = np.array([0.3, 0.2, 0.2, 0.3])
CLASS_RECALL = np.array([0.75, 0.5, 0.6, 0.7])
N_CLASSES = len(CLASS_SHARES)
SPEAKER_SD, SPEAKER_CLASS_SD = 0.5, 0.3
CLIPS = 5531
CELLS = np.eye(N_CLASSES**2).reshape(-1, 1, N_CLASSES, N_CLASSES)


def prediction_chances(found: np.ndarray) -> np.ndarray:
    """Spread (..., C) chances of being found to (..., C, C): the rest goes evenly to the other classes."""
    right = np.eye(N_CLASSES)
    return found[..., None] * right + (1 - found[..., None]) * (1 - right) / (N_CLASSES - 1)


def simulate_utterances(n: int, generator: np.random.Generator) -> ResamplingUnits:
    """Draw the predictions of n independent clips."""
    return by_cell(generator.multinomial(n, (CLASS_SHARES[:, None] * prediction_chances(CLASS_RECALL)).ravel()))


def simulate_speakers(n: int, generator: np.random.Generator) -> ResamplingUnits:
    """Draw the predictions of the clips of n speakers, by speaker."""
    clips = np.maximum(1, generator.poisson(CLIPS / n, n))
    true = generator.multinomial(clips, generator.dirichlet(10 * CLASS_SHARES, n))  # (G, C)
    ability = generator.normal(0, SPEAKER_SD, (n, 1)) + generator.normal(0, SPEAKER_CLASS_SD, (n, N_CLASSES))
    found = logistic(np.log(CLASS_RECALL / (1 - CLASS_RECALL)) + ability)
    confusions = generator.multinomial(true, prediction_chances(found))  # (G, C, C)
    return ResamplingUnits(np.ones(n, dtype=np.int64), confusions[:, None].astype(np.float32), by_speaker=True)


def by_cell(counts: np.ndarray) -> ResamplingUnits:
    """Group independent clips by the cells of a confusion matrix, (C²,)."""
    there = counts > 0
    return ResamplingUnits(counts[there], CELLS[there].astype(np.float32))


def logistic(x: np.ndarray) -> np.ndarray:
    """Compute 1 / (1 + e^−x)."""
    return 1 / (1 + np.exp(-x))


def true_uar_of_speakers() -> float:
    """Integrate the mean recall over the population of speakers, by Gauss and Hermite's quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    logits = np.log(CLASS_RECALL / (1 - CLASS_RECALL))[:, None] + np.hypot(SPEAKER_SD, SPEAKER_CLASS_SD) * nodes
    return float((logistic(logits) @ (weights / weights.sum())).mean())


def simulate_intervals(
    n: int, by_speaker: bool, times: int, resamples: int, seed: int = 0
) -> tuple[list[Interval], list[Interval]]:
    """Make intervals of UAR in as many experiments: as asked for, and by utterance.

    Args:
        n: utterances, or speakers.
        by_speaker: which of the two.
        times: how many experiments.
        resamples: of each.
        seed: of all draws.
    """
    generator = np.random.default_rng([seed, n])
    asked, by_utterance = [], []
    for _ in range(times):
        of = (simulate_speakers if by_speaker else simulate_utterances)(n, generator)
        asked.append(score_intervals(of, generator, resamples).uar)
        if by_speaker:
            by_utterance.append(score_intervals(by_cell(of.observed.ravel()), generator, resamples).uar)
    return asked, by_utterance or asked


def coverage_of(of: list[Interval], truth: float) -> float:
    """Compute the share of intervals that hold the truth."""
    return float(np.mean([i.low <= truth <= i.high for i in of]))
