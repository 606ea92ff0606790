"""The command line: what it prints, where it writes, and how it ends. A stand-in takes the model's place."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from segser_core import __version__, bundled
from segser_core.cli import app
from segser_core.errors import AudioError, ModelError, SettingError
from segser_core.inference import batch, models
from segser_core.prediction.prediction import Prediction, Segment
from segser_core.runs import run
from segser_core.runs.writing import write_run
from segser_core.statistics.scores import compute_metrics
from tests.support.audio_files import encode_any_wav
from tests.support.paths import ROOT

LABELS = ("neutral", "happy", "sad")


class StandIn:
    """Says `happy` of any file, the more so the later the segment; refuses what has `bad` in its name."""

    def predict(self, path, *, file, aggregate=None, context="clip", max_duration_s=None, progress=None):
        if "interrupt" in path.name:
            raise KeyboardInterrupt
        if "setting" in path.name:
            raise SettingError("a setting")
        if not path.is_file():
            raise AudioError("there is no such file")
        if "bad" in path.name:
            raise AudioError("not audio\nat all [bold]")
        progress(2.4)
        parts = [(0.0, 1.6, (0.1, 0.6, 0.3)), (0.8, 2.4, (0.1, 0.8, 0.1))]
        segments = tuple(Segment(i, a, b, dict(zip(LABELS, p, strict=True))) for i, (a, b, p) in enumerate(parts))
        whole = dict(zip(LABELS, (0.2, 0.5, 0.3), strict=True))
        return Prediction(
            file,
            2.4,
            "seg+tri-w",
            "seg+tri-w",
            LABELS,
            "happy",
            whole,
            whole,
            "utterance",
            context,
            ("silent",),
            segments,
        ).with_rule(aggregate or "max")


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Runs a command in a folder of its own, with a bundled model that is a stand-in; returns its result."""
    model = tmp_path / "bundled" / "seg+tri-w" / "checkpoint"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for module in (bundled, models, run):
        monkeypatch.setattr(module, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(batch, "load_predictor", lambda job: StandIn())
    monkeypatch.setattr(batch, "decode_recording", lambda recording: recording.path)
    return lambda *args: CliRunner().invoke(app, [str(a) for a in args])


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")


def test_json_is_one_list_in_the_order_given(call):
    touch("b.wav", "a.wav")
    got = call("analyze", "b.wav", "a.wav", "--format", "json")
    assert got.exit_code == 0
    assert got.stderr == ""
    result = json.loads(got.stdout)
    assert [r["file"] for r in result] == ["b.wav", "a.wav"]
    first = result[0]
    assert list(first) == [
        "file", "duration_s", "model", "labels", "label", "confidence", "probabilities", "aggregate", "context",
        "warnings", "segments",
    ]  # fmt: skip
    assert (first["label"], first["confidence"], first["aggregate"]) == ("happy", 0.8, "max")
    assert first["probabilities"] == {"neutral": 0.1, "happy": 0.8, "sad": 0.1}
    assert [s["end_s"] for s in first["segments"]] == [1.6, 2.4]


def test_options_reach_the_model(call):
    touch("a.wav")
    got = call("analyze", "a.wav", "--format", "json", "--aggregate", "mean", "--context", "segment")
    (result,) = json.loads(got.stdout)
    assert (result["aggregate"], result["context"]) == ("mean", "segment")
    assert result["confidence"] == pytest.approx(0.7)


def test_csv_has_a_row_a_segment(call):
    touch("a.wav", "b.wav")
    rows = list(csv.DictReader(io.StringIO(call("analyze", "a.wav", "b.wav", "--format", "csv").stdout)))
    assert [(r["file"], r["index"]) for r in rows] == [("a.wav", "0"), ("a.wav", "1"), ("b.wav", "0"), ("b.wav", "1")]
    assert list(rows[0]) == ["file", "index", "start_s", "end_s", "label", "confidence", *(f"p_{c}" for c in LABELS)]


def test_table_is_the_default_and_cuts_nothing(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    name = "a_very_long_name_" * 10 + ".wav"
    touch(name)
    got = call("analyze", name)
    assert got.exit_code == 0
    lines = [line.split() for line in got.stdout.splitlines()]
    assert lines[0][:3] == [f"{name}:", "happy", "0.80"]
    assert ["0", "0.00", "1.60", "happy", "0.60"] in lines
    assert ["1", "0.80", "2.40", "happy", "0.80", "decides"] in lines
    assert ["note:", "silent"] in lines


def test_a_bad_file_is_one_line_and_the_others_go_on(call):
    touch("bad [red].wav", "good.wav", "bad\n\x1b[31m.wav")
    got = call("analyze", "bad [red].wav", "absent.wav", "good.wav", "bad\n\x1b[31m.wav", "--format", "json")
    assert got.exit_code == 1
    assert [r["file"] for r in json.loads(got.stdout)] == ["good.wav"]
    assert got.stderr.splitlines() == [
        "bad [red].wav: not audio\\nat all [bold]",
        "absent.wav: there is no such file",
        "bad\\n\\x1b[31m.wav: not audio\\nat all [bold]",
    ]


def test_a_long_line_is_not_wrapped(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    name = "bad " * 50 + ".wav"
    assert call("analyze", name, "--format", "json").stderr == f"{name}: there is no such file\n"


def test_nothing_left_is_an_empty_list(call):
    got = call("analyze", "absent.wav", "--format", "json")
    assert got.exit_code == 1
    assert json.loads(got.stdout) == []
    got = call("analyze", "", "--format", "json")
    assert got.exit_code == 1 and json.loads(got.stdout) == [], "an empty name is not this folder"
    assert call("analyze", "absent.wav").stdout == ""


def test_a_folder_means_every_audio_file_below_it(call):
    touch("clips/b.WAV", "clips/deep/a.flac", "clips/notes.txt", "empty/notes.txt")
    got = call("analyze", "clips", "empty", "--format", "json")
    assert {r["file"] for r in json.loads(got.stdout)} == {"clips/b.WAV", "clips/deep/a.flac"}
    assert got.exit_code == 1
    assert got.stderr.startswith("empty: no audio file")


def test_a_folder_that_may_not_be_read_is_refused_as_itself(call, monkeypatch):
    touch("locked/a.wav")
    monkeypatch.setattr("segser_core.audio.folders.find_audio_files", lambda path: [path])
    got = call("analyze", "locked", "--format", "json", "--out", "o")
    assert (got.exit_code, got.stderr) == (1, "locked: there is no such file\n")


@pytest.mark.parametrize(
    ("format", "ending"),
    [("json", "json"), ("csv", "csv"), ("textgrid", "TextGrid"), ("elan", "eaf"), ("parquet", "parquet")],
)
def test_files_go_below_out(call, format, ending):
    touch("clips/b.c.wav", "clips/deep/a.flac", "elsewhere/d.mp3")
    got = call("analyze", "clips", "elsewhere/d.mp3", "--format", format, "--out", "results/new")
    assert got.exit_code == 0
    assert got.stdout == ""
    written = {str(p.relative_to("results/new")) for p in Path("results/new").rglob("*") if p.is_file()}
    assert written == {f"b.c.{ending}", f"deep/a.{ending}", f"d.{ending}"}


def test_what_is_written_is_what_is_printed(call):
    touch("a.wav")
    call("analyze", "a.wav", "--format", "json", "--out", "o")
    assert json.loads(Path("o/a.json").read_text()) == json.loads(call("analyze", "a.wav", "--format", "json").stdout)
    call("analyze", "a.wav", "--format", "parquet", "--out", "o")
    assert pd.read_parquet("o/a.parquet")["p_happy"].tolist() == [0.6, 0.8]


def test_a_result_never_overwrites_another_of_the_same_call(call):
    touch("x/a.wav", "y/a.wav", "y/b.wav")
    got = call("analyze", "x/a.wav", "y/a.wav", "y/b.wav", "--format", "json", "--out", "o")
    assert got.exit_code == 1
    assert got.stderr.startswith("y/a.wav: not analysed, since its o/a.json would overwrite that of x/a.wav")
    assert json.loads(Path("o/a.json").read_text())[0]["file"] == "x/a.wav"
    assert Path("o/b.json").is_file()
    assert call("analyze", "x/a.wav", "y/a.wav", "--format", "json").exit_code == 0


def test_a_place_that_cannot_be_written_is_one_line(call):
    touch("clips/deep/a.wav", "clips/b.wav", "o/deep")
    got = call("analyze", "clips", "--format", "json", "--out", "o")
    assert got.exit_code == 1
    assert len(got.stderr.splitlines()) == 1
    assert Path("o/b.json").is_file()
    assert got.stderr.startswith("clips/deep/a.wav: ")


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["a.wav", "--format", "textgrid"],
        ["a.wav", "--format", "elan"],
        ["a.wav", "--format", "parquet"],
        ["a.wav", "--format", "xml"],
        ["a.wav", "--format", "table", "--out", "o"],
        ["a.wav", "--format", "json", "--out", "a.wav"],
        ["a.wav", "--aggregate", "median"],
        ["a.wav", "--context", "room"],
        ["a.wav", "--device", "abacus"],
        ["a.wav", "--max-duration", "0"],
        ["a.wav", "--max-duration", "nan"],
        ["a.wav", "--max-duration", "inf"],
        ["a.wav", "--resume"],
        ["a.wav", "--engine", "steam"],
        ["a.wav", "--nonesuch"],
        ["a.wav", "--model", "nonesuch"],
        ["setting.wav"],
    ],
)
def test_a_wrong_call_ends_with_2(call, wrong):
    touch("a.wav", "setting.wav")
    got = call("analyze", *wrong)
    assert got.exit_code == 2
    assert got.stdout == ""
    assert got.stderr


@pytest.mark.parametrize("wrong", [["a.wav", "--model"], ["a.wav", "--format", "json", "--out"]])
def test_what_the_system_refuses_is_one_line(call, wrong):
    touch("a.wav")
    result = call("analyze", *wrong, "x" * 300)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "too long" in result.stderr


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_no_progress_is_drawn_where_nobody_looks(call, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    touch("a.wav", "bad.wav")
    assert call("analyze", "a.wav", "bad.wav", "--format", "json").stderr == "bad.wav: not audio\\nat all [bold]\n"


def test_what_cannot_be_put_in_place_leaves_nothing_beside_it(call):
    touch("a.wav", "o/a.json/file")
    result = call("analyze", "a.wav", "--format", "json", "--out", "o")
    assert result.exit_code == 1
    assert [p.name for p in Path("o").iterdir()] == ["a.json"]


def test_an_unknown_model_is_one_line_that_names_the_known(call):
    touch("a.wav")
    got = call("analyze", "a.wav", "--model", "none\nsuch")
    assert got.exit_code == 2
    assert len(got.stderr.splitlines()) == 1
    assert "seg+tri-w" in got.stderr
    assert "segser_core models" in got.stderr


def test_a_damaged_model_is_one_line_and_ends_with_1(call, monkeypatch):
    def load(job):
        raise ModelError("the weights are\ndamaged")

    monkeypatch.setattr(batch, "load_predictor", load)
    touch("a.wav")
    got = call("analyze", "a.wav", "--format", "json")
    assert (got.exit_code, got.stderr, got.stdout) == (1, "the weights are\\ndamaged\n", "")


def test_an_interrupt_ends_with_130(call):
    touch("a.wav", "interrupt.wav")
    got = call("analyze", "a.wav", "interrupt.wav", "--format", "json", "--out", "o")
    assert (got.exit_code, got.stderr) == (130, "interrupted\n")
    assert Path("o/a.json").is_file()


DRIVER = """
import sys; sys.path[:0] = [{tests!r}, {root!r}]
import test_cli; from segser_core import bundled; from segser_core.inference import batch
batch.load_predictor, batch.decode_recording = lambda job: test_cli.StandIn(), lambda recording: recording.path
bundled.BUNDLED = __import__("pathlib").Path({bundled!r})
from segser_core.cli import app; app()
"""


def test_a_terminal_shows_progress_and_cuts_nothing(call, tmp_path):
    touch("a.wav")
    name = "bad" + "_and_long" * 20 + ".wav"
    driver = DRIVER.format(tests=str(ROOT / "tests"), root=str(ROOT), bundled=str(tmp_path / "bundled"))
    here, there = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", driver, "analyze", name, "a.wav", "--format", "json"],
        stdout=subprocess.PIPE, stderr=there, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(there)
    seen = b""
    try:
        while part := os.read(here, 4096):
            seen += part
    except OSError:
        pass
    assert [r["file"] for r in json.loads(done.communicate()[0])] == ["a.wav"]
    assert done.returncode == 1
    assert f"{name}: there is no such file".encode() in seen
    assert b"loading seg+tri-w" in seen
    assert b"/2" in seen


def test_a_name_that_is_no_text(call, tmp_path):
    driver = DRIVER.format(tests=str(ROOT / "tests"), root=str(ROOT), bundled=str(tmp_path / "bundled"))
    Path(os.fsdecode(b"\xff.wav")).write_bytes(b"")
    for format in ("table", "json", "csv"):
        names = [os.fsdecode(b"\xff.wav"), os.fsdecode(b"bad\xfe.wav")]
        done = subprocess.run(
            [sys.executable, "-c", driver, "analyze", *names, "--format", format], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr == "bad\\udcfe.wav: there is no such file\n"
        assert "\\udcff.wav" in done.stdout


def test_resume_leaves_out_what_is_done(call):
    """What is there stays as it is, what was half written or refused is done again; clashes are those of all."""
    touch("x/a.wav", "x/b.wav", "x/b.flac", "x/bad.wav", "o/a.json", "o/.c.json.new")
    Path("o/a.json").write_text("there already")
    got = call("analyze", "x", "--format", "json", "--out", "o", "--resume")
    assert got.exit_code == 1
    assert [line.split(":")[0] for line in got.stderr.splitlines()] == ["x/b.wav", "x/bad.wav"]
    assert Path("o/a.json").read_text() == "there already"
    assert json.loads(Path("o/b.json").read_text())[0]["file"] == "x/b.flac"
    assert "x/b.wav: not analysed" in call("analyze", "x", "--format", "json", "--out", "o", "--resume").stderr


def test_results_are_printed_as_they_come(call):
    """What came before an interrupt is on standard output."""
    touch("a.wav", "interrupt.wav")
    for format, begins in (("json", '[\n  {\n    "file": "a.wav"'), ("csv", "file,index"), ("table", "a.wav: happy")):
        got = call("analyze", "a.wav", "interrupt.wav", "--format", format)
        assert got.exit_code == 130
        assert got.stdout.startswith(begins)
        assert "a.wav" in got.stdout


def test_ray_is_asked_for_by_name(call, monkeypatch):
    touch("a.wav")
    monkeypatch.setitem(sys.modules, "ray", None)
    got = call("analyze", "a.wav", "--engine", "ray")
    assert (got.exit_code, got.stdout) == (2, "")
    assert 'pip install ".[ray]"' in got.stderr


@pytest.mark.parametrize("format", ["json", "csv", "textgrid", "elan", "parquet"])
def test_a_name_that_is_no_text_is_written_all_the_same(call, format):
    name = os.fsdecode(b"\xff.wav")
    touch(name)
    got = call("analyze", name, "--format", format, "--out", "o")
    assert got.exit_code == 0
    assert len(list(Path("o").iterdir())) == 1


def table(right, generator=0, n=120):
    g = np.random.default_rng(generator)
    labels = np.random.default_rng(9).choice(LABELS, n)
    predicted = np.where(g.random(n) < right, labels, "sad")
    columns = {"utterance_id": [f"u{i}" for i in range(n)], "label": labels, "predicted": predicted, "confidence": 1.0}
    p = {f"p_{c}": (predicted == c).astype(float) for c in LABELS}
    return pd.DataFrame({**columns, **p, "seed": 0, "fold": 0, "split": "test", "speaker": "23"})


def write(path, right, generator=0, labels=LABELS, system="seg+tri-w"):
    meta = {"system": system, "labels": list(labels), "corpus": "ravdess", "protocol": "ravdess-paper"}
    rows = table(right, generator)
    write_run(path, meta=meta, config_yaml="", metrics=compute_metrics(rows, labels), predictions=rows)


def test_models(call, tmp_path):
    folder = tmp_path / "bundled" / "baseline"
    write(folder, 0.9, system="baseline")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "config.json").write_text("x" * 1_600_000)
    write(tmp_path / "bundled" / "no-weights", 0.9)
    for file in ("run.json", "metrics.json"):
        (tmp_path / "bundled" / "seg+tri-w" / file).write_bytes((folder / file).read_bytes())
    got = call("models")
    lines = got.stdout.splitlines()
    assert got.exit_code == 0
    assert len(lines) == 3
    uar = 100 * json.loads((folder / "metrics.json").read_text())["uar"]["pooled"]
    assert lines[1].split() == [
        "baseline",
        "baseline",
        "ravdess",
        "1.6",
        "MB",
        f"{uar:.1f}",
        *lines[1].split()[6:8],
        *LABELS,
    ]
    assert lines[2].startswith("seg+tri-w")


def test_models_without_any(call, tmp_path):
    assert call("models").exit_code == 0


def test_models_loads_nothing_heavy():
    code = "import sys; from segser_core import cli; cli.app(['models'], standalone_mode=False);"
    code += "print('loaded', *({'torch', 'transformers', 'pandas', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "loaded"


def test_report_of_one_run(call, monkeypatch, tmp_path):
    write(tmp_path / "runs" / "deep" / "good", 0.9)
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path / "runs"))
    got = call("report", "deep/good")
    assert got.exit_code == 0
    (found,) = json.loads(call("report", tmp_path / "runs" / "deep" / "good", "--format", "json").stdout)["runs"]
    lines = [line.split() for line in got.stdout.splitlines()]
    low, high = found["intervals"]["uar"]
    uar = [f"{100 * v:.1f}" for v in (found["uar"]["pooled"], low, high)]
    assert ["UAR", uar[0], uar[1], "to", uar[2], uar[0]] in lines
    sad = next(line for line in lines if line[:1] == ["sad"])
    assert sad[1] == "100.0" and "W" in sad, "a recall of 1 has Wilson's interval"
    assert "deep/good" in got.stdout
    assert "1 speakers (too few" in got.stdout
    assert found["intervals_by_speaker"] is None
    assert "by speaker" not in lines[1]
    assert found["calibration"]["temperature"] is None
    assert "no development clips" in got.stdout
    assert f"expected calibration error {100 * found['calibration']['ece']:.1f} %" in got.stdout


