"""Simulate labels, predictions and speakers of known accuracy."""

import numpy as np


def simulate_predictions(generator, n=300, n_classes=4, right=0.6, columns=1):
    """Draw labels and predictions that are right for a share of them."""
    labels = generator.choice(n_classes, n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum())
    hit = generator.random((n, columns)) < right
    return labels, np.where(hit, labels[:, None], generator.integers(0, n_classes, (n, columns)))


def simulate_ten_speakers(seed=20, seeds=1):
    """Draw clips of ten speakers, 30 each, who differ in how well they are understood."""
    generator = np.random.default_rng(seed)
    who = np.repeat(np.arange(10), 30)
    labels = generator.integers(0, 3, 300)
    hit = generator.random((300, seeds)) < np.linspace(0.3, 0.9, 10)[who][:, None]
    return who, labels, np.where(hit, labels[:, None], (labels[:, None] + 1) % 3)
