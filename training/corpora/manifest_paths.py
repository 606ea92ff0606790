"""Find the files that a manifest names, as Windows, spreadsheets and other programs write paths."""

import logging
import os
import posixpath
import re
import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

from training.corpora.corpus import Lost, Misfit, walk_files

_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:/|//")
_OUTSIDE = "its path leads out of the corpus's folder"
_log = logging.getLogger(__name__)


class ManifestPaths:
    """Files below a corpus's folder, by the paths that a manifest writes; counts what was read in another way.

    Links are followed, wherever they lead; a path that climbs out by `..` is not.
    """

    def __init__(self, root: Path):
        self.root = root
        self.guessed: Counter[str] = Counter()
        self._any_case: dict[str, list[str]] | None = None

    def find(self, written: str) -> str:
        r"""Find a file: its path below the folder, with forward slashes.

        Args:
            written: as the manifest writes it: `wav\a.flac`, `./wav/a.flac`, `/corpora/mine/wav/a.flac`.

        Raises:
            Misfit: it leads out of the folder.
            Lost: there is no such file.
        """
        path = written
        if "\\" in path and not self._is_file(path):
            path = path.replace("\\", "/")
            self.guessed["have backslashes, read as /"] += 1
        if os.name != "nt" and _WINDOWS_ABSOLUTE.match(path):
            raise Misfit("its path is one of another machine; write it relative to the corpus's folder")
        path = self._below_root(path)
        if self._is_file(path):
            return path
        found = self._in_any_case().get(_fold_case(path), [])
        if len(found) != 1:
            why = "a link that leads nowhere" if (self.root / path).is_symlink() else "there is no such file"
            raise Lost(why)
        self.guessed["differ from their file in case or accents alone"] += 1
        return found[0]

    def warn_of_guesses(self) -> None:
        """Say in a warning how many paths were read in another way."""
        if self.guessed:
            _log.warning("%s", "; ".join(f"{n} paths {what}" for what, n in self.guessed.items()))

    def _is_file(self, path: str) -> bool:
        try:
            return (self.root / path).is_file()
        except (OSError, ValueError):  # a name that is too long, or no name
            return False

    def _below_root(self, path: str) -> str:
        """Make a path relative to the folder, by its letters alone.

        Raises:
            Misfit: it leads out.
        """
        if Path(path).is_absolute():
            roots = (Path.cwd() / self.root, self.root.resolve())
            inside = [r for r in roots if Path(os.path.normpath(path)).is_relative_to(r)]
            if not inside:
                raise Misfit(_OUTSIDE)
            path = Path(os.path.normpath(path)).relative_to(inside[0]).as_posix()
        path = posixpath.normpath(path)
        if PurePosixPath(path).parts[:1] in (("..",), ()):
            raise Misfit(_OUTSIDE)
        return path

    def _in_any_case(self) -> dict[str, list[str]]:
        if self._any_case is None:
            self._any_case = {}
            for file in walk_files(self.root):
                name = file.relative_to(self.root).as_posix()
                self._any_case.setdefault(_fold_case(name), []).append(name)
        return self._any_case


def _fold_case(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
