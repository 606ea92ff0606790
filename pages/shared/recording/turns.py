"""Turns of speech that a visitor gives for the recording that is shown, and the table of their labels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.recording.analysis import predict_recording
from pages.shared.recording.recording import RecordingFile
from pages.shared.text import common
from segser_core.audio.waveform import encode_wav
from segser_core.errors import TurnsError
from segser_core.prediction.prediction import LabelledTurn, Prediction
from segser_core.prediction.turn_files import TURN_READERS, TurnsOfFiles, read_turns
from segser_core.prediction.turns import Turn, fit_turns
from segser_core.systems import DEFAULT_MIN_SPEECH


def ask_for_turns(
    recording: RecordingFile, samples: np.ndarray, prediction: Prediction, min_speech: float = DEFAULT_MIN_SPEECH
) -> Prediction:
    """Ask for a file of the turns of a recording, and label each of them.

    Returns:
        The prediction with its turns; as it was without a file, where the file is refused, and for a synthetic voice.
    """
    if recording.synthetic:
        return prediction
    with st.expander("Turns", icon=":material/forum:"):
        st.markdown(common.TURNS_HELP)
        endings = [ending.removeprefix(".") for ending in TURN_READERS]
        file = st.file_uploader("Turns file", type=endings, key=f"turns-{recording.sha256}")
    if file is None:
        return prediction
    try:
        turns = _read_turns(file.name, file.getvalue(), prediction)
    except TurnsError as error:
        st.error(common.escape_markdown(str(error)), icon=":material/forum:")
        return prediction
    found = predict_recording(recording, samples, prediction.model, prediction.context, turns, min_speech)
    return replace(prediction, turns=found.turns)


def _read_turns(name: str, data: bytes, prediction: Prediction) -> tuple[Turn, ...]:
    """Read the turns of a recording; raises `TurnsError` where they cannot be of it, before it is analysed again."""
    turns = TurnsOfFiles(read_turns(name, data), name).of_recording(PurePath(prediction.file))
    fit_turns(turns, prediction.duration_s)
    return turns


def show_turns(turns: Sequence[LabelledTurn], samples: np.ndarray, key: str) -> None:
    """Show a row a turn; the chosen one can be heard."""
    st.markdown(common.turns_count(turns))
    rows = pd.DataFrame([_row(turn) for turn in turns])
    empty = [name for name in ("speaker", "text") if not rows[name].any()]
    chosen = st.dataframe(
        rows.drop(columns=empty),
        key=f"turns-table-{key}",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        height="content" if len(turns) <= 8 else 320,
        column_config={
            "start": st.column_config.NumberColumn(format="%.2f s"),
            "end": st.column_config.NumberColumn(format="%.2f s"),
            "confidence": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="The turns: who speaks from when to when, and the label of each",
    )
    for index in chosen["selection"]["rows"]:
        turn = turns[index]
        alt = f"turn {index}, {common.format_span(turn.start_s, turn.end_s)}"
        st.audio(encode_wav(samples, turn.start_s, turn.end_s), format="audio/wav", autoplay=True, alt=alt)


def _row(turn: LabelledTurn) -> dict[str, object]:
    return {
        "start": turn.start_s,
        "end": turn.end_s,
        "speaker": turn.speaker,
        "label": turn.label if turn.is_heard else common.NO_SPEECH,
        "confidence": turn.confidence if turn.is_heard else None,
        "text": turn.text,
    }