def spoken(by, right, generator=0):
    """240 test clips and 60 for development, of so many speakers, in two seeds."""
    parts = [table(right, generator + seed, n=300).assign(seed=seed) for seed in (0, 1)]
    each = [t.assign(speaker=[f"s{i % by}" for i in range(300)], split=["test"] * 240 + ["dev"] * 60) for t in parts]
    return pd.concat(each, ignore_index=True)


def write_spoken(path, by, right, generator=0):
    meta = {"system": "baseline", "labels": list(LABELS), "corpus": "iemocap", "protocol": "iemocap-session"}
    rows = spoken(by, right, generator)
    p = 0.9 * rows[[f"p_{c}" for c in LABELS]] + 0.1 / 3
    rows = rows.assign(confidence=p.max(axis=1), **p)
    keys = rows[["utterance_id", "seed"]].assign(segment=0, start_s=0.0, end_s=1.0)
    write_run(path, meta=meta, config_yaml="", metrics={}, predictions=rows, segments=pd.concat([keys, p], axis=1))


@pytest.mark.parametrize(("by", "said"), [(10, "10 speakers are few: in a simulation with 10"), (20, None)])
def test_report_by_speaker(call, by, said):
    write_spoken("good", by, 0.9)
    write_spoken("poor", by, 0.5, generator=5)
    text = call("report", "good", "poor").stdout
    result = json.loads(call("report", "good", "poor", "--format", "json").stdout)
    run, difference = result["runs"][0], result["difference"]
    low, high = (f"{100 * v:.1f}" for v in run["intervals_by_speaker"]["uar"])
    uar = next(line.split() for line in text.splitlines() if line.startswith("UAR"))
    assert uar[5:8] == [low, "to", high]
    assert run["speakers"] == difference["speakers"] == by
    assert said in text if said else "are few" not in text
    assert "too few" not in text
    assert f"at temperature {run['calibration']['temperature']:.2f}" in text
    assert run["calibration"]["by_segments"][0]["count"] == 480
    of_rule = next(line.split() for line in text.splitlines() if line.startswith("  mean"))
    assert of_rule[1] == f"{100 * run['by_rule']['mean']['uar']:.1f}"
    assert run["aggregate"] == "utterance"
    shown = difference["by_speaker"]["uar"]["interval"]
    assert f"{100 * shown[0]:+.1f} to {100 * shown[1]:+.1f}" in text
    assert [t["seed"] for t in difference["mcnemar"]] == [0, 1]
    assert f"seed 1: right alone {difference['mcnemar'][1]['first_only']} and " in text
    assert f"Cohen's kappa {difference['agreement']['kappa']:.2f}" in text
    assert set(difference["holm"]) == set(LABELS)
    assert f"{difference['holm']['happy']:.2g}" in text


