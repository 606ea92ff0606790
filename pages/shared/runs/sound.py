"""The sound behind a run's clips, which lies wherever the visitor has the corpus."""

import os
from pathlib import Path

import numpy as np
import streamlit as st

from pages.shared.text import common
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.runs.run import Run

CORPORA = "Folder of the corpus, or of several corpora by name"


def sound_of(run: Run, utterance_id: str) -> np.ndarray | None:
    """The samples of a run's clip at 16 kHz; None, with a line that says why, where they cannot be had."""
    rows = run.predictions
    row = rows[rows.utterance_id == utterance_id].iloc[0]
    if "path" not in row or not isinstance(row.path, str):
        st.caption("This run does not say where its recordings are, so nothing can be heard.")
        return None
    file = sound_file(run, row.path)
    if file is None:
        lacking = f"{common.plain(row.path)} is in no folder that is known here. " if _corpora() else ""
        st.caption(f"{lacking}To hear clips, say below where {common.plain(run.corpus or 'the corpus')} is.")
        return None
    try:
        return _samples(str(file), file.stat().st_mtime_ns)
    except (AudioError, OSError) as error:
        st.caption(common.plain(f"{row.path} cannot be heard: {error}"))
        return None


def sound_file(run: Run, path: str) -> Path | None:
    """Where a clip lies below one of the known folders of corpora; None where it is in none of them."""
    for folder in _corpora():
        for root in (folder / run.corpus, folder):
            file = (root / path).resolve()
            if file.is_relative_to(root.resolve()) and file.is_file():
                return file
    return None


def ask_for_corpora() -> None:
    """A field for the folder that holds the recordings."""
    with st.expander("Where the recordings are", icon=":material/folder_open:"):
        st.text_input(
            CORPORA,
            key="corpora",
            persist_state="session",
            help="A folder on the computer that runs segser. `SEGSER_CORPORA` gives one from the start.",
        )
        for folder in _corpora():
            if not folder.is_dir():
                st.error(common.plain(f"{folder} is no folder on the computer that runs segser."))


def _corpora() -> list[Path]:
    said = (st.session_state.get("corpora") or "", os.environ.get("SEGSER_CORPORA", ""))
    return [Path(text).expanduser() for text in said if text]


@st.cache_data(scope="session", max_entries=16, show_spinner=False)
def _samples(file: str, stamp: int) -> np.ndarray:
    return load_audio(Path(file))
