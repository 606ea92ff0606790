"""The recordings of a run's clips, which lie wherever the visitor has the corpus."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.shared.text import common
from segser_core.audio.excerpt import CLIP_END, CLIP_START, ClipLocation, Excerpt
from segser_core.audio.folders import find_audio_files
from segser_core.audio.formats import has_audio_ending
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.runs.corpus_info import FETCH_COMMANDS
from segser_core.runs.run import Run

CORPORA_LABEL = "Folder of the corpus, or of several corpora by name"
MOST_LISTED = 50_000  # of a folder that may hold anything


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
    corpus = clip_corpus(row)
    file = find_clip_file(run, row.path, corpus)
    if file is None:
        known = f"{common.escape_markdown(row.path)} is in no folder that is known here. " if _corpus_folders() else ""
        st.caption(f"{known}{common.way_to_sound(corpus or run.corpus)}")
        return None
    try:
        return _load_cached(clip_source(row, file), file.stat().st_mtime_ns)
    except (AudioError, OSError) as error:
        st.caption(common.escape_markdown(f"{row.path} cannot be heard: {error}"))
        return None


def clip_source(row: Any, file: Path) -> Path | Excerpt:
    """Return what of a clip's file can be heard: all of it, or its stretch."""
    stretch = {column: getattr(row, column, None) for column in (CLIP_START, CLIP_END)}
    return ClipLocation.of_row({"path": file.name, **stretch}).source(file.parent)


def clip_corpus(row: Any) -> str:
    """Return the corpus of a clip's row; empty where the run does not name it."""
    corpus = getattr(row, "corpus", "")
    return corpus if isinstance(corpus, str) else ""


def find_clip_file(run: Run, path: str, corpus: str = "") -> Path | None:
    """Find a clip below one of the known folders; None where it is in none of them.

    Links are followed, wherever they lead, as by the loaders of corpora; a path that climbs out is not.
    A clip of a corpus whose file names tell the recordings is found in other folders and formats, too: RAVDESS as its
    publisher has it is WAV, and the run may have heard FLAC.

    Args:
        run: whose clip.
        path: below the corpus's folder, or in a run of several corpora below the folder that holds them by name.
        corpus: of the clip, where the run is of several.
    """
    for folder in _corpus_folders():
        for root, below in _possible_places(folder, path, (run.corpus, corpus)):
            file = Path(os.path.normpath(root / below))
            if file.is_relative_to(os.path.normpath(root)) and file.is_file():
                return file.resolve()
    return _find_by_name(Path(path).stem, corpus or run.corpus or "")


def _find_by_name(stem: str, corpus: str) -> Path | None:
    """Find the recording of a corpus by its name without folder and ending."""
    if corpus not in FETCH_COMMANDS:
        return None
    for folder in _corpus_folders():
        root = (folder / corpus if (folder / corpus).is_dir() else folder).resolve()
        found = root / _recordings_by_name(str(root)).get(stem, "")
        if found.is_file() and found.resolve().is_relative_to(root):
            return found.resolve()
    return None


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def _recordings_by_name(root: str) -> dict[str, str]:
    """List the recordings below a folder, the first `MOST_LISTED`: path below it by name without ending."""
    files = islice(find_audio_files(Path(root)), MOST_LISTED) if Path(root).is_dir() else ()
    paths = [file.relative_to(root).as_posix() for file in files if has_audio_ending(file.name)]
    return {Path(path).stem: path for path in reversed(paths)}


def _possible_places(folder: Path, path: str, corpora: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """List the roots that a clip may lie below, each with its path from there."""
    plain = (name for name in corpora if name and ".." not in Path(name).parts and not Path(name).is_absolute())
    yield from ((folder / name, path) for name in plain)
    yield folder, path
    first, _, rest = path.partition("/")  # the corpus, in a run of several
    if rest and first not in ("", ".", ".."):
        yield folder / first, rest  # a corpus's folder may be a link to another place
        if folder.name == first:
            yield folder, rest


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
def _load_cached(source: Path | Excerpt, changed_ns: int) -> np.ndarray:
    return load_audio(source)
