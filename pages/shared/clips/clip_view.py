"""One clip: what it is, what both models say of it over time and of its ends, and what people noted."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.clips.clip_list import Key, place_of, set_open, step
from pages.shared.clips.first_last_seconds import show_cuts
from pages.shared.clips.notes import note_fields
from pages.shared.recording.analysis import LONGEST_S
from pages.shared.recording.player import Moment, listen
from pages.shared.runs.run_picker import Choice
from pages.shared.runs.sound import sound_of
from pages.shared.text import clips, common
from segser_core.audio import levels
from segser_core.audio.waveform import cut_wav
from segser_core.errors import RunError
from segser_core.figures import timeline
from segser_core.prediction.prediction import Prediction
from segser_core.runs import replay
from segser_core.runs.notes import Note
from segser_core.runs.run import Run


def steps(keys: list[Key], opened: Key | None) -> None:
    """To the clip before and after, by button or key."""
    for label, icon, by, shortcut in (
        ("Previous clip", ":material/arrow_upward:", -1, "K"),
        ("Next clip" if opened else "Open the first clip", ":material/arrow_downward:", 1, "J"),
    ):
        to = step(keys, opened, by)
        st.button(label, icon=icon, on_click=set_open, args=(to,), disabled=to is None, shortcut=shortcut, key=icon)
    if opened in keys:
        st.markdown(f"clip {place_of(keys, opened)} of {len(keys)}", width="content")
    elif opened is not None:
        st.markdown("the open clip is none of those above", width="content")


def show_clip(choice: Choice, row: pd.Series, file: Path, notes: dict[str, Note] | None) -> None:
    """The clip of a row of `clips.clip_table`."""
    _title(choice, row)
    samples = sound_of(choice.run, row.utterance_id)
    said = [p for p in (_said(run, row, choice) for run in choice.both) if p is not None]
    if said:
        _timeline(said, samples, f"{row.utterance_id}-{row.seed}-{'-'.join(p.model for p in said)}-{choice.rule}")
        st.markdown(common.below_comparison(said))
        _surest(row, samples)
    elif samples is not None:
        st.audio(cut_wav(samples, 0, LONGEST_S), format="audio/wav")
    show_cuts(choice, row, samples)
    note_fields(file, notes, row.utterance_id)


def _title(choice: Choice, row: pd.Series) -> None:
    st.subheader(common.plain(row.utterance_id))
    with st.container(horizontal=True, gap="medium"):
        st.metric("True class", row.label, width="content")
        st.metric(f"{choice.run.name} hears", clips.heard(row.predicted, row.confidence, row.label), width="content")
        if choice.other is not None and isinstance(row.other_predicted, str):
            said = clips.heard(row.other_predicted, row.other_confidence, row.label)
            st.metric(f"{choice.other.name} hears", said, width="content")
    st.markdown(clips.of_clip(row))


def _said(run: Run, row: pd.Series, choice: Choice) -> Prediction | None:
    try:
        return replay.prediction_of(run, row.utterance_id, int(row.seed), choice.rule)
    except RunError as error:
        st.caption(common.plain(f"Nothing over time: {error}."))
        return None


def _timeline(said: list[Prediction], samples: np.ndarray | None, key: str) -> None:
    """Both models on one axis, or the one that there is."""
    if len(said) == 1:
        lines = zip(said[0].segments, common.segment_lines(said[0]), strict=True)
        moments = [Moment(s.start_s, s.end_s, line) for s, line in lines]
        alt = "Each segment's most probable emotion, and each emotion's probability over time"
        listen(lambda i, view: timeline.timeline(said[0], samples, i, view), moments, samples, key, alt)
        return
    st.markdown(common.disagreement(*said))
    moments = [Moment(*stretch, line) for stretch, line in common.both_lines(*said)]
    alt = "The timelines of both models on one axis; where they name different emotions is shaded"
    listen(
        lambda i, view: timeline.comparison(*said, samples, None if i is None else moments[i].stretch, view),
        moments,
        samples,
        key,
        alt,
    )


def _surest(row: pd.Series, samples: np.ndarray | None) -> None:
    if samples is not None and "surest_from_s" in row:
        level = levels.level_of(samples, row.surest_from_s, row.surest_to_s)
        st.markdown(clips.level(level, row.surest_from_s, row.surest_to_s))
