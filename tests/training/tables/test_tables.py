"""The tables of results: numbers against oracles, ours beside the paper's, what was not run, the page and its files."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, recall_score

from segser_core.errors import RunError, SettingError
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from segser_core.statistics.diarization_report import diarization_to_json
from segser_core.statistics.emotion_diarization import diarization_by_context
from segser_core.statistics.hypothesis_tests import holm_adjust
from segser_core.statistics.scores import compute_metrics
from tests.support.changing_runs import write_changing_run
from tests.support.made_run import make_runs
from tests.support.paths import ROOT
from tests.support.run_folders import run_meta
from training.tables import __main__
from training.tables import rows as table_rows
from training.tables.comparable import group_comparable, read_results
from training.tables.csv_files import write_csv_files
from training.tables.markdown import MARKS, markdown_tables, replace_between_marks
from training.tables.page import render_page

RESULTS = ROOT / "training" / "results" / "paper"


def write(folder: Path, run: Run, predictions: pd.DataFrame, **meta) -> Run:
    """A run with other predictions or another run.json."""
    write_run(folder, meta={**run.meta, **meta}, config_yaml="{}\n", metrics={}, predictions=predictions)
    return read_run(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the runs lie."""
    return tmp_path_factory.mktemp("tables") / "runs"


@pytest.fixture(scope="module")
def runs(folder) -> list[Run]:
    """Made-up runs in IEMOCAP's shape: `baseline` and `seg+tri-w` of two seeds, `seg` of one."""
    g = np.random.default_rng(0)
    best, baseline = (read_run(place) for place in make_runs(folder.parent / "made", utterances=400))

    def two_seeds(run: Run) -> pd.DataFrame:
        other = run.predictions.assign(seed=1)
        mixed = g.random(len(other)) < 0.2
        other.loc[mixed, "predicted"] = g.choice(run.labels, mixed.sum())
        return pd.concat([run.predictions, other], ignore_index=True)

    found = [write(folder / run.system, run, two_seeds(run)) for run in (best, baseline)]
    changed = baseline.predictions.assign(predicted=baseline.predictions["label"].where(g.random(400) < 0.7, "sad"))
    return [*found, write(folder / "seg", baseline, changed, system="seg")]


def sweep(what: str, system: str, **changes) -> dict:
    """What a sweep of two values would have written."""
    values = [
        {"value": v, "uar": u, "low": u - 0.1, "high": u + 0.1, "accuracy": u, "macro_f1": u, "clips": 4, "seeds": [0]}
        for v, u in ((0.1, 0.5), (0.5, 0.6))
    ]
    counts = {"fold": 0, "share": 0.25, "training_clips": 8, "development_clips": 4}
    found = {"sweep": what, "system": system, "corpus": "iemocap", "protocol": "iemocap-session", "values": values}
    return {**found, **counts, "encoder": {"name": "made up"}, **changes}


def test_a_section_holds_one_corpus_one_protocol_and_one_encoder(runs, tmp_path):
    other = write(tmp_path / "other", runs[0], runs[0].predictions, corpus="emodb", protocol="emodb-speaker")
    whisper = write(tmp_path / "whisper", runs[0], runs[0].predictions, encoder={"name": "hub/whisper-tiny"})
    found = group_comparable([other, whisper, *runs], [sweep("alpha", "tri-w")])
    keys = [(s.corpus, s.encoder, list(s.runs), len(s.sweeps)) for s in found]
    assert keys == [
        ("iemocap", "made up", ["baseline", "seg", "seg+tri-w"], 1),
        ("iemocap", "whisper-tiny", ["seg+tri-w"], 0),
        ("emodb", "made up", ["seg+tri-w"], 0),
        ("ravdess", "wav2vec2-base", [], 0),
        ("fesc", "wav2vec2-large-xlsr-53-finnish", [], 0),
    ]
    with pytest.raises(RunError, match=r"are both seg on iemocap.*train the seeds of one into the other"):
        group_comparable([*runs, runs[2]], [])
    with pytest.raises(RunError, match="two sweeps of alpha for tri-w"):
        group_comparable([], [sweep("alpha", "tri-w"), sweep("alpha", "tri-w", share=1.0)])


