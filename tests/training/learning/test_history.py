"""The record of a training's epochs, and the choice of its arithmetic."""

import subprocess
from types import SimpleNamespace

import torch

from training.learning import history, precision
from training.learning.history import training_history
from training.learning.precision import usable_precision

LOG = [
    {"loss": 2.0, "nll": 1.5, "learning_rate": 1e-4, "epoch": 1.0, "step": 10},
    {"eval_loss": 1.0, "eval_uar": 0.5, "epoch": 1.0, "step": 10},
    {"loss": 1.0, "nll": 0.9, "learning_rate": 5e-5, "epoch": 2.0, "step": 20},
    {"eval_loss": 1.2, "eval_uar": 0.7, "epoch": 2.0, "step": 20},
    {"loss": 0.5, "nll": 0.4, "learning_rate": 0.0, "epoch": 3.0, "step": 30},
    {"eval_loss": 1.4, "eval_uar": 0.7, "epoch": 3.0, "step": 30},
    {"train_runtime": 9.0, "train_loss": 1.2, "epoch": 3.0, "step": 30},
]


def test_a_row_an_epoch_and_the_first_best_one_is_kept():
    found = training_history(SimpleNamespace(log_history=LOG), "uar")
    assert found["kept_epoch"] == 2
    assert found["chosen_by"] == "development_uar"
    trained = {"loss": 2.0, "nll": 1.5, "learning_rate": 1e-4}
    assert found["epochs"][0] == {"epoch": 1, **trained, "development_loss": 1.0, "development_uar": 0.5}
    assert training_history(SimpleNamespace(log_history=LOG), "loss")["kept_epoch"] == 1


def test_the_commit_is_that_of_the_code(monkeypatch):
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)  # none in a bare copy
    if head.returncode == 0:
        assert history.code_commit().removesuffix("-dirty") == head.stdout.strip()
    monkeypatch.setattr(history.subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(OSError("no git")))
    assert history.code_commit() is None


def test_bf16_is_left_where_the_processor_is_slow_in_it(monkeypatch, caplog):
    took = {torch.float32: 0.001, torch.bfloat16: 0.011}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(precision, "product_seconds", took.__getitem__)
    assert usable_precision("bf16") == "fp32"
    assert "bf16 11.0 times slower than in fp32" in caplog.text
    took[torch.bfloat16] = 0.0005
    assert usable_precision("bf16") == "bf16"
    assert usable_precision("fp32") == "fp32"


def test_a_product_takes_time():
    assert precision.product_seconds(torch.float32) > 0
