"""A recording as the pages pass it around, and the sample that is there from the start."""

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256

from segser_core.bundled import BUNDLED

SAMPLE = BUNDLED / "sample.flac"


@dataclass(frozen=True)
class Recording:
    """A recording as it came: its name, its bytes, and their fingerprint."""

    name: str
    data: bytes = field(repr=False)
    sha256: str
    synthetic: bool = False

    @property
    def identity(self) -> str:
        """What tells it from other recordings: the same content under another name is another one."""
        return f"{self.sha256} {self.name}"

    @classmethod
    def of(cls, name: str, data: bytes, synthetic: bool = False) -> "Recording":
        """A recording from its bytes."""
        return cls(name, data, sha256(data).hexdigest(), synthetic)


@cache
def sample() -> Recording:
    """The spoken sample that comes with segser, made by a speech synthesiser."""
    return Recording.of(SAMPLE.name, SAMPLE.read_bytes(), synthetic=True)
