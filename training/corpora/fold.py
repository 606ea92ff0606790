"""A fold: one division of a corpus into train, dev and test, which share no speaker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from segser_core.errors import CorpusError
from segser_core.labels import is_valid_label
from training.corpora.corpus import LeftOut
from training.corpora.leaks import check_recordings, check_speakers

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Fold:
    """Division of a corpus into train, dev and test.

    Attributes:
        index: the fold's number, from 0.
        labels: the classes, in the order of a model's outputs.
        manifest: the corpus's columns, `label` as the protocol has it, and `split`, one of `SPLITS`.
        left_out: the files of the corpus that are not in it, and why.
    """

    index: int
    labels: tuple[str, ...]
    manifest: pd.DataFrame
    left_out: tuple[LeftOut, ...] = ()
    splits: ClassVar[tuple[str, ...]] = SPLITS

    def __post_init__(self):
        check_disjoint(self.manifest, self.index)
        if missing := set(self.splits) - set(self.manifest.split):
            raise CorpusError(
                f"fold {self.index} has no utterance for {' and '.join(sorted(missing))}; "
                "its speakers are not in the folder: look at `python -m training.corpora describe`"
            )
        if unfit := [c for c in self.labels if not is_valid_label(c)]:
            raise CorpusError(f"fold {self.index} has labels {unfit}; expected names of at most 40 letters, no markup")
        if strange := set(self.manifest.label) - set(self.labels):
            raise CorpusError(f"fold {self.index} has utterances of {', '.join(sorted(strange))}, which is not a class")
        if unlearnt := set(self.labels) - set(self.manifest.label[self.manifest.split == "train"]):
            raise CorpusError(
                f"fold {self.index} has no utterance of {', '.join(sorted(unlearnt))} for training, so no model can "
                "learn it; complete the corpus, or choose another protocol"
            )
        if len(self.labels) < 2:
            raise CorpusError(
                f"fold {self.index} has the class {', '.join(self.labels)} alone; a model tells two or more apart; "
                "look at the labels with `python -m training.corpora describe`"
            )

    def split(self, name: str) -> pd.DataFrame:
        """Select the rows of `train`, `dev` or `test`."""
        return self.manifest[self.manifest.split == name].reset_index(drop=True)

    def without_test(self) -> "DevelopmentFold":
        """Drop the test clips."""
        return DevelopmentFold(self.index, self.labels, self.manifest[self.manifest.split != "test"], self.left_out)


class DevelopmentFold(Fold):
    """A fold in which no test clip is left: what settings are chosen on."""

    splits = ("train", "dev")

    def __post_init__(self):
        super().__post_init__()
        if set(self.manifest.split) != set(self.splits):
            raise CorpusError(f"fold {self.index} holds test clips; settings are chosen on development clips alone")


def check_disjoint(manifest: pd.DataFrame, index: int = 0) -> None:
    """Check that train, dev and test share no speaker and no recording: `manifest` with `speaker` and `split`.

    Raises:
        CorpusError: a speaker is unknown, or a speaker or recording stands in more than one split; it names both.
    """
    if not manifest.speaker.fillna("").astype(str).str.strip().all():
        raise CorpusError(
            f"fold {index} has an utterance without a speaker, so nothing shows that its splits share none"
        )
    check_speakers(manifest, index)
    check_recordings(manifest, index)


def check_sizes(fold: Fold, expected: Mapping[str, int]) -> None:
    """Check that each split has as many utterances as the protocol says.

    Raises:
        CorpusError: a split has more or fewer.
    """
    got = fold.manifest.split.value_counts().to_dict()
    if got != dict(expected):
        shown = ", ".join(f"{s} {got.get(s, 0)} (expected {expected[s]})" for s in SPLITS)
        raise CorpusError(f"fold {fold.index} has {shown}; complete the corpus, or take it so: --partial")


def fold_by_speaker(
    index: int, labels: tuple[str, ...], manifest: pd.DataFrame, dev: set[str], test: set[str], column: str = "speaker"
) -> Fold:
    """Make a fold whose dev and test speakers (or groups of another column) are named; all others train."""
    split = manifest[column].map(lambda s: "test" if s in test else "dev" if s in dev else "train")
    return Fold(index, labels, manifest.assign(split=split).reset_index(drop=True))


def leave_one_out(manifest: pd.DataFrame, labels: tuple[str, ...], column: str = "speaker") -> list[Fold]:
    """Make a fold for each speaker (or group of another column) to be tested on, in order of name.

    The next one (cyclic) validates, the others train.

    Raises:
        CorpusError: an utterance of no group, or fewer than three groups.
    """
    groups = sorted(manifest[column].unique())
    if "" in groups or len(groups) < len(SPLITS):
        shown = ", ".join(group or "nothing" for group in groups)
        raise CorpusError(f"the column {column} holds {shown}; expected three groups or more, every utterance in one")
    following = [*groups[1:], *groups[:1]]
    return [
        fold_by_speaker(i, labels, manifest, {dev}, {test}, column)
        for i, (test, dev) in enumerate(zip(groups, following, strict=True))
    ]
