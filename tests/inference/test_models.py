"""Bundled models and runs, found by name."""

import subprocess
import sys

import pytest

from segser_core import bundled as bundled_module
from segser_core.bundled import find_checkpoint
from segser_core.errors import ModelError, RunError
from segser_core.inference import models as models_module
from segser_core.inference.models import list_models
from segser_core.runs import run as run_module
from segser_core.runs.run import find_run, find_runs
from segser_core.statistics.scores import compute_metrics
from tests.support.paths import ROOT
from tests.support.run_folders import (
    RUN_LABELS,
    make_predictions,
    run_meta,
    write_run_folder,
)


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