def test_scores_are_those_of_metrics_json_beside_the_papers(runs):
    group = group_comparable(runs, [])[0]
    rows = {row["system"]: row for row in table_rows.score_rows(group)}
    assert list(rows) == ["p-tapt", "layer-average", "baseline", "seg", "tri-w", "seg+tri-s", "seg+tri-w"]
    for run in runs:
        row, known = rows[run.system], compute_metrics(run.predictions, run.labels)
        assert (row["uar"], [row["uar_low"], row["uar_high"]]) == (known["uar"]["pooled"], known["intervals"]["uar"])
        assert [row["uar_speaker_low"], row["uar_speaker_high"]] == known["intervals_by_speaker"]["uar"]
        assert row["uar_mean_of_folds"] == known["uar"]["mean_of_folds"]
        assert (row["clips"], row["folds"], row["speakers"]) == (400, 5, 10)
    assert (rows["seg"]["seeds"], rows["baseline"]["seeds"]) == ("0", "0 1")
    assert rows["tri-w"] == {"system": "tri-w", "status": "not run", "paper_uar": 0.736, "paper_accuracy": 0.726}
    assert (rows["p-tapt"]["paper_uar"], rows["p-tapt"]["paper_accuracy"]) == (0.743, None)


def test_the_paper_stands_beside_its_own_protocol_alone(runs, tmp_path):
    other = write(tmp_path / "other", runs[1], runs[1].predictions, protocol="column:session")
    group = group_comparable([other], [])[0]
    assert all(row["paper_uar"] is None for row in table_rows.score_rows(group))
    assert all(row["paper_uar"] is None for row in table_rows.agreement_rows(group))
    assert all(row["paper_uar"] is None for row in table_rows.length_rows(group, 10.0)[0])


def test_each_fold_and_seed_is_scored_on_its_own_rows(runs):
    rows = table_rows.fold_and_seed_rows(group_comparable(runs, [])[0])
    found = {(r["system"], r["of"], r["number"]): r["value"] for r in rows if r["score"] == "uar"}
    tested = runs[0].predictions
    for of, number in (("fold", 3), ("seed", 1)):
        part = tested[tested[of] == number]
        expected = recall_score(part["label"], part["predicted"], average="macro")
        assert found["seg+tri-w", of, number] == pytest.approx(expected)
    assert {number for _, of, number in found if of == "fold"} == {0, 1, 2, 3, 4}


def test_a_fold_without_a_class_is_told(runs, tmp_path):
    rows = runs[1].predictions
    run = write(tmp_path / "lacking", runs[1], rows[(rows["fold"] != 2) | (rows["label"] != "sad")])
    group = group_comparable([run], [])[0]
    assert {r["number"]: r["classes"] for r in table_rows.fold_and_seed_rows(group) if r["of"] == "fold"} == {
        0: 4, 1: 4, 2: 3, 3: 4, 4: 4}  # fmt: skip
    assert "Folds that lack a class: 1; their UAR is over 3 classes" in render_page([group], 10.0)


def test_differences_pair_common_seeds_and_adjust_for_the_systems(runs):
    group = group_comparable(runs, [])[0]
    rows = {row["system"]: row for row in table_rows.difference_rows(group)}
    assert {s: row["seeds"] for s, row in rows.items()} == {"seg": "0", "seg+tri-w": "0 1"}
    raw = [c.differences.uar.p_value for c in group.against_baseline.values()]
    assert [row["p_holm"] for row in rows.values()] == list(holm_adjust(raw))
    mine, base = (r.predictions.set_index(["utterance_id", "seed"]) for r in (runs[0], runs[1]))
    uar = [recall_score(t["label"], t["predicted"], average="macro") for t in (mine, base)]
    assert rows["seg+tri-w"]["uar_difference"] == pytest.approx(uar[0] - uar[1])
    assert rows["seg+tri-w"]["accuracy_mcnemar"].count("seed") == 2
    assert table_rows.difference_rows(group_comparable([runs[0]], [])[0]) == []


