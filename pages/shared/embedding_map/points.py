"""What the page of maps shows and keeps: points, their places on the plane, and how far apart groups lie.

All of it is found once for all visitors. UMAP is made behind the page, which asks how far it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Thread

import numpy as np
import streamlit as st

from pages.shared.app.address import in_address
from pages.shared.app.pickers import segmented
from pages.shared.runs import run_picker
from pages.shared.text import common
from segser_core.errors import SegserError
from segser_core.runs import map_points
from segser_core.runs.map_points import MOST_DRAWN, MOST_POINTS, Colour, Points, What
from segser_core.runs.run import Run
from segser_core.statistics import projection
from segser_core.statistics.projection import Separation

WHATS: dict[What, str] = {"utterance": "Utterances", "segment": "Segments"}
METHODS = {"pca": "PCA", "umap": "UMAP"}
METHOD_HELP = """
- **PCA**: the two directions in which the vectors vary most. What is apart here is apart in the vectors.
- **UMAP**: keeps neighbours together. It shows small groups that PCA hides, and can draw groups where there are none.
"""
POINTS = {"sample": "a sample", "all": "all"}
POINTS_HELP = f"""
- **a sample**: whole clips of at most {MOST_DRAWN:,} points, the same clips of both runs, so that the map is there at
  once. What is chosen is drawn in any case, and the map itself is made from all points.
- **all**: at most {MOST_POINTS:,}, which takes a browser some seconds.
"""
COLOURS: dict[Colour, str] = {
    "label": "true emotion",
    "predicted": "emotion heard",
    "correct": "right or wrong",
    "speaker": "speaker",
    "duration": "duration",
}


@dataclass
class Job:
    """A UMAP that is being made: the share that is done, then the map, or why there is none."""

    share: float = 0.0
    positions: np.ndarray | None = None
    problem: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has come to an end, good or bad."""
        return self.positions is not None or self.problem is not None

    def work(self, vectors: np.ndarray) -> None:
        """Make the map; what goes wrong is kept as a line to show."""
        try:
            self.positions = projection.umap_map(vectors, progress=self.tell)
        except SegserError as error:
            self.problem = str(error)
        except Exception as error:  # in a thread of its own nobody else would see it
            self.problem = f"UMAP failed ({type(error).__name__}); look at the PCA instead"

    def tell(self, share: float) -> None:
        """Take note of how far it is."""
        self.share = share


@dataclass(frozen=True, eq=False)
class Shown:
    """A run's points and where they lie; a UMAP that is not ready has the places of PCA meanwhile."""

    run: Run
    points: Points
    positions: np.ndarray
    method: str
    separation: dict[str, Separation]


def choose_what() -> What:
    """Utterances or segments."""
    return in_address("what", "map-what", list(WHATS), "utterance", segmented("Points", WHATS.get))


def choose_method() -> str:
    """PCA or UMAP."""
    return in_address("method", "map-method", list(METHODS), "pca", segmented("Map", METHODS.get, METHOD_HELP))


def choose_fold(run: Run) -> int:
    """One of the run's test folds; no control where there is but one."""
    folds = [str(fold) for fold in _folds(run_picker.key_of(run), run)]
    if len(folds) == 1:
        return int(folds[0])
    control = lambda options, key: st.selectbox(  # noqa: E731
        "Fold",
        options,
        key=key,
        persist_state="session",
        width=120,
        help="Each fold has a model, and so a space, of its own.",
    )
    return int(in_address("fold", f"map-fold-{'-'.join(folds)}", folds, folds[0], control))


def choose_colour(shown: Sequence[Run]) -> Colour:
    """What colour and symbol stand for, of what all runs that are shown know."""
    known = [c for c in COLOURS if all(map_points.knows(run, c) for run in shown)]
    control = lambda options, key: st.selectbox(  # noqa: E731
        "Colour and symbol", options, key=key, format_func=COLOURS.get, persist_state="session", width=260
    )
    return in_address("colour", f"map-colour-{len(known)}", known, "label", control)


def choose_whole(shown: Sequence[Shown]) -> bool:
    """Whether all points are drawn; no control where a sample would be all of them."""
    if all(each.points.sample.all() for each in shown):
        return False
    control = segmented("Points drawn", POINTS.get, POINTS_HELP)
    return in_address("points", "map-points", list(POINTS), "sample", control) == "all"


def points_of(run: Run, what: What, fold: int) -> Points | None:
    """The points of a run, read once; None where it has no vectors.

    Raises:
        RunError: as in `maps.points_of`.
    """
    return _points(run_picker.key_of(run), what, fold, run)


def shown(run: Run, points: Points, what: What, fold: int, method: str) -> Shown:
    """A run's points on the plane."""
    separation = _separations(run_picker.key_of(run), what, fold, points)
    job = job_of(points) if method == "umap" else None
    if job is not None and job.positions is not None:
        return Shown(run, points, job.positions, "umap", separation)
    return Shown(run, points, _pca(points.sha256, points.vectors), "pca", separation)


def job_of(points: Points) -> Job:
    """The UMAP of these points, begun at the first call and kept by their content."""
    return _job(points.sha256, points.vectors)


@st.fragment(run_every=1.0)
def wait_for(jobs: list[Job]) -> None:
    """Show how far maps are, and draw the page anew when they are ready."""
    if all(job.done for job in jobs):
        st.rerun()
    share = sum(1.0 if job.done else job.share for job in jobs) / len(jobs)
    which = "the UMAP is made" if len(jobs) == 1 else f"{len(jobs)} UMAPs are made, one after the other"
    st.progress(min(share, 1.0), text=f"{which}: {100 * share:.0f} %. Meanwhile the map is the PCA.")


def tell_problems(jobs: list[Job]) -> None:
    """Say why a UMAP could not be made."""
    for problem in dict.fromkeys(job.problem for job in jobs if job.problem):
        st.warning(common.plain(problem), icon=":material/scatter_plot:")


@st.cache_resource(max_entries=8, show_spinner=False)
def _folds(key: tuple, _run: Run) -> tuple[int, ...]:
    return map_points.folds_of(_run)


@st.cache_resource(max_entries=8, show_spinner="Reading the vectors …")
def _points(key: tuple, what: What, fold: int, _run: Run) -> Points | None:
    return map_points.points_of(_run, what, fold)


@st.cache_data(max_entries=32, show_spinner=False)
def _pca(sha256: str, _vectors: np.ndarray) -> np.ndarray:
    return projection.pca(_vectors)


@st.cache_data(max_entries=32, show_spinner="Comparing distances …")
def _separations(key: tuple, what: What, fold: int, _points: Points) -> dict[str, Separation]:
    groupings = {"true emotions": _points.table.label.to_numpy()}
    if "speaker" in _points.table:
        groupings["speakers"] = _points.table.speaker.to_numpy()
    return projection.separations(_points.vectors, groupings)


@st.cache_resource(max_entries=32, show_spinner=False)
def _job(sha256: str, _vectors: np.ndarray) -> Job:
    job = Job()
    Thread(target=job.work, args=(_vectors,), name="umap", daemon=True).start()
    return job
