"""Loaders on the real corpora, where they are at hand, and on small trees built here."""

import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from segser_core.audio.loading import load_audio
from segser_core.errors import CorpusError
from segser_core.runs.corpus_info import BEFORE_CORPUS_INFO, corpus_info
from tests.support.audio_files import encode_audio, make_noise
from tests.support.paths import ROOT, SHARED
from training.corpora import COLUMNS, corpus_definitions, corpus_title, load_corpus
from training.corpora import __main__ as command_line
from training.corpora.corpus import Misfit, read_duration_s
from training.corpora.emodb import parse_emodb_name
from training.corpora.ravdess import parse_ravdess_name


def real(name: str) -> Path:
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not at hand")
    return folder


def write_wav(path: Path, seconds: float = 1.0, rate: int = 16000) -> Path:
    data = b"\0\1" * round(seconds * rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    header = (
        struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16) + b"data" + struct.pack("<I", len(data))
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(header) + len(data)) + b"WAVE" + header + data)
    return path


def test_ravdess_whole():
    start = time.process_time()
    corpus = load_corpus("ravdess", real("ravdess"))
    assert time.process_time() - start < 15
    manifest = corpus.manifest
    assert tuple(manifest.columns[: len(COLUMNS)]) == COLUMNS
    assert manifest.label.value_counts().to_dict() == corpus.expected
    assert manifest["style"].value_counts().to_dict() == {"speech": 1440, "song": 1012}
    assert corpus.left_out == ()
    assert manifest.utterance_id.is_unique
    assert set(manifest.speaker) == {f"{n:02d}" for n in range(1, 25)}
    assert manifest[manifest["style"] == "song"].speaker.nunique() == 23
    assert manifest.duration_s.sum() == pytest.approx(10033.958, abs=0.01)
    assert all((corpus.root / p).is_file() for p in manifest.path.head(20))


def test_emodb_whole():
    corpus = load_corpus("emodb", real("emodb"))
    assert corpus.manifest.label.value_counts().to_dict() == corpus.expected
    assert len(corpus.manifest) == 535
    assert corpus.manifest.speaker.nunique() == 10
    assert corpus.manifest.groupby("gender").speaker.nunique().to_dict() == {"female": 5, "male": 5}
    assert "disgust" not in set(corpus.manifest[corpus.manifest.speaker == "08"].label)


def test_ravdess_name():
    got = parse_ravdess_name("03-02-06-01-02-01-12")
    assert (got.label, got.speaker, got.gender, got.style) == ("fearful", "12", "female", "song")
    assert got.text == "Dogs are sitting by the door"
    assert parse_ravdess_name("03-01-02-01-01-01-01").label == "calm"


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("notes", "seven pairs"),
        ("03-01-06-01-02-01", "seven pairs"),
        ("03-01-06-01-02-01-12-01", "seven pairs"),
        ("01-01-06-01-02-01-12", "modality 01"),
        ("03-03-06-01-02-01-12", "channel 03"),
        ("03-01-09-01-02-01-12", "emotion 09"),
        ("03-01-01-02-02-01-12", "intensity 02"),
        ("03-01-06-01-03-01-12", "statement 03"),
        ("03-01-06-01-02-03-12", "repetition 03"),
        ("03-01-06-01-02-01-25", "actor 25"),
        ("03-01-06-01-02-01-00", "actor 00"),
        ("03-02-08-01-02-01-12", "no song"),
    ],
)
def test_ravdess_refuses(stem, why):
    with pytest.raises(Misfit, match=why):
        parse_ravdess_name(stem)


@pytest.mark.parametrize("stem", ["04a01Fa", "03a03Fa", "03a01Xa", "03a01F", "03a01Faa", ""])
def test_emodb_refuses(stem):
    with pytest.raises(Misfit):
        parse_emodb_name(stem)


