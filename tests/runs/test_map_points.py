"""A map's points, joined from a run's files."""

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import RunError
from segser_core.figures.embedding_map import map_figure
from segser_core.runs import map_points
from segser_core.runs.map_points import folds_tested, read_map_points, segment_folds
from segser_core.runs.reading import Embeddings
from segser_core.runs.run import read_run
from segser_core.runs.writing import write_run

CLASSES = ("neutral", "happy", "sad", "angry")


def predictions(rows: list[tuple], **columns) -> pd.DataFrame:
    """Rows of (utterance_id, label, predicted, split, fold)."""
    table = pd.DataFrame(rows, columns=["utterance_id", "label", "predicted", "split", "fold"])
    p = {f"p_{c}": np.where(table.predicted == c, 0.7, 0.1) for c in CLASSES}
    return table.assign(confidence=0.7, seed=0, **p, **columns)


def segments(ids: list[str], index: list[int], said: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"utterance_id": ids, "segment": index, "seed": 0})
    bounds = {"start_s": table.segment * 0.8, "end_s": table.segment * 0.8 + 1.6}
    return table.assign(**bounds, **{f"p_{c}": [0.7 if c == s else 0.1 for s in said] for c in CLASSES})


def vectors(utterances: list[tuple[str, int]], parts: list[tuple[str, int]]) -> Embeddings:
    """(utterance_id, fold) of each utterance and (utterance_id, index) of each segment; vector i is all i."""

    def rows(n: int) -> np.ndarray:
        return np.repeat(np.arange(n, dtype=np.float16)[:, None], 3, axis=1)

    return Embeddings(
        rows(len(utterances)),
        np.array([u for u, _ in utterances]),
        np.array([f for _, f in utterances]),
        rows(len(parts)),
        np.array([u for u, _ in parts]),
        np.array([i for _, i in parts]),
    )


ROWS = [
    ("a", "sad", "sad", "test", 0),
    ("b", "sad", "angry", "dev", 0),
    ("b", "sad", "sad", "test", 1),
    ("c", "angry", "neutral", "test", 0),
]
PARTS = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 0), ("b", 1), ("c", 0)]


def made(folder, rows=ROWS, parts=None, found=None, seeds=(0,), **columns):
    table = segments(["a", "a", "b", "b"], [0, 1, 0, 1], ["sad", "happy", "sad", "sad"]) if parts is None else parts
    found = vectors([("a", 0), ("b", 0), ("b", 1), ("c", 0)], PARTS) if found is None else found
    write_run(
        folder / "run",
        meta={"system": "baseline", "labels": list(CLASSES), "seeds": list(seeds)},
        config_yaml="",
        metrics={},
        predictions=predictions(rows, **columns),
        segments=table if len(table) else None,
        embeddings=found or None,
    )
    return read_run(folder / "run")


def test_utterances_are_the_test_rows_of_one_fold_with_their_own_vectors(tmp_path):
    run = made(tmp_path)
    assert folds_tested(run) == (0, 1)
    points = read_map_points(run, "utterance", 0)
    assert list(points.table.utterance_id) == ["a", "c"]
    assert list(points.table.correct) == ["right", "wrong"]
    assert points.vectors[:, 0].tolist() == [0, 3]
    assert points.total == 2
    assert read_map_points(run, "utterance", 1).vectors[:, 0].tolist() == [2]  # not the development row of fold 0


def test_segments_carry_what_is_said_of_themselves_and_the_fold_of_their_stretch(tmp_path):
    points = read_map_points(made(tmp_path), "segment", 0)
    assert points.vectors[:, 0].tolist() == [0, 1, 6]
    table = points.table
    assert list(table.predicted) == ["sad", "happy", map_points.NOT_KNOWN]  # segments.parquet has no row of c
    assert list(table.label) == ["sad", "sad", "angry"]
    assert list(table.correct) == ["right", "wrong", "wrong"]
    assert table.start_s.tolist()[:2] == [0.0, 0.8]
    assert np.isnan(table.end_s[2])
    assert read_map_points(made(tmp_path), "segment", 1).vectors[:, 0].tolist() == [4, 5]


