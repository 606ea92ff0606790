"""The audio files of a folder."""

import os

from segser_core.audio import folders
from segser_core.audio.folders import find_audio_files


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
