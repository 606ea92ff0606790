"""Maps of vectors and the separation of groups: worked by hand, against scikit-learn, and at the edges."""

import subprocess
import sys
from math import isnan, sqrt

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from segser_core.errors import SettingError
from segser_core.statistics import projection
from segser_core.statistics.projection import Separation, measure_separations, project_pca, project_umap


def clusters(rows: int, size: int = 32, groups: int = 4, apart: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """float16 vectors around as many centres, and whose each is."""
    g = np.random.default_rng(0)
    group = g.integers(0, groups, rows)
    return (g.normal(0, apart, (groups, size))[group] + g.normal(size=(rows, size))).astype(np.float16), group


def test_pca_finds_what_scikit_learn_finds():
    x, _ = clusters(300)
    theirs = PCA(3, svd_solver="full").fit_transform(x.astype(np.float64))
    assert project_pca(x, 3) == pytest.approx(theirs, abs=2e-3)  # the sign, too: both follow the largest coefficient


def test_pca_of_a_line_is_the_distance_along_it():
    found = project_pca(np.array([[0, 0], [3, 4], [6, 8]], dtype=np.float16))
    assert found == pytest.approx(np.array([[-5, 0], [0, 0], [5, 0]]), abs=1e-4)


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (7, 1)])
def test_pca_of_few_rows_or_columns_has_two_columns_all_the_same(shape):
    found = project_pca(np.random.default_rng(0).normal(size=shape))
    assert found.shape == (shape[0], 2)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_pca_of_equal_rows_is_one_point_and_of_huge_values_is_finite():
    assert not project_pca(np.full((9, 4), 7.0)).any()
    assert np.isfinite(project_pca(np.array([[1e30, 0], [-1e30, 0], [0, 1e29]]))).all()


def test_pca_on_a_sample_of_rows_places_all_of_them(monkeypatch):
    x, _ = clusters(2_000)
    whole = project_pca(x)
    monkeypatch.setattr(projection, "MOST_FITTED", 500)
    fewer = project_pca(x)
    assert fewer.shape == whole.shape
    assert all(abs(np.corrcoef(whole[:, i], fewer[:, i])[0, 1]) > 0.98 for i in (0, 1))


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        (np.zeros((0, 4)), r"shape \(0, 4\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.array([[1.0, np.nan], [0, 0], [1, 1], [2, 2]]), "1 of 4 vectors"),
        (np.array([[np.inf, -np.inf], [0, 0], [1, 1], [2, 2]]), "1 of 4 vectors"),
        (np.array([[1e300, 0], [0, 0], [1, 1], [2, 2]]), "1 of 4 vectors"),
    ],
    ids=["no row", "no table", "nan", "infinite", "too large"],
)
@pytest.mark.parametrize("project", [project_pca, project_umap])
def test_what_is_no_table_of_numbers_is_refused(project, vectors, says):
    with pytest.raises(SettingError, match=says):
        project(vectors)


def test_umap_refuses_what_it_cannot_spread_out():
    with pytest.raises(SettingError, match="at least 4 points and there are 3"):
        project_umap(np.eye(3))
    with pytest.raises(SettingError, match="all 6 points are the same"):
        project_umap(np.ones((6, 3)))


def test_umap_keeps_clusters_together_repeats_itself_and_tells_how_far_it_is():
    x, group = clusters(120)
    shares: list[float] = []
    found = project_umap(x, progress=shares.append)
    assert found.shape == (120, 2)
    assert found.dtype == np.float32
    assert silhouette_score(found, group) > 0.6
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert any(projection.NEIGHBOURS_FOUND < share < 1 for share in shares)
    np.testing.assert_array_equal(found, project_umap(x))
    assert not np.array_equal(found, project_umap(x, seed=1))


@pytest.mark.parametrize("x", [np.eye(4), np.repeat(np.eye(3), 20, axis=0)], ids=["four rows", "repeated rows"])
def test_umap_of_little_is_finite(x):
    assert np.isfinite(project_umap(x)).all()


