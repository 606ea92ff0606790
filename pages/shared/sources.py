"""Where a recording comes from: the sample, a file or the microphone; the last two once consent is given."""

from typing import Any, Literal

import streamlit as st

from pages.shared.loaders import samples_of
from pages.shared.recordings import Recording, sample
from pages.shared.words import plain
from segser_core.errors import AudioError

Source = Literal["sample", "upload", "microphone"]
SOURCES: dict[Source, str] = {"sample": "Sample", "upload": "Upload", "microphone": "Microphone"}
CONSENT = (
    "Everyone who can be heard knows that a program will guess emotions from their voice, and agrees. "
    "Nobody is being judged by it at work, at school or at university."
)
SYNTHETIC = "Spoken by a speech synthesiser: nobody felt anything here, and the models never met such a voice."
PRIVACY = (
    "Recordings stay in the memory of the computer that runs segser: they are not saved, and not sent anywhere else."
)


def choose_source() -> Source:
    """The control that says where the recording comes from; every page keeps it."""
    st.session_state.setdefault("source", "sample")
    chosen = st.segmented_control(
        "Recording",
        list(SOURCES),
        key="source",
        format_func=SOURCES.__getitem__,
        required=True,
        persist_state="session",
    )
    return chosen or "sample"


def obtain(source: Source) -> Recording | None:
    """The recording of a source, with what it takes to get one: consent, then a file or the microphone.

    A recording that cannot be read is refused on the spot, with the reason, and what was there stays.
    """
    if source == "sample":
        return sample()
    st.session_state.setdefault("consent", False)
    agreed = st.checkbox(CONSENT, key="consent", persist_state="session")
    settings: dict[str, Any] = {
        "key": f"{source}-widget",
        "disabled": not agreed,
        "on_change": _keep,
        "args": (source,),
    }
    if source == "upload":
        st.file_uploader("WAV, FLAC, MP3, OGG, M4A, WebM, MP4, up to half an hour", **settings)
    else:
        st.audio_input("Record a few seconds", **settings)
    if refused := _kept("refused").get(source):
        st.error(refused, icon=":material/hearing_disabled:")
    st.caption(PRIVACY)
    return _kept("recordings").get(source) if agreed else None


def introduce(recording: Recording) -> None:
    """Say which recording the result is about, letter by letter, and whether a person spoke it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(recording.name, width="content")
        if recording.synthetic:
            st.badge("synthetic voice", icon=":material/smart_toy:", color="gray", help=SYNTHETIC)


def _keep(source: Source) -> None:
    """Take over what a widget holds now: a recording that can be read, a reason why not, or nothing."""
    recordings, refused, file = _kept("recordings"), _kept("refused"), st.session_state[f"{source}-widget"]
    refused.pop(source, None)
    if file is None:
        recordings.pop(source, None)
        return
    recording = Recording.of(file.name if source == "upload" else "microphone.wav", file.getvalue())
    try:
        samples_of(recording)
    except AudioError as error:
        refused[source] = plain(f"{file.name}: {error}")
    else:
        recordings[source] = recording


def _kept(what: str) -> dict:
    return st.session_state.setdefault(what, {})
