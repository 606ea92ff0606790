"""Find the turns of each recording of a call: in one turns file, or in a folder of them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from segser_core.errors import SettingError, TurnsError
from segser_core.formatting import one_line
from segser_core.prediction.turn_files import TURN_READERS, TurnsOfFiles, list_names, read_turns_file
from segser_core.prediction.turns import Turn


class TurnsSource:
    """Turns of several recordings.

    In a folder, the turns file of a recording has its stem, below the same sub-folders. In one file, a column `file`,
    or RTTM's own, names the recording by its path, name or stem, unless there is but one recording.
    """

    def __init__(self, path: Path, tiers: Sequence[str] = ()) -> None:
        self.path, self.tiers = path, tiers
        self.file = None if path.is_dir() else TurnsOfFiles(read_turns_file(path, tiers), path.name)
        self.recordings = 0
        self._claimed_last: Path | None = None
        self._claims: Counter[str] = Counter()
        self._folders: dict[Path, dict[str, list[Path]]] = {}

    def claim(self, recording: Path, stem: Path) -> None:
        """Count a recording that is to be analysed, before the turns of the first one are asked for.

        The channels of a recording follow one another, and are one recording.
        """
        if recording == self._claimed_last:
            return
        self._claimed_last = recording
        self.recordings += 1
        if self.file is not None:
            self._claims.update(self.file.files_of(recording))
        else:
            self._claims.update(map(str, self._files_of_stem(stem)))

    def check(self) -> None:
        """Check that turns that name no recording are of one.

        Raises:
            SettingError: there are several recordings.
        """
        if self.file is not None and self.file.is_of_one and self.recordings > 1:
            raise SettingError(
                f"--turns {one_line(self.path)} names no recording, and {self.recordings} are to be analysed; give a "
                "folder with a turns file of each recording's stem, or a CSV with a column file"
            )

    def unclaimed(self) -> list[str]:
        """List the recordings in the turns file, or the files in the folder, that are of no recording of the call."""
        if self.file is None:
            files = [str(f) for by_stem in self._folders.values() for each in by_stem.values() for f in each]
        else:
            files = list(self.file.files)
        return [file for file in files if file and file not in self._claims]

    def of_recording(self, recording: Path, stem: Path) -> tuple[Turn, ...]:
        """Read the turns of a recording.

        Args:
            recording: its path.
            stem: its path below the folder that was given, without its ending.

        Raises:
            TurnsError: there are none, or several could be meant, or they cannot be read.
        """
        if self.file is None:
            return self._of_folder(recording, stem)
        if shared := [file for file in self.file.files_of(recording) if self._claims[file] > 1]:
            raise TurnsError(
                f"{one_line(self.file.source)} names {one_line(shared[0])}, and {self._claims[shared[0]]} recordings "
                "have that name; write more of their paths"
            )
        return self.file.of_recording(recording, alone=self.recordings == 1)

    def _of_folder(self, recording: Path, stem: Path) -> tuple[Turn, ...]:
        files = self._files_of_stem(stem)
        if len(files) != 1:
            got = list_names([file.name for file in files]) if files else "no turns file"
            raise TurnsError(
                f"{one_line(self.path / stem.parent)} holds {got} for it; expected one of "
                + ", ".join(one_line(stem.name) + ending for ending in TURN_READERS)
            )
        turns = TurnsOfFiles(read_turns_file(files[0], self.tiers), files[0].name)
        return turns.of_recording(recording)

    def _files_of_stem(self, stem: Path) -> list[Path]:
        folder = self.path / stem.parent
        if folder not in self._folders:
            self._folders[folder] = _turns_files_by_stem(folder)
        return self._folders[folder].get(stem.name, [])


def _turns_files_by_stem(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.suffix.lower() in TURN_READERS and not file.name.startswith("."):
            found.setdefault(file.stem, []).append(file)
    return found
