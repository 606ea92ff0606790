"""Project vectors to a plane, and measure how far apart their groups lie before.

PCA is there at once. UMAP takes a while: it starts from at most 50 principal components and exact neighbours.
"""

import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan

import numpy as np

from segser_core.errors import SettingError

MOST_FITTED = 20_000  # PCA finds its axes on at most this many rows
UMAP_COMPONENTS = 50
UMAP_NEIGHBOURS = 15
FEWEST_ROWS = 4  # what UMAP needs
MOST_COMPARED = 3_000  # separation compares every pair of this many rows, 9 million distances
NEIGHBOURS_FOUND = 0.3  # share of UMAP's time until its epochs begin, as the progress shows it
_ONE_THREAD = threading.RLock()  # the number of BLAS's threads is one for the whole process
_ONE_AT_A_TIME = threading.Lock()  # numba's threads do not bear two callers, and two maps would only share the cores


@dataclass(frozen=True)
class Separation:
    """Distances between groups, in the vectors' own space (Euclidean).

    Found here rather than by scikit-learn, which agrees and whose import takes longer than the rest of a page.

    Attributes:
        silhouette: mean over rows, -1 to 1; 0 where groups overlap. NaN with fewer than two groups.
        ratio: mean distance between two rows of one group, over that of two rows of different groups;
            1 where groups make no difference, 0 where each is a point. NaN with fewer than two groups.
        groups: how many were compared.
        rows: how many rows were compared; a seeded sample where there are more than `MOST_COMPARED`.
        alone: rows left out since no other row of their group is among those compared.
    """

    silhouette: float
    ratio: float
    groups: int
    rows: int
    alone: int


def project_pca(vectors: np.ndarray, components: int = 2) -> np.ndarray:
    """Project to the first principal components.

    The axes are found on at most `MOST_FITTED` rows, a seeded sample. Each points to where its largest
    coefficient is positive, so that the same vectors give the same map.

    Args:
        vectors: (N, D) of any float type, N >= 1.
        components: how many; those beyond D are 0.

    Returns:
        (N, components) float32.

    Raises:
        SettingError: there is no row, or a value is not finite.

    Example:
        >>> project_pca(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])).shape
        (3, 2)
    """
    x = _checked(vectors)
    fitted = x[_sample(len(x), MOST_FITTED, seed=0)]
    mean = fitted.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = (fitted - mean) / max(float(np.abs(fitted).max()), np.finfo(np.float32).tiny)
    with _one_thread():
        _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))  # from the least variance up
        axes = axes[:, ::-1][:, :components].astype(np.float32)
        axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
        found = (x - mean) @ axes
    return np.pad(found, ((0, 0), (0, components - axes.shape[1])))


def project_umap(vectors: np.ndarray, seed: int = 0, progress: Callable[[float], None] | None = None) -> np.ndarray:
    """Project by UMAP (McInnes, Healy and Melville, 2018) on at most 50 principal components.

    Neighbours are exact and the map starts from the first two components, so that a seed gives the same
    map again; for that it runs on one thread. Calls wait for one another.

    Args:
        vectors: (N, D) of any float type, N >= 4.
        seed: of UMAP's random steps.
        progress: told the share that is done, 0 to 1, from the thread that calls.

    Returns:
        (N, 2) float32.

    Raises:
        SettingError: there are fewer than 4 rows, all are the same, or a value is not finite.
    """
    tell = progress or (lambda share: None)
    x = _checked(vectors)
    if len(x) < FEWEST_ROWS:
        raise SettingError(f"UMAP needs at least {FEWEST_ROWS} points and there are {len(x)}; look at the PCA instead")
    if (x == x[0]).all():
        raise SettingError(f"all {len(x)} points are the same, so there is nothing for UMAP to spread out")
    tell(0.0)
    with _ONE_AT_A_TIME:
        reduced = project_pca(x, min(UMAP_COMPONENTS, x.shape[1]))
        tell(0.05)
        found = _umap(reduced, _neighbours(reduced, min(UMAP_NEIGHBOURS, len(x) - 1)), seed, tell)
    tell(1.0)
    return found


def measure_separations(
    vectors: np.ndarray, groupings: dict[str, Sequence[object] | np.ndarray]
) -> dict[str, Separation]:
    """Measure how far apart groups lie, for several groupings of the same vectors; distances are found once.

    Args:
        vectors: (N, D) of any float type.
        groupings: by name, (N,) the group of each row.

    Returns:
        By the same names, what is found on a seeded sample of at most `MOST_COMPARED` rows.

    Raises:
        SettingError: there is no row, a value is not finite, or a grouping has another number of rows.
    """
    for name, groups in groupings.items():
        if len(groups) != len(vectors):
            raise SettingError(f"grouping {name!r} has {len(groups)} rows and there are {len(vectors)} vectors")
    chosen = _sample(len(vectors), MOST_COMPARED, seed=0)
    with _one_thread():
        distances = _distances(_checked(vectors[chosen]))
    return {name: _separation(distances, np.asarray(groups)[chosen]) for name, groups in groupings.items()}


