"""Points of the maps, their places on the plane, and how far apart groups lie: computed once for all visitors.

UMAP runs in a thread of its own; the page asks how far it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Thread

import numpy as np
import streamlit as st

from pages.shared.app.address import bind_to_address
from pages.shared.app.pickers import dropdown, segmented
from pages.shared.runs.run_choice import cached_by_run
from pages.shared.text.common import escape_markdown
from segser_core.errors import SegserError
from segser_core.runs import map_points
from segser_core.runs.map_points import MOST_POINTS, MOST_SAMPLED, ColourBy, MapPoints, PointKind
from segser_core.runs.run import Run
from segser_core.statistics import projection
from segser_core.statistics.projection import Separation

POINT_KIND_TITLES: dict[PointKind, str] = {"utterance": "Utterances", "segment": "Segments"}
PROJECTION_TITLES = {"pca": "PCA", "umap": "UMAP"}
PROJECTION_HELP = """
- **PCA**: the two directions in which the vectors vary most. What is apart here is apart in the vectors.
- **UMAP**: keeps neighbours together. It shows small groups that PCA hides, and can draw groups where there are none.
"""
DRAWN_TITLES = {"sample": "a sample", "all": "all"}
DRAWN_HELP = f"""
- **a sample**: whole clips of at most {MOST_SAMPLED:,} points, the same clips of both runs, so that the map is there at
  once. What is chosen is drawn in any case, and the map itself is made from all points.
- **all**: at most {MOST_POINTS:,}, which takes a browser some seconds.
"""
COLOUR_TITLES: dict[ColourBy, str] = {
    "label": "true emotion",
    "predicted": "emotion heard",
    "correct": "right or wrong",
    "corpus": "corpus",
    "speaker": "speaker",
    "duration": "duration",
}


@dataclass
class UmapJob:
    """A UMAP that is being made.

    Attributes:
        share: how much of it is done, 0 to 1.
        positions: (N, 2) once it is ready.
        problem: why there is none, once it has failed.
    """

    share: float = 0.0
    positions: np.ndarray | None = None
    problem: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has come to an end, good or bad."""
        return self.positions is not None or self.problem is not None

    def run(self, vectors: np.ndarray) -> None:
        """Make the map of (N, D) vectors; an error is kept as a line to show."""
        try:
            self.positions = projection.project_umap(vectors, progress=self.report)
        except SegserError as error:
            self.problem = str(error)
        except Exception as error:  # in a thread of its own nobody else would see it
            self.problem = f"UMAP failed ({type(error).__name__}); look at the PCA instead"

    def report(self, share: float) -> None:
        """Take note of the share that is done."""
        self.share = share


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """A run's points on the plane.

    Attributes:
        run: whose points.
        points: N of them, with their vectors.
        positions: (N, 2).
        method: `pca` or `umap`, by which they were found; a UMAP that is not ready is replaced by PCA.
        separation: how far apart groups lie in the vectors' own space, by what groups them.
    """

    run: Run
    points: MapPoints
    positions: np.ndarray
    method: str
    separation: dict[str, Separation]


def choose_point_kind() -> PointKind:
    """Choose whether points are utterances or segments."""
    return bind_to_address(
        "what",
        key="map-what",
        options=list(POINT_KIND_TITLES),
        default="utterance",
        control=segmented("Points", POINT_KIND_TITLES.get),
    )


def choose_projection() -> str:
    """Choose PCA or UMAP."""
    control = segmented("Map", PROJECTION_TITLES.get, PROJECTION_HELP)
    return bind_to_address("method", key="map-method", options=list(PROJECTION_TITLES), default="pca", control=control)


def choose_fold(run: Run) -> int:
    """Choose one of the run's test folds; there is no control where there is but one.

    Raises:
        RunError: the run's test rows do not fit one another.
    """
    folds = [str(fold) for fold in _test_folds(run)]
    if len(folds) == 1:
        return int(folds[0])
    control = dropdown("Fold", help="Each fold has a model, and so a space, of its own.", width_px=120)
    key = f"map-fold-{'-'.join(folds)}"
    return int(bind_to_address("fold", key=key, options=folds, default=folds[0], control=control))


