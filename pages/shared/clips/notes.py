"""Notes and tags on a clip: saved as they are typed, kept in the session where that fails."""

from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages.shared.text.common import escape_markdown
from segser_core.errors import RunError
from segser_core.runs.notes import Note, NoteChanged, read_notes, used_tags, write_note

REFUSED_KEY, UNDO_KEY = "note-refused", "note-undo"


class _NoteKeys(NamedTuple):
    """Keys of the session for the note on a clip: its text and tags as typed, and the note as last seen on file."""

    text: str
    tags: str
    seen: str

    @classmethod
    def of(cls, file: Path, utterance_id: str) -> "_NoteKeys":
        return cls(*(f"note-{part}-{file}-{utterance_id}" for part in cls._fields))


def load_notes(file: Path) -> dict[str, Note] | None:
    """Load all notes of a run; None, with the reason shown, where they cannot be read."""
    try:
        return read_notes(file)
    except RunError as error:
        st.error(escape_markdown(str(error)), icon=":material/edit_off:")
        return None


def show_note_fields(file: Path, notes: dict[str, Note] | None, utterance_id: str) -> None:
    """Show the text and the tags of one clip, where they are saved, and a way back from the last change.

    Args:
        file: where notes are saved.
        notes: by utterance; None where they cannot be read.
        utterance_id: the clip.
    """
    keys = _NoteKeys.of(file, utterance_id)
    _follow_file(keys, notes, utterance_id)
    saving: dict[str, Any] = {"on_change": _save, "args": (file, utterance_id), "persist_state": "session"}
    left, right = st.columns([3, 2])
    with left:
        st.text_area("Note", key=keys.text, height=96, placeholder="What is heard, what may explain it", **saving)
    with right:
        known = used_tags(notes or {})
        st.multiselect(
            "Tags",
            [*known, *(tag for tag in st.session_state[keys.tags] if tag not in known)],
            key=keys.tags,
            accept_new_options=True,
            placeholder="choose or type a tag",
            **saving,
        )
        _show_state(file, utterance_id, st.session_state[keys.seen])


def _follow_file(keys: _NoteKeys, notes: dict[str, Note] | None, utterance_id: str) -> None:
    """Take over the note in the file, unless something is typed here that could not be saved."""
    state, on_file = st.session_state, (notes or {}).get(utterance_id, Note())
    if any(key not in state for key in keys):
        state[keys.text], state[keys.tags], state[keys.seen] = on_file.note, list(on_file.tags), on_file
    elif notes is not None and _typed_note(keys).content == state[keys.seen].content:
        if on_file.content != state[keys.seen].content:
            state[keys.text], state[keys.tags] = on_file.note, list(on_file.tags)
        state[keys.seen] = on_file


def _typed_note(keys: _NoteKeys) -> Note:
    stripped = [tag.strip() for tag in st.session_state[keys.tags]]
    return Note(st.session_state[keys.text].strip(), tuple(tag for tag in stripped if tag))


def _save(file: Path, utterance_id: str) -> None:
    keys = _NoteKeys.of(file, utterance_id)
    before = st.session_state[keys.seen]
    now = _write(file, utterance_id, _typed_note(keys), before)
    if now is not None:
        st.session_state[UNDO_KEY] = (str(file), utterance_id, before, now)


def _undo(file: Path) -> None:
    """Put the last change back, whichever clip it was on."""
    _, utterance_id, before, after = st.session_state.pop(UNDO_KEY)
    if _write(file, utterance_id, before, after) is not None:
        keys = _NoteKeys.of(file, utterance_id)
        st.session_state[keys.text], st.session_state[keys.tags] = before.note, list(before.tags)


def _write(file: Path, utterance_id: str, note: Note, seen: Note) -> Note | None:
    """Write a note and return it as it is in the file; None where it was refused, with the reason kept to be shown."""
    seen_key = _NoteKeys.of(file, utterance_id).seen
    try:
        now = write_note(file, utterance_id, note, seen)
    except NoteChanged as error:
        st.session_state[seen_key], st.session_state[REFUSED_KEY] = error.now, (utterance_id, str(error))
    except RunError as error:
        st.session_state[REFUSED_KEY] = (utterance_id, str(error))
    else:
        st.session_state.pop(REFUSED_KEY, None)
        st.session_state[seen_key] = now
        return now
    return None


def _show_state(file: Path, utterance_id: str, seen: Note) -> None:
    """Say whether the note is saved, and where, with buttons to try again and to go back."""
    refused_id, reason = st.session_state.get(REFUSED_KEY, (None, ""))
    undo = st.session_state.get(UNDO_KEY)
    if refused_id == utterance_id:
        st.error(escape_markdown(f"Not saved; what you typed stays here. {reason}"), icon=":material/edit_off:")
        st.button("Save again", icon=":material/save:", on_click=_save, args=(file, utterance_id))
    elif seen:
        st.caption(escape_markdown(f"Saved {seen.changed[:16].replace('T', ' ')} UTC in {file}"))
    else:
        st.caption(escape_markdown(f"Saved once you leave the field, in {file}"))
    if undo and undo[0] == str(file):
        label = "Undo" if undo[1] == utterance_id else f"Undo the change on {undo[1]}"
        st.button(escape_markdown(label), icon=":material/undo:", on_click=_undo, args=(file,), key="undo-note")
