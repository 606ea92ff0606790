"""Joined corpora, and the manifest that they are: on a made-up corpus, and on EMO-DB where it is at hand."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.audio.waveform import encode_wav
from segser_core.errors import CorpusError, SettingError
from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.run import read_run
from tests.support.paths import ROOT, SHARED
from tests.support.training import CORPUS_LABELS
from training import evaluate
from training.corpora import COLUMNS, Corpus, load_corpus
from training.corpora.join import PAUSE_S, JoinLengths, join_corpus, plan_groups
from training.corpora.protocols import clips_of_split

SHORT = JoinLengths(2, 6)


@pytest.fixture
def short(corpus) -> Corpus:
    """The made-up corpus as a folder with a manifest."""
    fold, root = corpus
    fold.manifest.to_csv(root / "manifest.csv", index=False)
    return load_corpus("manifest", root)


def command(*arguments: object) -> subprocess.CompletedProcess:
    line = [sys.executable, "-m", "training.corpora", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT)


def test_a_joined_clip_is_its_parts_with_silence_between(short, tmp_path):
    joined = join_corpus(short, clips_of_split(short, "train"), SHORT, tmp_path / "long").manifest
    assert len(joined) > 1
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ))
    for row in joined.to_dict("records"):
        parts = [load_audio(short.root / f"{p}.wav") for p in row["parts"].split()]
        whole = np.concatenate([piece for part in parts for piece in (part, pause)][:-1])
        np.testing.assert_allclose(load_audio(tmp_path / "long" / row["path"]), whole, atol=2 / 32768)
        assert row["joined"] == len(parts)
        assert row["duration_s"] == len(whole) / SAMPLE_RATE_HZ
    with av.open(str(tmp_path / "long" / joined["path"][0])) as file:
        assert "Joined from" in file.metadata["comment"]
        assert (file.streams.audio[0].rate, file.streams.audio[0].channels) == (16_000, 1)


def check(joined: pd.DataFrame, clips: pd.DataFrame, lengths: JoinLengths) -> None:
    """What every joined corpus keeps to."""
    assert joined["duration_s"].between(lengths.min_s, lengths.max_s).all()
    assert (joined["joined"] >= 2).all()
    assert set(joined["style"]) == {"joined"}
    assert joined["utterance_id"].is_unique
    parts = joined.assign(part=joined["parts"].str.split()).explode("part")
    assert parts["part"].is_unique
    of = clips.set_index("utterance_id").loc[parts["part"]]
    for column in ("speaker", "label", "split"):
        assert parts[column].tolist() == of[column].tolist()


@pytest.mark.parametrize("split", ["train", "test"])
def test_parts_share_speaker_label_and_split_and_none_is_used_twice(short, tmp_path, split):
    clips = clips_of_split(short, split)
    got = join_corpus(short, clips, JoinLengths(1.2, 6), tmp_path / "long")
    check(got.manifest, clips, JoinLengths(1.2, 6))
    assert set(got.manifest["split"]) == {split}
    assert got.left_over == len(clips) - got.manifest["joined"].sum()


def test_the_seed_decides(short, tmp_path):
    clips = clips_of_split(short, "train")
    made = [join_corpus(short, clips, JoinLengths(2, 6, seed), tmp_path / f"{i}") for i, seed in enumerate((3, 3, 4))]
    pd.testing.assert_frame_equal(made[0].manifest, made[1].manifest)
    assert made[0].manifest["parts"].tolist() != made[2].manifest["parts"].tolist()
    name = made[0].manifest["path"][0]
    assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_styles_are_not_mixed(short, tmp_path):
    styled = short.manifest.assign(style=["speech" if i % 4 < 2 else "song" for i in range(len(short.manifest))])
    got = join_corpus(short, styled, SHORT, tmp_path / "long").manifest
    style = styled.set_index("utterance_id")["style"]
    for row in got.to_dict("records"):
        assert set(style[row["parts"].split()]) == {row["style_of_parts"]}


def test_a_plan_comes_near_its_targets_within_the_bounds():
    """By hand, with 0.2 s between parts: 9.4 s for 9; 9.4 s for 6, since 5.2 s is too short; then no pair is left."""
    clips = [s * SAMPLE_RATE_HZ for s in (3, 3, 3, 3, 2, 4, 40, 3)]
    assert list(plan_groups(clips, iter([9.0, 6.0, 29.0]), JoinLengths())) == [[0, 1, 2], [3, 4, 5]]


def test_targets_are_spread_evenly_however_few_are_taken():
    drawn = JoinLengths().targets(np.random.default_rng(0))
    targets = [next(drawn) for _ in range(30)]
    bins = np.histogram(np.log(targets), bins=5, range=np.log([6, 30]))[0]
    assert bins.sum() == 30
    assert bins.min() >= 5
    assert bins.max() <= 7


@pytest.mark.parametrize("bounds", [(0, 30), (6, 6), (8, 7), (float("nan"), 30)])
def test_lengths_that_are_no_range_are_refused(bounds):
    with pytest.raises(SettingError, match="expected 0 < min-s < max-s"):
        JoinLengths(*bounds)


def test_nothing_is_overwritten_and_nothing_is_left_of_a_failure(short, tmp_path):
    clips = clips_of_split(short, "train")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "note.txt").write_text("mine")
    with pytest.raises(CorpusError, match="nothing is overwritten"):
        join_corpus(short, clips, SHORT, taken)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CorpusError, match="can be joined"):
        join_corpus(short, clips, JoinLengths(100, 200), tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == before
    assert [f.name for f in taken.iterdir()] == ["note.txt"]
    (tmp_path / "empty").mkdir()
    join_corpus(short, clips, SHORT, tmp_path / "empty")
    assert len(load_corpus("manifest", tmp_path / "empty").manifest) > 1


def test_a_part_that_cannot_be_read_is_named_and_left_out(short, tmp_path, caplog):
    (short.root / "0.wav").write_text("no sound")
    got = join_corpus(short, clips_of_split(short, "train"), SHORT, tmp_path / "long").manifest
    assert "0.wav is left out" in caplog.text
    assert "0" not in " ".join(got["parts"]).split()


def test_the_command_joins_and_its_result_is_a_corpus(short, tmp_path):
    call = ["join", "manifest", "--root", short.root, "--out", tmp_path / "long", "--min-s", 2, "--max-s", 6]
    done = command(*call, "--split", "train")
    assert done.returncode == 0, done.stderr
    assert "left over" in done.stdout
    assert "joining" in done.stderr
    long = load_corpus("manifest", tmp_path / "long")
    assert long.left_out == ()
    check(clips_of_split(long, "train"), short.manifest, SHORT)
    assert "each part was said by itself" in (tmp_path / "long" / "README.md").read_text()
    again = command(*call)
    assert again.returncode == 1
    assert "nothing is overwritten" in again.stderr
    assert "Traceback" not in again.stderr
    described = command("describe", "manifest", "--root", tmp_path / "long")
    assert described.returncode == 0
    assert "joined" in described.stdout


def test_emodb_joined_by_the_command(tmp_path):
    root = SHARED / "data" / "emodb"
    if not root.is_dir():
        pytest.skip(f"{root} is not at hand")
    done = command("join", "emodb", "--root", root, "--out", tmp_path / "long")
    assert done.returncode == 0, done.stderr
    joined = clips_of_split(load_corpus("manifest", tmp_path / "long"), "test")
    check(joined, clips_of_split(load_corpus("emodb", root), "test"), JoinLengths())
    assert len(joined) > 100
    assert joined["joined"].sum() > 450
    assert set(joined["label"]) == {"neutral", "happy", "sad", "angry", "fearful", "disgust", "bored"}
    assert np.histogram(joined["duration_s"], bins=[6, 10, 20, 30])[0].min() >= 10


def test_a_model_is_evaluated_on_a_joined_corpus(short, tmp_path):
    join_corpus(short, clips_of_split(short, "test"), JoinLengths(1, 6), tmp_path / "long")
    sizes = {"segment_frames": 16, "stride_frames": 8}
    model = SegmentEmotionModel.from_encoder(str(short.root / "encoder"), labels=list(CORPUS_LABELS), **sizes)
    model.save_pretrained(tmp_path / "model")
    call = ["--model", str(tmp_path / "model"), "--corpus", "manifest", "--root", str(tmp_path / "long")]
    assert evaluate.main([*call, "--out", str(tmp_path / "run")]) == 0
    run = read_run(tmp_path / "run")
    assert run.protocol == "column:split"
    assert run.corpus == "manifest"
    assert (run.predictions["joined"] >= 2).all()
    assert set(run.predictions["style"]) == {"joined"}
    assert run.predictions["parts"].str.split().map(len).tolist() == run.predictions["joined"].tolist()


def write_corpus(folder: Path, text: str, name: str = "manifest.csv", clips: tuple[str, ...] = ("a", "b")) -> Path:
    folder.mkdir(exist_ok=True)
    for i, clip in enumerate(clips):
        (folder / f"{clip}.wav").write_bytes(encode_wav(np.full(8000, 1 - 0.1 * i), 0, 1))
    (folder / name).write_text(text)
    return folder


def test_a_manifest_with_as_little_as_is_needed(tmp_path):
    corpus = load_corpus("manifest", write_corpus(tmp_path, "path,label,speaker\nb.wav,Joy,03\na.wav,boredom,007\n"))
    assert tuple(corpus.manifest.columns) == COLUMNS
    rows = corpus.manifest.to_dict("records")
    assert [r["utterance_id"] for r in rows] == ["a", "b"]
    assert [r["label"] for r in rows] == ["bored", "happy"]
    assert [r["speaker"] for r in rows] == ["007", "03"]
    assert rows[0]["text"] == ""
    assert [r["duration_s"] for r in rows] == [0.5, 0.5]


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.tsv", "manifest.parquet"])
def test_a_manifest_in_each_format(tmp_path, name):
    table = pd.DataFrame(
        {"path": ["a.wav", "b.wav"], "label": ["sad", "smug"], "speaker": ["01", None], "duration_s": [0.4, np.nan]}
    ).assign(utterance_id=["x", "y"], valence=[1.5, 2], mood=["m", ""], split="dev")
    write_corpus(tmp_path, "", name)
    if name == "manifest.parquet":
        table.to_parquet(tmp_path / name)
    else:
        table.to_csv(tmp_path / name, index=False, sep="\t" if name == "manifest.tsv" else ",")
    corpus = load_corpus("manifest", tmp_path)
    rows = corpus.manifest.to_dict("records")
    assert [r["duration_s"] for r in rows] == [0.5, 0.5]  # of the recordings, whatever the manifest says
    assert [r["speaker"] for r in rows] == ["01", ""]
    assert rows[0]["valence"] == 1.5
    assert rows[0]["mood"] == "m"
    assert rows[0]["split"] == "dev"
    assert corpus.notes == ("Labels that are none of segser's own: smug.",)


def test_rows_that_do_not_fit_are_left_out_by_name(tmp_path):
    lines = ["path,label,speaker,utterance_id", "a.wav,sad,1,a", "b.wav,sad,1,a", "none.wav,sad,1,c", "b.wav,,1,d"]
    lines += ["../secret.wav,sad,1,e", "text.wav,sad,1,f", ",sad,1,g"]
    folder = write_corpus(tmp_path / "corpus", "\n".join(lines))
    (tmp_path / "secret.wav").write_bytes(encode_wav(np.ones(8000), 0, 1))
    (folder / "text.wav").write_text("no sound")
    corpus = load_corpus("manifest", folder)
    assert corpus.manifest["utterance_id"].tolist() == ["a"]
    assert [(f.path, f.why.split(" (")[0]) for f in corpus.left_out] == [
        ("b.wav", "a second row of the name a; a.wav is used"),
        ("none.wav", "there is no such file"),
        ("b.wav", "it has no label"),
        ("../secret.wav", "its path leads out of the corpus's folder"),
        ("text.wav", "not a readable recording"),
        ("row 7", "it has no path"),
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no manifest"),
        ({"manifest.csv": "path,label,speaker\n", "manifest.tsv": ""}, "manifest.csv and manifest.tsv"),
        ({"manifest.csv": "path,label\na.wav,sad\n"}, "has no column speaker"),
        ({"manifest.csv": "path,label,speaker\n"}, "it is empty"),
        ({"manifest.csv": "path,label,speaker\nx.wav,sad,1\n"}, "x.wav: there is no such file"),
        ({"manifest.csv": ""}, "cannot be read"),
        ({"manifest.parquet": "no table"}, "cannot be read"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(CorpusError, match=message):
        load_corpus("manifest", tmp_path)


def test_a_manifest_says_its_split_itself(tmp_path):
    text = "path,label,speaker,split\na.wav,sad,1,test\nb.wav,sad,{},train\n"
    corpus = load_corpus("manifest", write_corpus(tmp_path, text.format(2)))
    assert clips_of_split(corpus, "test")["path"].tolist() == ["a.wav"]
    with pytest.raises(CorpusError, match="no clip of the split dev"):
        clips_of_split(corpus, "dev")
    leaky = load_corpus("manifest", write_corpus(tmp_path, text.format(1)))
    with pytest.raises(CorpusError, match="speaker 1 is in test and train"):
        clips_of_split(leaky, "test")


def test_a_clip_that_trains_in_several_folds_is_not_taken_twice():
    root = SHARED / "data" / "emodb"
    if not root.is_dir():
        pytest.skip(f"{root} is not at hand")
    corpus = load_corpus("emodb", root)
    assert len(clips_of_split(corpus, "test")) == 535
    with pytest.raises(CorpusError, match="several folds; ask for test"):
        clips_of_split(corpus, "train")
