"""Notes beside a run: kept, merged, refused, and never lost."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.prediction.exports import clips_to_csv
from segser_core.runs.notes import Note, NoteChanged, add_notes, notes_path, read_notes, used_tags, write_note
from segser_core.runs.run import read_run
from tests.support.paths import ROOT

NONE = Note()


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "runs" / "seg+tri-w.notes.json"


def test_a_note_comes_back_with_its_time(file):
    written = write_note(file, "a/b", Note("Laughs – ü \ud800", ("laughter", "noise")), NONE)
    (found,) = read_notes(file).values()
    assert found == written
    assert found.content == ("Laughs – ü \ud800", ("laughter", "noise"))
    assert found.changed.startswith("20")
    assert found.changed.endswith("+00:00")
    assert set(json.loads(file.read_text())["a/b"]) == {"note", "tags", "changed"}


def test_there_are_no_notes_before_the_first(file):
    assert read_notes(file) == {}
    assert not file.parent.exists()


def test_a_note_that_says_nothing_is_removed(file):
    write_note(file, "a", Note("x"), NONE)
    write_note(file, "b", Note("", ("t",)), NONE)
    assert write_note(file, "a", NONE, Note("x")) == NONE
    assert list(read_notes(file)) == ["b"]


def test_a_change_is_undone_by_writing_what_was_there(file):
    before = write_note(file, "a", Note("first", ("t",)), NONE)
    after = write_note(file, "a", Note("second"), before)
    assert write_note(file, "a", before, after).content == before.content
    assert write_note(file, "a", NONE, before) == NONE
    assert read_notes(file) == {}


def test_a_note_that_someone_else_changed_is_kept_and_shown_and_can_then_be_replaced(file):
    seen = write_note(file, "a", Note("mine"), NONE)
    write_note(file, "a", Note("theirs", ("noise",)), seen)
    with pytest.raises(NoteChanged, match=r"theirs \[noise\]") as refused:
        write_note(file, "a", Note("mine again"), seen)
    assert read_notes(file)["a"].note == "theirs"
    assert write_note(file, "a", Note("mine again"), refused.value.now).note == "mine again"


def test_two_who_write_the_same_do_not_disagree(file):
    write_note(file, "a", Note("same"), NONE)
    assert write_note(file, "a", Note("same"), NONE).note == "same"


def test_sessions_that_write_at_once_lose_nothing_of_one_another(file):
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda i: write_note(file, str(i), Note(f"note {i}"), NONE), range(60)))
    assert {k: n.note for k, n in read_notes(file).items()} == {str(i): f"note {i}" for i in range(60)}


def test_programs_that_write_at_once_lose_nothing_of_one_another(file):
    code = (
        "import sys; from pathlib import Path; from segser_core.runs.notes import Note, write_note\n"
        "for i in range(20): write_note(Path(sys.argv[1]), f'{sys.argv[2]}-{i}', Note('x'), Note())"
    )
    command = [sys.executable, "-c", code, str(file)]
    programs = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("one", "two")]
    assert [program.wait(60) for program in programs] == [0, 0]
    assert len(read_notes(file)) == 40


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"a": "text"}', '{"a": {"note": 3, "tags": []}}', '{"a": {"note": "x", "tags": "t"}}', '{"a": {}}'],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(file, content):
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(RunError, match="mend it, or move it away"):
        read_notes(file)
    with pytest.raises(RunError, match="mend it, or move it away"):
        write_note(file, "a", Note("x"), NONE)
    assert file.read_text() == content


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "runs").write_text("a file where a folder should be")
    with pytest.raises(RunError, match=r"cannot be written: .* allow writing to"):
        write_note(tmp_path / "runs" / "x.notes.json", "a", Note("x"), NONE)


def test_what_fails_in_between_leaves_the_old_file_whole(file, monkeypatch):
    write_note(file, "a", Note("x"), NONE)
    before = file.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunError, match="No space left"):
        write_note(file, "b", Note("y"), NONE)
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*.new"))


def test_notes_lie_beside_the_run_and_those_of_a_bundled_one_in_a_folder_of_ones_own(tmp_path, monkeypatch):
    bundled = read_run(BUNDLED / "baseline")
    assert notes_path(replace(bundled, path=tmp_path / "sub" / "my run")) == tmp_path / "sub" / "my run.notes.json"
    monkeypatch.delenv("SEGSER_NOTES", raising=False)
    assert notes_path(bundled).parent == Path.home() / ".local/share/segser/notes"
    monkeypatch.setenv("SEGSER_NOTES", str(tmp_path))
    assert notes_path(bundled) == tmp_path / "baseline.notes.json"


def test_a_table_has_its_notes_and_tags_beside_it():
    table = pd.DataFrame({"utterance_id": ["a", "b", "a"], "seed": [0, 0, 1]})
    found = add_notes(table, {"a": Note("x", ("s", "t")), "c": Note("z")})
    assert found.note.tolist() == ["x", "", "x"]
    assert found.tags.tolist() == ["s, t", "", "s, t"]
    assert used_tags({"a": Note("", ("t", "s")), "b": Note("", ("t",))}) == ["s", "t"]


def test_as_csv_no_note_becomes_a_formula():
    table = add_notes(pd.DataFrame({"utterance_id": ["a"], "confidence": [1 / 3]}), {"a": Note("=1+1", ("@x",))})
    lines = clips_to_csv(table).splitlines()
    assert lines == ["utterance_id,confidence,note,tags", f"a,{1 / 3},'=1+1,'@x"]
