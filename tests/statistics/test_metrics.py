"""Scores by hand, against scikit-learn, and where a class is missing."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    recall_score,
)
from sklearn.metrics import (
    confusion_matrix as sklearn_confusion_matrix,
)

from segser_core.errors import SettingError
from segser_core.statistics.metrics import (
    accuracy,
    class_recall,
    cohens_kappa,
    confusion_matrix,
    count_confusions,
    macro_f1,
    measure_agreement,
    scores_from_confusion,
    uar,
)

CLASSES = ("neutral", "happy", "sad")


def test_by_hand():
    labels = ["neutral"] * 4 + ["happy"] * 2
    predicted = ["neutral", "neutral", "neutral", "happy", "happy", "sad"]
    got = scores_from_confusion(confusion_matrix(labels, predicted, CLASSES), CLASSES)
    assert got.confusion.tolist() == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert got.recall[:2].tolist() == [0.75, 0.5]
    assert np.isnan(got.recall[2])
    assert got.uar == 0.625
    assert got.present == 2
    assert got.accuracy == pytest.approx(4 / 6)
    assert got.macro_f1 == pytest.approx((6 / 7 + 2 / 4 + 0) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    labels, predicted = generator.choice(CLASSES, (2, 60), p=[0.6, 0.3, 0.1])
    got = scores_from_confusion(confusion_matrix(labels, predicted, CLASSES), CLASSES)
    assert (got.confusion == sklearn_confusion_matrix(labels, predicted, labels=CLASSES)).all()
    assert got.uar == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert got.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert got.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert got.recall == pytest.approx(recall_score(labels, predicted, labels=CLASSES, average=None))


def test_leading_axes_are_kept():
    matrices = np.random.default_rng(0).integers(0, 5, (4, 2, 3, 3))
    matrices[0, 0, 1] = 0
    for function in (uar, accuracy, macro_f1, class_recall, cohens_kappa):
        one_by_one = [[function(m) for m in row] for row in matrices]
        np.testing.assert_allclose(function(matrices), one_by_one)


def test_nothing_at_all():
    empty = np.zeros((2, 3, 3), dtype=int)
    with np.errstate(all="raise"):
        assert np.isnan(uar(empty)).all()
        assert np.isnan(accuracy(empty)).all()
        assert np.isnan(macro_f1(empty)).all()
    assert scores_from_confusion(confusion_matrix([], [], CLASSES), CLASSES).present == 0


def test_wrong_names_and_lengths():
    with pytest.raises(SettingError, match="bored: not among the classes neutral, happy, sad"):
        confusion_matrix(["bored"], ["sad"], CLASSES)
    with pytest.raises(SettingError, match="calm"):
        confusion_matrix(["sad"], ["calm"], CLASSES)
    with pytest.raises(SettingError, match="2 labels and 1 predictions"):
        confusion_matrix(["sad", "sad"], ["sad"], CLASSES)


def test_agreement_by_hand():
    """Ten clips of class 0: the first has six right, the second three of these and one other."""
    true = np.zeros(10, dtype=int)
    first, second = np.array([0] * 6 + [1] * 4), np.array([0, 0, 0, 1, 1, 1, 0, 1, 1, 2])
    got = measure_agreement(true, first, second, 3)
    assert got.share == pytest.approx(0.5)
    assert got.second_of_first == pytest.approx(3 / 6)
    assert got.first_of_second == pytest.approx(3 / 4)
    chance = 0.6 * 0.4 + 0.4 * 0.5
    assert got.kappa == pytest.approx((0.5 - chance) / (1 - chance))
    assert got.uar_first_as_truth == pytest.approx((3 / 6 + 2 / 4) / 2)
    assert got.uar_second_as_truth == pytest.approx((3 / 4 + 2 / 5 + 0) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_and_agreement_against_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    true, first = generator.integers(0, 4, (2, 80))
    second = np.where(generator.random(80) < 0.4, first, generator.integers(0, 4, 80))
    got, back = measure_agreement(true, first, second, 4), measure_agreement(true, second, first, 4)
    assert got.kappa == pytest.approx(cohen_kappa_score(first, second)) == pytest.approx(back.kappa)
    assert got.share == pytest.approx(accuracy_score(first, second))
    assert got.uar_first_as_truth == pytest.approx(balanced_accuracy_score(first, second))
    assert (got.second_of_first, got.uar_first_as_truth) == (back.first_of_second, back.uar_second_as_truth)
    assert (count_confusions(true, first, 4) == sklearn_confusion_matrix(true, first, labels=range(4))).all()


def test_agreement_where_there_is_nothing_to_count():
    one = np.zeros(3, dtype=int)
    with np.errstate(all="raise"):
        same, wrong, none = measure_agreement(one, one, one, 2), measure_agreement(one + 1, one, one, 2), one[:0]
        empty = measure_agreement(none, none, none, 2)
    assert same.share == same.second_of_first == 1.0 and np.isnan(same.kappa), "one label throughout: chance is all"
    assert np.isnan([wrong.second_of_first, wrong.first_of_second]).all()
    assert wrong.share == 1.0
    assert np.isnan([empty.share, empty.kappa, empty.uar_first_as_truth]).all()