def test_a_run_without_segments_still_has_a_map_of_them(tmp_path):
    points = read_map_points(made(tmp_path, parts=[]), "segment", 0)
    assert set(points.table.predicted) == {map_points.NOT_KNOWN}
    assert len(points.table) == 3
    map_figure(points.table, np.zeros((3, 2)), "predicted", "pca")


def test_segments_in_any_order_are_told_by_their_utterance_where_it_has_one_fold():
    found = segment_folds(vectors([("a", 0), ("b", 1)], [("b", 1), ("a", 0), ("b", 0), ("lost", 0)]))
    assert found.tolist() == [1, 0, 1, -1]


def test_a_run_without_vectors_has_no_points_and_one_without_these_says_so(tmp_path):
    assert read_map_points(made(tmp_path, found={}), "utterance", 0) is None
    with pytest.raises(RunError, match="holds no utterance of the 2 test clips of fold 0"):
        read_map_points(made(tmp_path, found=vectors([("z", 0)], PARTS)), "utterance", 0)


def test_of_many_points_whole_utterances_are_shown_the_same_ones_in_both_runs(tmp_path, monkeypatch):
    ids = [f"u{i}" for i in range(40)]
    rows = [(i, "sad", "sad", "test", 0) for i in ids]
    parts = [(i, k) for i in ids for k in range(3)]
    run = made(tmp_path / "one", rows, [], vectors([(i, 0) for i in ids], parts))
    backwards = made(tmp_path / "two", rows[::-1], [], vectors([(i, 0) for i in ids[::-1]], parts[::-1]))
    monkeypatch.setattr(map_points, "MOST_POINTS", 31)
    monkeypatch.setattr(map_points, "MOST_SAMPLED", 10)
    points, others = (read_map_points(r, "segment", 0) for r in (run, backwards))
    assert points.total == 120
    assert len(points.table) == 30
    assert (points.table.utterance_id.value_counts() == 3).all()
    assert set(points.table.utterance_id) == set(others.table.utterance_id) != set(ids[:10])
    drawn, too = (set(p.table.utterance_id[p.sample]) for p in (points, others))
    assert drawn == too
    assert points.sample.sum() == 9


def test_the_same_vectors_have_the_same_fingerprint(tmp_path):
    one, again = (read_map_points(made(tmp_path), "utterance", 0) for _ in range(2))
    assert one.sha256 == again.sha256 != read_map_points(made(tmp_path), "segment", 0).sha256


def test_what_a_run_does_not_know_cannot_be_a_colour(tmp_path):
    run = made(tmp_path)
    assert map_points.can_colour_by(run, "label")
    assert not map_points.can_colour_by(run, "speaker")
    assert not map_points.can_colour_by(run, "duration")
    assert map_points.can_colour_by(made(tmp_path, speaker=["x"] * 4), "speaker")
    assert not map_points.can_colour_by(made(tmp_path, speaker=[None] * 4), "speaker")


def test_the_first_seed_is_the_one_that_run_json_lists_first(tmp_path):
    run = made(tmp_path)
    assert map_points.first_seed(run) == 0
    rows = pd.concat([run.predictions, run.predictions.assign(seed=2)])
    write_run(
        tmp_path / "two",
        meta={"system": "baseline", "labels": list(CLASSES), "seeds": [2, 0]},
        config_yaml="",
        metrics={},
        predictions=rows,
    )
    assert map_points.first_seed(read_run(tmp_path / "two")) == 2


def test_points_of_several_corpora_are_coloured_by_corpus(tmp_path):
    run = made(tmp_path, corpus=["ravdess", "cremad", "cremad", "cremad"])
    assert map_points.can_colour_by(run, "corpus")
    points = read_map_points(run, "utterance", 0)
    assert points.table.set_index("utterance_id").corpus.to_dict() == {"a": "ravdess", "c": "cremad"}
    figure = map_figure(points.table, np.zeros((2, 2)), "corpus", "pca")
    drawn = {trace.name: trace.marker for trace in figure.data if trace.name != "chosen"}
    assert set(drawn) == {"ravdess", "cremad"}
    assert len({(marker.color, marker.symbol) for marker in drawn.values()}) == 2
    assert not map_points.can_colour_by(made(tmp_path / "single", corpus="ravdess"), "corpus")
