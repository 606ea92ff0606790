"""One temperature for all confidences, under the rule by which the label is found."""

import numpy as np
import pandas as pd
import pytest

from segser_core.statistics.temperature import fit_calibration_temperature, temper

LABELS = ("sad", "angry", "happy")


def softmax(z):
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def made(scale, n=4000, seed=0):
    """Clips of one segment whose logits are right, times a scale that makes them too sure or too unsure."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 2, (n, 3))
    truth = [draw.choice(3, p=p) for p in softmax(logits)]
    p = softmax(scale * logits)
    ids = [str(i) for i in range(n)]
    predictions = pd.DataFrame({"utterance_id": ids, "label": [LABELS[t] for t in truth]})
    segments = pd.DataFrame({"utterance_id": ids, "segment": 0})
    for k, label in enumerate(LABELS):
        predictions[f"u_{label}"] = p[:, k]
        segments[f"p_{label}"] = p[:, k]
    return predictions, segments


@pytest.mark.parametrize("system", ["baseline", "seg+tri-w"])
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_scale(system, scale):
    assert fit_calibration_temperature(*made(scale), system) == pytest.approx(scale, rel=0.08)


def test_tempering_keeps_the_order_and_sums_to_one():
    p = softmax(np.random.default_rng(1).normal(size=(50, 4)))
    hot = temper(p, 3.0)
    assert np.array_equal(hot.argsort(axis=1), p.argsort(axis=1))
    assert np.allclose(hot.sum(axis=1), 1)
    assert np.all(hot.max(axis=1) <= p.max(axis=1))
    assert np.allclose(temper(p, 1.0), p)
    assert np.allclose(temper(np.array([[1.0, 0.0]]), 2.0), [[1.0, 0.0]])


def test_a_recording_of_several_segments_is_judged_by_its_most_confident_one():
    predictions = pd.DataFrame({"utterance_id": ["a", "b"], "label": ["sad", "sad"]})
    segments = pd.DataFrame({"utterance_id": ["a", "a", "b"], "segment": [0, 1, 0]})
    for k, label in enumerate(LABELS):
        predictions[f"u_{label}"] = 1 / 3
        segments[f"p_{label}"] = [[0.9, 0.5, 0.9][i] if k == 0 else [0.05, 0.25, 0.05][i] for i in range(3)]
    assert fit_calibration_temperature(predictions, segments, "seg+tri-w") < 0.2  # always right: as cold as it may be
    assert fit_calibration_temperature(predictions, segments, "baseline") > 0.2
