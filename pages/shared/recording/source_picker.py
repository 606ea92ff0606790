"""Where a recording comes from: the sample, a file or the microphone; the last two once consent is given."""

from typing import Any, Literal

import streamlit as st

from pages.shared.recording.analysis import recording_samples
from pages.shared.recording.recording import RecordingFile, load_sample
from pages.shared.text.common import escape_markdown
from segser_core.errors import AudioError

RecordingSource = Literal["sample", "upload", "microphone"]
SOURCE_TITLES: dict[RecordingSource, str] = {"sample": "Sample", "upload": "Upload", "microphone": "Microphone"}
CONSENT = (
    "Everyone who can be heard knows that a program will guess emotions from their voice, and agrees. "
    "Nobody is being judged by it at work, at school or at university."
)
SYNTHETIC = "Spoken by a speech synthesiser: nobody felt anything here, and the models never met such a voice."
ACCEPTED_FILES = "WAV, FLAC, MP3, OGG, M4A, WMA, CAF, AMR, WebM, MP4 and others, up to half an hour"
SHOWN_FILE = "shown-file"  # key of the session: the identity of the recording that is shown of several
PRIVACY = (
    "Recordings stay in the memory of the computer that runs segser: they are not saved, and not sent anywhere else."
)


def choose_source() -> RecordingSource:
    """Choose where the recording comes from; the session keeps the choice for every page."""
    st.session_state.setdefault("source", "sample")
    chosen = st.segmented_control(
        "Recording",
        list(SOURCE_TITLES),
        key="source",
        format_func=SOURCE_TITLES.__getitem__,
        required=True,
        persist_state="session",
    )
    return chosen or "sample"


def obtain_recording(source: RecordingSource) -> RecordingFile | None:
    """Ask for consent and for a file or the microphone, and return the recording of a source.

    A recording that cannot be read is refused on the spot, with the reason, and what was there stays. Of several
    files that were uploaded elsewhere, it is the one that was shown there.
    """
    recordings = _ask_for_recordings(source, several=False)
    shown = st.session_state.get(SHOWN_FILE)
    return next(filter(_is_readable, sorted(recordings, key=lambda r: r.identity != shown)), None)


def obtain_recordings(source: RecordingSource) -> list[RecordingFile]:
    """Ask as `obtain_recording` does, for several files at once; some of several may turn out not to be readable."""
    return _ask_for_recordings(source, several=True)


def _ask_for_recordings(source: RecordingSource, several: bool) -> list[RecordingFile]:
    if source == "sample":
        return [load_sample()]
    st.session_state.setdefault("consent", False)
    agreed = st.checkbox(CONSENT, key="consent", persist_state="session")
    key = f"{source}-widget" + ("-several" if several else "")
    settings: dict[str, Any] = {"key": key, "disabled": not agreed, "on_change": _take_over, "args": (source, key)}
    if source == "upload":
        files = "One file or several: " if several else ""
        st.file_uploader(files + ACCEPTED_FILES, accept_multiple_files=several, **settings)
    else:
        st.audio_input("Record a few seconds", **settings)
    if refused := _by_source("refused").get(source):
        st.error(refused, icon=":material/hearing_disabled:")
    st.caption(PRIVACY)
    recordings = _by_source("recordings").get(source, []) if agreed else []
    if recordings and not st.session_state.get(key):  # the widget is empty again after another page or source
        which = escape_markdown(recordings[0].name) if len(recordings) == 1 else f"the {len(recordings)} recordings"
        st.button(f"Remove {which}", icon=":material/delete:", on_click=_remove, args=(source,), key=f"remove-{source}")
    return recordings


def show_recording_name(recording: RecordingFile) -> None:
    """Show a recording's name letter by letter, and whether a speech synthesiser spoke it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(recording.name, width="content")
        if recording.synthetic:
            st.badge("synthetic voice", icon=":material/smart_toy:", color="gray", help=SYNTHETIC)


def _take_over(source: RecordingSource, key: str) -> None:
    """Take over what a widget holds now: recordings, a reason why not, or nothing.

    One new file is read at once, and refused if that fails; of several, each is judged when it is analysed.
    """
    value = st.session_state[key]
    files = value if isinstance(value, list) else [value] if value is not None else []
    held, refused = _by_source("held"), _by_source("refused")
    is_new = any(f.file_id not in held.get(source, ()) for f in files)
    held[source] = {f.file_id for f in files}
    refused.pop(source, None)
    recordings = [
        RecordingFile.from_bytes(f.name if source == "upload" else "microphone.wav", f.getvalue()) for f in files
    ]
    if len(recordings) == 1 and is_new and (reason := _refusal(recordings[0])):
        refused[source] = escape_markdown(f"{files[0].name}: {reason}")
        return
    _by_source("recordings")[source] = list({r.identity: r for r in recordings}.values())


def _remove(source: RecordingSource) -> None:
    _by_source("recordings").pop(source, None)


def _refusal(recording: RecordingFile) -> str:
    """Say why a recording cannot be read; empty where it can."""
    try:
        recording_samples(recording)
    except AudioError as error:
        return str(error)
    return ""


def _is_readable(recording: RecordingFile) -> bool:
    return not _refusal(recording)


def _by_source(name: str) -> dict:
    """Return the values of that name that the session keeps for each source."""
    return st.session_state.setdefault(name, {})