def choose_colour(runs: Sequence[Run]) -> ColourBy:
    """Choose what colour and symbol stand for, of what all runs know."""
    known = [colour for colour in COLOUR_TITLES if all(map_points.can_colour_by(run, colour) for run in runs)]
    control = dropdown("Colour and symbol", COLOUR_TITLES.get, width_px=260)
    key = f"map-colour-{len(known)}"
    return bind_to_address("colour", key=key, options=known, default="label", control=control)


def choose_whether_all_are_drawn(maps: Sequence[EmbeddingMap]) -> bool:
    """Choose whether all points are drawn; there is no control where a sample would be all of them."""
    if all(each.points.sample.all() for each in maps):
        return False
    control = segmented("Points drawn", DRAWN_TITLES.get, DRAWN_HELP)
    drawn = bind_to_address("points", key="map-points", options=list(DRAWN_TITLES), default="sample", control=control)
    return drawn == "all"


@cached_by_run(max_entries=8)
def _test_folds(run: Run) -> tuple[int, ...]:
    return map_points.folds_tested(run)


@cached_by_run(max_entries=8, show_spinner="Reading the vectors …")
def load_points(run: Run, kind: PointKind, fold: int) -> MapPoints | None:
    """Load the points of a run; None where it has no vectors.

    Raises:
        RunError: as in `map_points.read_map_points`.
    """
    return map_points.read_map_points(run, kind, fold)


def project_points(run: Run, points: MapPoints, *, kind: PointKind, fold: int, method: str) -> EmbeddingMap:
    """Lay a run's points out on the plane, by PCA as long as their UMAP is not ready.

    Args:
        run: whose points.
        points: of `load_points`, with this `kind` and `fold`.
        kind: utterances or segments.
        fold: whose space.
        method: `pca` or `umap`.
    """
    separation = _separation(run, kind, fold, points)
    job = umap_job(points) if method == "umap" else None
    if job is not None and job.positions is not None:
        return EmbeddingMap(run, points, job.positions, "umap", separation)
    return EmbeddingMap(run, points, _project_pca(points.sha256, points.vectors), "pca", separation)


@cached_by_run(max_entries=32, show_spinner="Comparing distances …")
def _separation(run: Run, kind: PointKind, fold: int, _points: MapPoints) -> dict[str, Separation]:
    groupings = {"true emotions": _points.table.label.to_numpy()}
    if "speaker" in _points.table:
        groupings["speakers"] = _points.table.speaker.to_numpy()
    return projection.measure_separations(_points.vectors, groupings)


@st.cache_data(max_entries=32, show_spinner=False)
def _project_pca(sha256: str, _vectors: np.ndarray) -> np.ndarray:
    return projection.project_pca(_vectors)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={MapPoints: lambda points: points.sha256})
def umap_job(points: MapPoints) -> UmapJob:
    """Return the UMAP of these points, begun at the first call and kept by their content."""
    job = UmapJob()
    Thread(target=job.run, args=(points.vectors,), name="umap", daemon=True).start()
    return job


@st.fragment(run_every=1.0)
def show_umap_progress(jobs: list[UmapJob]) -> None:
    """Show how far UMAPs are, and draw the page anew when they are ready."""
    if all(job.done for job in jobs):
        st.rerun()
    share = sum(1.0 if job.done else job.share for job in jobs) / len(jobs)
    made = "the UMAP is made" if len(jobs) == 1 else f"{len(jobs)} UMAPs are made, one after the other"
    st.progress(min(share, 1.0), text=f"{made}: {100 * share:.0f} %. Meanwhile the map is the PCA.")


def report_umap_problems(jobs: list[UmapJob]) -> None:
    """Say why a UMAP could not be made."""
    for problem in dict.fromkeys(job.problem for job in jobs if job.problem):
        st.warning(escape_markdown(problem), icon=":material/scatter_plot:")
