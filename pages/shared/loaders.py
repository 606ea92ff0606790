"""What the pages load and keep: models for all visitors, everything that comes from a voice for its own session.

Nothing of a voice is written to disk, and a session's copies go when it ends.
"""

from contextvars import copy_context
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared.recordings import Recording
from segser_core.audio import SAMPLE_RATE_HZ, load_audio
from segser_core.prediction import Context, Prediction

if TYPE_CHECKING:
    from segser_core.predictor import Predictor

LONGEST_S = 30 * 60


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def predictor(model: str) -> "Predictor":
    """A bundled model, ready to analyse; shared, since it keeps nothing between calls."""
    from segser_core.predictor import Predictor  # torch takes seconds: the page is there before it

    return Predictor.from_pretrained(model)


def samples_of(recording: Recording) -> np.ndarray:
    """A recording's samples at 16 kHz, decoded once a session."""
    return _samples(recording.sha256, recording.data)


def predict(recording: Recording, samples: np.ndarray, model: str, context: Context) -> Prediction:
    """What a model says of a recording under its own rule, analysed once a session, with a progress bar meanwhile."""
    duration_s = len(samples) / SAMPLE_RATE_HZ
    bar, outside = st.empty(), copy_context()

    def show(done_s: float) -> None:
        share = min(done_s / duration_s, 1.0)
        # In the context of before the cached call, lest the bar be recorded and replayed with its result.
        outside.run(bar.progress, share, text=f"Listening: {done_s:.0f} of {duration_s:.0f} s")

    ready = predictor(model)
    try:
        return _prediction(recording.sha256, recording.name, model, context, recording.data, ready, show)
    finally:
        bar.empty()


@st.cache_data(scope="session", max_entries=3, show_spinner="Reading the recording …")
def _samples(sha256: str, _data: bytes) -> np.ndarray:
    return load_audio(_data, max_duration_s=LONGEST_S)


@st.cache_data(scope="session", max_entries=16, show_spinner=False)
def _prediction(sha256: str, name: str, model: str, context: Context, _data, _predictor, _progress) -> Prediction:
    return _predictor.predict(_data, file=name, context=context, progress=_progress)
