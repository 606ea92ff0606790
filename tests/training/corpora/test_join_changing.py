"""Recordings whose emotion changes: on a made-up corpus, on RAVDESS where it is at hand, and what cannot be made."""

import json
import subprocess
import sys

import av
import numpy as np
import pandas as pd
import pytest
from praatio import textgrid

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.errors import CorpusError, SettingError
from segser_core.prediction.stretches import longest_label, stretches_from_json
from tests.support.paths import ROOT, SHARED
from training.corpora import Corpus, load_corpus
from training.corpora.join_changing import ChangingSettings, join_changing
from training.corpora.protocols import clips_of_split
from training.corpora.trimming import trim_silence

FEW = ChangingSettings(recordings=9, seed=4)


@pytest.fixture
def short(corpus) -> Corpus:
    """The made-up corpus, in which every speaker of a split says both classes, as a folder with a manifest."""
    fold, root = corpus
    fold.manifest.assign(speaker=fold.manifest["split"]).to_csv(root / "manifest.csv", index=False)
    return load_corpus("manifest", root)


def command(*arguments: object) -> subprocess.CompletedProcess:
    line = [sys.executable, "-m", "training.corpora", "join", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT)


def check(made: pd.DataFrame, clips: pd.DataFrame, settings: ChangingSettings) -> None:
    """What every corpus of changing recordings keeps to."""
    of = clips.set_index("utterance_id")
    assert len(made) == settings.recordings
    assert made["utterance_id"].is_unique
    assert made["joined"].between(settings.fewest, settings.most).all()
    assert set(made["style"]) == {"joined"}
    for row in made.to_dict("records"):
        parts, stretches = of.loc[row["parts"].split()], stretches_from_json(row["stretches"])
        assert parts["label"].tolist() == [s.label for s in stretches]
        assert all(a != b for a, b in zip(parts["label"], parts["label"][1:], strict=False))
        assert set(parts["speaker"]) == {row["speaker"]}
        assert set(parts["split"]) == {row["split"]}
        assert row["label"] == longest_label(stretches)
        assert stretches[-1].end_s == pytest.approx(row["duration_s"])


@pytest.mark.parametrize(("pause_s", "trimmed"), [(0.0, True), (0.25, True), (0.0, False)])
def test_a_recording_is_its_clips_one_after_the_other(short, tmp_path, pause_s, trimmed):
    settings = ChangingSettings(recordings=5, pause_s=pause_s, trimmed=trimmed)
    clips = clips_of_split(short, "train")
    made = join_changing(short, clips, settings, tmp_path / "made")
    check(made, clips, settings)
    pause = np.zeros(round(pause_s * SAMPLE_RATE_HZ))
    for row in made.to_dict("records"):
        parts = [load_audio(short.root / f"{p}.wav") for p in row["parts"].split()]
        parts = [trim_silence(part) for part in parts] if trimmed else parts
        whole = np.concatenate([piece for part in parts for piece in (part, pause)][: -1 if pause_s else None])
        samples = load_audio(tmp_path / "made" / row["path"])
        np.testing.assert_allclose(samples, whole, atol=2 / 32768)
        for part, stretch in zip(parts, stretches_from_json(row["stretches"]), strict=True):
            here = samples[round(stretch.start_s * SAMPLE_RATE_HZ) : round(stretch.end_s * SAMPLE_RATE_HZ)]
            np.testing.assert_allclose(here, part, atol=2 / 32768)


def test_every_recording_says_that_it_is_made_and_has_its_textgrid(short, tmp_path):
    made = join_changing(short, clips_of_split(short, "train"), FEW, tmp_path / "made")
    for row in made.to_dict("records"):
        with av.open(str(tmp_path / "made" / row["path"])) as file:
            assert "each said by itself, so that the emotion changes" in file.metadata["comment"]
        grid = textgrid.openTextgrid(str(tmp_path / "made" / f"{row['utterance_id']}.TextGrid"), False)
        entries = [[e.start, e.end, e.label] for e in grid.getTier("emotion").entries]
        assert entries == json.loads(row["stretches"])
        assert grid.maxTimestamp == row["duration_s"]
    text = (tmp_path / "made" / "README.md").read_text()
    assert "each part was said by itself" in text
    assert "--changing --split train --recordings 9 --min-clips 2 --max-clips 4 --pause-s 0 --seed 4`" in text


