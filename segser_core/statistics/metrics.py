"""Compute UAR, accuracy, macro F1 and the agreement of two models from confusion matrices.

Each takes confusion matrices (..., C, C), rows the true classes, so that thousands of resampled
ones cost a few array operations. A class without a sample has no recall (NaN) and is left out of
the mean: UAR is over the classes present, and `Scores.present` tells how many that are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import SettingError
from segser_core.runs.class_indices import class_indices

if TYPE_CHECKING:
    pass


SCORES = {
    "uar": "UAR",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
}  # in metrics.json, and in words


def confusion_matrix(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Count how often each class was taken for each: (C, C) int, rows true, columns predicted.

    Args:
        labels: (N,) true class names.
        predicted: (N,) predicted class names.
        classes: (C,) the order of rows and columns.

    Raises:
        SettingError: a name is no class, or the two lengths differ.

    Example:
        >>> confusion_matrix(["sad", "sad", "happy"], ["sad", "happy", "happy"], ["happy", "sad"])
        array([[1, 0],
               [1, 1]])
    """
    if len(labels) != len(predicted):
        raise SettingError(f"{len(labels)} labels and {len(predicted)} predictions; there must be one of each")
    return count_confusions(class_indices(labels, classes), class_indices(predicted, classes), len(classes))


def count_confusions(true: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Count as `confusion_matrix` does, from class indices (N,) each: (C, C) int."""
    return np.bincount(true * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_recall(confusions: np.ndarray) -> np.ndarray:
    """Compute the share of each class that was found: (..., C, C) → (..., C), 0 to 1, NaN without a sample.

    Example:
        >>> class_recall(np.array([[1, 0], [1, 3]]))
        array([1.  , 0.75])
    """
    return _ratio(np.diagonal(confusions, axis1=-2, axis2=-1), confusions.sum(axis=-1))


def uar(confusions: np.ndarray) -> np.ndarray:
    """Compute unweighted average recall, over the classes present: (..., C, C) → (...), NaN where all is empty.

    Example:
        >>> float(uar(np.array([[1, 0], [1, 3]])))
        0.875
    """
    return _mean_of_known(class_recall(confusions))


def accuracy(confusions: np.ndarray) -> np.ndarray:
    """Compute the share of all samples whose class was found: (..., C, C) → (...).

    Example:
        >>> float(accuracy(np.array([[1, 0], [1, 3]])))
        0.8
    """
    return _ratio(np.trace(confusions, axis1=-2, axis2=-1), confusions.sum(axis=(-2, -1)))


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """Average each class's F1 = 2 TP / (2 TP + FP + FN): (..., C, C) → (...).

    Over the classes that are either true or predicted somewhere, as scikit-learn has it.

    Example:
        >>> round(float(macro_f1(np.array([[1, 0], [1, 3]]))), 3)
        0.762
    """
    return _mean_of_known(_class_f1(confusions))


def macro_f1_of_present(confusions: np.ndarray) -> np.ndarray:
    """Average each class's F1 over the classes that have a sample, alone: (..., C, C) → (...).

    A class that is predicted where the data cannot have it lowers the recall of others, and is no class of the mean.

    Example:
        >>> float(macro_f1_of_present(np.array([[1, 1], [0, 0]]))), float(macro_f1(np.array([[1, 1], [0, 0]])))
        (0.6666666666666666, 0.3333333333333333)
    """
    present = confusions.sum(axis=-1) > 0
    return _mean_of_known(np.where(present, _class_f1(confusions), np.nan))


def _class_f1(confusions: np.ndarray) -> np.ndarray:
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    return _ratio(2 * hits, confusions.sum(axis=-1) + confusions.sum(axis=-2))


def cohens_kappa(confusions: np.ndarray) -> np.ndarray:
    """Compute agreement beyond chance, (p_o − p_e) / (1 − p_e) (Cohen 1960): (..., C, C) → (...), −1 to 1.

    p_o is the share of equal labels and p_e what two models with these shares of labels would reach by
    chance. NaN where there is no sample, and where both give one and the same label throughout (p_e = 1).

    Example:
        >>> round(float(cohens_kappa(np.array([[1, 0], [1, 3]]))), 3)
        0.545
    """
    whole = confusions.sum(axis=(-2, -1))
    chance = _ratio((confusions.sum(axis=-1) * confusions.sum(axis=-2)).sum(axis=-1), whole**2)
    return _ratio(accuracy(confusions) - chance, 1 - chance)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of two models; all are fractions but kappa, NaN where there is nothing to count.

    Attributes:
        share: equal labels, right or wrong.
        kappa: Cohen's, the same both ways round; the directions below are not.
        second_of_first: of the clips that the first has right, the share that the second has right.
        first_of_second: the other way round.
        uar_first_as_truth: UAR of the second with the first's labels taken as truth.
        uar_second_as_truth: the other way round.
    """

    share: float
    kappa: float
    second_of_first: float
    first_of_second: float
    uar_first_as_truth: float
    uar_second_as_truth: float


def measure_agreement(true: np.ndarray, first: np.ndarray, second: np.ndarray, n_classes: int) -> Agreement:
    """Measure the agreement of two models on the same clips: class indices (N,) each."""
    between = count_confusions(first, second, n_classes)
    right_first, right_second = first == true, second == true
    both = np.array((right_first & right_second).sum())
    return Agreement(
        share=float(accuracy(between)),
        kappa=float(cohens_kappa(between)),
        second_of_first=float(_ratio(both, right_first.sum())),
        first_of_second=float(_ratio(both, right_second.sum())),
        uar_first_as_truth=float(uar(between)),
        uar_second_as_truth=float(uar(between.T)),
    )


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of a set of predictions; all are fractions.

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


def scores_from_confusion(matrix: np.ndarray, classes: Sequence[str]) -> Scores:
    """Compute the scores of one confusion matrix (C, C)."""
    return Scores(
        classes=tuple(classes),
        confusion=matrix,
        uar=float(uar(matrix)),
        accuracy=float(accuracy(matrix)),
        macro_f1=float(macro_f1(matrix)),
        recall=class_recall(matrix),
        present=int((matrix.sum(axis=-1) > 0).sum()),
    )
