"""Write files and folders atomically, hold a write lock, read JSON: for everybody."""

import glob
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError

from segser_core.errors import RunError, SegserError
from segser_core.formatting import one_line


def read_json_object(path: Path, error: type[SegserError]) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Args:
        path: the file.
        error: the kind of error to raise.

    Raises:
        SegserError: of the kind `error`; the file is missing, no JSON, or holds something else than an object.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise error(f"{path} cannot be read as JSON: {problem}") from problem
    if not isinstance(content, dict):
        raise error(f"{path} holds a {type(content).__name__}; expected an object of names and values")
    return content


def write_whole(path: Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file under another name beside its place, then rename it: whole, or as before.

    Args:
        path: the file; folders above it are made.
        content: text (as UTF-8), bytes, or a function that writes to the open file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".new-{uuid.uuid4().hex[:8]}")  # without the file's own name, which may be as long as may be
    try:
        with new.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside `path` that replaces it at the end, or is removed if something fails."""
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


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Hold a folder's write lock; first remove the leftovers of a writer that was killed.

    Raises:
        RunError: another process holds the lock, or the disk is full or read-only; the folder stays as it was.
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
            _remove_leftovers(path)
        yield
    except (OSError, SafetensorError) as error:
        raise RunError(_not_written(path, error)) from error
    finally:
        if lock.lock_counter == 1:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _not_written(path: Path, error: Exception) -> str:
    return f"{path} cannot be written ({one_line(error)}); what was there before is as it was"


def _remove_leftovers(path: Path) -> None:
    """Put back a folder that was moved aside for one that never came, and remove half-written ones."""
    aside = {what: list(path.parent.glob(f".{glob.escape(path.name)}.????????.{what}")) for what in ("new", "old")}
    if aside["old"] and not path.exists():
        aside["old"].pop().rename(path)
    for left in (*aside["new"], *aside["old"]):
        shutil.rmtree(left, ignore_errors=True)
