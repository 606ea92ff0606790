"""Several recordings at once: a table of their predictions, and the choice of the one that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.shared.recording.analysis import predict_recording, predict_recordings, recording_samples
from pages.shared.recording.recording import RecordingFile
from pages.shared.recording.source_picker import SHOWN_FILE
from pages.shared.text import common
from segser_core.errors import AudioError
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.rules import Aggregate
from segser_core.systems import DEFAULT_MIN_SPEECH

FILE_TABLE_KEY = "table-of-files"


@dataclass(frozen=True)
class AnalysedFile:
    """A recording and its prediction; where it was refused, `prediction` is None and `reason` says why."""

    recording: RecordingFile
    prediction: Prediction | None
    reason: str = ""


def analyse_files(
    recordings: Sequence[RecordingFile],
    *,
    model: str,
    context: Context,
    rule: Aggregate,
    min_speech: float = DEFAULT_MIN_SPEECH,
) -> list[AnalysedFile]:
    """Analyse recordings under a rule; one that cannot be read does not keep the others away."""
    if len(recordings) == 1:
        predictions = [_predict_one(recordings[0], model, context, min_speech)]
    else:
        predictions = predict_recordings(recordings, model, context, min_speech)
    return [
        AnalysedFile(r, None, p) if isinstance(p, str) else AnalysedFile(r, p.with_rule(rule))
        for r, p in zip(recordings, predictions, strict=True)
    ]


def _predict_one(recording: RecordingFile, model: str, context: Context, min_speech: float) -> Prediction | str:
    try:
        return predict_recording(recording, recording_samples(recording), model, context, min_speech=min_speech)
    except AudioError as error:
        return str(error)


def choose_file(files: Sequence[AnalysedFile]) -> AnalysedFile | None:
    """Choose the recording to show, of several in the table or in the list below it; None where none is readable."""
    readable = [file for file in files if file.prediction is not None]
    if len(files) == 1:
        if not readable:
            refusal = common.escape_markdown(f"{files[0].recording.name}: {files[0].reason}")
            st.error(refusal, icon=":material/hearing_disabled:")
        return next(iter(readable), None)
    identities = [file.recording.identity for file in readable]
    if identities and st.session_state.get(SHOWN_FILE) not in identities:
        st.session_state[SHOWN_FILE] = identities[0]
    _show_table(files)
    if not readable:
        return None
    return readable[identities.index(_choose_in_list(readable, identities))]


def _show_table(files: Sequence[AnalysedFile]) -> None:
    """Show a row a file, the one that is shown checked; choosing another one shows it."""
    st.markdown(common.analysed_count(sum(file.prediction is not None for file in files), len(files)))
    key = f"{FILE_TABLE_KEY}-{st.session_state.get(SHOWN_FILE)}"  # a table anew for each file shown: its check is true
    rows = pd.DataFrame([_row(file) for file in files])
    st.dataframe(
        rows if rows.notes.any() else rows.drop(columns="notes"),
        key=key,
        on_select=lambda: _choose_in_table(files, key),
        selection_mode="single-row",
        selection_default={"selection": {"rows": _shown_rows(files)}},
        hide_index=True,
        height="content" if len(files) <= 8 else 320,
        placeholder="–",
        column_config={
            "confidence": st.column_config.NumberColumn(format="%.2f"),
            "duration": st.column_config.NumberColumn("length", format="%.1f s"),
            "notes": st.column_config.TextColumn(width="large"),
        },
        alt="The files, what is heard in each, and what is wrong with those that were refused",
    )
    if refused := [file for file in files if file.prediction is None]:
        lines = (
            f"- {common.escape_markdown(file.recording.name)}: {common.escape_markdown(file.reason)}"
            for file in refused
        )
        st.warning("\n".join(lines), icon=":material/hearing_disabled:")


def _shown_rows(files: Sequence[AnalysedFile]) -> list[int]:
    return [i for i, file in enumerate(files) if file.recording.identity == st.session_state.get(SHOWN_FILE)]


def _row(file: AnalysedFile) -> dict[str, object]:
    p = file.prediction
    return {
        "file": file.recording.name,
        "label": None if p is None else common.label_or_none(p),
        "confidence": None if p is None or not p.label else p.confidence,
        "duration": None if p is None else p.duration_s,
        "notes": common.refusal_text(file.reason) if p is None else " ".join(p.warnings),
    }


def _choose_in_table(files: Sequence[AnalysedFile], key: str) -> None:
    """Show the file of the chosen row; one that was refused has nothing to show."""
    rows = st.session_state[key].selection.rows
    if rows and files[rows[0]].prediction is not None:
        st.session_state[SHOWN_FILE] = files[rows[0]].recording.identity


def _choose_in_list(readable: Sequence[AnalysedFile], identities: Sequence[str]) -> str:
    """Choose among the readable files in a list, with a step back and forth; the keyboard reaches all of it."""
    lines = {
        identity: f"{file.recording.name}: {common.label_or_none(file.prediction) if file.prediction else ''}"
        for identity, file in zip(identities, readable, strict=True)
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = st.selectbox(
            "Shown below", identities, key=SHOWN_FILE, format_func=lines.__getitem__, persist_state="session"
        )
        index = identities.index(shown)
        for label, icon, step in (("Previous file", "skip_previous", -1), ("Next file", "skip_next", 1)):
            target = index + step
            st.button(
                label,
                icon=f":material/{icon}:",
                on_click=_show_file,
                args=(identities[target % len(identities)],),
                disabled=not 0 <= target < len(identities),
            )
    return shown


def _show_file(identity: str) -> None:
    st.session_state[SHOWN_FILE] = identity
