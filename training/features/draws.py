"""Draw numbers and chances from a generator that is handed in."""

import torch
from torch import Generator


def draw_uniform(low: float, high: float, generator: Generator) -> float:
    """Draw once from [low, high)."""
    return low + (high - low) * torch.rand((), generator=generator).item()


def draw_chance(share: float, generator: Generator) -> bool:
    """Draw whether an event of a probability happens."""
    return draw_uniform(0, 1, generator) < share
