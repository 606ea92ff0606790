"""Decode every recording of a training to its end before the first step."""

import dataclasses
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.excerpt import ClipLocation, clip_locations
from segser_core.audio.levels import LevelMeter
from segser_core.audio.loading import audio_blocks
from segser_core.errors import AudioError, CorpusError
from segser_core.prediction.known_changes import BEYOND_END_S
from training.corpora import Corpus, LeftOut
from training.corpora.fold import Fold

SHORTEST_S = 0.1  # played a quarter faster it still makes frames
MOST_BROKEN = 0.01  # of a corpus whose complete counts nobody knows
MOST_NAMED = 20
BLOCK_S = 60.0
_log = logging.getLogger(__name__)


def drop_undecodable(divided: Sequence[Fold], corpus: Corpus, *, partial: bool = False) -> list[Fold]:
    """Drop the recordings that cannot be decoded to their end, which are named in a warning.

    Args:
        divided: folds of the corpus.
        corpus: what its loader left out is said, too.
        partial: go on however many are broken.

    Raises:
        CorpusError: a broken recording of a corpus whose complete counts are known, or more than 1 % (and more than
            one) of any other, those that its loader lost among them; or a fold that is none without them.
    """
    clips = {clip for fold in divided for clip in clip_locations(fold.manifest)}
    paths = sorted({clip.path for clip in clips})
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda path: decode_to_end(corpus.root / path), paths)
        heard = dict(zip(paths, tqdm(found, "hearing", len(paths), unit="clip", disable=None), strict=True))
    whys = {clip.key: clip_problem(clip, heard[clip.path]) for clip in sorted(clips, key=lambda clip: clip.key)}
    broken = tuple(LeftOut(key, why, lost=True) for key, why in whys.items() if why)
    lost = broken if corpus.expected else (*(file for file in corpus.left_out if file.lost), *broken)
    allowed = 0 if corpus.expected else max(1, MOST_BROKEN * len(clips))
    if len(lost) > allowed and not partial:
        raise CorpusError(
            f"{len(lost)} of the recordings of {corpus.name} in {corpus.root} cannot be used: "
            f"{reasons_in_words(lost)}; mend them, or go on without them: --partial"
        )
    left_out = (*corpus.left_out, *broken)
    if left_out:
        _log.warning("%d files of %s are left out: %s", len(left_out), corpus.name, reasons_in_words(left_out))
    return [
        dataclasses.replace(
            f,
            manifest=f.manifest[[not whys[clip.key] for clip in clip_locations(f.manifest)]],
            left_out=left_out,
        )
        for f in divided
    ]


@dataclasses.dataclass(frozen=True)
class DecodedToEnd:
    """Result of decoding a file: seconds until its end or a damage, whether it is damaged, or why nothing was heard."""

    seconds: float
    damaged: bool = False
    why: str = ""


def decode_to_end(path: Path) -> DecodedToEnd:
    """Decode a file to its end."""
    levels, samples = LevelMeter(), 0
    try:
        for block in audio_blocks(path, BLOCK_S, levels=levels):
            samples += len(block)
    except AudioError as error:
        return DecodedToEnd(samples / SAMPLE_RATE_HZ, why=str(error))
    return DecodedToEnd(samples / SAMPLE_RATE_HZ, levels.damaged)


def decoding_problem(path: Path) -> str:
    """Explain why a recording cannot be trained on; empty where it can."""
    return clip_problem(ClipLocation(path.name), decode_to_end(path))


def clip_problem(clip: ClipLocation, heard: DecodedToEnd) -> str:
    """Explain why a clip of a decoded file cannot be trained on; empty where it can."""
    if heard.why:
        return heard.why
    if clip.start_s is None or clip.end_s is None:
        seconds, ends_s = heard.seconds, heard.seconds
    else:
        seconds, ends_s = clip.end_s - clip.start_s, clip.end_s
    if heard.damaged and (clip.start_s is None or ends_s > heard.seconds):
        return f"damaged after {heard.seconds:.2f} s"
    if ends_s > heard.seconds + BEYOND_END_S:
        return f"ends at {ends_s:.2f} s, and the sound of its file at {heard.seconds:.2f} s"
    if seconds < SHORTEST_S:
        return f"lasts only {1000 * seconds:.0f} ms; training takes {1000 * SHORTEST_S:.0f} or more"
    return ""


def files_by_reason(left_out: Sequence[LeftOut]) -> dict[str, list[str] | int]:
    """Group the files that were left out by reason: their paths, or their number above twenty."""
    found: dict[str, list[str]] = {}
    for file in left_out:
        found.setdefault(file.why, []).append(file.path)
    return {why: paths if len(paths) <= MOST_NAMED else len(paths) for why, paths in found.items()}


def reasons_in_words(left_out: Sequence[LeftOut]) -> str:
    """Put the same in words."""
    reasons = files_by_reason(left_out).items()
    return "; ".join(f"{f if isinstance(f, int) else ', '.join(f)} ({why})" for why, f in reasons)