def test_what_goes_wrong_in_the_callers_progress_is_the_callers_and_the_next_map_is_made():
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project_umap(np.eye(8), progress=stop)
    assert project_umap(np.eye(8)).shape == (8, 2)


def separation(vectors, groups) -> Separation:
    return measure_separations(vectors, {"": groups})[""]


def test_separation_by_hand():
    """Four points on a line at 0, 1 (a) and 4, 5 (b): distances within 1 and 1; between 4, 5, 3 and 4."""
    found = separation(np.array([[0.0], [1], [4], [5]]), ["a", "a", "b", "b"])
    assert found.ratio == pytest.approx(1 / 4)
    assert found.silhouette == pytest.approx(np.mean([3.5 / 4.5, 2.5 / 3.5, 2.5 / 3.5, 3.5 / 4.5]))
    assert (found.groups, found.rows, found.alone) == (2, 4, 0)


def test_separation_agrees_with_a_slow_loop():
    x, group = clusters(60, size=5)
    within, between = [], []
    for i in range(60):
        for j in range(i):
            d = sqrt(float(((x[i].astype(float) - x[j].astype(float)) ** 2).sum()))
            (within if group[i] == group[j] else between).append(d)
    found = separation(x, group)
    assert found.ratio == pytest.approx(np.mean(within) / np.mean(between), rel=1e-4)
    assert found.silhouette == pytest.approx(silhouette_score(x.astype(float), group), abs=1e-4)


def test_groups_without_meaning_are_at_nought_and_one():
    x, _ = clusters(400, groups=1)
    found = separation(x, np.random.default_rng(1).integers(0, 4, 400))
    assert found.silhouette == pytest.approx(0, abs=0.02)
    assert found.ratio == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("groups", "alone"), [(["a"] * 4, 0), (["a", "a", "a", "b"], 1), (["a", "b", "c", "d"], 4)])
def test_one_group_or_rows_alone_in_theirs_give_no_figure(groups, alone):
    found = separation(np.arange(8.0).reshape(4, 2), groups)
    assert isnan(found.silhouette)
    assert isnan(found.ratio)
    assert found.alone == alone
    assert found.rows == 4 - alone


def test_a_row_alone_in_its_group_is_left_out_of_the_others():
    x = np.array([[0.0], [1], [4], [5], [100]])
    assert separation(x, [*"aabbc"]).ratio == pytest.approx(separation(x[:4], [*"aabb"]).ratio)
    assert separation(x, [*"aabbc"]).alone == 1


def test_equal_points_have_no_separation():
    assert isnan(separation(np.ones((6, 2)), [*"aaabbb"]).ratio)


def test_many_rows_are_sampled_and_it_is_told(monkeypatch):
    x, group = clusters(3_000)
    whole = separation(x, group)
    monkeypatch.setattr(projection, "MOST_COMPARED", 400)
    found = separation(x, group)
    assert found.rows == 400
    assert found == separation(x, group)
    assert found.silhouette == pytest.approx(whole.silhouette, abs=0.03)
    assert found.ratio == pytest.approx(whole.ratio, rel=0.05)


def test_each_grouping_must_fit_the_vectors():
    with pytest.raises(SettingError, match="'speakers' has 3 rows and there are 4"):
        measure_separations(np.eye(4), {"speakers": [1, 2, 3]})


def test_the_module_alone_loads_neither_umap_nor_scikit_learn():
    code = (
        "import sys, segser_core.statistics.projection; print({'umap', 'numba', 'sklearn', 'torch'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_eigenvectors_are_found_on_one_thread_and_the_number_is_put_back(monkeypatch):
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    seen, eigh = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: (seen.append(threads()), eigh(matrix))[1])
    before = threads()
    project_pca(np.eye(5))
    assert set(seen[0]) == {1}
    assert threads() == before