def test_report_of_two_runs(call):
    write("good", 0.9)
    write("poor", 0.5, generator=1)
    got = call("report", "good", "poor", "--format", "json")
    result = json.loads(got.stdout)
    one, two = (r["uar"]["pooled"] for r in result["runs"])
    assert result["difference"]["uar"]["value"] == pytest.approx(one - two)
    assert result["difference"]["uar"]["interval"][0] > 0
    text = call("report", "good", "poor").stdout
    assert "good minus poor, paired on 120 clips" in text
    assert f"{100 * (one - two):+.1f}" in text


def test_reports_that_cannot_be(call):
    write("good", 0.9)
    write("other", 0.9, labels=(*LABELS[::-1],))
    assert call("report", "good", "other").exit_code == 0, "the order of the classes does not matter"
    for wrong, why, status in (
        (["good", "absent"], "absent is no run folder", 2),
        (["good", "good", "good"], "expected one or two", 2),
        ([], "", 2),
    ):
        got = call("report", *wrong)
        assert got.exit_code == status
        assert why in got.stderr
        assert "Traceback" not in got.stderr


def test_precision_reaches_the_model(call, monkeypatch):
    asked = []
    monkeypatch.setattr(batch, "load_predictor", lambda job: asked.append(job.precision) or StandIn())
    touch("a.wav")
    assert [call("analyze", "a.wav", *more).exit_code for more in ((), ("--precision", "bf16"))] == [0, 0]
    assert asked == ["fp32", "bf16"]


