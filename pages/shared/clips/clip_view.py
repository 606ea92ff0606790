"""One clip: its labels, both models' predictions over time and of its ends, and notes on it."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.clips.clip_list import ClipKey, neighbour_clip, open_clip
from pages.shared.clips.first_last_seconds import show_first_last_seconds
from pages.shared.clips.notes import show_note_fields
from pages.shared.recording.analysis import MAX_DURATION_S
from pages.shared.recording.player import PlayableSpan, show_player
from pages.shared.runs.run_choice import RunChoice
from pages.shared.runs.sound import load_clip
from pages.shared.text import clips, common
from segser_core.audio.levels import measure_level
from segser_core.audio.waveform import encode_wav
from segser_core.errors import RunError
from segser_core.figures.timeline import comparison_figure, timeline_figure
from segser_core.prediction.prediction import Prediction
from segser_core.prediction.stretches import Stretch, stretches_from_json
from segser_core.runs.notes import Note
from segser_core.runs.replay import replay_prediction
from segser_core.runs.run import Run


def show_clip_steps(keys: list[ClipKey], opened: ClipKey | None) -> None:
    """Show buttons for the clip before and after, which have keys as well, and which of the clips is open."""
    for label, icon, step, shortcut in (
        ("Previous clip", ":material/arrow_upward:", -1, "K"),
        ("Next clip" if opened else "Open the first clip", ":material/arrow_downward:", 1, "J"),
    ):
        target = neighbour_clip(keys, opened, step)
        st.button(
            label,
            icon=icon,
            on_click=open_clip,
            args=(target,),
            disabled=target is None,
            shortcut=shortcut,
            key=icon,
        )
    if opened in keys:
        st.markdown(f"clip {keys.index(opened) + 1} of {len(keys)}", width="content")
    elif opened is not None:
        st.markdown("the open clip is none of those above", width="content")


def show_clip(choice: RunChoice, row: pd.Series, *, notes_file: Path, notes: dict[str, Note] | None) -> None:
    """Show the clip of a row of `clip_table.clip_table`.

    Args:
        choice: whose clip.
        row: the clip.
        notes_file: where notes are saved.
        notes: by utterance; None where they cannot be read.
    """
    _show_labels(choice, row)
    samples = load_clip(choice.run, row.utterance_id)
    predictions = [p for p in (_replay_or_explain(run, row, choice) for run in choice.both) if p is not None]
    if predictions:
        key = f"{row.utterance_id}-{row.seed}-{'-'.join(p.model for p in predictions)}-{choice.rule}"
        truth = _known_stretches(row)
        if truth:
            st.markdown(common.truth_text(predictions, truth))
        _show_timeline(predictions, samples, key, truth)
        st.markdown(common.comparison_caption(predictions))
        _show_level(row, samples)
    elif samples is not None:
        st.audio(encode_wav(samples, 0, MAX_DURATION_S), format="audio/wav")
    show_first_last_seconds(choice, row, samples)
    show_note_fields(notes_file, notes, row.utterance_id)


def _show_labels(choice: RunChoice, row: pd.Series) -> None:
    st.subheader(common.escape_markdown(row.utterance_id))
    with st.container(horizontal=True, gap="medium"):
        st.metric("True class", row.label, width="content")
        verdict = clips.verdict_text(row.predicted, row.confidence, row.label)
        st.metric(f"{choice.run.name} hears", verdict, width="content")
        if choice.other is not None and isinstance(row.other_predicted, str):
            verdict = clips.verdict_text(row.other_predicted, row.other_confidence, row.label)
            st.metric(f"{choice.other.name} hears", verdict, width="content")
    st.markdown(clips.clip_description(row))


def _replay_or_explain(run: Run, row: pd.Series, choice: RunChoice) -> Prediction | None:
    try:
        return replay_prediction(run, row.utterance_id, int(row.seed), choice.rule)
    except RunError as error:
        st.caption(common.escape_markdown(f"Nothing over time: {error}."))
        return None


def _known_stretches(row: pd.Series) -> tuple[Stretch, ...]:
    """Read the true stretches of a clip; none where its emotion does not change at known times."""
    return stretches_from_json(row.stretches) if "stretches" in row else ()


def _show_timeline(
    predictions: list[Prediction], samples: np.ndarray | None, key: str, truth: tuple[Stretch, ...]
) -> None:
    """Show both models on one axis, or the one that there is, above the truth where it is known."""
    if len(predictions) == 1:
        (only,) = predictions
        lines = zip(only.segments, common.segment_lines(only), strict=True)
        show_player(
            lambda playing, view: timeline_figure(only, samples, playing, view, truth),
            [PlayableSpan(s.start_s, s.end_s, line) for s, line in lines],
            samples,
            key=key,
            alt="Each segment's most probable emotion, the label over time, and each emotion's probability over time",
        )
        return
    a, b = predictions
    st.markdown(common.disagreement_text(a, b))
    spans = [PlayableSpan(*span, line) for span, line in common.comparison_lines(a, b)]
    show_player(
        lambda playing, view: comparison_figure(
            a, b, samples, None if playing is None else spans[playing].span, view, truth
        ),
        spans,
        samples,
        key=key,
        alt="The timelines of both models on one axis; where they name different emotions is shaded",
    )


def _show_level(row: pd.Series, samples: np.ndarray | None) -> None:
    if samples is not None and "surest_from_s" in row:
        level = measure_level(samples, row.surest_from_s, row.surest_to_s)
        st.markdown(clips.level_text(level, row.surest_from_s, row.surest_to_s))
