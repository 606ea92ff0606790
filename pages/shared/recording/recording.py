"""A recording as the pages pass it around, and the bundled sample."""

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256

from segser_core.audio.channels import DEFAULT_CHOICE, AudioChoice
from segser_core.bundled import BUNDLED

SAMPLE_FILE = BUNDLED / "sample.flac"


@dataclass(frozen=True)
class RecordingFile:
    """A recording as it came.

    Attributes:
        name: of the file.
        data: its bytes.
        sha256: their fingerprint, hexadecimal.
        synthetic: whether a speech synthesiser spoke it.
        choice: which of its tracks and channels is heard.
    """

    name: str
    data: bytes = field(repr=False)
    sha256: str
    synthetic: bool = False
    choice: AudioChoice = DEFAULT_CHOICE

    @property
    def sound(self) -> str:
        """Fingerprint of what is heard: the content, its track and its channel."""
        return f"{self.sha256} {self.choice.track or ''} {self.choice.channel or ''}".rstrip()

    @property
    def identity(self) -> str:
        """Sound and name: the same content under another name is another recording."""
        return f"{self.sound} {self.name}"

    @classmethod
    def from_bytes(cls, name: str, data: bytes, synthetic: bool = False) -> "RecordingFile":
        """Make a recording from its name and its bytes."""
        return cls(name, data, sha256(data).hexdigest(), synthetic)


@cache
def load_sample() -> RecordingFile:
    """Load the spoken sample that comes with segser, made by a speech synthesiser."""
    return RecordingFile.from_bytes(SAMPLE_FILE.name, SAMPLE_FILE.read_bytes(), synthetic=True)
