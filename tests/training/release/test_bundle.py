"""What a model card says of macro F1 and of positives, on runs worked by hand."""

import pandas as pd
import pytest

from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from training.release.bundle import macro_f1_note, own_positive_note

LABELS = ("happy", "sad", "surprised")


@pytest.fixture
def run_of(tmp_path):
    """Make a run of clips, each given as (label, predicted)."""

    def make(clips, system="baseline", date="2026-12-01") -> Run:
        rows = [
            {"utterance_id": f"clip-{i}", "label": label, "predicted": predicted, "confidence": 1.0}
            | {f"p_{c}": float(c == predicted) for c in LABELS}
            | {"split": "test", "seed": 0, "fold": 0}
            for i, (label, predicted) in enumerate(clips)
        ]
        meta = {"system": system, "labels": list(LABELS), "date": date}
        write_run(tmp_path / "run", meta=meta, config_yaml="", metrics={}, predictions=pd.DataFrame(rows))
        return read_run(tmp_path / "run")

    return make


def test_macro_f1_counts_a_class_that_is_named_only(run_of):
    """Happy has an F1 of 1, sad of 2 / 3, surprised of 0: .833 over the two that are there."""
    run = run_of([("happy", "happy"), ("sad", "sad"), ("sad", "surprised")])
    assert macro_f1_note("EMO-DB", run) == (
        "Its macro F1 is over 3 classes: surprised, which EMO-DB lacks and the model names in 1 of 3 clips, counts as "
        "0. Taken over the 2 classes that EMO-DB has it is 83.3."
    )


def test_macro_f1_of_the_classes_that_are_there(run_of):
    run = run_of([("happy", "happy"), ("sad", "happy")])
    assert macro_f1_note("EMO-DB", run) == "Its macro F1 is over the 2 classes that EMO-DB has."


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
    assert said in own_positive_note(run_of([("sad", "sad"), ("happy", "happy")], system, date))
