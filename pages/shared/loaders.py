"""What the pages load and keep: models for all visitors, everything that comes from a voice for its own session.

Nothing of a voice is written to disk, and a session's copies go when it ends.
"""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared.recordings import Recording
from pages.shared.words import plain
from segser_core.audio import SAMPLE_RATE_HZ, load_audio
from segser_core.errors import AudioError
from segser_core.prediction import Context, Prediction

if TYPE_CHECKING:
    from segser_core.predictor import Predictor

LONGEST_S = 30 * 60
MOST_FILES = 100
TOO_MANY = f"only {MOST_FILES} files are analysed at once; `python -m segser_core analyze` takes any number"


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

    def share(done_s: float) -> tuple[float, str]:
        return min(done_s / duration_s, 1.0), f"Listening: {done_s:.0f} of {duration_s:.0f} s"

    (found,) = _with_bar([recording], model, context, lambda _: share)
    if isinstance(found, str):
        raise AudioError(found)
    return found


def predict_each(recordings: Sequence[Recording], model: str, context: Context) -> list[Prediction | str]:
    """What a model says of each recording, or why it was refused; a progress bar runs over the files meanwhile."""
    taken = recordings[:MOST_FILES]

    def shares(place: int) -> Callable[[float], tuple[float, str]]:
        which = f"File {place + 1} of {len(taken)}: {plain(taken[place].name)}"
        return lambda done_s: (place / len(taken), f"{which}, {done_s:.0f} s heard")

    return [*_with_bar(taken, model, context, shares), *(TOO_MANY for _ in recordings[MOST_FILES:])]


def _with_bar(
    recordings: Sequence[Recording],
    model: str,
    context: Context,
    shares: Callable[[int], Callable[[float], tuple[float, str]]],
) -> list[Prediction | str]:
    """Analyse recordings; `shares` gives, by a recording's place, from seconds heard to the bar's share and text."""
    bar, outside, ready = st.empty(), copy_context(), predictor(model)

    def shown(place: int) -> Callable[[float], None]:
        # In the context of before the cached call, lest the bar be recorded and replayed with its result.
        share = shares(place)
        return lambda done_s: outside.run(bar.progress, *share(done_s))

    try:
        return [
            _prediction(r.sha256, r.name, model, context, r.data, ready, shown(i)) for i, r in enumerate(recordings)
        ]
    finally:
        bar.empty()


@st.cache_data(scope="session", max_entries=3, show_spinner="Reading the recording …")
def _samples(sha256: str, _data: bytes) -> np.ndarray:
    return load_audio(_data, max_duration_s=LONGEST_S)


@st.cache_data(scope="session", max_entries=4 * MOST_FILES, show_spinner=False)
def _prediction(sha256: str, name: str, model: str, context: Context, _data, _predictor, _progress) -> Prediction | str:
    """A prediction, or why there is none: a refusal is kept as well, lest a broken file be read at each click."""
    try:
        return _predictor.predict(_data, file=name, context=context, progress=_progress, max_duration_s=LONGEST_S)
    except AudioError as error:
        return str(error)
