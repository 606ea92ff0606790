"""What each model says of a clip's first and last seconds alone."""

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.recording.analysis import predictor
from pages.shared.runs.run_picker import Choice
from pages.shared.text import clips, common
from segser_core.audio import levels
from segser_core.errors import SegserError
from segser_core.prediction.rules import Aggregate
from segser_core.runs import replay
from segser_core.runs.reaggregate import own_rule
from segser_core.runs.run import Run

SECONDS = (2, 3, 5)
PARTS = ("first", "last")


def show_cuts(choice: Choice, row: pd.Series, samples: np.ndarray | None) -> None:
    """A switch and a length; with it on, a table of what each model with weights says of either end."""
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = st.toggle(
            "Cut to first and last seconds",
            key="cut",
            persist_state="session",
            help="What each model says where it hears nothing but the clip's beginning or end",
        )
        seconds = st.segmented_control(
            "Length of either end",
            SECONDS,
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
    models = {run.name: replay.weights_of(run, int(row.seed), int(row.fold)) for run in choice.both}
    for name in (name for name, model in models.items() if model is None):
        st.caption(common.plain(f"{name} comes without weights, so it cannot be asked anew."))
    able = [run for run in choice.both if models[run.name] is not None]
    if able:
        _table(choice, able, row, samples, seconds)


def _table(choice: Choice, able: list[Run], row: pd.Series, samples: np.ndarray, seconds: int) -> None:
    """The whole clip as the run has it, and each end as the model hears it now."""
    whole = {"this": (row.predicted, row.confidence)}
    if choice.other is not None:
        whole["other"] = (row.other_predicted, row.other_confidence)
    steps = [(run, part) for run in able for part in PARTS]
    columns: dict[str, list[str]] = {
        run.name: [clips.heard(*whole["this" if run is choice.run else "other"], row.label)] for run in able
    }
    bar = st.progress(0.0, text="Listening …")
    try:
        for done, (run, part) in enumerate(steps):
            bar.progress(done / len(steps), text=f"{run.name} listens to the {part} {seconds} s")
            label, confidence = _heard(choice, run, row, samples, part, seconds)
            columns[run.name].append(clips.heard(label, confidence, row.label))
    except SegserError as error:
        st.error(common.plain(str(error)), icon=":material/hearing_disabled:")
        return
    finally:
        bar.empty()
    index = ["whole clip", *(f"{part} {seconds} s" for part in PARTS)]
    st.dataframe(pd.DataFrame(columns, index=index), width="content")
    if row.get("duration_s", seconds) <= seconds:
        st.caption(f"The clip lasts no longer than {seconds} s, so either end is all of it.")


def _heard(choice: Choice, run: Run, row: pd.Series, samples: np.ndarray, part: str, seconds: int) -> tuple[str, float]:
    model = replay.weights_of(run, int(row.seed), int(row.fold))
    assert model is not None
    return _prediction(
        model, str(run.path), row.utterance_id, part, seconds, choice.rule or own_rule(run), samples, predictor(model)
    )


@st.cache_data(scope="session", max_entries=200, show_spinner=False)
def _prediction(
    model: str, run: str, utterance_id: str, part: str, seconds: int, rule: Aggregate, _samples, _predictor
) -> tuple[str, float]:
    said = _predictor.predict(levels.cut(_samples, part, seconds), aggregate=rule)
    return said.label, said.confidence
