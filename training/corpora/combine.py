"""Combine the folds of several corpora, from which one model learns.

Speakers are kept apart by corpus, since "03" is somebody else in each; so are recordings of one name. A corpus that
lacks a class says nothing of it, so a table keeps which classes each corpus knows.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from segser_core.errors import CorpusError, UnknownCorpusError
from segser_core.formatting import one_line
from segser_core.labels import LABELS
from training.config.settings import CorpusPart, Settings
from training.corpora import Corpus, load_corpus
from training.corpora.corpus import LeftOut
from training.corpora.decode_check import drop_undecodable, reasons_in_words
from training.corpora.fold import DevelopmentFold, Fold
from training.corpora.leaks import IDENTITY, check_copies, identical_files
from training.corpora.protocols import folds, protocol_name

VOTES = "votes_"  # begins the names of the columns that hold numbers of raters by class
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoldOfPart:
    """The fold of one of several corpora, its recordings decoded once."""

    part: CorpusPart
    fold: Fold


def load_combined_fold(settings: Settings, root: Path, *, with_test: bool = True) -> Fold:
    """Load the corpora of a training below `root`, and combine their folds to one.

    Raises:
        CorpusError: a corpus cannot be loaded or divided, has no such fold, or has none of the classes; or a copy of a
            recording is in another split.
    """
    parts = [load_part(part, root, partial=settings.partial, with_test=with_test) for part in settings.corpora]
    fold = combine_folds(parts, settings.labels)
    check_copies(fold.manifest, identical_files(root, fold.manifest["path"]))
    return fold


def load_part(part: CorpusPart, root: Path, *, partial: bool, with_test: bool) -> FoldOfPart:
    """Load one of several corpora, divide it, and drop its recordings that cannot be decoded."""
    corpus = load_corpus(part.name, root / part.folder, part.options)
    divided = folds(corpus, part.protocol, partial=partial)
    if part.fold >= len(divided):
        raise UnknownCorpusError(f"{part.name} has no fold {part.fold}; expected 0 to {len(divided) - 1}")
    chosen = divided[part.fold] if with_test else divided[part.fold].without_test()
    (fold,) = drop_undecodable([chosen], corpus, partial=partial)
    check_votes(part, corpus)
    return FoldOfPart(part, fold)


def check_votes(part: CorpusPart, corpus: Corpus) -> None:
    """Check that the votes of raters that a part asks for are there; warn of clips that have none.

    Raises:
        CorpusError: the corpus has no votes.
    """
    if not part.votes:
        return
    columns = vote_columns(corpus.manifest)
    if not columns:
        raise UnknownCorpusError(f"{part.name} has no votes of raters (columns {VOTES}CLASS); leave corpora.votes at 0")
    lacking = int(corpus.manifest[columns].isna().any(axis=1).sum())
    if lacking:
        _log.warning("%d of %d clips of %s have no votes: theirs is the label alone",
                     lacking, len(corpus.manifest), part.name)  # fmt: skip


def vote_columns(manifest: pd.DataFrame) -> list[str]:
    """List the columns of a manifest that hold numbers of raters by class."""
    return [column for column in manifest if column.startswith(VOTES)]


def combine_folds(parts: Sequence[FoldOfPart], labels: Sequence[str] | None = None) -> Fold:
    """Combine folds of several corpora to one: index 0, the column `corpus` added.

    Args:
        parts: the folds.
        labels: the classes, in order; clips of others are left out and counted. None takes all that there are.

    Raises:
        CorpusError: no clip of these classes is left in a corpus, or as in `Fold`.
    """
    manifests, left_out = [], []
    for each in parts:
        rows = rename_rows(each)
        known = rows["label"].isin(labels) if labels else pd.Series(True, rows.index)
        if not known.any():
            raise CorpusError(f"{each.part.key} has no clip of the labels {', '.join(labels or ())}")
        manifests.append(rows[known])
        dropped = [LeftOut(row["path"], f"{row['label']} is no class here") for row in rows[~known].to_dict("records")]
        left_out += [*(LeftOut(f"{each.part.folder}/{f.path}", f.why, f.lost) for f in each.fold.left_out)]
        left_out += dropped
        if dropped:
            _log.warning("%d clips of %s are left out: %s", len(dropped), each.part.key, reasons_in_words(dropped))
    manifest = pd.concat(manifests, ignore_index=True)
    check_splits_of_files(manifest)
    keep_names_apart(manifest)
    present = set(manifest["label"])
    ordered = tuple(labels or (*(c for c in LABELS if c in present), *sorted(present - set(LABELS))))
    kind = DevelopmentFold if all(isinstance(each.fold, DevelopmentFold) for each in parts) else Fold
    return kind(0, ordered, manifest, tuple(left_out))


def rename_rows(each: FoldOfPart) -> pd.DataFrame:
    """Name the corpus of each row, keep its speakers apart from others', and its path below the training's folder."""
    rows, name, folder = each.fold.manifest, each.part.key, each.part.folder
    if IDENTITY in rows:
        rows = rows.assign(**{IDENTITY: name + "/" + rows[IDENTITY]})
    return rows.assign(
        utterance_id=rows["utterance_id"].astype(str),
        corpus=name,
        speaker=[f"{name}/{speaker}" if str(speaker).strip() else "" for speaker in rows["speaker"]],
        path=[f"{folder}/{path}" for path in rows["path"]],
    )


def check_splits_of_files(manifest: pd.DataFrame) -> None:
    """Check that no recording is in two splits, as where one folder is named for two corpora.

    Raises:
        CorpusError: one is.
    """
    splits = manifest["split"].groupby(manifest["path"].map(os.path.normpath)).nunique()
    if twice := splits.index[splits > 1].tolist():
        raise CorpusError(
            f"{len(twice)} recordings are in two splits, {one_line(twice[0])} among them; name each folder in one of "
            "the corpora only, or give both the same protocol and fold"
        )


def keep_names_apart(manifest: pd.DataFrame) -> None:
    """Put the corpus before the names of recordings that several corpora have, in place."""
    shared = manifest["utterance_id"].duplicated(keep=False)
    if shared.any():
        _log.warning("%d recordings have a name that another corpus has, too: theirs begins with the corpus",
                     int(shared.sum()))  # fmt: skip
        manifest.loc[shared, "utterance_id"] = manifest["corpus"] + "/" + manifest["utterance_id"]


def combined_protocol(settings: Settings) -> str:
    """Name the protocols of a training's corpora, with + between them."""
    if not settings.corpora:
        return protocol_name(settings.corpus, settings.protocol)
    return "+".join(protocol_name(part.name, part.protocol) for part in settings.corpora)


