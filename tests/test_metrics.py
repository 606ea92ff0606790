"""Scores by hand, against scikit-learn, and where a class is missing."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from segser_core.errors import SettingError
from segser_core.metrics import accuracy, confusion, macro_f1, recall, score, uar

CLASSES = ("neutral", "happy", "sad")


def test_by_hand():
    labels = ["neutral"] * 4 + ["happy"] * 2
    predicted = ["neutral", "neutral", "neutral", "happy", "happy", "sad"]
    got = score(labels, predicted, CLASSES)
    assert got.confusion.tolist() == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert got.recall[:2].tolist() == [0.75, 0.5] and np.isnan(got.recall[2])
    assert got.uar == 0.625 and got.present == 2
    assert got.accuracy == pytest.approx(4 / 6)
    assert got.macro_f1 == pytest.approx((6 / 7 + 2 / 4 + 0) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    labels, predicted = generator.choice(CLASSES, (2, 60), p=[0.6, 0.3, 0.1])
    got = score(labels, predicted, CLASSES)
    assert (got.confusion == confusion_matrix(labels, predicted, labels=CLASSES)).all()
    assert got.uar == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert got.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert got.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert got.recall == pytest.approx(recall_score(labels, predicted, labels=CLASSES, average=None))


def test_leading_axes_are_kept():
    matrices = np.random.default_rng(0).integers(0, 5, (4, 2, 3, 3))
    matrices[0, 0, 1] = 0
    for function in (uar, accuracy, macro_f1, recall):
        one_by_one = [[function(m) for m in row] for row in matrices]
        np.testing.assert_allclose(function(matrices), one_by_one)


def test_nothing_at_all():
    empty = np.zeros((2, 3, 3), dtype=int)
    with np.errstate(all="raise"):
        assert np.isnan(uar(empty)).all() and np.isnan(accuracy(empty)).all() and np.isnan(macro_f1(empty)).all()
    assert score([], [], CLASSES).present == 0


def test_wrong_names_and_lengths():
    with pytest.raises(SettingError, match="bored: not among the classes neutral, happy, sad"):
        confusion(["bored"], ["sad"], CLASSES)
    with pytest.raises(SettingError, match="calm"):
        confusion(["sad"], ["calm"], CLASSES)
    with pytest.raises(SettingError, match="2 labels and 1 predictions"):
        confusion(["sad", "sad"], ["sad"], CLASSES)
