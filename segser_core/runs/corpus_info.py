"""What pages and tables say of a run's corpus."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# corpora that a command fetches: a file's name tells its recording, whatever its folder and its ending
FETCH_COMMANDS = {
    "ravdess": "segser corpora get ravdess --song --root FOLDER/ravdess",
    "cremad": "segser corpora get cremad --root FOLDER/cremad",
    "emodb": "segser corpora get emodb --root FOLDER/emodb",
}
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class CorpusInfo:
    """The words about a corpus that stand beside its results; run.json holds them as `corpus_info`.

    Attributes:
        title: the name as people write it.
        sentences: how many sentences all of its speakers say; None where they differ, or where it is not known.
        training_data: what a model that was trained on it has heard, in words; may be empty.
    """

    title: str
    sentences: int | None = None
    training_data: str = ""

    @property
    def sentence_count(self) -> str:
        """How many sentences the speakers share, in words ("two sentences"); empty where they differ."""
        if not self.sentences:
            return ""
        number = NUMBER_WORDS[self.sentences] if self.sentences < len(NUMBER_WORDS) else str(self.sentences)
        return f"{number} sentence{'s' * (self.sentences != 1)}"

    def to_json(self) -> dict[str, Any]:
        """Return the value of `corpus_info` in run.json."""
        return asdict(self)


# of runs that were written before run.json held `corpus_info`; a new corpus does not belong here
BEFORE_CORPUS_INFO = {
    "ravdess": CorpusInfo(
        "RAVDESS", 2, "speech and song of 20 actors who were asked to show an emotion, in two sentences"
    ),
    "emodb": CorpusInfo("EMO-DB", 10, "actors who were asked to show an emotion, in ten German sentences"),
    "iemocap": CorpusInfo("IEMOCAP"),
    "fesc": CorpusInfo("FESC"),
}


def corpus_info(meta: Mapping[str, Any]) -> CorpusInfo:
    """Read the words about a run's corpus from its run.json; the corpus's bare name is the title where there are none.

    Args:
        meta: the content of run.json, from whomever.
    """
    name, given = str(meta.get("corpus", "")), meta.get("corpus_info")
    if not isinstance(given, dict):
        return BEFORE_CORPUS_INFO.get(name) or CorpusInfo(name)
    title, sentences, data = (given.get(key) for key in ("title", "sentences", "training_data"))
    return CorpusInfo(
        title if isinstance(title, str) and title else name,
        sentences if type(sentences) is int and sentences > 0 else None,
        data if isinstance(data, str) else "",
    )
