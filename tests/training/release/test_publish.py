"""The copy of a run that is committed: no weights, vectors of test clips, small."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import RunError
from segser_core.runs.map_points import read_map_points
from segser_core.runs.reading import Embeddings
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from tests.support.made_run import make_runs
from training.release import publish
from training.release.publish import count_bytes, fit_embeddings, reduce_embeddings, select_test_embeddings


@pytest.fixture
def run(tmp_path) -> Run:
    """A made-up run in five folds; each clip is tested in one fold and developed on in the next."""
    plain = read_run(make_runs(tmp_path / "made", utterances=60)[0])
    old, tested = plain.embeddings(), plain.predictions
    dev = tested.assign(split="dev", fold=(tested["fold"] + 1) % 5)
    write_run(
        tmp_path / "run",
        meta=plain.meta,
        config_yaml="epochs: 1\n",
        metrics={},
        predictions=pd.concat([tested, dev], ignore_index=True),
        segments=plain.segments,
        embeddings={
            name: np.concatenate([array, (array + 1) % 5 if name == "utterance_fold" else array])
            for name, array in vars(old).items()
        },
        checkpoint_dir=tmp_path / "made",
    )
    return read_run(tmp_path / "run")


def test_a_copy_has_all_but_the_weights_and_the_select_test_embeddings_development_clips(run, capsys):
    out = run.path.parent / "copy"
    assert publish.main([str(run.path), "--out", str(out)]) == 0
    copy = read_run(out)
    assert copy.predictions.equals(run.predictions)
    assert copy.segments.equals(run.segments)
    assert (out / "config.yaml").read_text() == "epochs: 1\n"
    assert not (out / "checkpoint").exists()
    assert (out / "metrics.json").read_bytes() == (run.path / "metrics.json").read_bytes()
    assert copy.meta == run.meta | {"embeddings": "test clips, first seed"}
    for what in ("utterance", "segment"):
        for fold in range(5):
            whole, kept = (read_map_points(r, what, fold) for r in (run, copy))
            assert kept.table.equals(whole.table)
            assert kept.sha256 == whole.sha256
    assert len(copy.embeddings().utterance) == 60
    assert "MB" in capsys.readouterr().out


def test_where_room_is_short_one_fold_is_kept_then_none(run):
    others = sum(f.stat().st_size for f in run.path.iterdir() if f.is_file() and f.name != "embeddings.npz")
    one = sum(a.nbytes for a in vars(select_test_embeddings(run.embeddings(), run, [0])).values())
    kept, said = fit_embeddings(run, others + 10_000 + one)
    assert set(kept.utterance_fold) == {0}
    assert said == "test clips of fold 0, first seed"
    assert fit_embeddings(run, others + 10_000 + one - 1) == (None, "none, for their size")


def test_the_run_itself_stays(run):
    with pytest.raises(RunError, match="the run itself"):
        publish.copy_without_weights(run, run.path)
    assert (run.path / "checkpoint").is_dir()


def test_vectors_of_one_fold_become_principal_components_where_room_is_short():
    draw = np.random.default_rng(0)
    basis = draw.normal(size=(5, 512))
    utterance, segment = (draw.normal(size=(n, 5)) @ basis for n in (40, 90))
    whole = Embeddings(
        utterance.astype(np.float16), np.arange(40).astype(str), np.zeros(40, int),
        segment.astype(np.float16), np.arange(90).astype(str), np.zeros(90, int),
    )  # fmt: skip
    reduced, variance = reduce_embeddings(whole, components=5)
    assert reduced.utterance.shape == (40, 5)
    assert reduced.segment.dtype == np.float16
    assert variance == pytest.approx(1, abs=1e-3)
    assert reduce_embeddings(whole, components=2)[1] < 0.9

    def distance(of, i, j):
        return np.linalg.norm(of.utterance[i].astype(float) - of.segment[j].astype(float))

    assert distance(reduced, 3, 7) == pytest.approx(distance(whole, 3, 7), rel=0.01)


def test_a_run_of_one_fold_says_that_its_vectors_are_components(run, monkeypatch):
    monkeypatch.setattr(publish, "COMPONENTS", 3)
    rows = run.predictions[run.predictions["fold"] == 0].assign(split="test")
    others = sum(f.stat().st_size for f in run.path.iterdir() if f.is_file() and f.name != "embeddings.npz")
    one = dataclasses.replace(run, predictions=rows)
    part = select_test_embeddings(run.embeddings(), one, [0])
    kept, said = fit_embeddings(one, others + 10_000 + count_bytes(part) - 1)
    assert kept is not None
    assert kept.utterance.shape[1] == 3
    assert "as their first 3 principal components (" in said
