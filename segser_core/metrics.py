"""UAR, accuracy and macro F1, always by these names, from a confusion matrix.

Each takes confusion matrices (..., C, C), rows the true classes, so that thousands of resampled
ones cost a few array operations. A class without a sample has no recall (NaN) and is left out of
the mean: UAR is over the classes present, and `Scores.present` tells how many that are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segser_core.errors import SettingError


def indices(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Each name's place in `classes`: (N,) int.

    Raises:
        SettingError: a name is no class.
    """
    place = {c: i for i, c in enumerate(classes)}
    if strange := sorted({str(n) for n in names if n not in place}):
        raise SettingError(f"{', '.join(strange)}: not among the classes {', '.join(classes)}")
    return np.array([place[n] for n in names], dtype=np.intp)


def confusion(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """How often each class was taken for each: (C, C) int, rows true, columns predicted.

    Args:
        labels: (N,) true class names.
        predicted: (N,) predicted class names.
        classes: (C,) the order of rows and columns.

    Raises:
        SettingError: a name is no class, or the two lengths differ.
    """
    if len(labels) != len(predicted):
        raise SettingError(f"{len(labels)} labels and {len(predicted)} predictions; there must be one of each")
    cells = indices(labels, classes) * len(classes) + indices(predicted, classes)
    return np.bincount(cells, minlength=len(classes) ** 2).reshape(len(classes), len(classes))


def recall(confusions: np.ndarray) -> np.ndarray:
    """Share of each class that was found: (..., C, C) → (..., C), 0 to 1, NaN without a sample."""
    return _ratio(np.diagonal(confusions, axis1=-2, axis2=-1), confusions.sum(axis=-1))


def uar(confusions: np.ndarray) -> np.ndarray:
    """Unweighted average recall, over the classes present: (..., C, C) → (...), NaN where all is empty."""
    return _mean_of_known(recall(confusions))


def accuracy(confusions: np.ndarray) -> np.ndarray:
    """Share of all samples whose class was found: (..., C, C) → (...)."""
    return _ratio(np.trace(confusions, axis1=-2, axis2=-1), confusions.sum(axis=(-2, -1)))


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """Mean of each class's F1 = 2 TP / (2 TP + FP + FN): (..., C, C) → (...).

    Over the classes that are either true or predicted somewhere, as scikit-learn has it.
    """
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    return _mean_of_known(_ratio(2 * hits, confusions.sum(axis=-1) + confusions.sum(axis=-2)))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))


@dataclass(frozen=True)
class Scores:
    """What a set of predictions is worth; all are fractions.

    Attributes:
        classes: the class names, in the order of the arrays.
        confusion: (C, C) int, rows true.
        uar, accuracy, macro_f1: see the functions of these names.
        recall: (C,), NaN for a class without a sample.
        present: number of classes that have a sample; UAR is over these.
    """

    classes: tuple[str, ...]
    confusion: np.ndarray
    uar: float
    accuracy: float
    macro_f1: float
    recall: np.ndarray
    present: int


def score_confusion(matrix: np.ndarray, classes: Sequence[str]) -> Scores:
    """The scores of one confusion matrix (C, C)."""
    return Scores(
        tuple(classes),
        matrix,
        float(uar(matrix)),
        float(accuracy(matrix)),
        float(macro_f1(matrix)),
        recall(matrix),
        int((matrix.sum(axis=-1) > 0).sum()),
    )


def score(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> Scores:
    """The scores of predictions; arguments and errors as in `confusion`."""
    return score_confusion(confusion(labels, predicted, classes), classes)
