"""Read run folders, and find them."""

import logging
import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from segser_core.errors import RunError, UnknownRunError
from segser_core.formatting import one_line
from segser_core.runs.aligned_segments import AlignedSegments, align_segments
from segser_core.runs.class_indices import add_class_indices
from segser_core.runs.reading import (
    Embeddings,
    read_embeddings,
    read_meta,
    read_predictions,
    read_segments,
    read_stretches,
)
from segser_core.runs.test_split import select_test_rows

if TYPE_CHECKING:
    import pandas as pd
from segser_core.bundled import BUNDLED

Stamp = tuple[tuple[str, int, int], ...]
TRIES = 3
RETRY_PAUSE_S = 0.02
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A run folder as it was read.

    Attributes:
        path, name: where it is, and what it is called.
        system, labels, corpus, protocol, seeds: of run.json; empty where it does not say.
        predictions: a row an utterance (and seed and fold); `seed`, `fold` (0) and `split` (test)
            are filled in where the file has none.
        segments: a row a segment, or None where the run has none.
        stretches: a row a stretch of a recording whose emotion changes, as it was analysed alone; or None.
        meta: run.json, whole.
        stamp: of the files that were read, see `folder_stamp`.
    """

    path: Path
    name: str
    system: str
    labels: tuple[str, ...]
    corpus: str
    protocol: str
    seeds: tuple[int, ...]
    predictions: "pd.DataFrame"
    segments: "pd.DataFrame | None"
    stretches: "pd.DataFrame | None" = None
    meta: dict[str, Any]
    stamp: Stamp

    def embeddings(self) -> Embeddings | None:
        """Read the vectors; None where the run has none.

        Raises:
            RunError: the file is damaged, its arrays do not fit one another, or the run has been replaced meanwhile.
        """
        if folder_stamp(self.path) != self.stamp:
            raise RunError(f"{self.path} was replaced after it was read; read it again")
        file = self.path / "embeddings.npz"
        return read_embeddings(file) if file.is_file() else None

    @cached_property
    def aligned_segments(self) -> AlignedSegments:
        """Align the prediction rows with their segments, once.

        Raises:
            RunError: as in `align_segments`.
        """
        return align_segments(self.name, self.labels, self.predictions, self.segments)

    @cached_property
    def test_rows(self) -> "pd.DataFrame":
        """Select the rows of the test split, with their class indices `true` and `code`, once.

        Raises:
            RunError: as in `select_test_rows`.
            SettingError: a label or prediction is no class of the run.
        """
        return add_class_indices(select_test_rows(self.predictions), self.labels)

    @property
    def missing_files(self) -> tuple[str, ...]:
        """List the optional files that are missing, each with what cannot be shown without it."""
        needs = {"segments.parquet": "segments over time", "embeddings.npz": "the map of embeddings"}
        return tuple(f"{file}: {use}" for file, use in needs.items() if not (self.path / file).is_file())


def folder_stamp(folder: Path) -> Stamp:
    """List name, size and time of change of each file of a run folder: another stamp, another content.

    Raises:
        UnknownRunError: there is no such folder, or no more.
        RunError: it cannot be read.
    """
    try:
        files = sorted((file.name, file.stat()) for file in folder.iterdir() if file.is_file())
    except FileNotFoundError:
        raise UnknownRunError(f"{folder} is not there, so it holds no run.json; name a run folder") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}; a run folder is expected there") from error
    return tuple((name, of.st_size, of.st_mtime_ns) for name, of in files)


def read_run(path: str | Path, name: str | None = None) -> Run:
    """Read a run folder; run.json and predictions.parquet are enough.

    A run that is replaced while it is read is read again.

    Args:
        path: the folder.
        name: what to call it; the folder's name where it is None.

    Raises:
        RunError: a required file is missing or damaged, of another format, or lacks a column.
    """
    path = Path(path)
    for _ in range(TRIES):
        stamp = folder_stamp(path)
        try:
            run = _read(path, name, stamp)
        except RunError:
            if _is_unchanged(path, stamp):
                raise
            continue
        if _is_unchanged(path, stamp):
            return run
    raise RunError(f"{path} was replaced {TRIES} times while it was read; try again when nothing writes there")


def _is_unchanged(path: Path, stamp: Stamp) -> bool:
    try:
        return folder_stamp(path) == stamp
    except RunError:  # between the two renames of a replacement
        sleep(RETRY_PAUSE_S)
        return False


def _read(path: Path, name: str | None, stamp: Stamp) -> Run:
    meta = read_meta(path / "run.json")
    labels = tuple(meta["labels"])
    predictions = read_predictions(path / "predictions.parquet", labels)
    segments, stretches = path / "segments.parquet", path / "stretches.parquet"
    return Run(
        path=path,
        name=name or path.resolve().name,
        system=meta["system"],
        labels=labels,
        corpus=str(meta.get("corpus", "")),
        protocol=str(meta.get("protocol", "")),
        seeds=tuple(sorted(int(s) for s in predictions.seed.unique())),
        predictions=predictions,
        segments=read_segments(segments, labels) if segments.is_file() else None,
        stretches=read_stretches(stretches, labels) if stretches.is_file() else None,
        meta=meta,
        stamp=stamp,
    )


def find_runs() -> tuple[tuple[str, Path], ...]:
    """Find name and folder of each run below the folders of `SEGSER_RUNS`, then of each bundled one.

    Of equal names the first one is taken.
    """
    folders = [Path(p) for p in os.environ.get("SEGSER_RUNS", "").split(os.pathsep) if p]
    found: dict[str, Path] = {}
    for folder in (*folders, BUNDLED):
        found |= {name: path for name, path in find_runs_below(folder).items() if name not in found}
    return tuple(found.items())


def find_runs_below(folder: Path) -> dict[str, Path]:
    """Find the runs below a folder by name, which is their path below it; the folder itself by its own name.

    A folder whose path is no UTF-8 is passed over with a warning: no page or address could name it.
    """
    found = {}
    for file in sorted(folder.rglob("run.json")):
        name = file.parent.relative_to(folder).as_posix()
        if not is_utf8(str(file.parent)):
            _warn_of_name(str(file.parent))
        elif not any(part.startswith(".") for part in Path(name).parts):
            found[folder.name if name == "." else name] = file.parent
    return found


def is_utf8(path: str) -> bool:
    """Check whether a path can be written in UTF-8, which one with undecodable bytes in it cannot."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache  # once for each folder: pages look for runs again and again
def _warn_of_name(path: str) -> None:
    _log.warning("the run %s is passed over, since its name is no UTF-8; rename its folder", one_line(path))


def find_run(name_or_dir: str | Path) -> Path:
    """Find a run folder, by its path or by its name among `find_runs`.

    Raises:
        UnknownRunError: there is neither; it names the runs that there are.
    """
    if Path(name_or_dir, "run.json").is_file():
        return Path(name_or_dir)
    known = dict(find_runs())
    if str(name_or_dir) in known:
        return known[str(name_or_dir)]
    raise UnknownRunError(f"{name_or_dir} is no run folder and no run's name; known: {', '.join(known) or 'none'}")
