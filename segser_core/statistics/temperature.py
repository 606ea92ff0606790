"""Calibrate confidences by one temperature (Guo et al. 2017): softmax(z / T), T from development clips."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from segser_core.prediction.rules import aggregate_all
from segser_core.runs.class_indices import class_indices
from segser_core.systems import find_system

COLDEST, HOTTEST = 0.1, 10.0


def temper(p: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the logits behind probabilities by a temperature: (R, C) → (R, C).

    Example:
        >>> temper(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
        [[0.667, 0.333]]
    """
    logits = np.log(np.clip(p, 1e-30, None)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_calibration_temperature(predictions: pd.DataFrame, segments: pd.DataFrame, system: str) -> float:
    """Fit the temperature under which the labels of recordings are the most likely, by the system's rule.

    Args:
        predictions: a row a recording, with `utterance_id`, `label`, and `u_<class>` of the whole at temperature 1.
        segments: a row a segment, in the order of the recordings, with `p_<class>` at temperature 1.
        system: of the model.
    """
    labels = [column.removeprefix("u_") for column in predictions if column.startswith("u_")]
    true = class_indices(predictions["label"], labels)
    rule = find_system(system).rule
    whole = predictions[[f"u_{c}" for c in labels]].to_numpy(float)
    parts = segments[[f"p_{c}" for c in labels]].to_numpy(float)
    starts = np.flatnonzero(segments["segment"].to_numpy() == 0)

    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        p = (
            temper(whole, temperature)
            if rule == "utterance"
            else aggregate_all(temper(parts, temperature), starts, rule)[0]
        )
        return -float(np.log(np.clip(p[np.arange(len(true)), true], 1e-12, None)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=np.log([COLDEST, HOTTEST]), method="bounded").x))
