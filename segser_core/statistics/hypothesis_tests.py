"""Test hypotheses: McNemar's and the sign test of two models on the same clips, Holm's adjustment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segser_core.errors import SettingError


@dataclass(frozen=True)
class McNemar:
    """Result of McNemar's exact test of one seed.

    Attributes:
        seed: of both models.
        first_only, second_only: clips that one model has right and the other wrong.
        p_value: two-sided; 1 where no clip tells the models apart.
    """

    seed: int
    first_only: int
    second_only: int
    p_value: float


def mcnemar_test(first_right: np.ndarray, second_right: np.ndarray, seed: int = 0) -> McNemar:
    """Test whether two models are equally often right (McNemar 1947, the exact form).

    Of the clips that only one of them has right, each is the first's with probability 1/2 if they are
    equally accurate: a binomial test. It is about accuracy, and takes clips as independent.

    Args:
        first_right, second_right: (N,) bool, by clip.
        seed: which seed's predictions these are.

    Raises:
        SettingError: the two lengths differ.

    Example:
        >>> first, second = np.array([True] * 9 + [False]), np.array([False] * 6 + [True] * 4)
        >>> mcnemar_test(first, second)
        McNemar(seed=0, first_only=6, second_only=1, p_value=0.125)
    """
    if len(first_right) != len(second_right):
        raise SettingError(f"{len(first_right)} and {len(second_right)} clips; the two models need the same clips")
    first_only, second_only = int((first_right & ~second_right).sum()), int((~first_right & second_right).sum())
    return McNemar(seed, first_only, second_only, sign_test(first_only, second_only))


def sign_test(a: int, b: int) -> float:
    """Compute the two-sided p of a against b in a + b throws of a fair coin.

    Example:
        >>> sign_test(1, 7)
        0.0703125
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(a, b), a + b, 0.5))) if a + b else 1.0


def holm_adjust(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for their number, in the same order (Holm 1979); one that is NaN stays NaN.

    The smallest of m is multiplied by m, the next by m − 1, and so on; none falls below one before it.

    Example:
        >>> holm_adjust([0.01, 0.04, 0.03])
        (0.03, 0.06, 0.06)
    """
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return tuple(adjusted.tolist())
