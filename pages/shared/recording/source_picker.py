"""Where a recording comes from: the sample, a file or the microphone; the last two once consent is given."""

from typing import Any, Literal

import streamlit as st

from pages.shared.recording.analysis import samples_of
from pages.shared.recording.recording import Recording, sample
from pages.shared.text.common import plain
from segser_core.errors import AudioError

Source = Literal["sample", "upload", "microphone"]
SOURCES: dict[Source, str] = {"sample": "Sample", "upload": "Upload", "microphone": "Microphone"}
CONSENT = (
    "Everyone who can be heard knows that a program will guess emotions from their voice, and agrees. "
    "Nobody is being judged by it at work, at school or at university."
)
SYNTHETIC = "Spoken by a speech synthesiser: nobody felt anything here, and the models never met such a voice."
ENDINGS = "WAV, FLAC, MP3, OGG, M4A, WebM, MP4, up to half an hour"
SHOWN = "shown-file"  # the identity of the recording that is shown of several
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

    A recording that cannot be read is refused on the spot, with the reason, and what was there stays. Of several
    files that were uploaded elsewhere, it is the one that was shown there.
    """
    found = _obtained(source, several=False)
    shown = st.session_state.get(SHOWN)
    return next(filter(_readable, sorted(found, key=lambda r: r.identity != shown)), None)


def obtain_all(source: Source) -> list[Recording]:
    """The same where several files may be uploaded at once; some of several may turn out not to be readable."""
    return _obtained(source, several=True)


def _obtained(source: Source, several: bool) -> list[Recording]:
    if source == "sample":
        return [sample()]
    st.session_state.setdefault("consent", False)
    agreed = st.checkbox(CONSENT, key="consent", persist_state="session")
    key = f"{source}-widget" + ("-several" if several else "")
    settings: dict[str, Any] = {"key": key, "disabled": not agreed, "on_change": _keep, "args": (source, key)}
    if source == "upload":
        files = "One file or several: " if several else ""
        st.file_uploader(files + ENDINGS, accept_multiple_files=several, **settings)
    else:
        st.audio_input("Record a few seconds", **settings)
    if refused := _kept("refused").get(source):
        st.error(refused, icon=":material/hearing_disabled:")
    st.caption(PRIVACY)
    found = _kept("recordings").get(source, []) if agreed else []
    if found and not st.session_state.get(key):  # the widget is empty again after another page or source
        said = plain(found[0].name) if len(found) == 1 else f"the {len(found)} recordings"
        st.button(f"Remove {said}", icon=":material/delete:", on_click=_remove, args=(source,), key=f"remove-{source}")
    return found


def introduce(recording: Recording) -> None:
    """Say which recording the result is about, letter by letter, and whether a person spoke it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(recording.name, width="content")
        if recording.synthetic:
            st.badge("synthetic voice", icon=":material/smart_toy:", color="gray", help=SYNTHETIC)


def _keep(source: Source, key: str) -> None:
    """Take over what a widget holds now: recordings, a reason why not, or nothing.

    One new file is read at once, and refused if that fails; of several, each is judged when it is analysed.
    """
    value = st.session_state[key]
    files = value if isinstance(value, list) else [value] if value is not None else []
    held, refused = _kept("held"), _kept("refused")
    is_new = any(f.file_id not in held.get(source, ()) for f in files)
    held[source] = {f.file_id for f in files}
    refused.pop(source, None)
    found = [Recording.of(f.name if source == "upload" else "microphone.wav", f.getvalue()) for f in files]
    if len(found) == 1 and is_new and (why := _unreadable(found[0])):
        refused[source] = plain(f"{files[0].name}: {why}")
        return
    _kept("recordings")[source] = list({r.identity: r for r in found}.values())


def _remove(source: Source) -> None:
    _kept("recordings").pop(source, None)


def _unreadable(recording: Recording) -> str:
    """Why a recording cannot be read; empty where it can."""
    try:
        samples_of(recording)
    except AudioError as error:
        return str(error)
    return ""


def _readable(recording: Recording) -> bool:
    return not _unreadable(recording)


def _kept(what: str) -> dict:
    return st.session_state.setdefault(what, {})