def test_any_folder_any_case_and_what_is_left_out(tmp_path):
    write_wav(tmp_path / "somewhere" / "deep" / "03-01-05-01-01-01-02.WAV", 0.5)
    write_wav(tmp_path / "03-01-01-01-01-01-01.wav")
    write_wav(tmp_path / "z" / "03-01-01-01-01-01-01.wav")
    write_wav(tmp_path / "._03-01-01-01-01-01-01.wav")
    (tmp_path / "03-01-03-01-01-01-01.wav").write_text("no sound")
    (tmp_path / "README.txt").write_text("read me")
    corpus = load_corpus("ravdess", tmp_path)
    assert corpus.manifest.path.tolist() == ["03-01-01-01-01-01-01.wav", "somewhere/deep/03-01-05-01-01-01-02.WAV"]
    assert corpus.manifest.duration_s.tolist() == [1.0, 0.5]
    why = {f.path: f.why for f in corpus.left_out}
    assert "hidden" in why["._03-01-01-01-01-01-01.wav"]
    assert "not a readable recording" in why["03-01-03-01-01-01-01.wav"]
    assert "ending" in why["README.txt"]
    assert "03-01-01-01-01-01-01.wav is used" in why["z/03-01-01-01-01-01-01.wav"]
    assert len(why) == 4


def test_a_recording_without_sound_is_left_out(tmp_path):
    with pytest.raises(Misfit):
        read_duration_s(write_wav(tmp_path / "none.wav", 0))


def test_wrong_names_and_folders(tmp_path):
    with pytest.raises(CorpusError, match=r"emodb.*ravdess"):
        load_corpus("nonesuch", tmp_path)
    with pytest.raises(CorpusError, match="no folder"):
        load_corpus("ravdess", tmp_path / "absent")
    write_wav(tmp_path / "03a01Fa.wav")
    with pytest.raises(CorpusError, match="1 files do not"):
        load_corpus("ravdess", tmp_path)


def test_each_corpus_is_declared_by_its_own_file():
    definitions = corpus_definitions()
    assert {"ravdess", "emodb", "iemocap", "fesc", "manifest", "audformat"} <= set(definitions)
    for name, definition in definitions.items():
        assert definition.name == name
        assert definition.load.__module__ == f"training.corpora.{name}"
        assert all(protocol.name.startswith(f"{name}-") for protocol in definition.protocols)
    assert corpus_title("emodb") == "EMO-DB"
    assert corpus_title("nonesuch") == "nonesuch"


def test_runs_that_came_before_corpus_info_have_the_same_words():
    for name, words in BEFORE_CORPUS_INFO.items():
        assert corpus_info({"corpus": name}) == words == corpus_definitions()[name].info


def test_describe(tmp_path):
    write_wav(tmp_path / "03a01Fa.wav")
    write_wav(tmp_path / "03a01Xa.wav")
    command = [sys.executable, "-m", "training.corpora", "describe"]
    root = ROOT
    done = subprocess.run([*command, "emodb", "--root", tmp_path], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "happy 1 of 71 DIFFERS" in lines
    assert "03 1 of 49 DIFFERS" in lines
    assert any(line.startswith("03a01Xa.wav: emotion X") for line in lines)
    done = subprocess.run([*command, "emodb", "--root", tmp_path / "no"], capture_output=True, text=True, cwd=root)
    assert done.returncode == 1
    assert "no folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["describe", "nonesuch"], "corpus 'nonesuch' is unknown"),
        (["describe", "emodb", "--corpus-options.merge", "yes"], "option 'merge' is unknown"),
        (["join", "emodb", "--protocol", "emodb-nonesuch"], "protocol 'emodb-nonesuch' is unknown"),
    ],
)
def test_a_name_that_is_not_known_is_a_wrong_call(tmp_path, capsys, call, message):
    write_wav(tmp_path / "03a01Fa.wav")
    out = ["--out", str(tmp_path / "out")] if call[0] == "join" else []
    assert command_line.main([*call, "--root", str(tmp_path), *out]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_the_corpus_is_a_problem(tmp_path, capsys):
    assert command_line.main(["describe", "emodb", "--root", str(tmp_path)]) == 1
    assert "no recording" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("container", "codec", "claimed_s"),
    [("adts", "aac", None), ("mp3", "libmp3lame", None), ("matroska", "flac", None), ("flac", "flac", 5.0)],
)
def test_durations_are_those_of_the_decoded_sound(container, codec, claimed_s, tmp_path):
    """Loud and quiet seconds, so that a guess by the bit rate at the start would be off."""
    samples = np.concatenate([make_noise(1.0), np.zeros(64_000, np.float32)])
    path = tmp_path / "a"
    path.write_bytes(encode_audio(container, codec, samples, 16_000))
    assert read_duration_s(path) == pytest.approx(len(load_audio(path)) / 16_000, abs=0.001)
    assert read_duration_s(path) == pytest.approx(claimed_s or 5.0, abs=0.15)
