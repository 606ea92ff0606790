"""A folder that is written by one process at a time, and is whole or not there."""

import glob
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from segser_core.errors import RunError
from segser_core.formatting import plain


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """No other process writes this run meanwhile; what one that was killed left beside it is cleared away.

    Raises:
        RunError: another process is writing the run, or the disk is full or closed to us; what was there stays.
    """
    from filelock import FileLock, Timeout

    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"), is_singleton=True)  # whoever holds it may ask again
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"another process is writing {path}; wait for its end, or name another folder") from None
    except OSError as error:
        raise RunError(_not_written(path, error)) from error
    try:
        if lock.lock_counter == 1:
            _clear_away(path)
        yield
    except (OSError, SafetensorError) as error:
        raise RunError(_not_written(path, error)) from error
    finally:
        if lock.lock_counter == 1:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _not_written(path: Path, error: Exception) -> str:
    return f"{path} cannot be written ({plain(error)}); what was there before is as it was"


def _clear_away(path: Path) -> None:
    """Put back a run that was moved aside for one that never came, and remove what is left of half-written ones."""
    aside = {what: list(path.parent.glob(f".{glob.escape(path.name)}.????????.{what}")) for what in ("new", "old")}
    if aside["old"] and not path.exists():
        aside["old"].pop().rename(path)
    for left in (*aside["new"], *aside["old"]):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """A new folder beside `path` that takes its place at the end, or goes if something fails."""
    path = path.resolve()
    new, old = (path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.{what}" for what in ("new", "old"))
    new.mkdir()
    try:
        yield new
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
