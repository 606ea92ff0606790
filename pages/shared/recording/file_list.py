"""Several recordings at once: a table of what is heard in each, and the choice of the one that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.shared.recording.analysis import predict, predict_each, samples_of
from pages.shared.recording.recording import Recording
from pages.shared.recording.source_picker import SHOWN
from pages.shared.text import common
from segser_core.errors import AudioError
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.rules import Aggregate

TABLE = "table-of-files"


@dataclass(frozen=True)
class Heard:
    """A recording and what is heard in it; where it was refused, `prediction` is None and `why` says the reason."""

    recording: Recording
    prediction: Prediction | None
    why: str = ""


def hear_all(recordings: Sequence[Recording], model: str, context: Context, rule: Aggregate) -> list[Heard]:
    """What a model hears in each recording under a rule; one that cannot be read does not keep the others away."""
    found = [_one(recordings[0], model, context)] if len(recordings) == 1 else predict_each(recordings, model, context)
    return [
        Heard(r, None, p) if isinstance(p, str) else Heard(r, p.under(rule))
        for r, p in zip(recordings, found, strict=True)
    ]


def _one(recording: Recording, model: str, context: Context) -> Prediction | str:
    try:
        return predict(recording, samples_of(recording), model, context)
    except AudioError as error:
        return str(error)


def choose(heard: Sequence[Heard]) -> Heard | None:
    """The recording to show; of several, the one that is chosen in the table or in the list below it."""
    readable = [h for h in heard if h.prediction is not None]
    if len(heard) == 1:
        if not readable:
            st.error(common.plain(f"{heard[0].recording.name}: {heard[0].why}"), icon=":material/hearing_disabled:")
        return next(iter(readable), None)
    names = [h.recording.identity for h in readable]
    if names and st.session_state.get(SHOWN) not in names:
        st.session_state[SHOWN] = names[0]
    _table(heard)
    if not readable:
        return None
    return readable[names.index(_walk(readable, names))]


def _table(heard: Sequence[Heard]) -> None:
    """A row a file, the one that is shown checked; choosing another one shows it."""
    st.markdown(common.files_heard(sum(h.prediction is not None for h in heard), len(heard)))
    key = f"{TABLE}-{st.session_state.get(SHOWN)}"  # a table anew for each file shown, so that its check is true
    rows = pd.DataFrame([_row(h) for h in heard])
    st.dataframe(
        rows if rows.notes.any() else rows.drop(columns="notes"),
        key=key,
        on_select=lambda: _take_row(heard, key),
        selection_mode="single-row",
        selection_default={"selection": {"rows": _place(heard)}},
        hide_index=True,
        height="content" if len(heard) <= 8 else 320,
        placeholder="–",
        column_config={
            "confidence": st.column_config.NumberColumn(format="%.2f"),
            "duration": st.column_config.NumberColumn("length", format="%.1f s"),
            "notes": st.column_config.TextColumn(width="large"),
        },
        alt="The files, what is heard in each, and what is wrong with those that were refused",
    )
    if refused := [h for h in heard if h.prediction is None]:
        lines = (f"- {common.plain(h.recording.name)}: {common.plain(h.why)}" for h in refused)
        st.warning("\n".join(lines), icon=":material/hearing_disabled:")


def _place(heard: Sequence[Heard]) -> list[int]:
    return [i for i, h in enumerate(heard) if h.recording.identity == st.session_state.get(SHOWN)]


def _row(heard: Heard) -> dict[str, object]:
    p = heard.prediction
    return {
        "file": heard.recording.name,
        "label": None if p is None else p.label,
        "confidence": None if p is None else p.confidence,
        "duration": None if p is None else p.duration_s,
        "notes": common.refused(heard.why) if p is None else " ".join(p.warnings),
    }


def _take_row(heard: Sequence[Heard], key: str) -> None:
    """Show the file of the row that was chosen; one that was refused has nothing to show."""
    rows = st.session_state[key].selection.rows
    if rows and heard[rows[0]].prediction is not None:
        st.session_state[SHOWN] = heard[rows[0]].recording.identity


def _walk(readable: Sequence[Heard], names: Sequence[str]) -> str:
    """The list of files that can be shown, with a step back and forth; the keyboard reaches all of it."""
    lines = {n: f"{h.recording.name}: {h.prediction.label}" for n, h in zip(names, readable, strict=True)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = st.selectbox("Shown below", names, key=SHOWN, format_func=lines.__getitem__, persist_state="session")
        place = names.index(shown)
        for label, icon, step in (("Previous file", "skip_previous", -1), ("Next file", "skip_next", 1)):
            to = place + step
            st.button(
                label,
                icon=f":material/{icon}:",
                on_click=_show,
                args=(names[to % len(names)],),
                disabled=not 0 <= to < len(names),
            )
    return shown


def _show(name: str) -> None:
    st.session_state[SHOWN] = name
