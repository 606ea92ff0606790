"""The recordings of a run's clips, which lie wherever the visitor has the corpus."""

import os
from pathlib import Path

import numpy as np
import streamlit as st

from pages.shared.text import common
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.runs.run import Run

CORPORA_LABEL = "Folder of the corpus, or of several corpora by name"


def load_clip(run: Run, utterance_id: str) -> np.ndarray | None:
    """Load a run's clip.

    Returns:
        (N,) samples at 16 kHz; None, with a line that says why, where they cannot be had.
    """
    clips = run.predictions
    row = clips[clips.utterance_id == utterance_id].iloc[0]
    if "path" not in row or not isinstance(row.path, str):
        st.caption("This run does not say where its recordings are, so nothing can be heard.")
        return None
    file = find_clip_file(run, row.path)
    if file is None:
        known = f"{common.escape_markdown(row.path)} is in no folder that is known here. " if _corpus_folders() else ""
        corpus = common.escape_markdown(run.corpus or "the corpus")
        st.caption(f"{known}To hear clips, say below where {corpus} is.")
        return None
    try:
        return _load_cached(str(file), file.stat().st_mtime_ns)
    except (AudioError, OSError) as error:
        st.caption(common.escape_markdown(f"{row.path} cannot be heard: {error}"))
        return None


def find_clip_file(run: Run, path: str) -> Path | None:
    """Find a clip below one of the known folders of corpora; None where it is in none of them."""
    for folder in _corpus_folders():
        for root in (folder / run.corpus, folder):
            file = (root / path).resolve()
            if file.is_relative_to(root.resolve()) and file.is_file():
                return file
    return None


def ask_for_corpora() -> None:
    """Show a field for the folder that holds the recordings."""
    with st.expander("Where the recordings are", icon=":material/folder_open:"):
        st.text_input(
            CORPORA_LABEL,
            key="corpora",
            persist_state="session",
            help="A folder on the computer that runs segser. `SEGSER_CORPORA` gives one from the start.",
        )
        for folder in _corpus_folders():
            if not folder.is_dir():
                st.error(common.escape_markdown(f"{folder} is no folder on the computer that runs segser."))


def _corpus_folders() -> list[Path]:
    named = (st.session_state.get("corpora") or "", os.environ.get("SEGSER_CORPORA", ""))
    return [Path(folder).expanduser() for folder in named if folder]


@st.cache_data(scope="session", max_entries=16, show_spinner=False)
def _load_cached(file: str, changed_ns: int) -> np.ndarray:
    return load_audio(Path(file))