def test_the_version_needs_no_command(call):
    got = call("--version")
    assert (got.exit_code, got.stdout) == (0, f"segser {__version__}\n")


def test_what_a_folder_holds_beside_recordings_is_counted_in_a_line(call):
    touch("clips/a.wav", "clips/notes.txt", "clips/deep/more.TXT", "clips/b.pdf", "empty/x.doc")
    Path("clips/linked").symlink_to("deep")
    got = call("analyze", "clips", "--format", "json")
    assert (got.exit_code, len(json.loads(got.stdout))) == (0, 1)
    assert got.stderr == (
        "clips: passed over, since no recording by ending or content: 2 .txt, 1 .pdf, "
        "the linked folder clips/linked, which is not followed\n"
    )
    got = call("analyze", "empty", "--format", "json")
    assert (got.exit_code, got.stderr.splitlines()[1]) == (
        1, "empty: passed over, since no recording by ending or content: 1 .doc"
    )  # fmt: skip


def test_wildcards_are_expanded_where_no_shell_does(call):
    touch("in/b.wav", "in/a.wav", "in/c.mp3", "in/deep/d.wav", "in/[x].wav")
    files = [r["file"] for r in json.loads(call("analyze", "in/?.wav", "in/*.mp3", "--format", "json").stdout)]
    assert files == ["in/a.wav", "in/b.wav", "in/c.mp3"]
    files = [r["file"] for r in json.loads(call("analyze", "in/**/*.wav", "--format", "json").stdout)]
    assert set(files) == {"in/a.wav", "in/b.wav", "in/[x].wav", "in/deep/d.wav"}
    (exact,) = json.loads(call("analyze", "in/[x].wav", "--format", "json").stdout)
    assert exact["file"] == "in/[x].wav"
    got = call("analyze", "in/*.ogg", "--format", "json")
    assert (got.exit_code, json.loads(got.stdout)) == (1, [])
    assert got.stderr == "in/*.ogg: there is no such file, and none fits it as a pattern; check the path\n"


