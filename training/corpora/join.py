"""Join short clips to long ones: recordings of one speaker, one emotion and one style in a row.

No corpus at hand has long clips, so what length does to a model is shown on these. They are real voices, but
not real long utterances: each part was said, and mostly acted, by itself. So every joined clip says that it is.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.excerpt import ClipLocation
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError, CorpusError, SettingError
from segser_core.files import replace_folder
from training.corpora.corpus import Corpus
from training.corpora.flac import write_flac

PAUSE_S = 0.2  # silence between parts, so that words do not run into one another
GOLDEN = (5**0.5 - 1) / 2
STYLE = "joined"
GROUP = ("speaker", "label", "style", "session", "gender", "split")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JoinLengths:
    """Lengths of joined clips, in seconds, and the seed that draws them."""

    min_s: float = 6.0
    max_s: float = 30.0
    seed: int = 0

    def __post_init__(self):
        if not 0 < self.min_s < self.max_s:
            raise SettingError(f"got --min-s {self.min_s:g} and --max-s {self.max_s:g}; expected 0 < min-s < max-s")

    def targets(self, draw: np.random.Generator) -> Iterator[float]:
        """Yield lengths without end, spread evenly on a logarithmic scale however few are taken.

        They are steps of the golden ratio from a random start.
        """
        place = draw.random()
        while True:
            yield self.min_s * (self.max_s / self.min_s) ** place
            place = (place + GOLDEN) % 1


@dataclass(frozen=True)
class JoinedCorpus:
    """Result of joining: the manifest of the long clips, and the number of short ones in none of them."""

    manifest: pd.DataFrame
    left_over: int


def join_corpus(corpus: Corpus, clips: pd.DataFrame, lengths: JoinLengths, out: Path) -> JoinedCorpus:
    """Write a corpus of joined clips: a folder with `manifest.csv`, `README.md` and FLAC files, 16 kHz mono.

    Parts of a clip share speaker, emotion, style, session, gender and split; a short clip is in one long clip at
    most. Between parts lie `PAUSE_S` of silence; levels stay as they are.

    Args:
        corpus: the short clips' corpus.
        clips: its clips to be joined, with `split`.
        lengths: of the joined clips.
        out: the folder to be; it is complete or not there.

    Raises:
        CorpusError: `out` is a file or not empty, or no two clips can be joined.
    """
    check_empty_folder(out)
    out.resolve().parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(out) as folder:
        rows = list(write_joined_clips(corpus, clips, lengths, folder))
        if not rows:
            raise CorpusError(
                f"no two of the {len(clips)} clips of {corpus.name} can be joined to {lengths.min_s:g} to "
                f"{lengths.max_s:g} s: it takes clips of one speaker and one emotion; choose another range"
            )
        manifest = pd.DataFrame(rows)
        manifest.to_csv(folder / "manifest.csv", index=False)
        (folder / "README.md").write_text(join_readme(corpus, manifest, lengths), encoding="utf-8")
        check_empty_folder(out)  # it may have been filled meanwhile
    return JoinedCorpus(manifest, len(clips) - int(manifest["joined"].sum()))


def check_empty_folder(out: Path) -> None:
    """Check that a corpus may be written there.

    Raises:
        CorpusError: it is a file, or a folder that is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CorpusError(f"{out} is there and not an empty folder; nothing is overwritten, so name another folder")


def write_joined_clips(
    corpus: Corpus, clips: pd.DataFrame, lengths: JoinLengths, folder: Path
) -> Iterator[dict[str, object]]:
    """Write the joined clips into `folder`; a row of the manifest for each."""
    draw = np.random.default_rng(lengths.seed)
    targets = {label: lengths.targets(draw) for label in sorted(clips["label"].unique())}
    number = 0
    with tqdm(total=len(clips), desc="joining", unit="clip", file=sys.stderr) as bar:
        for key, group in clips.sort_values("utterance_id").groupby(list(GROUP), sort=True):
            shared = dict(zip(GROUP, key, strict=True))
            recordings = read_short_clips(group.iloc[draw.permutation(len(group))], corpus.root)
            for chosen in plan_groups([len(r.samples) for r in recordings], targets[shared["label"]], lengths):
                number += 1
                name = f"{corpus.name}-joined-{lengths.seed}-{number:04d}"
                yield write_joined_clip([recordings[i] for i in chosen], shared, name, folder)
            bar.update(len(group))


