"""The table of benchmarks/robustness.py, on nine short tones and by figures worked by hand."""

import pandas as pd
import pytest

from benchmarks import robustness
from benchmarks.robustness import Loss, compare, keep, tables
from tests.support.audio_files import encode_any_wav, make_tone, to_pcm16

LABELS = ("angry", "sad")


def loss(condition, version="1", uar=0.6, change=-0.1):
    return Loss("ravdess", "paper", "test", condition, "seg", version, 20, uar, change, change - 0.05, change + 0.02)


def predictions(predicted, labels="aaaass"):
    names = {"a": "angry", "s": "sad"}
    rows = [(f"clip {i}", names[true], names[p]) for i, (true, p) in enumerate(zip(labels, predicted, strict=True))]
    return pd.DataFrame(rows, columns=["utterance_id", "label", "predicted"]).assign(split="test", seed=0, fold=0)


def test_uar_and_what_a_condition_costs():
    uar, change, low, high = compare(predictions("aassss"), predictions("aaaass"), LABELS)
    assert (uar, change) == pytest.approx((0.75, -0.25))
    assert low < -0.25 < high <= 0


def test_figures_of_a_version_are_replaced_and_others_stay(tmp_path):
    file = tmp_path / "robustness.csv"
    keep([loss("as recorded", uar=0.7, change=0.0), loss("telephone")], file)
    keep([loss("telephone", uar=0.65, change=-0.05)], file)
    every = keep([loss("telephone", version="2", uar=0.69, change=0.01)], file)
    pd.testing.assert_frame_equal(every.reset_index(drop=True), pd.read_csv(file, dtype={"version": str}))
    assert tables(keep([], file)).splitlines() == [
        "ravdess, paper, test: 20 clips",
        "",
        "| clips | seg 1 | seg 2 |",
        "| --- | --- | --- |",
        "| as recorded | 70.0 | – |",
        "| telephone | 65.0, −5.0 (−10.0 to −3.0) | 69.0, +1.0 (−4.0 to +3.0) |",
    ]


@pytest.fixture
def folder(tmp_path):
    """A corpus of three speakers, one a split."""
    rows = []
    for i, split in enumerate(("train", "dev", "test")):
        for j, label in enumerate(("angry", "sad", "happy")):
            name = f"{split}{j}.wav"
            (tmp_path / name).write_bytes(
                encode_any_wav(to_pcm16(make_tone(16_000, 1.0, 150 + 50 * i + 90 * j)), 16_000)
            )
            rows.append({"path": name, "label": label, "speaker": split, "split": split})
    pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
    return tmp_path


def test_the_command_scores_a_corpus_with_babble_of_its_training_clips(folder, monkeypatch, capsys):
    pools, make = [], robustness.ClipPool
    monkeypatch.setattr(robustness, "ClipPool", lambda paths: pools.append(paths) or make(paths))
    places = ["--corpus", "manifest", "--root", f"{folder}", "--table", f"{folder}/table.csv"]
    page = folder / "page.md"
    page.write_text("\n".join(["before", *robustness.PAGE_MARKS, "after"]))
    asked = ["--page", f"{page}", "--models", "baseline", "--version", "7", "--conditions", "babble 10 dB", "telephone"]
    assert robustness.main([*places, *asked]) == 0
    found = pd.read_csv(folder / "table.csv")
    assert list(found["condition"]) == ["as recorded", "babble 10 dB", "telephone"]
    assert set(found["clips"]) == {3}
    assert found["change"].iloc[1] == pytest.approx(found["uar"].iloc[1] - found["uar"].iloc[0], abs=1e-4)
    assert {path.name for paths in pools for path in paths} == {"train0.wav", "train1.wav", "train2.wav"}
    first, *_, last = page.read_text().splitlines()
    assert (first, last) == ("before", "after")
    assert "| clips | baseline 7 |" in page.read_text()
    assert "| clips | baseline 7 |" in capsys.readouterr().out


def test_what_is_wrong_is_said(folder, capsys):
    absent = ["--models", "nobody", "--version", "7", "--root", f"{folder}", "--corpus", "manifest"]
    assert robustness.main([*absent, "--table", f"{folder}/table.csv"]) == 1
    assert "error: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        robustness.main(["--models", "baseline"])