def test_agreement_is_against_the_best_with_kappa(runs):
    group = group_comparable(runs, [])[0]
    rows = {row["system"]: row for row in table_rows.agreement_rows(group)}
    uar = {s: summary.pooled.uar for s, summary in group.summaries.items()}
    assert group.best == max(uar, key=lambda s: uar[s])
    assert "uar" not in rows[group.best]
    best = group.runs[group.best].predictions
    for system in set(group.runs) - {group.best}:
        both = best.merge(group.runs[system].predictions, on=["utterance_id", "seed"])
        truth, said = both["predicted_x"], both["predicted_y"]
        row = rows[system]
        assert row["uar"] == pytest.approx(recall_score(truth, said, average="macro"))
        assert row["kappa"] == pytest.approx(cohen_kappa_score(truth, said))
        assert row["equal"] == pytest.approx((truth == said).mean())
        assert row["uar_low"] < row["uar"] < row["uar_high"]
        assert row["kappa_low"] < row["kappa"] < row["kappa_high"]
    assert rows["tri-w"]["status"] == "not run"
    assert rows["tri-w"]["paper_uar"] == 0.828


def test_length_is_split_at_ten_seconds_or_where_clips_are(runs):
    group = group_comparable(runs, [])[0]
    rows, why = table_rows.length_rows(group, 10.0)
    assert why == ""
    assert [r["paper_uar"] for r in rows[:4]] == [0.659, 0.706, 0.672, 0.697]
    tested = runs[1].predictions
    longer = tested[tested["duration_s"] > 10]
    assert rows[1]["clips"] == longer["utterance_id"].nunique()
    assert rows[1]["length"] == "> 10 s"
    assert rows[1]["uar"] == pytest.approx(recall_score(longer["label"], longer["predicted"], average="macro"))
    rows, why = table_rows.length_rows(group, 60.0)
    assert "0 are longer than 60 s" in why
    assert all(row["paper_uar"] is None for row in rows)
    absent, _ = table_rows.length_rows(group_comparable([], [])[0], 10.0)
    assert [(r["system"], r["status"], r["paper_uar"]) for r in absent[:2]] == [
        ("baseline", "not run", 0.659), ("baseline", "not run", 0.706)]  # fmt: skip


def test_recall_by_class_counts_a_clip_once(runs):
    rows = table_rows.class_rows(group_comparable(runs, [])[0])
    assert {s: sum(r["clips"] for r in rows if r["system"] == s) for s in ("baseline", "seg")} == {
        "baseline": 400, "seg": 400}  # fmt: skip


def test_the_page_needs_nothing_else_and_says_what_was_not_run(runs):
    text = render_page(group_comparable(runs, [sweep("alpha", "tri-w"), sweep("segment-size", "seg")]), 10.0)
    body = text.replace(page_script(text), "")
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", body)
    assert "<link" not in body
    assert "@import" not in body
    assert text.count("plotly.js v") == 1
    assert body.count("Plotly.newPlot") == 3
    assert "RAVDESS: not run" in body
    assert "FESC: not run" in body
    assert body.count("not run") > 20
    assert "never across" in body
    assert "No test clip took part" in body
    assert "same development clips" in body
    assert "The paper chose 140 frames" in body
    assert '<span class="paper">73.6</span>' in body


def page_script(text: str) -> str:
    """plotly's own script."""
    return max(re.findall(r"<script>.*?</script>", text, flags=re.DOTALL), key=len)