def test_the_seed_decides_and_speakers_take_turns(short, tmp_path):
    clips = clips_of_split(short, "train")
    two = clips.assign(speaker=["a", "a", "b", "b"] * (len(clips) // 4))
    made = [
        join_changing(short, two, ChangingSettings(recordings=10, seed=seed), tmp_path / f"{i}")
        for i, seed in enumerate((3, 3, 4))
    ]
    pd.testing.assert_frame_equal(made[0], made[1])
    assert made[0]["parts"].tolist() != made[2]["parts"].tolist()
    assert made[0]["speaker"].value_counts().tolist() == [5, 5]
    name = made[0]["path"][0]
    assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_a_clip_is_taken_twice_only_where_no_other_is_left(short, tmp_path):
    clips = clips_of_split(short, "train").iloc[:4]
    settings = ChangingSettings(recordings=6, fewest=4, most=4)
    made = join_changing(short, clips, settings, tmp_path / "four")
    assert all(len(set(parts.split())) == 4 for parts in made["parts"])
    settings = ChangingSettings(recordings=6, fewest=5, most=5)
    check(join_changing(short, clips, settings, tmp_path / "five"), clips, settings)


def test_the_result_is_a_corpus(short, tmp_path):
    made = join_changing(short, clips_of_split(short, "test"), FEW, tmp_path / "made")
    corpus = load_corpus("manifest", tmp_path / "made")
    assert corpus.left_out == ()
    assert corpus.manifest["stretches"].tolist() == made["stretches"].tolist()
    assert len(clips_of_split(corpus, "test")) == 9


@pytest.mark.parametrize(
    ("text", "why"),
    [("[[0, 1", "its stretches are"), ('[[0, 99, "Joy"]]', "its stretches end at 99 s, but it lasts 0.")],
)
def test_rows_whose_stretches_do_not_fit_are_left_out_by_name(short, text, why):
    stretches = [text, '[[0, 0.2, "Joy"], [0.2, 0.4, "sadness"]]', *[""] * 22]
    short.manifest.assign(stretches=stretches).to_csv(short.root / "manifest.csv", index=False)
    corpus = load_corpus("manifest", short.root)
    assert [why in left.why for left in corpus.left_out] == [True]
    assert json.loads(corpus.manifest["stretches"][0]) == [[0, 0.2, "happy"], [0.2, 0.4, "sad"]]
    assert set(corpus.manifest["stretches"][1:]) == {""}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"recordings": 0}, "--recordings 0; expected 1 or more"),
        ({"fewest": 1}, "expected 2 ≤ min-clips ≤ max-clips"),
        ({"fewest": 5}, "expected 2 ≤ min-clips ≤ max-clips"),
        ({"seed": -1}, "--seed -1; expected 0 or more"),
        ({"pause_s": -1}, "expected seconds, 0 or more"),
        ({"pause_s": float("nan")}, "expected seconds, 0 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, why):
    with pytest.raises(SettingError, match=why):
        ChangingSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"style": "song"}, "no clip has the style 'song'; choose one of none"),
        ({"without": ("bored",)}, "no clip has the label 'bored' to be left out; there are neutral, sad"),
        ({"without": ("sad", "neutral")}, "no clip is left"),
        ({"without": ("sad",)}, "has clips of two emotions"),
    ],
)
def test_clips_that_cannot_be_joined_are_refused_and_nothing_is_left(short, tmp_path, settings, why):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CorpusError, match=why):
        join_changing(short, clips_of_split(short, "train"), ChangingSettings(**settings), tmp_path / "made")
    assert sorted(tmp_path.iterdir()) == before


def test_a_clip_that_cannot_be_read_ends_it(short, tmp_path, caplog):
    for name in range(0, 16, 2):
        (short.root / f"{name}.wav").write_text("no sound")
    with pytest.raises(CorpusError, match="a clip of manifest cannot be read, see above"):
        join_changing(short, clips_of_split(short, "train"), FEW, tmp_path / "made")
    assert "is left out" in caplog.text
    assert not (tmp_path / "made").exists()


def test_the_command(short, tmp_path):
    call = ["manifest", "--root", short.root, "--out", tmp_path / "made", "--changing", "--recordings", 4]
    done = command(*call, "--max-clips", 3, "--pause-s", 0.1, "--split", "train", "--seed", 2)
    assert done.returncode == 0, done.stderr
    assert "4 recordings of" in done.stdout
    settings = ChangingSettings(recordings=4, most=3, pause_s=0.1, seed=2)
    check(load_corpus("manifest", tmp_path / "made").manifest, clips_of_split(short, "train"), settings)
    again = command(*call)
    assert (again.returncode, "nothing is overwritten" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--changing", "--min-s", "3"], "--min-s: does not go with --changing"),
        (["--untrimmed"], "--untrimmed: is for --changing alone"),
        (["--max-clips", "3"], "--max-clips: is for --changing alone"),
        (["--without", "sad", "happy"], "--without: is for --changing alone"),
        (["--changing", "--recordings", "0"], "expected 1 or more"),
    ],
)
def test_options_of_the_other_way_of_joining_are_a_wrong_call(short, tmp_path, options, why):
    done = command("manifest", "--root", short.root, "--out", tmp_path / "made", *options)
    assert done.returncode == 2
    assert why in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_ravdess(tmp_path):
    root = SHARED / "data" / "ravdess"
    if not root.is_dir():
        pytest.skip(f"{root} is not at hand")
    corpus = load_corpus("ravdess", root)
    clips = clips_of_split(corpus, "test")
    settings = ChangingSettings(recordings=8, style="speech", without=("surprised",))
    made = join_changing(corpus, clips, settings, tmp_path / "made")
    check(made, clips, settings)
    assert set(made["speaker"]) == {"23", "24"}
    assert set(made["style_of_parts"]) == {"speech"}
    assert not made["stretches"].str.contains("surprised|calm").any(), "the protocol joins calm to neutral"
    lengths = [s.duration_s for text in made["stretches"] for s in stretches_from_json(text)]
    assert max(lengths) < 4, "RAVDESS's clips last 3 to 5 s, with a second of silence before and after"
