"""Find the recordings below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

AUDIO_ENDINGS = ("wav", "wave", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff", "aifc")
VIDEO_ENDINGS = ("mp4", "m4v", "mov", "webm", "mka", "mkv")


def find_audio_files(path: Path) -> Iterator[Path]:
    """Yield the recordings below a folder in order, holding no more than the names of open folders.

    Args:
        path: taken as it is, whatever its ending, unless it is a folder.

    Yields:
        Every audio file below the folder by its ending, in any case; links to folders are
        not followed, and the `._` companions that macOS leaves are no recordings. A folder that may
        not be read is listed itself, so that reading it says why.

    Example:
        >>> from segser_core.bundled import BUNDLED
        >>> [file.name for file in find_audio_files(BUNDLED)]
        ['sample.flac']
    """
    if not path.is_dir():
        yield path
        return
    names, folders = [], set()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not _is_folder(entry):
                    names += [entry.name] if has_audio_ending(entry.name) else []
                elif not entry.is_symlink():
                    folders.add(entry.name)
    except OSError:
        yield path
        return
    for name in sorted([*names, *folders]):
        if name in folders:
            yield from find_audio_files(path / name)
        else:
            yield path / name


def _is_folder(entry: os.DirEntry) -> bool:
    """Check for a folder; a circle of links, or an entry that may not be looked at, counts as a file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def has_audio_ending(name: str) -> bool:
    """Check whether a file's name ends as a recording's does.

    Example:
        >>> has_audio_ending("clip.FLAC"), has_audio_ending("notes.txt")
        (True, False)
    """
    return Path(name).suffix[1:].lower() in AUDIO_ENDINGS + VIDEO_ENDINGS and not name.startswith("._")
