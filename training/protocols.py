"""Protocols: from a corpus to folds of train, dev and test that share no speaker.

A protocol is a function from corpus to folds, listed in `PROTOCOLS` under its name. Whatever it
does, each `Fold` refuses a speaker that stands in two splits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from segser_core.errors import CorpusError
from training.corpora import Corpus

SPLITS = ("train", "dev", "test")
RAVDESS_PAPER_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
RAVDESS_LABELS = ("neutral", "calm", *RAVDESS_PAPER_LABELS[1:])
EMODB_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "bored")
RAVDESS_PAPER_SIZES = {"train": 2036, "dev": 208, "test": 208}
EMOBOX_TEST_ACTORS = (
    ("01", "11", "20", "21"),
    ("04", "10", "12", "14"),
    ("08", "09", "19", "23"),
    ("03", "05", "07", "24"),
    ("02", "15", "16", "18"),
    ("06", "13", "17", "22"),
)
DEFAULTS = {"ravdess": "ravdess-paper", "emodb": "emodb-speaker"}


@dataclass(frozen=True)
class Fold:
    """One division of a corpus.

    Attributes:
        index: the fold's number, from 0.
        labels: the classes, in the order of a model's outputs.
        manifest: the corpus's columns, `label` as the protocol has it, and `split`, one of `SPLITS`.
    """

    index: int
    labels: tuple[str, ...]
    manifest: pd.DataFrame
    splits: ClassVar[tuple[str, ...]] = SPLITS

    def __post_init__(self):
        check_disjoint(self.manifest, self.index)
        if missing := set(self.splits) - set(self.manifest.split):
            raise CorpusError(
                f"fold {self.index} has no utterance for {' and '.join(sorted(missing))}; "
                "its speakers are not in the folder: look at `python -m training.corpora describe`"
            )
        if strange := set(self.manifest.label) - set(self.labels):
            raise CorpusError(f"fold {self.index} has utterances of {', '.join(sorted(strange))}, which is not a class")

    def split(self, name: str) -> pd.DataFrame:
        """The rows of `train`, `dev` or `test`."""
        return self.manifest[self.manifest.split == name].reset_index(drop=True)

    def without_test(self) -> "DevelopmentFold":
        """The same without its test clips."""
        return DevelopmentFold(self.index, self.labels, self.manifest[self.manifest.split != "test"])


class DevelopmentFold(Fold):
    """A fold in which no test clip is left: what settings are chosen on."""

    splits = ("train", "dev")

    def __post_init__(self):
        super().__post_init__()
        if set(self.manifest.split) != set(self.splits):
            raise CorpusError(f"fold {self.index} holds test clips; settings are chosen on development clips alone")


def check_disjoint(manifest: pd.DataFrame, index: int = 0) -> None:
    """Train, dev and test share no speaker: `manifest` with columns `speaker` and `split`.

    Raises:
        CorpusError: a speaker is unknown, or stands in more than one split; it names both.
    """
    if not manifest.speaker.fillna("").astype(str).str.strip().all():
        raise CorpusError(
            f"fold {index} has an utterance without a speaker, so nothing shows that its splits share none"
        )
    splits = manifest.groupby("speaker").split.unique()
    for speaker, where in splits[splits.map(len) > 1].items():
        raise CorpusError(
            f"fold {index}: speaker {speaker} is in {' and '.join(sorted(where))}; a speaker belongs to one split alone"
        )


def folds(corpus: Corpus, protocol: str | None = None, *, partial: bool = False) -> list[Fold]:
    """The folds of a corpus under a protocol; the corpus's own default where none is named.

    Args:
        corpus: from `load_corpus`.
        protocol: a name of `PROTOCOLS`.
        partial: take the corpus as it is; otherwise an incomplete one is refused, since its
            results stand beside nobody else's.

    Raises:
        CorpusError: no such protocol for this corpus, an incomplete corpus, an empty split, or a shared speaker.
    """
    name = protocol or DEFAULTS.get(corpus.name, "")
    known = [p for p in PROTOCOLS if p.startswith(f"{corpus.name}-")]
    if name not in known:
        raise CorpusError(
            f"protocol {name!r} is unknown for {corpus.name}; choose one of {', '.join(known) or 'none yet'}"
        )
    if not partial:
        check_complete(corpus)
    divided = PROTOCOLS[name](corpus)
    if name == "ravdess-paper" and not partial:
        check_sizes(divided[0], RAVDESS_PAPER_SIZES)
    return divided


def clips_of_split(corpus: Corpus, split: str, protocol: str | None = None) -> pd.DataFrame:
    """The clips of one split over all folds, each once.

    Where no protocol is named and the corpus has none of its own, its manifest's column `split` decides.

    Raises:
        CorpusError: as in `folds`, no clip of that split, or one in that split of several folds.
    """
    if protocol is None and corpus.name not in DEFAULTS and "split" in corpus.manifest:
        check_disjoint(corpus.manifest)
        clips = corpus.manifest[corpus.manifest["split"] == split].reset_index(drop=True)
    else:
        clips = pd.concat([fold.split(split) for fold in folds(corpus, protocol)], ignore_index=True)
    if clips.empty:
        raise CorpusError(f"{corpus.name} in {corpus.root} has no clip of the split {split}; name another one")
    if clips["utterance_id"].duplicated().any():
        raise CorpusError(f"a clip of {corpus.name} is in the {split} split of several folds; ask for test")
    return clips


def check_complete(corpus: Corpus) -> None:
    """Every label as often as in the complete corpus, where that is known.

    Raises:
        CorpusError: a label is there more or less often.
    """
    got = corpus.manifest.label.value_counts().to_dict()
    differing = [f"{c} {got.get(c, 0)} of {n}" for c, n in corpus.expected.items() if got.get(c, 0) != n]
    if differing:
        raise CorpusError(
            f"{corpus.name} in {corpus.root} is not complete: {', '.join(differing)}; see what is left out with "
            f"`python -m training.corpora describe {corpus.name} --root {corpus.root}`, or ask for a partial corpus"
        )


def check_sizes(fold: Fold, expected: dict[str, int]) -> None:
    """Each split has as many utterances as the protocol says.

    Raises:
        CorpusError: a split has more or fewer.
    """
    got = fold.manifest.split.value_counts().to_dict()
    if got != expected:
        shown = ", ".join(f"{s} {got.get(s, 0)} (expected {expected[s]})" for s in SPLITS)
        raise CorpusError(f"fold {fold.index} has {shown}; complete the corpus, or ask for a partial one")


def by_speaker(index: int, labels: tuple[str, ...], manifest: pd.DataFrame, dev: set[str], test: set[str]) -> Fold:
    """A fold whose dev and test speakers are named; all others train."""
    split = manifest.speaker.map(lambda s: "test" if s in test else "dev" if s in dev else "train")
    return Fold(index, labels, manifest.assign(split=split).reset_index(drop=True))


def ravdess_paper(corpus: Corpus) -> list[Fold]:
    """The paper's (Pepino's) split: speech and song, calm joins neutral, actors 1–20, 21–22, 23–24."""
    manifest = corpus.manifest.assign(label=corpus.manifest.label.replace("calm", "neutral"))
    return [by_speaker(0, RAVDESS_PAPER_LABELS, manifest, {"21", "22"}, {"23", "24"})]


def ravdess_emobox(corpus: Corpus) -> list[Fold]:
    """EmoBox's six folds: speech only, eight classes. The next fold's test actors validate (our choice)."""
    speech = corpus.manifest[corpus.manifest["style"] == "speech"]
    groups = [set(g) for g in EMOBOX_TEST_ACTORS]
    return [by_speaker(i, RAVDESS_LABELS, speech, groups[(i + 1) % len(groups)], test) for i, test in enumerate(groups)]


def ravdess_nkululeko(corpus: Corpus) -> list[Fold]:
    """Nkululeko's split: speech only, eight classes, dev actors 16, 17, 19, 20 and test actors 21–24."""
    speech = corpus.manifest[corpus.manifest["style"] == "speech"]
    return [by_speaker(0, RAVDESS_LABELS, speech, {"16", "17", "19", "20"}, {"21", "22", "23", "24"})]


def leave_one_speaker_out(corpus: Corpus, labels: tuple[str, ...]) -> list[Fold]:
    """A fold a speaker, in order of name: it is the test, the next one (cyclic) validates, the others train."""
    speakers = sorted(corpus.manifest.speaker.unique())
    following = [*speakers[1:], *speakers[:1]]
    return [
        by_speaker(i, labels, corpus.manifest, {dev}, {test})
        for i, (test, dev) in enumerate(zip(speakers, following, strict=True))
    ]


def emodb_speaker(corpus: Corpus) -> list[Fold]:
    """EMO-DB, leave one speaker out: ten folds."""
    return leave_one_speaker_out(corpus, EMODB_LABELS)


PROTOCOLS: dict[str, Callable[[Corpus], list[Fold]]] = {
    "ravdess-paper": ravdess_paper,
    "ravdess-emobox": ravdess_emobox,
    "ravdess-nkululeko": ravdess_nkululeko,
    "emodb-speaker": emodb_speaker,
}
