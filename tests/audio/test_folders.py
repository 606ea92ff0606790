"""The audio files of a folder."""

import os

from segser_core.audio import folders
from segser_core.audio.folders import count_passed_over, find_audio_files
from tests.support.audio_files import encode_audio, make_tone


def test_a_folder_is_every_audio_file_below_it(tmp_path):
    names = ["b.WAV", "a.flac", "sub/c.Mp3", "sub/deep/d.opus", "sub/e.webm", "f.AIFF", "x<b>.ogg", ".hidden/g.m4a"]
    for name in [*names, "notes.txt", "wav", "sub/._c.mp3", "mp3.zip"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert list(find_audio_files(tmp_path)) == sorted(tmp_path / n for n in [*names, "gone.wav"])


def test_what_is_no_folder_stands_for_itself(tmp_path):
    for path in (tmp_path / "absent.wav", tmp_path / "notes.txt"):
        assert list(find_audio_files(path)) == [path]


def test_a_folder_that_may_not_be_read_is_listed(tmp_path, monkeypatch):
    """So that the command line says it, where leaving it out would hide it."""
    (tmp_path / "a.wav").touch()
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(folders.os, "scandir", scandir)
    assert list(find_audio_files(tmp_path)) == [tmp_path / "a.wav", tmp_path / "closed"]


def test_a_recording_is_found_by_its_content_and_the_rest_is_counted(tmp_path):
    for name, container, codec in (
        ("memo", "caf", "pcm_s16be"),
        ("old.dat", "wav", "pcm_s16le"),
        ("c.bin", "flac", "flac"),
    ):
        (tmp_path / name).write_bytes(encode_audio(container, codec, make_tone(16_000), 16_000))
    (tmp_path / "deep").mkdir()
    for name in ("a.txt", "b.TXT", "deep/c.txt", "deep/d.pdf", "readme", ".DS_Store", "Thumbs.db", "._x.wav"):
        (tmp_path / name).write_bytes(b"no sound")
    (tmp_path / "picture.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (tmp_path / "elsewhere").symlink_to(tmp_path / "deep")
    assert [p.name for p in find_audio_files(tmp_path)] == ["c.bin", "memo", "old.dat"]
    assert dict(count_passed_over(tmp_path)) == {
        ".txt": 3, ".pdf": 1, ".heic": 1, "without an ending": 1,
        f"the linked folder {tmp_path / 'elsewhere'}, which is not followed": 1,
    }  # fmt: skip


def test_a_linked_folder_that_is_named_itself_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.wav").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list(find_audio_files(tmp_path / "link")) == [tmp_path / "link" / "a.wav"]