def test_what_stood_for_stage_1_of_p_tapt_is_said(runs, tmp_path):
    stages = [{"stage_1": "the encoder itself, in place of wav2vec v1", "frozen": "both convolutions"}]
    run = write(tmp_path / "p-tapt", runs[0], runs[0].predictions, system="p-tapt", stages=stages)
    text = render_page(group_comparable([run], []), 10.0)
    assert "stage 1 tuned the encoder itself, in place of wav2vec v1; frozen" in text


def test_a_whisper_encoder_is_never_ranked_against_the_paper(runs, tmp_path):
    whisper = write(tmp_path / "whisper", runs[0], runs[0].predictions, encoder={"name": "whisper-tiny.en-encoder"})
    text = render_page(group_comparable([whisper], []), 10.0)
    assert "whisper-tiny.en-encoder, which was trained on transcribed speech" in text


def test_the_command_writes_the_page_and_a_csv_of_each_table(runs, folder, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Mine\n\n{MARKS[0]}\nbefore\n{MARKS[1]}\n\nThe end.\n")
    call = [str(folder), "--out", str(tmp_path / "out"), "--readme", str(readme)]
    assert __main__.main(call) == 0
    assert "runs: 3" in capsys.readouterr().out
    files = {f.name for f in (tmp_path / "out").iterdir()}
    named = ["table1", "table2", "differences", "folds-and-seeds", "length", "figure2", "figure3", "figure4"]
    assert files == {"index.html", *(f"{name}.csv" for name in named)}
    table = pd.read_csv(tmp_path / "out" / "table1.csv")
    assert set(table["corpus"]) == {"iemocap", "ravdess", "fesc"}
    assert list(table)[-2:] == [
        "paper_uar",
        "paper_accuracy",
    ]
    assert (table["status"] == "run").sum() == 3
    assert pd.read_csv(tmp_path / "out" / "figure2.csv")["status"].tolist() == ["not run"]
    once = readme.read_text()
    assert once.startswith("# Mine\n")
    assert once.endswith("\n\nThe end.\n")
    assert "before" not in once
    row = next(line for line in once.splitlines() if line.startswith("| `seg+tri-w`"))
    known = compute_metrics(runs[0].predictions, runs[0].labels)
    assert f"| 0 1 | {100 * known['uar']['pooled']:.1f} (" in row
    assert row.endswith("| 73.9 |")
    assert "| `tri-w` | – | not run | not run | – | 73.6 |" in once
    assert __main__.main(call) == 0
    assert readme.read_text() == once


def test_a_wrong_call_is_one_line_and_changes_nothing(runs, folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text("no marks")
    assert __main__.main([str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 1
    assert "holds no run and no sweep" in capsys.readouterr().err
    assert __main__.main([str(tmp_path / "absent"), "--out", str(tmp_path / "out")]) == 2
    assert "absent is no folder" in capsys.readouterr().err
    assert __main__.main([str(folder), "--out", str(tmp_path / "out"), "--readme", str(readme)]) == 2
    assert "once each" in capsys.readouterr().err
    assert readme.read_text() == "no marks"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["{1}{0}", "{0}", "{0}{1}{0}{1}", "{0}{0}{1}"])
def test_marks_stand_once_and_in_order(text):
    with pytest.raises(SettingError, match="once each"):
        replace_between_marks(text.format(*MARKS), "new")


@pytest.mark.skipif(not RESULTS.is_dir(), reason="no results are committed yet")
def test_the_results_page_quotes_the_committed_results():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    found = read_results([RESULTS])
    assert replace_between_marks(page, markdown_tables(found)) == page


@pytest.fixture
def changing(tmp_path) -> list[Run]:
    """Two runs on recordings whose emotion changes."""
    runs = []
    for i, (system, right) in enumerate((("baseline", 0.4), ("seg+tri-w", 0.9))):
        meta = run_meta(system=system, corpus="manifest", protocol="column:split", aggregate="max")
        runs.append(read_run(write_changing_run(tmp_path / "changing" / system, right, generator=i, meta=meta)))
    return runs


def test_label_over_time_is_in_the_tables_where_runs_have_stretches(changing, runs, tmp_path):
    group = group_comparable(changing, [])[0]
    rows = table_rows.diarization_rows(group)
    assert [(r["system"], r["context"]) for r in rows] == [
        (system, context) for system in ("baseline", "seg+tri-w") for context in ("clip", "segment")
    ]
    known = diarization_to_json(diarization_by_context(changing[1]), changing[1].labels)
    for row in rows[2:]:
        of = known[row["context"]]["share_of_time"]
        assert row["share_of_time"] == of["value"]
        assert [row["share_of_time_low"], row["share_of_time_high"]] == of["interval"]
        assert row["share_of_time_speaker_low"] == of["by_speaker"][0]
        assert row["share_of_time_difference_low"] < row["share_of_time_difference"]
    assert "share_of_time_difference" not in rows[0]
    write_csv_files(tmp_path, [group], 10.0)
    table = pd.read_csv(tmp_path / "when.csv")
    assert table["share_of_time"].tolist() == [r["share_of_time"] for r in rows]
    page = render_page([group], 10.0)
    assert "Label over time" in page
    assert "in isolation" in page
    assert table_rows.diarization_rows(group_comparable(runs, [])[0]) == []
    assert "Label over time" not in render_page(group_comparable(runs, []), 10.0)


def of_two_corpora(rows: pd.DataFrame) -> pd.DataFrame:
    """The same clips as those of two corpora, of which the second has no happy clip."""
    second = rows["speaker"].str.endswith("F") & (rows["label"] != "happy")
    return rows.assign(corpus=np.where(second, "cremad", "ravdess"))


def test_runs_of_several_corpora_are_scored_on_each(runs, tmp_path):
    places = [tmp_path / "runs" / run.system for run in runs[:2]]
    for place, run in zip(places, runs[:2], strict=True):
        write(place, run, of_two_corpora(run.predictions), corpus="ravdess+cremad", protocol="a+b")
    (group,) = (g for g in read_results([tmp_path / "runs"]) if g.corpus == "ravdess+cremad")
    rows = table_rows.corpus_rows(group)
    assert [(r["system"], r["test_corpus"], r["classes"]) for r in rows] == [
        ("baseline", "cremad", 3), ("baseline", "ravdess", 4), ("seg+tri-w", "cremad", 3), ("seg+tri-w", "ravdess", 4),
    ]  # fmt: skip
    part = of_two_corpora(runs[0].predictions).query("corpus == 'cremad'")
    assert rows[2]["uar"] == pytest.approx(
        recall_score(part["label"], part["predicted"], average="macro", labels=["angry", "neutral", "sad"])
    )
    assert rows[2]["uar_low"] < rows[2]["uar"] < rows[2]["uar_high"]
    assert __main__.main([str(tmp_path / "runs"), "--out", str(tmp_path / "out")]) == 0
    written = pd.read_csv(tmp_path / "out" / "by-corpus.csv")
    assert set(written["corpus"]) == {"ravdess+cremad"}
    assert written["uar"].tolist() == pytest.approx([r["uar"] for r in rows])
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.count("Scores by corpus</h3>") == 1
    (line,) = (line for line in markdown_tables([group]).splitlines() if line.startswith("| `seg+tri-w` | CREMA-D |"))
    assert f"| 3 | {100 * rows[2]['uar']:.1f} (" in line


def test_runs_of_one_corpus_have_no_table_by_corpus(runs):
    group = group_comparable(runs, [])[0]
    assert table_rows.corpus_rows(group) == []
    assert "By corpus" not in markdown_tables([group])
    assert "Scores by corpus</h3>" not in render_page([group], 10.0)
