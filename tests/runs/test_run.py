"""Run folders: written, read back, damaged in every way, and never half there."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from segser_core import bundled as bundled_module
from segser_core.bundled import find_checkpoint
from segser_core.errors import ModelError, RunError
from segser_core.inference import models as models_module
from segser_core.inference.models import list_models
from segser_core.runs import run as run_module
from segser_core.runs.run import find_run, find_runs, read_run
from segser_core.statistics.scores import compare_predictions, compute_metrics, summarise_scores
from tests.support.paths import ROOT
from tests.support.run_folders import (
    RUN_LABELS,
    make_embeddings,
    make_predictions,
    make_segments,
    run_meta,
    write_run_folder,
)


def test_what_is_written_is_read(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    path = write_run_folder(
        tmp_path / "a", segments=make_segments(), embeddings=make_embeddings(), checkpoint_dir=tmp_path / "model"
    )
    run = read_run(path)
    assert (run.name, run.system, run.labels, run.corpus, run.seeds) == ("a", "seg+tri-w", RUN_LABELS, "ravdess", (0,))
    pd.testing.assert_frame_equal(run.predictions, make_predictions(), check_dtype=False)
    assert run.segments.seed.tolist() == [0]
    assert run.embeddings().utterance.shape == (2, 4)
    assert run.missing_files == ()
    assert json.loads((path / "run.json").read_text())["format"] == 1
    assert json.loads((path / "metrics.json").read_text()) == compute_metrics(make_predictions(), RUN_LABELS)
    assert find_checkpoint(path) == path / "checkpoint"
    assert find_checkpoint(path / "checkpoint") == path / "checkpoint"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "model"], "nothing is left beside the run"


def test_two_files_are_enough(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(run_meta(format=1)))
    make_predictions().drop(columns=["seed", "fold", "split", "speaker"]).to_parquet(tmp_path / "predictions.parquet")
    run = read_run(tmp_path, "by another name")
    assert run.name == "by another name"
    assert run.segments is None
    assert run.embeddings() is None
    assert set(run.predictions.split) == {"test"}
    assert run.seeds == (0,)
    assert [w.split(":")[0] for w in run.missing_files] == ["segments.parquet", "embeddings.npz"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "holds a list"),
        (json.dumps(run_meta(format=2)), "format 2"),
        (json.dumps(run_meta()), "format None"),
        (json.dumps(run_meta(format=1, labels="sad")), "expected a list"),
        (json.dumps(run_meta(format=1, labels=["sad", "sad"])), "twice"),
        (json.dumps(run_meta(format=1, system=None)), "no system"),
        (json.dumps(run_meta(format=1, labels=["neutral", "happy"])), "label has sad"),
        (json.dumps(run_meta(format=1, labels=[*RUN_LABELS, "bored"])), "no column p_bored"),
    ],
)
def test_a_wrong_run_json(tmp_path, content, why):
    path = write_run_folder(tmp_path / "a")
    (path / "run.json").write_text(content)
    with pytest.raises(RunError, match=why):
        read_run(path)


@pytest.mark.parametrize("column", ["utterance_id", "label", "predicted", "confidence", "p_sad"])
def test_a_missing_column(tmp_path, column):
    path = write_run_folder(tmp_path / "a")
    make_predictions().drop(columns=column).to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match=f"no column {column}"):
        read_run(path)


def test_damaged_tables(tmp_path):
    path = write_run_folder(tmp_path / "a", segments=make_segments())
    make_segments().drop(columns="end_s").to_parquet(path / "segments.parquet")
    with pytest.raises(RunError, match="no column end_s"):
        read_run(path)
    make_predictions().assign(p_sad=np.nan).to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match="p_sad"):
        read_run(path)
    make_predictions().iloc[:0].to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match="no row"):
        read_run(path)
    (path / "predictions.parquet").write_bytes(b"PAR1 no, it is not")
    with pytest.raises(RunError, match="Parquet"):
        read_run(path)
    (path / "predictions.parquet").unlink()
    with pytest.raises(RunError, match=r"no predictions\.parquet"):
        read_run(path)
    with pytest.raises(RunError, match=r"no run\.json"):
        read_run(tmp_path / "absent")


def test_damaged_embeddings(tmp_path):
    path = write_run_folder(tmp_path / "a", embeddings=make_embeddings())
    np.savez(path / "embeddings.npz", **(vars(make_embeddings()) | {"utterance_fold": np.zeros(3)}))
    with pytest.raises(RunError, match="does not fit"):
        read_run(path).embeddings()
    np.savez(path / "embeddings.npz", **(vars(make_embeddings()) | {"utterance": np.array([{}], dtype=object)}))
    with pytest.raises(RunError, match="damaged, or holds other things"):
        read_run(path).embeddings()
    np.savez(path / "embeddings.npz", utterance=np.ones((2, 2)))
    with pytest.raises(RunError, match="utterance_id"):
        read_run(path).embeddings()
    (path / "embeddings.npz").write_bytes(b"PK\3\4 cut off")
    with pytest.raises(RunError, match="is damaged"):
        read_run(path).embeddings()


def test_ids_may_be_text_of_any_kind(tmp_path):
    arrays = vars(make_embeddings()) | {"utterance_id": pd.Series(["u000", "u001"]).to_numpy(dtype=object)}
    assert read_run(write_run_folder(tmp_path / "a", embeddings=arrays)).embeddings().utterance_id.tolist() == [
        "u000",
        "u001",
    ]


def test_a_failed_write_leaves_the_old_run(tmp_path):
    path = write_run_folder(tmp_path / "a")
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    for wrong in ({"predictions": make_predictions().drop(columns="p_sad")}, {"meta": run_meta(x=float("nan"))}):
        with pytest.raises(RunError):
            write_run_folder(path, **wrong)
        assert {p.name: p.read_bytes() for p in path.iterdir()} == before
        assert [p.name for p in tmp_path.iterdir()] == ["a"]
    with pytest.raises(RunError):
        write_run_folder(tmp_path / "b", predictions=make_predictions().drop(columns="p_sad"))
    assert not (tmp_path / "b").exists()


def test_a_new_run_replaces_the_old_one_whole(tmp_path):
    path = write_run_folder(tmp_path / "a", segments=make_segments())
    write_run_folder(path, predictions=make_predictions(seeds=(0, 1)))
    assert read_run(path).seeds == (0, 1)
    assert not (path / "segments.parquet").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_is_no_run_or_holds_weights_is_not_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(RunError, match="no run folder"):
        write_run_folder(tmp_path / "thesis")
    with pytest.raises(RunError, match="is a file"):
        write_run_folder(tmp_path / "thesis" / "chapter.txt")
    path = write_run_folder(tmp_path / "a")
    (path / "checkpoint").mkdir()
    with pytest.raises(RunError, match="checkpoint"):
        write_run_folder(path)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_metrics_by_fold_and_seed():
    table = make_predictions(n=90, seeds=(0, 1), folds=3)
    got = compute_metrics(pd.concat([table, table.assign(split="dev", predicted="sad", fold=7)]), RUN_LABELS)
    assert got["uar"]["pooled"] == pytest.approx(balanced_accuracy_score(table.label, table.predicted))
    by_fold = [balanced_accuracy_score(g.label, g.predicted) for _, g in table.groupby("fold")]
    assert got["uar"]["per_fold"] == pytest.approx(by_fold)
    assert got["uar"]["mean_of_folds"] == pytest.approx(np.mean(by_fold))
    by_seed = [balanced_accuracy_score(g.label, g.predicted) for _, g in table.groupby("seed")]
    assert got["uar"]["per_seed"] == pytest.approx(by_seed)
    assert got["utterances"] == 90
    assert got["recall"].keys() == set(RUN_LABELS)
    low, high = got["intervals"]["uar"]
    assert low < got["uar"]["pooled"] < high
    assert all(low <= got["recall"][c] <= high for c, (low, high) in got["intervals"]["recall"].items())


def test_a_class_without_a_sample_is_null():
    got = compute_metrics(make_predictions(), (*RUN_LABELS, "bored"))
    assert got["recall"]["bored"] is None
    assert got["intervals"]["recall"]["bored"] is None
    assert got["classes_present"]["pooled"] == 3
    json.dumps(got, allow_nan=False)


def test_wrong_test_rows():
    table = make_predictions()
    with pytest.raises(RunError, match="no test utterance"):
        compute_metrics(table.assign(split="dev"), RUN_LABELS)
    with pytest.raises(RunError, match="tested twice"):
        compute_metrics(pd.concat([table, table]), RUN_LABELS)
    two = pd.concat([table, table.assign(seed=1, label="sad")])
    with pytest.raises(RunError, match="different labels"):
        compute_metrics(two, RUN_LABELS)
    with pytest.raises(RunError, match="u000 has different speakers"):
        compute_metrics(pd.concat([table, table.assign(seed=1, speaker=9)]), RUN_LABELS)


def test_comparison_pairs_by_utterance_and_seed():
    good, bad = (
        make_predictions(n=200, seeds=(0, 1), right=0.9),
        make_predictions(n=200, seeds=(1, 2), right=0.3, generator=5),
    )
    got = compare_predictions(good.sample(frac=1, random_state=0), bad, RUN_LABELS)
    one, two = (compute_metrics(t[t.seed == 1], RUN_LABELS)["uar"]["pooled"] for t in (good, bad))
    assert got.differences.uar.value == pytest.approx(one - two)
    assert got.differences.uar.interval.low > 0
    assert got.utterances == 200
    assert got.left_out == 400
    assert compare_predictions(good, good, RUN_LABELS).differences.uar.interval.high == 0


def test_comparison_is_refused_where_nothing_pairs():
    table = make_predictions()
    with pytest.raises(RunError, match="in common"):
        compare_predictions(table, table.assign(seed=3), RUN_LABELS)
    changed = table.label.where(table.index > 0, "happy" if table.label[0] != "happy" else "sad")
    with pytest.raises(RunError, match="1 utterances have another label in the other run, u000"):
        compare_predictions(table, table.assign(label=changed), RUN_LABELS)


def test_the_speakers_are_counted():
    four = summarise_scores(make_predictions(), RUN_LABELS)
    assert (four.speakers, four.few_speakers, four.by_speaker) == (4, True, None)
    for unknown in (make_predictions().drop(columns="speaker"), make_predictions().assign(speaker="")):
        got = summarise_scores(unknown, RUN_LABELS)
        assert (got.speakers, got.few_speakers, got.by_speaker) == (0, False, None)
    one_unknown = make_predictions().assign(
        speaker=np.where(np.arange(60) == 7, None, (np.arange(60) % 10).astype(str))
    )
    assert summarise_scores(one_unknown, RUN_LABELS).by_speaker is None
    many = summarise_scores(make_predictions(n=200).assign(speaker=np.arange(200) % 20), RUN_LABELS)
    assert (many.speakers, many.few_speakers) == (20, False)
    assert many.by_speaker.uar.low < many.pooled.uar


def test_intervals_by_speaker_are_written_beside_those_by_utterance():
    table = make_predictions(n=200, seeds=(0, 1))
    table["speaker"] = table.groupby("seed").cumcount() % 10
    got = compute_metrics(table, (*RUN_LABELS, "bored"))
    assert got["intervals_by_speaker"].keys() == got["intervals"].keys()
    low, high = got["intervals_by_speaker"]["uar"]
    assert low < got["uar"]["pooled"] < high
    assert got["intervals_by_speaker"]["recall"]["bored"] is None
    assert compute_metrics(make_predictions(), RUN_LABELS)["intervals_by_speaker"] is None
    shuffled = table.sample(frac=1, random_state=1)
    assert compute_metrics(shuffled, (*RUN_LABELS, "bored")) == got, "the order of the rows does not matter"


def test_a_comparison_has_its_tests_and_agreement():
    good, bad = (
        make_predictions(n=200, seeds=(0, 1), right=0.9),
        make_predictions(n=200, seeds=(0, 1), right=0.3, generator=5),
    )
    alone = compare_predictions(good, bad, RUN_LABELS)
    assert (alone.by_speaker, alone.holm_by_speaker, alone.speakers) == (None, None, 4)
    got = compare_predictions(*(t.assign(speaker=t.index % 10) for t in (good, bad)), RUN_LABELS)
    assert got.by_speaker.uar.value == got.differences.uar.value
    assert got.by_speaker.uar.interval.low > 0
    for test, (_, one), (_, two) in zip(got.mcnemar, good.groupby("seed"), bad.groupby("seed"), strict=True):
        right = one.predicted.to_numpy() == one.label.to_numpy(), two.predicted.to_numpy() == two.label.to_numpy()
        assert (test.first_only, test.second_only) == ((right[0] & ~right[1]).sum(), (~right[0] & right[1]).sum())
    assert [t.seed for t in got.mcnemar] == [0, 1]
    assert max(t.p_value for t in got.mcnemar) < 1e-6
    p = [d.p_value for d in got.differences.recall]
    assert got.holm == pytest.approx([3 * max(p)] * 3)
    assert max(got.holm) < 0.05
    assert got.agreement.share == np.mean(good.predicted.to_numpy() == bad.predicted.to_numpy())
    third = compare_predictions(good, bad, (*RUN_LABELS, "bored"))
    assert np.isnan(third.holm[3]) and third.holm[:3] == alone.holm, "a class without a sample is no test"


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    folder = tmp_path / "bundled"
    for name in ("seg+tri-w", "baseline"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"x" * 998)
        about = run_meta(encoder={"name": "tiny"}, longest_training_clip_s=5.3)
        write_run_folder(folder / name, meta=about, checkpoint_dir=tmp_path / name)
    for module in (bundled_module, models_module, run_module):
        monkeypatch.setattr(module, "BUNDLED", folder)
    return folder


def test_bundled_models(bundled):
    found = list_models()
    assert [m.name for m in found] == ["baseline", "seg+tri-w"]
    first = found[0]
    assert (first.size_bytes, first.encoder, first.longest_training_clip_s, first.labels) == (
        1000,
        "tiny",
        5.3,
        RUN_LABELS,
    )
    assert first.uar == compute_metrics(make_predictions(), RUN_LABELS)["uar"]["pooled"]
    assert find_checkpoint("seg+tri-w") == bundled / "seg+tri-w" / "checkpoint" == found[1].checkpoint


def test_a_bundled_model_without_scores(bundled):
    (bundled / "baseline" / "metrics.json").unlink()
    assert list_models()[0].uar is None


def test_unknown_models(bundled, tmp_path):
    with pytest.raises(ModelError, match=r"'nonesuch' is no model.*baseline, seg\+tri-w.*segser_core models"):
        find_checkpoint("nonesuch")
    for fold in (0, 1):
        (tmp_path / "run" / "checkpoint" / "seed-0" / f"fold-{fold}").mkdir(parents=True)
        (tmp_path / "run" / "checkpoint" / "seed-0" / f"fold-{fold}" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"2 checkpoints.*seed-0/fold-1"):
        find_checkpoint(tmp_path / "run")


def test_runs_by_name(bundled, tmp_path, monkeypatch):
    for name in ("one/a", "one/deep/b", "two/a"):
        write_run_folder(tmp_path / name)
    (tmp_path / "one" / ".a.0.new").mkdir()
    (tmp_path / "one" / ".a.0.new" / "run.json").write_text("{}")
    monkeypatch.setenv("SEGSER_RUNS", f"{tmp_path / 'one'}:{tmp_path / 'two'}:{tmp_path / 'absent'}")
    assert [n for n, _ in find_runs()] == ["a", "deep/b", "baseline", "seg+tri-w"]
    assert find_run("a") == tmp_path / "one" / "a"
    assert find_run(tmp_path / "two" / "a") == tmp_path / "two" / "a"
    with pytest.raises(RunError, match="known: a, deep/b, baseline"):
        find_run("c")


def test_neither_torch_nor_pandas_to_find_a_model():
    code = "import sys, segser_core.inference.models as m; m.list_models(); "
    code += "print(*({'torch', 'pandas', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.strip() == ""


def test_a_run_that_is_replaced_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    write_run_folder(tmp_path / "run")
    new = make_predictions().assign(confidence=0.25)
    read, waiting = run_module.read_predictions, [new]

    def read_after_replacement(*what):
        if waiting:
            write_run_folder(tmp_path / "run", predictions=waiting.pop())
        return read(*what)

    monkeypatch.setattr(run_module, "read_predictions", read_after_replacement)
    run = read_run(tmp_path / "run")
    assert run.stamp == run_module.folder_stamp(tmp_path / "run")
    assert (run.predictions.confidence == 0.25).all()


def test_embeddings_of_a_run_that_was_replaced_are_refused(tmp_path):
    write_run_folder(tmp_path / "run")
    run = read_run(tmp_path / "run")
    write_run_folder(tmp_path / "run", predictions=make_predictions().assign(confidence=0.25))
    with pytest.raises(RunError, match="was replaced after it was read"):
        run.embeddings()