def _distances(x: np.ndarray) -> np.ndarray:
    """Compute Euclidean distances between (N, D) rows: (N, N) float64."""
    x = x - x.mean(axis=0, dtype=np.float64)
    squares, found = np.square(x).sum(axis=1), x @ x.T
    found *= -2  # in place: to have fresh memory takes longer than to count
    found += squares
    found += squares[:, None]
    np.maximum(found, 0, out=found)
    np.fill_diagonal(found, 0)
    return np.sqrt(found, out=found)


def _separation(distances: np.ndarray, groups: np.ndarray) -> Separation:
    _, group, members = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    kept = members[group] > 1
    alone = int((~kept).sum())
    distances = distances[np.ix_(kept, kept)] if alone else distances
    _, group, members = np.unique(group[kept], return_inverse=True, return_counts=True)
    rows, count = len(group), len(members)
    if count < 2:
        return Separation(nan, nan, count, rows, alone)
    sums = distances @ np.eye(count)[group]  # of each row to each group's rows
    own = (np.arange(rows), group)
    within, between = sums[own].sum(), sums.sum() - sums[own].sum()
    if between == 0:
        return Separation(nan, nan, count, rows, alone)
    ratio = (within / (members * (members - 1)).sum()) / (between / (rows**2 - (members**2).sum()))
    inside, means = sums[own] / (members[group] - 1), sums / members
    means[own] = np.inf
    nearest = means.min(axis=1)
    silhouette = (nearest - inside) / np.maximum(np.maximum(nearest, inside), np.finfo(float).tiny)
    return Separation(float(silhouette.mean()), float(ratio), count, rows, alone)


def _checked(vectors: np.ndarray) -> np.ndarray:
    """Convert the vectors to float32; a SettingError where they are no table of finite numbers."""
    x = np.asarray(vectors)
    if x.ndim != 2 or 0 in x.shape:
        raise SettingError(f"vectors have shape {x.shape}; expected rows and columns, at least one of each")
    with np.errstate(over="ignore", invalid="ignore"):
        x = x.astype(np.float32)
        total = x.sum(dtype=np.float64)
    if not np.isfinite(total):
        bad = int((~np.isfinite(x)).any(axis=1).sum())
        raise SettingError(f"{bad} of {len(x)} vectors hold a value that is not finite; make embeddings.npz anew")
    return x


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit linear algebra to one thread.

    The eigenvectors of a small matrix take thousands of short steps, and threads that share busy cores wait for
    one another at each: 100 s in place of 1 s were measured, for 512 features beside other work.
    """
    from threadpoolctl import threadpool_limits

    with _ONE_THREAD, threadpool_limits(limits=1, user_api="blas"):
        yield


def _sample(rows: int, most: int, seed: int) -> np.ndarray:
    """Sample at most so many rows; their indices, in order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _neighbours(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest rows of each row, itself first, and their distances: (N, count) each."""
    from sklearn.neighbors import NearestNeighbors

    distances, places = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(x).kneighbors(x)
    return places.astype(np.int32), distances.astype(np.float32)


def _umap(
    x: np.ndarray, neighbours: tuple[np.ndarray, np.ndarray], seed: int, tell: Callable[[float], None]
) -> np.ndarray:
    from umap.umap_ import UMAP  # the import alone takes seconds

    tell(NEIGHBOURS_FOUND)
    bar = {"file": _Epochs(tell), "bar_format": "{n}/{total}", "disable": False, "miniters": 1, "mininterval": 0.2}
    made = UMAP(
        n_neighbors=neighbours[0].shape[1],
        init="pca",
        random_state=seed,
        n_jobs=1,
        precomputed_knn=neighbours,
        tqdm_kwds=bar,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)  # nothing is added to the map later
        return np.asarray(made.fit_transform(x), dtype=np.float32)


class _Epochs:
    """A file for UMAP's progress bar, which writes `epochs done/epochs` to it."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self.tell = tell

    def write(self, text: str) -> None:
        if found := re.search(r"(\d+)/(\d+)", text):
            self.tell(NEIGHBOURS_FOUND + (1 - NEIGHBOURS_FOUND) * int(found[1]) / int(found[2]))

    def flush(self) -> None:
        """Do nothing: no output is buffered."""
