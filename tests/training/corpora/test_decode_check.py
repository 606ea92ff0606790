"""Recordings are heard before training: what is broken is named, and too much of it is refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import CorpusError
from tests.support.made_corpora import write_hum
from training.corpora import Corpus, LeftOut
from training.corpora.decode_check import decoding_problem, drop_undecodable, files_by_reason
from training.corpora.flac import write_flac
from training.corpora.fold import Fold


def corpus_of(folder: Path, clips: int) -> tuple[Corpus, Fold]:
    """Clips 0.wav, 1.wav, …, two of each split's one speaker and more to train on."""
    rows = []
    for i in range(clips):
        write_hum(folder / f"{i}.wav", i % 2, 0.3)
        split = "dev" if i in (0, 1) else "test" if i in (2, 3) else "train"
        rows.append((f"{i}", f"{i}.wav", split, "sad" if i % 2 else "happy", split))
    manifest = pd.DataFrame(rows, columns=["utterance_id", "path", "speaker", "label", "split"])
    return Corpus("manifest", folder, manifest), Fold(0, ("happy", "sad"), manifest)


def test_nothing_changes_where_all_is_well(tmp_path, caplog):
    corpus, fold = corpus_of(tmp_path, 8)
    (after,) = drop_undecodable([fold], corpus)
    pd.testing.assert_frame_equal(after.manifest, fold.manifest)
    assert after.left_out == ()
    assert not caplog.text


def test_a_single_broken_file_is_left_out_by_name(tmp_path, caplog):
    corpus, fold = corpus_of(tmp_path, 8)
    corpus = dataclasses.replace(corpus, left_out=(LeftOut("notes.txt", "no recording"),))
    (tmp_path / "5.wav").write_text("no sound")
    (after,) = drop_undecodable([fold], corpus)
    assert "5.wav" not in set(after.manifest["path"])
    assert len(after.manifest) == 7
    assert "2 files of manifest are left out: notes.txt (no recording); 5.wav (" in caplog.text
    assert [f.path for f in after.left_out] == ["notes.txt", "5.wav"]


def test_many_broken_files_are_refused_unless_partial(tmp_path):
    corpus, fold = corpus_of(tmp_path, 10)
    for i in (5, 6):
        (tmp_path / f"{i}.wav").unlink()
    with pytest.raises(CorpusError, match=r"2 of the recordings of manifest .*: 5.wav, 6.wav \(.*--partial"):
        drop_undecodable([fold], corpus)
    assert len(drop_undecodable([fold], corpus, partial=True)[0].manifest) == 8


def test_what_the_loader_lost_counts_too(tmp_path):
    corpus, fold = corpus_of(tmp_path, 8)
    gone = [LeftOut("a.wav", "there is no such file", lost=True), LeftOut("b.txt", "its ending is not .wav")]
    assert len(drop_undecodable([fold], dataclasses.replace(corpus, left_out=tuple(gone)))[0].left_out) == 2
    (tmp_path / "5.wav").unlink()
    with pytest.raises(CorpusError, match=r"2 of the recordings .*: a.wav \(there is no such file\); 5.wav \("):
        drop_undecodable([fold], dataclasses.replace(corpus, left_out=tuple(gone)))


def test_one_is_too_many_where_the_complete_corpus_is_known(tmp_path):
    corpus, fold = corpus_of(tmp_path, 8)
    (tmp_path / "5.wav").unlink()
    with pytest.raises(CorpusError, match="1 of the recordings"):
        drop_undecodable([fold], dataclasses.replace(corpus, expected={"sad": 4, "happy": 4}))


def test_a_class_that_is_lost_with_a_file_is_refused(tmp_path):
    corpus, fold = corpus_of(tmp_path, 6)
    (tmp_path / "5.wav").write_text("the only sad one to train on")
    with pytest.raises(CorpusError, match="no utterance of sad for training"):
        drop_undecodable([fold], corpus)


def test_why_a_recording_is_broken(tmp_path):
    write_hum(tmp_path / "good.wav", 0, 0.2)
    write_hum(tmp_path / "short.wav", 0, 0.05)
    write_flac(np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32), tmp_path / "torn.flac", {})
    whole = (tmp_path / "torn.flac").read_bytes()
    assert decoding_problem(tmp_path / "good.wav") == decoding_problem(tmp_path / "torn.flac") == ""
    (tmp_path / "torn.flac").write_bytes(whole[: len(whole) // 2])
    assert "damaged after" in decoding_problem(tmp_path / "torn.flac")
    assert decoding_problem(tmp_path / "short.wav") == "lasts only 50 ms; training takes 100 or more"
    assert "no such file" in decoding_problem(tmp_path / "absent.wav")


def test_reasons_name_their_files_while_they_are_few():
    few = [LeftOut("a", "torn"), LeftOut("b", "torn")]
    assert files_by_reason([*few, *(LeftOut(str(i), "without a label") for i in range(21))]) == {
        "torn": ["a", "b"],
        "without a label": 21,
    }
