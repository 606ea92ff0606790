"""Find the recordings below a folder, and count what else it holds."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from segser_core.audio.formats import begins_like_audio, has_audio_ending

Entry = Literal["recording", "folder", "linked folder", "other file", "system file"]
SYSTEM_FILES = ("thumbs.db", "desktop.ini", "icon\r")  # what Windows and macOS leave in folders, beside dot files


def find_audio_files(path: Path) -> Iterator[Path]:
    """Yield the recordings below a folder in order, holding no more than the names of open folders.

    Args:
        path: taken as it is, whatever its ending, unless it is a folder.

    Yields:
        Every file below the folder that is a recording by its ending, in any case, or by its first bytes; links to
        folders are not followed (`count_passed_over` names them), and the `._` companions that macOS leaves are no
        recordings. A folder that may not be read is listed itself, so that reading it says why.

    Example:
        >>> from segser_core.bundled import BUNDLED
        >>> [file.name for file in find_audio_files(BUNDLED)]
        ['sample.flac']
    """
    if not path.is_dir():
        yield path
        return
    try:
        kinds = _scan_folder(path)
    except OSError:
        yield path
        return
    for name in sorted(kinds):
        if kinds[name] == "folder":
            yield from find_audio_files(path / name)
        elif kinds[name] == "recording":
            yield path / name


def count_passed_over(folder: Path) -> Counter[str]:
    """Count what a folder and those below it hold beside recordings: files by ending, and linked folders by name.

    Example:
        >>> from segser_core.bundled import BUNDLED
        >>> sorted(count_passed_over(BUNDLED / "baseline"))
        ['.json', '.md', '.npz', '.parquet', '.safetensors', '.yaml']
    """
    found: Counter[str] = Counter()
    try:
        kinds = _scan_folder(folder)
    except OSError:
        return found
    for name in sorted(kinds):
        if kinds[name] == "folder":
            found += count_passed_over(folder / name)
        elif kinds[name] == "linked folder":
            found[f"the linked folder {folder / name}, which is not followed"] += 1
        elif kinds[name] == "other file":
            found[Path(name).suffix.lower() or "without an ending"] += 1
    return found


def _scan_folder(folder: Path) -> dict[str, Entry]:
    """Tell what each entry of a folder is, by name."""
    with os.scandir(folder) as entries:
        return {entry.name: _entry_kind(entry) for entry in entries}


def _entry_kind(entry: os.DirEntry) -> Entry:
    if _is_folder(entry):
        return "linked folder" if entry.is_symlink() else "folder"
    if has_audio_ending(entry.name):
        return "recording"
    if entry.name.startswith(".") or entry.name.lower() in SYSTEM_FILES:
        return "system file"
    return "recording" if _is_file(entry) and begins_like_audio(Path(entry.path)) else "other file"


def _is_folder(entry: os.DirEntry) -> bool:
    """Check for a folder; a circle of links, or an entry that may not be looked at, counts as a file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry) -> bool:
    """Check for a regular file, which opening does not block."""
    try:
        return entry.is_file()
    except OSError:
        return False