def test_csv_begins_with_a_byte_order_mark_on_request(call):
    touch("a.wav")
    assert call("analyze", "a.wav", "--format", "csv", "--bom").stdout.startswith("\ufefffile,index")
    assert call("analyze", "a.wav", "--format", "csv").stdout.startswith("file,index")
    assert call("analyze", "a.wav", "--format", "csv", "--bom", "--out", "o").exit_code == 0
    assert Path("o/a.csv").read_bytes().startswith(b"\xef\xbb\xbffile,index")


class ChannelStandIn(StandIn):
    """Keeps the channel and track that were asked for."""

    def predict(self, path, *, channel=None, track=None, **options):
        return replace(super().predict(path, **options), channel=channel, track=track)


def test_channels_and_tracks_reach_the_model_and_each_has_a_file(call, monkeypatch):
    monkeypatch.setattr(batch, "load_predictor", lambda job: ChannelStandIn())
    samples = np.zeros((1600, 2), "<i2")
    Path("call.wav").write_bytes(encode_any_wav(samples, 16_000))
    (one,) = json.loads(call("analyze", "call.wav", "--format", "json", "--channel", "2", "--track", "1").stdout)
    assert (one["channel"], one["track"]) == (2, 1)
    each = json.loads(call("analyze", "call.wav", "--format", "json", "--channel", "each").stdout)
    assert [(r["file"], r["channel"]) for r in each] == [("call.wav", 1), ("call.wav", 2)]
    rows = call("analyze", "call.wav", "--format", "csv", "--channel", "each").stdout.splitlines()
    assert rows[0].startswith("file,channel,index")
    assert [row.split(",")[1] for row in rows[1:]] == ["1", "1", "2", "2"]
    assert "call.wav, channel 2: happy" in call("analyze", "call.wav", "--channel", "each").stdout
    call("analyze", "call.wav", "--format", "textgrid", "--channel", "each", "--out", "o")
    assert sorted(p.name for p in Path("o").iterdir()) == ["call-channel-1.TextGrid", "call-channel-2.TextGrid"]
    got = call("analyze", "absent.wav", "--channel", "each", "--format", "json")
    assert (got.exit_code, got.stderr) == (1, "absent.wav: there is no such file\n")


@pytest.mark.parametrize(
    "wrong", [["--channel", "0"], ["--channel", "left"], ["--track", "0"], ["--bom"], ["--format", "json", "--bom"]]
)
def test_wrong_channels_tracks_and_marks_end_with_2(call, wrong):
    touch("a.wav")
    got = call("analyze", "a.wav", *wrong)
    assert (got.exit_code, got.stdout) == (2, "")