def count_by_corpus(fold: Fold) -> dict[str, dict[str, dict[str, int]]]:
    """Count the `clips` and `speakers` of each split of each corpus, for run.json."""
    return {
        str(corpus): {
            str(split): {"clips": len(clips), "speakers": int(clips["speaker"].nunique())}
            for split, clips in rows.groupby("split")
        }
        for corpus, rows in fold.manifest.groupby("corpus", sort=False)
    }


@dataclass(frozen=True)
class Targets:
    """Targets of clips: shares of the classes, and the classes that the clip's corpus knows.

    Attributes:
        shares: (U, C) float32, each row sums to 1.
        known: (U, C) bool.
    """

    shares: np.ndarray
    known: np.ndarray


def clip_targets(
    manifest: pd.DataFrame, labels: Sequence[str], known: Mapping[str, Sequence[str]], votes: Mapping[str, float]
) -> Targets:
    """Make the targets of clips of one or several corpora.

    Args:
        manifest: rows with `label`, and `corpus` and columns of votes as known.
        labels: C classes, in order.
        known: by corpus the classes that it has; all for one that is not named.
        votes: by corpus the share of the target that the votes of raters make; 0 for one that is not named.
    """
    corpora = manifest["corpus"] if "corpus" in manifest else pd.Series("", manifest.index)
    shares = (manifest["label"].to_numpy()[:, None] == np.array(labels)).astype(np.float32)
    has = {c: np.isin(labels, list(known.get(c, labels))) for c in corpora.unique()}
    known_here = np.stack([has[c] for c in corpora])
    counts = np.stack([manifest.get(f"{VOTES}{c}", pd.Series(0.0, manifest.index)).fillna(0) for c in labels], axis=1)
    counts = counts * known_here  # a class that is out of the corpus's softmax can have no share
    total = counts.sum(axis=1, keepdims=True)
    weight = corpora.map(lambda c: votes.get(c, 0.0)).to_numpy(float)[:, None] * (total > 0)
    shares = (1 - weight) * shares + weight * counts / np.maximum(total, 1)
    return Targets(shares.astype(np.float32), known_here)


def classes_by_corpus(train: pd.DataFrame) -> dict[str, list[str]]:
    """List the classes that the training clips of each corpus have."""
    if "corpus" not in train:
        return {}
    return {str(corpus): sorted(rows["label"].unique()) for corpus, rows in train.groupby("corpus")}
