"""The moving average of weights, alone and in a training that is stopped."""

import pytest
import torch
from torch import nn

from tests.support.training import quick_settings
from training.features.store import FeatureStore
from training.learning import trainer
from training.learning.trainer import train_fold
from training.learning.weight_average import WeightAverage


def steps(average, model, values):
    for value in values:
        model.weight.data.fill_(value)
        average.on_step_end(None, None, None, model=model)


def test_the_average_follows_the_weights_fast_at_first():
    model = nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, decay=0.5)
    steps(average, model, [1.0, 2.0, 4.0])
    # decay 2/11 and then 3/12, so 1, 1 + 9/11, and three quarters of the way from there to 4
    second = 1 + 9 / 11
    assert average.average.module.weight.item() == pytest.approx(second + 0.75 * (4 - second))
    steps(average, model, [8.0] * 50)
    assert average.average.module.weight.item() == pytest.approx(8.0, abs=1e-5)


def test_a_model_has_the_average_for_a_while():
    model = nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, decay=0.9)
    steps(average, model, [1.0, 3.0])
    with average.applied_to(model):
        assert 1 < model.weight.item() < 3
    assert model.weight.item() == 3.0
    average.copy_to(model)
    assert 1 < model.weight.item() < 3


def test_the_average_lies_where_the_model_is():
    model = nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, decay=0.9)
    model.to("meta")  # stands for a GPU, to which the Trainer moves a model
    average.on_train_begin(None, None, None, model=model)
    assert average.average.module.weight.device == model.weight.device


def test_the_average_is_read_as_it_was_written(tmp_path):
    model = nn.Linear(1, 1, bias=False)
    first, second = WeightAverage(model, decay=0.9), WeightAverage(model, decay=0.9)
    steps(first, model, [1.0, 3.0])
    first.save(tmp_path)
    second.load(tmp_path)
    for average in (first, second):
        steps(average, model, [5.0])
    assert first.average.module.weight.item() == second.average.module.weight.item()


def test_a_stopped_training_goes_on_with_its_average(corpus, monkeypatch):
    fold, folder = corpus
    settings = quick_settings(folder, epochs=3, average_decay=0.9)
    expected = train_fold(fold, FeatureStore(folder), settings, 0, folder / "undisturbed").state_dict()
    plain = quick_settings(folder, epochs=3)
    without = train_fold(fold, FeatureStore(folder), plain, 0, folder / "plain").state_dict()
    assert not all(torch.equal(value, without[name]) for name, value in expected.items())

    mark = trainer.MarkComplete.on_save

    def stop(self, args, state, control, **kwargs):
        mark(self, args, state, control, **kwargs)
        if state.epoch >= 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trainer.MarkComplete, "on_save", stop)
        with pytest.raises(KeyboardInterrupt):
            train_fold(fold, FeatureStore(folder), settings, 0, folder / "stopped")
    resumed = train_fold(fold, FeatureStore(folder), settings, 0, folder / "stopped").state_dict()
    for name, value in expected.items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0)
