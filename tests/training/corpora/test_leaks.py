"""No leak between splits: by a speaker's spelling, by a path, or by a copy."""

import shutil

import pandas as pd
import pytest

from segser_core.audio.excerpt import CLIP_END, CLIP_START
from segser_core.errors import CorpusError
from tests.support.made_corpora import write_hum
from training.corpora import load_corpus
from training.corpora.leaks import check_recordings, identical_files
from training.corpora.protocols import clips_of_split, folds

SPLITS = ("train", "dev", "test")


@pytest.fixture
def made(tmp_path):
    """Writes a corpus of three speakers, two clips each; returns a function that loads it with these speakers."""

    def load(speakers=("01", "02", "03"), more: str = "", **options):
        lines = ["path,label,speaker,split"]
        for i, (speaker, split) in enumerate(zip(speakers, SPLITS, strict=True)):
            for k, label in enumerate(("happy", "sad")):
                write_hum(tmp_path / f"{i}{k}.wav", k, 0.3)
                lines.append(f"{i}{k}.wav,{label},{speaker},{split}")
        (tmp_path / "manifest.csv").write_text("\n".join([*lines, more]))
        return load_corpus("manifest", tmp_path, options)

    return load, tmp_path


def test_nothing_is_refused_where_nothing_is_shared(made):
    load, _ = made
    assert len(folds(load())) == 1
    assert len(folds(load(), "column:speaker")) == 3


@pytest.mark.parametrize("others", [("Anna", "anna"), ("01", "1"), ("An na", "Anna"), ("spk07", "spk7"), ("7", "7.0")])
def test_a_speaker_under_two_spellings_is_refused(made, others):
    load, _ = made
    corpus = load((*others, "Bea"))
    for protocol in (None, "column:speaker"):
        with pytest.raises(CorpusError, match=r"the speakers .*\), .*\) differ in case, blanks or leading zeros alone"):
            folds(corpus, protocol)
    with pytest.raises(CorpusError, match=r"--corpus-options\.distinct-speakers true"):
        clips_of_split(corpus, "test")
    assert f"taken as one: {', '.join(sorted(others))}." in corpus.notes[0]


def test_an_option_says_that_they_differ(made):
    load, _ = made
    corpus = load(("Anna", "anna", "Bea"), distinct_speakers=True)
    assert set(folds(corpus)[0].manifest["speaker"]) == {"Anna", "anna", "Bea"}
    assert corpus.notes == ()
    with pytest.raises(CorpusError, match="speaker Anna is in dev and train"):
        folds(load(("Anna", "Anna", "Bea"), distinct_speakers=True))


@pytest.mark.parametrize("path", ["00.wav", "./00.wav"])
def test_the_same_path_in_two_splits_is_refused_with_the_pair(made, path):
    load, folder = made
    load()
    table = pd.read_csv(folder / "manifest.csv", dtype=str).assign(utterance_id=lambda t: "u" + t.index.astype(str))
    table.loc[len(table)] = [path, "happy", "99", "test", "v0"]
    table.to_csv(folder / "manifest.csv", index=False)
    with pytest.raises(CorpusError, match=r"the recording 00.wav is in train \(u0\) and in test \(v0\)"):
        folds(load_corpus("manifest", folder))


def test_a_copy_in_another_split_is_refused_with_the_pair(made):
    load, folder = made
    load()
    shutil.copyfile(folder / "00.wav", folder / "copy.wav")
    for split, refused in (("train", False), ("test", True)):
        corpus = load(more=f"copy.wav,happy,{'99' if refused else '01'},{split}\n")
        if refused:
            message = r"00.wav \(train\) and copy.wav \(test\) are the same recording, byte for byte"
            for divide in (folds, lambda c: clips_of_split(c, "test")):
                with pytest.raises(CorpusError, match=message):
                    divide(corpus)
        else:
            assert len(folds(corpus)[0].manifest) == 7


def test_a_link_to_a_recording_of_another_split_is_a_copy(made):
    load, folder = made
    (folder / "link.wav").symlink_to(folder / "00.wav")
    with pytest.raises(CorpusError, match="same recording"):
        folds(load(more="link.wav,happy,99,test\n"))


def test_identical_files_are_found_by_their_bytes(tmp_path):
    data = {"a": b"x" * 9000, "b": b"x" * 9000, "c": b"y" + b"x" * 8999, "d": b"x" * 9001, "e": b"x" * 9000}
    for name, content in data.items():
        (tmp_path / name).write_bytes(content)
    assert identical_files(tmp_path, [*data, "absent"]) == [["a", "b", "e"]]


def test_stretches_of_one_recording_may_lie_in_two_splits_where_they_share_no_time():
    rows = [("a.wav", 0.0, 1.0, "train"), ("a.wav", 1.0, 2.0, "test"), ("b.wav", 0.0, 2.0, "dev")]
    manifest = pd.DataFrame(rows, columns=["path", CLIP_START, CLIP_END, "split"])
    check_recordings(manifest)
    manifest.loc[1, CLIP_START] = 0.9
    with pytest.raises(CorpusError, match=r"a.wav is in train .* and in test"):
        check_recordings(manifest)


def test_one_class_is_nothing_to_tell_apart(made):
    load, _ = made
    corpus = load(labels={"happy": None})
    with pytest.raises(CorpusError, match="has the class sad alone; a model tells two or more apart"):
        folds(corpus)
