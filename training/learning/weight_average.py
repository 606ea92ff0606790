"""Average the weights of a model over the steps of its training (EMA), and score the model by the average."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from transformers import TrainerCallback

AVERAGE = "average.safetensors"


class WeightAverage(TrainerCallback):
    """Exponential moving average of a model's weights, kept as a callback of the Trainer.

    Args:
        model: to be trained.
        decay: of the average in each step; smaller in the first steps, (1 + n) / (10 + n), so that the weights of
            the start do not stay in it.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.average = AveragedModel(model, multi_avg_fn=self._average)

    def _average(self, averaged: Sequence[Tensor], current: Sequence[Tensor], number: Tensor | int) -> None:
        n = int(number)
        torch._foreach_lerp_(list(averaged), list(current), 1 - min(self.decay, (1 + n) / (10 + n)))

    def on_train_begin(self, args, state, control, model=None, **_):
        """Move the average to where the Trainer has put the model."""
        self.average.to(next(model.parameters()).device)

    def on_step_end(self, args, state, control, model=None, **_):
        """Take in the weights after a step."""
        self.average.update_parameters(model)

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """Give a model the averaged weights for a while."""
        self._swap(model)
        try:
            yield
        finally:
            self._swap(model)

    def copy_to(self, model: nn.Module) -> None:
        """Give a model the averaged weights for good."""
        model.load_state_dict(self.average.module.state_dict())

    def _swap(self, model: nn.Module) -> None:
        for ours, theirs in zip(self.average.module.parameters(), model.parameters(), strict=True):
            ours.data, theirs.data = theirs.data, ours.data

    def save(self, folder: Path) -> None:
        """Write the average into a checkpoint's folder."""
        save_file({name: value.contiguous() for name, value in self.average.state_dict().items()}, folder / AVERAGE)

    def load(self, folder: Path) -> None:
        """Read the average from a checkpoint's folder."""
        self.average.load_state_dict(load_file(folder / AVERAGE))
