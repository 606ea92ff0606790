"""Find what two splits share: a speaker under two spellings, a recording, or a copy of one."""

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from segser_core.audio.excerpt import CLIP_END, CLIP_START
from segser_core.errors import CorpusError
from segser_core.formatting import one_line

IDENTITY = "speaker_identity"  # a column of manifests: rows of one value are of one person
MIDDLE_BYTES = 4096  # by which files of one size are told apart before they are read whole
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_WHOLE_NUMBER = re.compile(r"(\d+)\.0+")


def speaker_key(speaker: object) -> str:
    """Reduce a speaker's name to that in which its spellings agree: no case, no blanks, no leading zeros.

    Example:
        >>> speaker_key(" Anna"), speaker_key("ANNA"), speaker_key("spk 007"), speaker_key("7.0")
        ('anna', 'anna', 'spk7', '7')
    """
    name = "".join(unicodedata.normalize("NFKC", str(speaker)).casefold().split())
    whole = _WHOLE_NUMBER.fullmatch(name)
    return _LEADING_ZEROS.sub("", whole[1] if whole else name)


def speaker_identities(manifest: pd.DataFrame) -> pd.Series:
    """Tell who speaks in each row: (N,) the key of the speaker's name, unless the manifest says that names differ."""
    keys = manifest["speaker"].map({speaker: speaker_key(speaker) for speaker in manifest["speaker"].unique()})
    return manifest[IDENTITY].fillna(keys) if IDENTITY in manifest else keys


def speakers_spelled_alike(manifest: pd.DataFrame) -> list[list[str]]:
    """List the names of speakers that are one person by `speaker_identities`, where there are several."""
    names = manifest["speaker"].groupby(speaker_identities(manifest)).unique()
    return [sorted(map(str, group)) for group in names if len(group) > 1]


def check_speakers(manifest: pd.DataFrame, index: int = 0) -> None:
    """Check that splits share no speaker: `manifest` with columns `speaker` and `split`.

    Raises:
        CorpusError: a speaker stands in more than one split, under one spelling or under two.
    """
    for _, rows in manifest.groupby(speaker_identities(manifest), sort=True):
        if rows["split"].nunique() < 2:
            continue
        where = rows.groupby("speaker")["split"].unique()
        for speaker, splits in where.items():
            if len(splits) > 1:
                raise CorpusError(
                    f"fold {index}: speaker {one_line(speaker)} is in {' and '.join(sorted(splits))}; a speaker "
                    "belongs to one split alone"
                )
        named = ", ".join(f"{one_line(speaker)} ({splits[0]})" for speaker, splits in where.items())
        raise CorpusError(
            f"fold {index}: the speakers {named} differ in case, blanks or leading zeros alone, so they may be one "
            "person in two splits; spell the name alike, or say that they are different people: "
            "--corpus-options.distinct-speakers true"
        )


def check_recordings(manifest: pd.DataFrame, index: int = 0) -> None:
    """Check that no recording is in two splits: by `path`; of stretches by their times, too.

    Raises:
        CorpusError: one is.
    """
    if "path" not in manifest:
        return
    paths = manifest["path"].map(os.path.normpath)
    shared = manifest.groupby(paths)["split"].transform("nunique") > 1
    for path, rows in manifest[shared].groupby(paths[shared], sort=True):
        if pair := _rows_that_overlap(rows):
            first, second = (rows.loc[i] for i in pair)
            names = [one_line(row.get("utterance_id", path)) for row in (first, second)]
            raise CorpusError(
                f"fold {index}: the recording {one_line(path)} is in {first['split']} ({names[0]}) and in "
                f"{second['split']} ({names[1]}); a recording belongs to one split alone"
            )


def _rows_that_overlap(rows: pd.DataFrame) -> tuple[object, object] | None:
    """Find two rows of one recording in different splits that share time; without times all do."""
    timed = {CLIP_START, CLIP_END} <= set(rows)
    starts = rows[CLIP_START].fillna(0.0) if timed else pd.Series(0.0, rows.index)
    ends = rows[CLIP_END].fillna(float("inf")) if timed else pd.Series(float("inf"), rows.index)
    order = list(starts.sort_values(kind="stable").index)
    for k, first in enumerate(order):
        for second in order[k + 1 :]:
            if starts[second] >= ends[first]:
                break
            if rows.loc[first, "split"] != rows.loc[second, "split"]:
                return first, second
    return None


def identical_files(root: Path, paths: Iterable[str]) -> list[list[str]]:
    """Group files of the same bytes: only files of one size, and of one middle, are read whole.

    Args:
        root: the folder.
        paths: below it; what cannot be read is in no group.
    """
    by_size: dict[object, set[str]] = defaultdict(set)
    for path in sorted(set(paths)):
        by_size[_file_size(root / path)].add(path)
    by_size.pop(None, None)
    by_middle = [group for files in by_size.values() for group in _group_by_bytes(root, sorted(files), MIDDLE_BYTES)]
    return [group for files in by_middle for group in _group_by_bytes(root, files, None)]


def _file_size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _group_by_bytes(root: Path, paths: Sequence[str], middle: int | None) -> list[list[str]]:
    """Group paths by the bytes of their files, or by so many in the middle; groups of two and more."""
    if len(paths) < 2:
        return []
    groups: dict[bytes, list[str]] = defaultdict(list)
    for path in paths:
        try:
            with (root / path).open("rb") as file:
                if middle is not None:
                    file.seek(max(0, os.fstat(file.fileno()).st_size // 2 - middle // 2))
                    groups[file.read(middle)].append(path)
                else:
                    groups[hashlib.file_digest(file, "sha256").digest()].append(path)
        except OSError:
            continue
    return [group for group in groups.values() if len(group) > 1]


def check_copies(manifest: pd.DataFrame, copies: Iterable[Sequence[str]], index: int = 0) -> None:
    """Check that no copy of a recording is in another split.

    Args:
        manifest: with columns `path` and `split`.
        copies: from `identical_files`.
        index: of the fold.

    Raises:
        CorpusError: one is.
    """
    split = dict(zip(manifest["path"], manifest["split"], strict=True))
    for group in copies:
        first, *others = [path for path in group if path in split] or [""]
        for other in others:
            if split[other] != split[first]:
                raise CorpusError(
                    f"fold {index}: {one_line(first)} ({split[first]}) and {one_line(other)} ({split[other]}) are the "
                    "same recording, byte for byte; keep one of them, or give both one split"
                )
