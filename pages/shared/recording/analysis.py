"""Cached analysis: models for all visitors, everything that comes from a voice for its own session.

Nothing of a voice is written to disk, and a session's copies go when it ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared.app.streamlit_internals import draw_outside_cache
from pages.shared.recording.queue import FairQueue
from pages.shared.recording.recording import RecordingFile
from pages.shared.text.common import escape_markdown
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.turns import Turn
from segser_core.systems import DEFAULT_MIN_SPEECH

if TYPE_CHECKING:
    from segser_core.inference.predictor import Predictor


MAX_DURATION_S = 30 * 60
MAX_FILES = 100
ANALYSES = FairQueue()
TOO_MANY = f"only {MAX_FILES} files are analysed at once; `python -m segser_core analyze` takes any number"
ProgressBar = Callable[[float], tuple[float, str]]  # seconds analysed → share of the bar, text beside it


@dataclass(frozen=True)
class Listening:
    """How a recording is listened to: the context of segments, the share of them that has to be speech, its turns."""

    context: Context
    min_speech: float = DEFAULT_MIN_SPEECH
    turns: tuple[Turn, ...] | None = None


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def bundled_predictor(model: str) -> "Predictor":
    """Load a bundled model; all visitors share it, since it keeps nothing between calls."""
    from segser_core.inference.predictor import Predictor  # torch takes seconds: the page is there before it

    return Predictor.from_pretrained(model)


@st.cache_data(
    scope="session",
    max_entries=3,
    show_spinner="Reading the recording …",
    hash_funcs={RecordingFile: lambda recording: recording.sound},
)
def recording_samples(recording: RecordingFile) -> np.ndarray:
    """Decode a recording to (N,) samples at 16 kHz, once a session."""
    return load_audio(recording.data, max_duration_s=MAX_DURATION_S, choice=recording.choice)


def predict_recording(
    recording: RecordingFile,
    samples: np.ndarray,
    model: str,
    context: Context,
    turns: tuple[Turn, ...] | None = None,
    min_speech: float = DEFAULT_MIN_SPEECH,
) -> Prediction:
    """Analyse a recording under the model's own rule, once a session, behind a progress bar.

    Args:
        recording: what to analyse.
        samples: (N,) of it, at 16 kHz.
        model: name of a bundled model.
        context: whether the encoder is given the whole recording or each segment alone.
        turns: of the recording, to be labelled as well.
        min_speech: the share of a segment that has to be speech.

    Raises:
        AudioError: the recording cannot be analysed.
    """
    duration_s = len(samples) / SAMPLE_RATE_HZ

    def progress(done_s: float) -> tuple[float, str]:
        return min(done_s / duration_s, 1.0), f"Listening: {done_s:.0f} of {duration_s:.0f} s"

    (prediction,) = _predict_with_bar([recording], model, Listening(context, min_speech, turns), lambda _: progress)
    if isinstance(prediction, str):
        raise AudioError(prediction)
    return prediction


def predict_recordings(
    recordings: Sequence[RecordingFile], model: str, context: Context, min_speech: float = DEFAULT_MIN_SPEECH
) -> list[Prediction | str]:
    """Analyse up to `MAX_FILES` recordings behind a progress bar over the files.

    Returns:
        For each recording its prediction, or why there is none.
    """
    taken = recordings[:MAX_FILES]

    def progress_of(index: int) -> ProgressBar:
        file = f"File {index + 1} of {len(taken)}: {escape_markdown(taken[index].name)}"
        return lambda done_s: (index / len(taken), f"{file}, {done_s:.0f} s heard")

    predictions = _predict_with_bar(taken, model, Listening(context, min_speech), progress_of)
    return [*predictions, *(TOO_MANY for _ in recordings[MAX_FILES:])]


def _predict_with_bar(
    recordings: Sequence[RecordingFile],
    model: str,
    listening: Listening,
    progress_of: Callable[[int], ProgressBar],
) -> list[Prediction | str]:
    """Analyse recordings; `progress_of` gives the bar of a recording by its index."""
    slot = st.empty()
    draw = draw_outside_cache(slot.progress)
    predictor = bundled_predictor(model)
    try:
        return [
            _predict(recording, model, listening, predictor, _Progress(progress_of(index), draw))
            for index, recording in enumerate(recordings)
        ]
    finally:
        slot.empty()


@dataclass
class _Progress:
    """The progress bar of one recording: seconds analysed, or its position in the queue."""

    bar: ProgressBar
    draw: Callable[..., None]
    done_s: float = 0.0

    def report_seconds(self, done_s: float) -> None:
        self.done_s = done_s
        self.draw(*self.bar(done_s))

    def report_position(self, position: int) -> None:
        share, text = self.bar(self.done_s)
        self.draw(share, f"{text}. In line: {position} before this one")


@st.cache_data(
    scope="session",
    max_entries=4 * MAX_FILES,
    show_spinner=False,
    hash_funcs={RecordingFile: lambda recording: recording.identity},
)
def _predict(recording: RecordingFile, model: str, listening: Listening, _predictor, _progress) -> Prediction | str:
    """Analyse a recording in its turn; a refusal is cached as well, lest a broken file be read at each click."""
    with ANALYSES.first(_progress.report_position) as requeue:

        def progress(done_s: float) -> None:
            _progress.report_seconds(done_s)
            requeue()

        chosen = {name: n for name, n in vars(recording.choice).items() if n is not None}
        try:
            return _predictor.predict(
                recording.data,
                file=recording.name,
                context=listening.context,
                progress=progress,
                max_duration_s=MAX_DURATION_S,
                turns=listening.turns,
                min_speech=listening.min_speech,
                **chosen,
            )
        except AudioError as error:
            return str(error)
