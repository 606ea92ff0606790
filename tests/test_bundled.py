"""What ships: the two models, their runs and cards; on real recordings where these are at hand."""

import json

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from segser_core.audio.loading import load_audio
from segser_core.bundled import BUNDLED, find_checkpoint
from segser_core.inference.models import list_models
from segser_core.inference.predictor import Predictor
from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.run import read_run
from segser_core.statistics.emotion_diarization import diarization_by_context
from segser_core.statistics.scores import compute_metrics
from segser_core.statistics.scores_by_corpus import scores_by_corpus
from training.corpora import load_corpus
from training.corpora.protocols import folds
from training.corpora.ravdess import RAVDESS_PAPER_LABELS
from training.release.bundle import model_card, percent_with_interval

NAMES = ("baseline", "seg+tri-w")
CORPORA = ("ravdess", "cremad", "emodb")
TEST_CLIPS = {"ravdess": 208, "cremad": 1310, "emodb": 104}
CHANGING = BUNDLED.parents[1] / "training" / "results" / "when"


@pytest.fixture(scope="module")
def recordings(shared):
    """The test clips of RAVDESS: (path as in the runs, samples)."""
    root = shared / "data"
    paths = folds(load_corpus("ravdess", root / "ravdess"))[0].split("test")["path"]
    return [(path, load_audio(root / path)) for path in "ravdess/" + paths]


def test_the_models_are_listed_with_their_scores():
    listed = {m.name: m for m in list_models()}
    assert set(NAMES) <= set(listed)
    for m in listed.values():
        assert m.labels == RAVDESS_PAPER_LABELS
        assert m.corpus == "ravdess+cremad+emodb"
        assert 0.5 < m.uar < 1


def test_all_of_it_fits_its_bounds():
    sizes = [f.stat().st_size for f in BUNDLED.rglob("*") if f.is_file()]
    assert sum(sizes) < 50e6
    assert max(sizes) < 24e6
    for name in NAMES:
        assert sum(f.stat().st_size for f in (BUNDLED / name).iterdir() if f.is_file()) < 4e6


@pytest.mark.parametrize("name", NAMES)
def test_a_run_holds_development_and_test_clips(name):
    run = read_run(BUNDLED / name)
    tested = run.predictions[run.predictions["split"] == "test"]
    assert tested["corpus"].value_counts().to_dict() == TEST_CLIPS
    assert run.predictions["split"].value_counts()["dev"] == 208 + 738 + 112
    assert run.protocol == "ravdess-paper+cremad-fixed+emodb-fixed"
    assert run.embeddings() is not None
    assert run.segments is not None
    assert len(run.meta["encoder"]["sha256"]) == 64


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_its_runs_hold(name):
    changing = [read_run(CHANGING / name / corpus) for corpus in CORPORA]
    assert (BUNDLED / name / "README.md").read_text() == model_card(read_run(BUNDLED / name), changing)


@pytest.mark.parametrize("name", NAMES)
def test_its_scores_are_those_of_its_predictions(name):
    run = read_run(BUNDLED / name)
    written = (BUNDLED / name / "metrics.json").read_text()
    found = json.dumps(compute_metrics(run.predictions, run.labels))
    first, second = (json.loads(text, parse_float=lambda x: round(float(x), 9)) for text in (written, found))
    assert first == second


def test_the_readme_quotes_the_runs():
    """Each model's rows: UAR by corpus, and share of time in context by corpus, with their intervals."""
    readme = (BUNDLED.parents[1] / "README.md").read_text()
    for name in NAMES:
        scores = {of.corpus: of for of in scores_by_corpus(read_run(BUNDLED / name).test_rows, RAVDESS_PAPER_LABELS)}
        uars = (percent_with_interval(scores[c].uar, scores[c].uar_interval) for c in CORPORA)
        assert f"| `{name}` | {' | '.join(uars)} |" in readme
        found = [diarization_by_context(read_run(CHANGING / name / corpus))["clip"] for corpus in CORPORA]
        times = (percent_with_interval(of.share_of_time.value, of.share_of_time.interval) for of in found)
        assert f"| `{name}` | {' | '.join(times)} |" in readme


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_was_tuned_and_no_position_is_stored(name, shared):
    tuned = SegmentEmotionModel.from_folder(find_checkpoint(name))
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
    for path, samples in recordings[::24]:
        got = predictor.predict(samples)
        assert got.label == rows.loc[path, "predicted"]
        assert got.confidence == pytest.approx(rows.loc[path, "confidence"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kept"), [("baseline", 0.65), ("seg+tri-w", 0.85)])
def test_most_clips_keep_their_label_later_in_the_encoders_window(name, kept, recordings):
    """2, 5 and 10 s into the window of 15 s; `baseline` met no clip there in training."""
    model, run = SegmentEmotionModel.from_folder(find_checkpoint(name)), read_run(BUNDLED / name)
    model.encoder.positions_matter = True
    of_run = run.predictions.set_index("path")[[f"u_{label}" for label in run.labels]]
    expected = torch.from_numpy(of_run.loc[[path for path, _ in recordings]].to_numpy().argmax(axis=1))
    features = [model.encoder.features(torch.from_numpy(samples)) for _, samples in recordings]
    order = sorted(range(len(features)), key=lambda i: len(features[i]))
    parts = [order[i : i + 8] for i in range(0, len(order), 8)]
    labels = torch.cat([labels_along_the_table(model, [features[i] for i in part]) for part in parts])
    assert (labels == expected[order, None]).double().mean(dim=0).min() >= kept


def labels_along_the_table(model: SegmentEmotionModel, features: list[torch.Tensor]) -> torch.Tensor:
    """The label of each clip at rows 100, 250 and 500 of Whisper's table: (B, 3)."""
    rows = torch.tensor([100, 250, 500])
    lengths = torch.tensor([len(f) for f in features]).repeat_interleave(len(rows))
    batch = pad_sequence(features, batch_first=True).repeat_interleave(len(rows), dim=0)
    with torch.inference_mode():
        logits = model(batch, lengths, rows.repeat(len(features))).utterance_logits
    return logits.argmax(dim=1).view(-1, len(rows))


@pytest.mark.parametrize("name", NAMES)
def test_the_level_hardly_matters(name, recordings):
    """20 dB quieter: at least 90 % equal labels."""
    predictor = Predictor.from_pretrained(name)
    same = [predictor.predict(x).label == predictor.predict(0.1 * x).label for _, x in recordings[::4]]
    assert np.mean(same) >= 0.9
