"""What the pages load and keep: models for all visitors, everything that comes from a voice for its own session.

Nothing of a voice is written to disk, and a session's copies go when it ends.
"""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared.recording.queue import Turns
from pages.shared.recording.recording import Recording
from pages.shared.text.common import plain
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.prediction.prediction import Context, Prediction

if TYPE_CHECKING:
    from segser_core.inference.predictor import Predictor


LONGEST_S = 30 * 60
MOST_FILES = 100
TURNS = Turns()
TOO_MANY = f"only {MOST_FILES} files are analysed at once; `python -m segser_core analyze` takes any number"


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def predictor(model: str) -> "Predictor":
    """A bundled model, ready to analyse; shared, since it keeps nothing between calls."""
    from segser_core.inference.predictor import Predictor  # torch takes seconds: the page is there before it

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
    place, outside, ready = st.empty(), copy_context(), predictor(model)

    def show(share: float, text: str) -> None:
        # In the context of before the cached call, lest the bar be recorded and replayed with its result.
        outside.run(place.progress, share, text)

    try:
        return [
            _prediction(r.sha256, r.name, model, context, r.data, ready, _Bar(shares(i), show))
            for i, r in enumerate(recordings)
        ]
    finally:
        place.empty()


@dataclass
class _Bar:
    """The progress bar of one recording: what is heard of it, or how many analyses are before its next part."""

    share: Callable[[float], tuple[float, str]]
    show: Callable[[float, str], None]
    heard_s: float = 0.0

    def heard(self, done_s: float) -> None:
        self.heard_s = done_s
        self.show(*self.share(done_s))

    def wait(self, ahead: int) -> None:
        share, text = self.share(self.heard_s)
        self.show(share, f"{text}. In line: {ahead} before this one")


@st.cache_data(scope="session", max_entries=3, show_spinner="Reading the recording …")
def _samples(sha256: str, _data: bytes) -> np.ndarray:
    return load_audio(_data, max_duration_s=LONGEST_S)


@st.cache_data(scope="session", max_entries=4 * MOST_FILES, show_spinner=False)
def _prediction(sha256: str, name: str, model: str, context: Context, _data, _predictor, _bar) -> Prediction | str:
    """A prediction, or why there is none: a refusal is kept as well, lest a broken file be read at each click."""
    with TURNS.turn(_bar.wait) as again:

        def progress(done_s: float) -> None:
            _bar.heard(done_s)
            again()

        try:
            return _predictor.predict(_data, file=name, context=context, progress=progress, max_duration_s=LONGEST_S)
        except AudioError as error:
            return str(error)
