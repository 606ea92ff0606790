"""Notes and tags on a clip: saved as they are typed, kept in the session where that fails."""

from pathlib import Path

import streamlit as st

from pages.shared.text import common
from segser_core.errors import RunError
from segser_core.runs.notes import Note, NoteChanged, read_notes, tags_of, write_note

REFUSED, UNDO = "note-refused", "note-undo"


def notes_in(file: Path) -> dict[str, Note] | None:
    """All notes of a run; None, with the reason shown, where they cannot be read."""
    try:
        return read_notes(file)
    except RunError as error:
        st.error(common.plain(str(error)), icon=":material/edit_off:")
        return None


def note_fields(file: Path, notes: dict[str, Note] | None, utterance_id: str) -> None:
    """A text and tags for one clip, where they are saved, and the way back from the last change."""
    text, tags, seen = (f"note-{what}-{file}-{utterance_id}" for what in ("text", "tags", "seen"))
    _follow(text, tags, seen, notes, utterance_id)
    saving = {"on_change": _save, "args": (file, utterance_id), "persist_state": "session"}
    left, right = st.columns([3, 2])
    with left:
        st.text_area("Note", key=text, height=96, placeholder="What is heard, what may explain it", **saving)
    with right:
        known = tags_of(notes or {})
        st.multiselect(
            "Tags",
            [*known, *(tag for tag in st.session_state[tags] if tag not in known)],
            key=tags,
            accept_new_options=True,
            placeholder="choose or type a tag",
            **saving,
        )
        _state_of(file, utterance_id, st.session_state[seen])


def _follow(text: str, tags: str, seen: str, notes: dict[str, Note] | None, utterance_id: str) -> None:
    """Take over what the file says, unless something is typed here that could not be saved."""
    state, on_file = st.session_state, (notes or {}).get(utterance_id, Note())
    if seen not in state or text not in state or tags not in state:
        state[text], state[tags], state[seen] = on_file.note, list(on_file.tags), on_file
    elif notes is not None and _typed(text, tags).says == state[seen].says:
        if on_file.says != state[seen].says:
            state[text], state[tags] = on_file.note, list(on_file.tags)
        state[seen] = on_file


def _typed(text: str, tags: str) -> Note:
    stripped = [tag.strip() for tag in st.session_state[tags]]
    return Note(st.session_state[text].strip(), tuple(tag for tag in stripped if tag))


def _save(file: Path, utterance_id: str) -> None:
    text, tags, seen = (f"note-{what}-{file}-{utterance_id}" for what in ("text", "tags", "seen"))
    before = st.session_state[seen]
    now = _write(file, utterance_id, _typed(text, tags), before)
    if now is not None:
        st.session_state[UNDO] = (str(file), utterance_id, before, now)


def _undo(file: Path) -> None:
    """Put the last change back, whichever clip it was on."""
    _, utterance_id, before, after = st.session_state.pop(UNDO)
    if _write(file, utterance_id, before, after) is not None:
        text, tags = (f"note-{what}-{file}-{utterance_id}" for what in ("text", "tags"))
        st.session_state[text], st.session_state[tags] = before.note, list(before.tags)


def _write(file: Path, utterance_id: str, note: Note, seen: Note) -> Note | None:
    """The note as it is in the file now; None where it was refused, and why is kept to be shown."""
    key = f"note-seen-{file}-{utterance_id}"
    try:
        now = write_note(file, utterance_id, note, seen)
    except NoteChanged as error:
        st.session_state[key], st.session_state[REFUSED] = error.now, (utterance_id, str(error))
    except RunError as error:
        st.session_state[REFUSED] = (utterance_id, str(error))
    else:
        st.session_state.pop(REFUSED, None)
        st.session_state[key] = now
        return now
    return None


def _state_of(file: Path, utterance_id: str, seen: Note) -> None:
    """Whether what is typed is saved, where, and buttons to try again and to go back."""
    refused_id, reason = st.session_state.get(REFUSED, (None, ""))
    undo = st.session_state.get(UNDO)
    if refused_id == utterance_id:
        st.error(common.plain(f"Not saved; what you typed stays here. {reason}"), icon=":material/edit_off:")
        st.button("Save again", icon=":material/save:", on_click=_save, args=(file, utterance_id))
    elif seen:
        st.caption(common.plain(f"Saved {seen.changed[:16].replace('T', ' ')} UTC in {file}"))
    else:
        st.caption(common.plain(f"Saved once you leave the field, in {file}"))
    if undo and undo[0] == str(file):
        label = "Undo" if undo[1] == utterance_id else f"Undo the change on {undo[1]}"
        st.button(common.plain(label), icon=":material/undo:", on_click=_undo, args=(file,), key="undo-note")
