"""What ships: the two models, their runs and cards; on real recordings where these are at hand."""

import numpy as np
import pytest
import torch

from segser_core.audio import load_audio
from segser_core.model import SegmentEmotionModel
from segser_core.predictor import Predictor
from segser_core.runs import BUNDLED, checkpoint_of, models, read_run
from training.bundle import card, score_row
from training.corpora import load_corpus
from training.protocols import RAVDESS_PAPER_LABELS, folds

NAMES = ("baseline", "seg+tri-w")
EMODB = BUNDLED.parents[1] / "training" / "results" / "emodb"


@pytest.fixture(scope="module")
def recordings(shared):
    """Every fourth test clip of RAVDESS: (path, samples)."""
    root = shared / "data" / "ravdess"
    paths = folds(load_corpus("ravdess", root))[0].split("test")["path"][::4]
    return [(path, load_audio(root / path)) for path in paths]


def test_the_models_are_listed_with_their_scores():
    listed = {m.name: m for m in models()}
    assert set(NAMES) <= set(listed)
    for m in listed.values():
        assert m.labels == RAVDESS_PAPER_LABELS and m.corpus == "ravdess" and 0.5 < m.uar < 1


def test_all_of_it_fits_its_bounds():
    sizes = [f.stat().st_size for f in BUNDLED.rglob("*") if f.is_file()]
    assert sum(sizes) < 48e6 and max(sizes) < 24e6


@pytest.mark.parametrize("name", NAMES)
def test_a_run_holds_development_and_test_clips(name):
    run = read_run(BUNDLED / name)
    assert run.predictions["split"].value_counts().to_dict() == {"dev": 208, "test": 208}
    assert run.protocol == "ravdess-paper" and run.embeddings() is not None and run.segments is not None
    assert len(run.meta["encoder"]["sha256"]) == 64


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_its_runs_hold(name):
    assert (BUNDLED / name / "README.md").read_text() == card(read_run(BUNDLED / name), read_run(EMODB / name))


def test_the_readme_quotes_the_runs():
    """Each model's row: the scores on RAVDESS, then the UAR on EMO-DB, with their intervals."""
    readme = (BUNDLED.parents[1] / "README.md").read_text()
    for name in NAMES:
        ravdess, emodb = (score_row("", read_run(folder / name)).split(" | ")[2:] for folder in (BUNDLED, EMODB))
        assert f"| `{name}` | {ravdess[0]} | {ravdess[1]} | {ravdess[2].removesuffix(' |')} | {emodb[0]} |" in readme


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_was_tuned_and_no_position_is_stored(name, shared):
    tuned = SegmentEmotionModel.from_folder(checkpoint_of(name))
    encoder = str(shared / "backbones" / "whisper-base-encoder")
    start = SegmentEmotionModel.from_encoder(encoder, labels=list(RAVDESS_PAPER_LABELS), layer=3).state_dict()
    weights = tuned.state_dict()
    assert not any("position" in key for key in weights)
    still = [k for k, w in weights.items() if k.endswith("weight") and torch.allclose(w, start[k].half().float())]
    assert still == []


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_the_run(name, recordings):
    rows = read_run(BUNDLED / name).predictions.set_index("path")
    predictor = Predictor.from_pretrained(name)
    for path, samples in recordings[::6]:
        got = predictor.predict(samples)
        assert got.label == rows.loc[path, "predicted"]
        assert got.confidence == pytest.approx(rows.loc[path, "confidence"], abs=1e-4)


@pytest.mark.xfail(strict=True, reason="these weights reach 86 to 89 % on all test clips")
@pytest.mark.parametrize("name", NAMES)
def test_a_clip_means_the_same_anywhere_in_the_position_table(name, recordings):
    """At least 95 % equal labels at rows 0, 500 and 1000 of Whisper's table of positions."""
    model = SegmentEmotionModel.from_folder(checkpoint_of(name))
    labels = []
    for _, samples in recordings:
        features = model.encoder.features(torch.from_numpy(samples)).expand(3, -1, -1)
        lengths = torch.full((3,), features.shape[1])
        with torch.inference_mode():
            logits = model(features, lengths, torch.tensor([0, 500, 1000])).utterance_logits
        labels.append(logits.argmax(dim=1).tolist())
    found = np.array(labels)
    assert (found[:, 0] == found[:, 1]).mean() >= 0.95 and (found[:, 0] == found[:, 2]).mean() >= 0.95


@pytest.mark.parametrize("name", NAMES)
def test_the_level_hardly_matters(name, recordings):
    """20 dB quieter: at least 90 % equal labels."""
    predictor = Predictor.from_pretrained(name)
    same = [predictor.predict(x).label == predictor.predict(0.1 * x).label for _, x in recordings]
    assert np.mean(same) >= 0.9