@dataclass(frozen=True, eq=False)
class ShortClip:
    """A short clip: its name, its words and its samples, (N,) float32 at 16 kHz."""

    utterance_id: str
    text: str
    samples: np.ndarray


def read_short_clips(clips: pd.DataFrame, root: Path) -> list[ShortClip]:
    """Read the clips' recordings; one that cannot be read is left out with a warning that names it."""
    found = []
    for clip in clips.to_dict("records"):
        try:
            found.append(
                ShortClip(clip["utterance_id"], clip["text"], load_audio(ClipLocation.of_row(clip).source(root)))
            )
        except AudioError as error:
            _log.warning("%s is left out: %s", ClipLocation.of_row(clip).key, error)
    return found


def plan_groups(samples: Sequence[int], targets: Iterator[float], lengths: JoinLengths) -> Iterator[list[int]]:
    """Plan which clips go together.

    Args:
        samples: the clips' lengths, in the order in which they are taken.
        targets: seconds that the next joined clip should last.
        lengths: the bounds, which no joined clip leaves.

    Yields:
        Places of clips, two or more, each place once at most, until what is left does not suffice.
    """
    pool = list(range(len(samples)))
    while chosen := take_group(pool, samples, next(targets), lengths):
        yield chosen
        pool = [i for i in pool if i not in chosen]


def take_group(pool: Sequence[int], samples: Sequence[int], target_s: float, lengths: JoinLengths) -> list[int]:
    """Take clips from the front of the pool, as many as come nearest to the target within the bounds; or none."""
    pause, low, high, target = (round(s * SAMPLE_RATE_HZ) for s in (PAUSE_S, lengths.min_s, lengths.max_s, target_s))
    chosen: list[int] = []
    total = 0
    for i in pool:
        longer = total + samples[i] + (pause if chosen else 0)
        if longer > high:
            continue
        if len(chosen) > 1 and total >= low and longer - target >= target - total:
            break
        chosen, total = [*chosen, i], longer
    return chosen if len(chosen) > 1 and total >= low else []


def write_joined_clip(parts: Sequence[ShortClip], shared: dict[str, str], name: str, folder: Path) -> dict[str, object]:
    """Write one joined clip; returns its row of the manifest."""
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    samples = np.concatenate([piece for part in parts for piece in (part.samples, pause)][:-1])
    path = f"{name}.flac"
    comment = f"Joined from {len(parts)} recordings, each said by itself: {' '.join(p.utterance_id for p in parts)}"
    write_flac(samples, folder / path, {"title": name, "comment": comment})
    return {
        "utterance_id": name,
        "path": path,
        **shared,
        "duration_s": len(samples) / SAMPLE_RATE_HZ,
        "text": " ".join(part.text for part in parts).strip(),
        "style": STYLE,
        "joined": len(parts),
        "parts": " ".join(part.utterance_id for part in parts),
        "style_of_parts": shared["style"],
    }


def join_readme(corpus: Corpus, manifest: pd.DataFrame, lengths: JoinLengths) -> str:
    """Describe the folder's content and origin."""
    seconds = manifest["duration_s"]
    return f"""# Joined clips of {corpus.name}

{len(manifest)} clips of {seconds.min():.1f} to {seconds.max():.1f} s, each made of {manifest["joined"].min()} to \
{manifest["joined"].max()} recordings of {corpus.name} ({", ".join(manifest["split"].unique())} split), by one speaker,
of one emotion and one style, with {PAUSE_S:g} s of silence between them. No recording is in two clips. The voices are
real; the long utterances are not: each part was said by itself. What holds for {corpus.name}, its licence among it,
holds for these.

Made by `python -m training.corpora join {corpus.name} --split {manifest["split"].iloc[0]} --min-s {lengths.min_s:g} \
--max-s {lengths.max_s:g} --seed {lengths.seed}`. A row of `manifest.csv` names a clip's parts in order. The folder \
is read as any corpus of one's own:

    python -m training.evaluate --model seg+tri-w --corpus manifest --root FOLDER --out RUN
"""
