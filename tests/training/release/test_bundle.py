"""What a model card says of scores by corpus and of positives, on runs worked by hand."""

import pandas as pd
import pytest

from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from training.release.bundle import corpus_score_rows, own_positive_note, recall_rows, scored_title

LABELS = ("happy", "sad", "surprised")
RAVDESS = [("happy", "sad", "ravdess"), ("surprised", "surprised", "ravdess")]


@pytest.fixture
def run_of(tmp_path):
    """Make a run of clips, each given as (label, predicted, corpus); one speaker says all."""

    def make(clips, system="baseline", date="2026-12-01") -> Run:
        rows = [
            {"utterance_id": f"clip-{i}", "label": label, "predicted": predicted, "confidence": 1.0}
            | {f"p_{c}": float(c == predicted) for c in LABELS}
            | {"split": "test", "seed": 0, "fold": 0, "corpus": corpus, "speaker": "s"}
            for i, (label, predicted, corpus) in enumerate(clips)
        ]
        meta = {"system": system, "labels": list(LABELS), "date": date}
        write_run(tmp_path / "run", meta=meta, config_yaml="", metrics={}, predictions=pd.DataFrame(rows))
        return read_run(tmp_path / "run")

    return make


def test_scores_by_corpus_are_over_the_classes_that_it_has(run_of):
    """EMO-DB has happy (1 of 1 found) and sad (1 of 2): UAR 75, accuracy 2 of 3, F1 of 1 and 2 / 3."""
    run = run_of([("happy", "happy", "emodb"), ("sad", "sad", "emodb"), ("sad", "surprised", "emodb"), *RAVDESS])
    row = corpus_score_rows(run).splitlines()[0]
    assert row.startswith("| EMO-DB | 3 | 1 | 2 | 75.0 (")
    assert row.endswith("| too few speakers | 66.7 | 83.3 |")


def test_recall_by_class_and_corpus(run_of):
    run = run_of([("happy", "happy", "emodb"), ("sad", "sad", "emodb"), ("sad", "surprised", "emodb"), *RAVDESS])
    assert recall_rows(run).splitlines()[2:] == [
        "| happy | 100.0 of 1 | 0.0 of 1 |",
        "| sad | 50.0 of 2 | – |",
        "| surprised | – | 100.0 of 1 |",
    ]


def test_a_corpus_that_was_scored_on_heard_labels_is_named_so():
    assert scored_title("cremad (heard)") == "CREMA-D, as most raters heard it"
    assert scored_title("emodb") == "EMO-DB"


@pytest.mark.parametrize(
    ("system", "date", "said"),
    [
        ("baseline", "2026-11-22", "no triplets"),
        ("seg+tri-w", "2026-11-22", "could be its own positive"),
        ("seg+tri-w", "2026-11-27", "could be its own positive"),  # the mend came in the course of that day
        ("seg+tri-w", "2026-11-28", "No clip was its own positive"),
    ],
)
def test_positives_by_system_and_date(run_of, system, date, said):
    assert said in own_positive_note(run_of([("sad", "sad", "emodb"), ("happy", "happy", "emodb")], system, date))
