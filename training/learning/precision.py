"""Tell whether bf16 is worth its name on this machine."""

import logging
import time
from typing import Literal

import torch

Arithmetic = Literal["bf16", "fp32"]
SIZE, PRODUCTS = 512, 3
_log = logging.getLogger(__name__)


def usable_precision(asked: Arithmetic) -> Arithmetic:
    """Choose fp32, with a warning, where bf16 is asked for and the processor has no units for it.

    Such a processor computes bf16 several times slower than fp32; a product of two matrices shows it.
    """
    if asked == "fp32" or torch.cuda.is_available():
        return asked
    fp32, bf16 = (product_seconds(kind) for kind in (torch.float32, torch.bfloat16))
    if bf16 <= fp32:
        return asked
    _log.warning("this processor multiplies in bf16 %.1f times slower than in fp32: training goes on in fp32",
                 bf16 / fp32)  # fmt: skip
    return "fp32"


def product_seconds(kind: torch.dtype) -> float:
    """Measure the shortest of some products of two matrices of this type, in seconds."""
    matrix = torch.ones(SIZE, SIZE, dtype=kind)
    matrix @ matrix  # the first one sets things up
    took = []
    for _ in range(PRODUCTS):
        began = time.perf_counter()
        matrix @ matrix
        took.append(time.perf_counter() - began)
    return min(took)
