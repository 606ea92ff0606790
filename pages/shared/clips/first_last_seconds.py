"""Each model's prediction for a clip's first and last seconds alone."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.recording.analysis import bundled_predictor
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text.clips import verdict_text
from pages.shared.text.common import escape_markdown
from segser_core.audio.levels import trim_to_end
from segser_core.errors import SegserError
from segser_core.prediction.rules import Aggregate
from segser_core.runs.reaggregate import stored_rule
from segser_core.runs.replay import checkpoint_of_clip
from segser_core.runs.run import Run

LENGTHS_S = (2, 3, 5)
EndName = Literal["first", "last"]
CLIP_ENDS: tuple[EndName, ...] = get_args(EndName)


@dataclass(frozen=True)
class _ClipEnd:
    """What a prediction for an end of a clip depends on."""

    checkpoint: str
    run: str
    utterance_id: str
    end: EndName
    length_s: int
    rule: Aggregate


def show_first_last_seconds(choice: RunChoice, row: pd.Series, samples: np.ndarray | None) -> None:
    """Show a switch and a length; with it on, a table of each model's prediction for either end of a clip.

    Args:
        choice: whose clip; a run without weights cannot be asked.
        row: of `clip_table.clip_table`, the clip.
        samples: (N,) of it, at 16 kHz; None where it is not at hand.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = st.toggle(
            "Cut to first and last seconds",
            key="cut",
            persist_state="session",
            help="What each model says where it hears nothing but the clip's beginning or end",
        )
        length_s = st.segmented_control(
            "Length of either end",
            LENGTHS_S,
            default=3,
            key="cut-seconds",
            format_func=lambda s: f"{s} s",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
    if not asked:
        return
    if samples is None:
        st.caption("This needs the sound of the clip.")
        return
    checkpoints = {run.name: _checkpoint(run, row) for run in choice.both}
    for name, checkpoint in checkpoints.items():
        if checkpoint is None:
            st.caption(escape_markdown(f"{name} comes without weights, so it cannot be asked anew."))
    able = [run for run in choice.both if checkpoints[run.name] is not None]
    if able:
        _show_table(choice, able, row, samples, length_s)


def _checkpoint(run: Run, row: pd.Series) -> str | None:
    return checkpoint_of_clip(run, int(row.seed), int(row.fold))


def _show_table(choice: RunChoice, able: list[Run], row: pd.Series, samples: np.ndarray, length_s: int) -> None:
    """Show the prediction for the whole clip from the run, and for each end from its model now."""
    columns = {run.name: [_stored_verdict(choice, run, row)] for run in able}
    steps = [(run, end) for run in able for end in CLIP_ENDS]
    bar = st.progress(0.0, text="Listening …")
    try:
        for done, (run, end) in enumerate(steps):
            bar.progress(done / len(steps), text=f"{run.name} listens to the {end} {length_s} s")
            label, confidence = _predict_end(choice, run, row, samples, end, length_s)
            columns[run.name].append(verdict_text(label, confidence, row.label))
    except SegserError as error:
        st.error(escape_markdown(str(error)), icon=":material/hearing_disabled:")
        return
    finally:
        bar.empty()
    index = ["whole clip", *(f"{end} {length_s} s" for end in CLIP_ENDS)]
    st.dataframe(pd.DataFrame(columns, index=index), width="content")
    if row.get("duration_s", length_s) <= length_s:
        st.caption(f"The clip lasts no longer than {length_s} s, so either end is all of it.")


def _stored_verdict(choice: RunChoice, run: Run, row: pd.Series) -> str:
    if run is choice.run:
        return verdict_text(row.predicted, row.confidence, row.label)
    return verdict_text(row.other_predicted, row.other_confidence, row.label)


def _predict_end(
    choice: RunChoice, run: Run, row: pd.Series, samples: np.ndarray, end: EndName, length_s: int
) -> tuple[str, float]:
    checkpoint = _checkpoint(run, row)
    assert checkpoint is not None
    clip_end = _ClipEnd(
        checkpoint=checkpoint,
        run=str(run.path),
        utterance_id=row.utterance_id,
        end=end,
        length_s=length_s,
        rule=choice.rule or stored_rule(run),
    )
    return _predict_cached(clip_end, samples, bundled_predictor(checkpoint))


@st.cache_data(scope="session", max_entries=200, show_spinner=False)
def _predict_cached(clip_end: _ClipEnd, _samples, _predictor) -> tuple[str, float]:
    samples = trim_to_end(_samples, clip_end.end, clip_end.length_s)
    prediction = _predictor.predict(samples, aggregate=clip_end.rule)
    return prediction.label, prediction.confidence
