"""Join clips to recordings whose emotion changes: clips of one speaker in a row, neighbours of different emotion.

No corpus at hand says what is expressed when inside a clip. In these recordings it is known, since each part was said
by itself. They are real voices, but not real changes of emotion, and every recording says that it is made.
"""

import logging
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import MIN_DURATION_S
from segser_core.errors import CorpusError, SettingError
from segser_core.files import replace_folder
from segser_core.prediction.exports import stretches_to_textgrid
from segser_core.prediction.stretches import Stretch, longest_label, stretches_to_json
from training.corpora.corpus import Corpus
from training.corpora.flac import write_flac
from training.corpora.join import STYLE, ShortClip, check_empty_folder, read_short_clips
from training.corpora.trimming import KEPT_SILENCE_S, trim_silence

VOICE = ("speaker", "split")
SHARED_BY_PARTS = ("session", "gender")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ChangingSettings:
    """Recordings to make.

    Attributes:
        recordings: how many.
        fewest, most: clips of a recording; the number is drawn evenly.
        pause_s: silence between clips, in seconds.
        trimmed: whether the silence around each clip is trimmed.
        seed: of the draw.
        style: only clips of this style; None takes all.
        without: labels whose clips are left out.
        protocol: that divided the corpus, for the README; None is the corpus's default.
    """

    recordings: int = 40
    fewest: int = 2
    most: int = 4
    pause_s: float = 0.0
    trimmed: bool = True
    seed: int = 0
    style: str | None = None
    without: tuple[str, ...] = ()
    protocol: str | None = None

    def __post_init__(self):
        if self.recordings < 1:
            raise SettingError(f"got --recordings {self.recordings}; expected 1 or more")
        if not 2 <= self.fewest <= self.most:
            raise SettingError(
                f"got --min-clips {self.fewest} and --max-clips {self.most}; expected 2 ≤ min-clips ≤ max-clips, since "
                "the emotion changes from clip to clip"
            )
        if self.seed < 0:
            raise SettingError(f"got --seed {self.seed}; expected 0 or more")
        if not 0 <= self.pause_s < float("inf"):
            raise SettingError(f"got --pause-s {self.pause_s:g}; expected seconds, 0 or more")


def join_changing(corpus: Corpus, clips: pd.DataFrame, settings: ChangingSettings, out: Path) -> pd.DataFrame:
    """Write a corpus of recordings whose emotion changes at known times.

    It is a folder with `manifest.csv`, `README.md`, FLAC files (16 kHz mono) and a TextGrid of the truth for each.
    Parts of a recording share speaker and split. Levels stay as they are. A clip may be in several recordings.

    Args:
        corpus: the clips' corpus.
        clips: its clips to be joined, with `split`.
        settings: of the recordings.
        out: the folder to be; it is complete or not there.

    Returns:
        The manifest: its column `stretches` holds the truth as JSON, `label` is the emotion of most time.

    Raises:
        CorpusError: `out` is a file or not empty, or no speaker has clips of two emotions.
    """
    check_empty_folder(out)
    clips = select_clips(clips, settings.style, settings.without)
    out.resolve().parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(out) as folder:
        plans = plan_recordings(corpus, clips, settings)
        bar = tqdm(plans, "joining", settings.recordings, unit="recording", file=sys.stderr)
        manifest = pd.DataFrame(
            write_changing_recording(corpus, chosen, settings, f"{number:04d}", folder)
            for number, chosen in enumerate(bar, start=1)
        )
        manifest.to_csv(folder / "manifest.csv", index=False)
        (folder / "README.md").write_text(changing_readme(corpus, manifest, settings), encoding="utf-8")
        check_empty_folder(out)  # it may have been filled meanwhile
    return manifest


def select_clips(clips: pd.DataFrame, style: str | None, without: Collection[str]) -> pd.DataFrame:
    """Select the clips of a style, where one is named, without those of some labels.

    Raises:
        CorpusError: no clip has the style, a label to be left out does not occur, or no clip is left.
    """
    styles, labels = sorted(set(clips["style"])), sorted(set(clips["label"]))
    if style is not None and style not in styles:
        raise CorpusError(f"no clip has the style {style!r}; choose one of {', '.join(filter(None, styles)) or 'none'}")
    if unknown := sorted(set(without) - set(labels)):
        raise CorpusError(f"no clip has the label {unknown[0]!r} to be left out; there are {', '.join(labels)}")
    chosen = clips[~clips["label"].isin(list(without)) & (clips["style"].eq(style) | (style is None))]
    if chosen.empty:
        raise CorpusError("no clip is left to be joined; leave out fewer labels, or name another style")
    return chosen.reset_index(drop=True)


def plan_recordings(corpus: Corpus, clips: pd.DataFrame, settings: ChangingSettings) -> Iterator[pd.DataFrame]:
    """Draw the clips of each recording; the speakers take turns, in an order that is drawn anew each round.

    Yields:
        Rows of `clips` in order.

    Raises:
        CorpusError: no speaker has clips of two emotions.
    """
    voices = [group for _, group in clips.sort_values("utterance_id").groupby(list(VOICE), sort=True)]
    voices = [group for group in voices if group["label"].nunique() > 1]
    if not voices:
        raise CorpusError(
            f"no speaker of the {len(clips)} clips of {corpus.name} has clips of two emotions, so none can change; "
            "choose another split"
        )
    draw = np.random.default_rng(settings.seed)
    turns: list[int] = []
    for _ in range(settings.recordings):
        turns = turns or draw.permutation(len(voices)).tolist()
        yield draw_clips(voices[turns.pop()], int(draw.integers(settings.fewest, settings.most + 1)), draw)


def draw_clips(clips: pd.DataFrame, n: int, draw: np.random.Generator) -> pd.DataFrame:
    """Draw n clips, neighbours of different label; none twice, unless no other is left.

    Args:
        clips: of one speaker, of two labels or more.
        n: how many.
        draw: the generator.
    """
    labels = clips["label"].to_numpy()
    unused = np.ones(len(clips), dtype=bool)
    chosen: list[int] = []
    for _ in range(n):
        differs = labels != labels[chosen[-1]] if chosen else unused
        chosen.append(int(draw.choice(np.flatnonzero(differs & unused if (differs & unused).any() else differs))))
        unused[chosen[-1]] = False
    return clips.iloc[chosen]


def write_changing_recording(
    corpus: Corpus, chosen: pd.DataFrame, settings: ChangingSettings, number: str, folder: Path
) -> dict[str, object]:
    """Write a recording and the TextGrid of its truth; returns its row of the manifest.

    Raises:
        CorpusError: one of the clips cannot be read.
    """
    parts = read_short_clips(chosen, corpus.root)
    if len(parts) < len(chosen):
        raise CorpusError(f"a clip of {corpus.name} cannot be read, see above; mend it, or leave it out of the corpus")
    samples, stretches = join_parts(parts, chosen["label"], settings)
    name = f"{corpus.name}-changing-{settings.seed}-{number}"
    duration_s, path = len(samples) / SAMPLE_RATE_HZ, f"{name}.flac"
    ids = " ".join(part.utterance_id for part in parts)
    comment = f"Made of {len(parts)} recordings, each said by itself, so that the emotion changes: {ids}"
    write_flac(samples, folder / path, {"title": name, "comment": comment})
    (folder / f"{name}.TextGrid").write_text(stretches_to_textgrid(stretches, duration_s), encoding="utf-8")
    shared = {c: chosen[c].iloc[0] if chosen[c].nunique() == 1 else "" for c in (*VOICE, *SHARED_BY_PARTS)}
    return {
        "utterance_id": name,
        "path": path,
        **shared,
        "label": longest_label(stretches),
        "duration_s": duration_s,
        "text": " ".join(part.text for part in parts).strip(),
        "style": STYLE,
        "joined": len(parts),
        "parts": ids,
        "style_of_parts": " ".join(sorted(set(chosen["style"]))).strip(),
        "stretches": stretches_to_json(stretches),
    }


def join_parts(
    parts: Sequence[ShortClip], labels: Sequence[str], settings: ChangingSettings
) -> tuple[np.ndarray, list[Stretch]]:
    """Join clips, trimmed and with pauses as the settings say: (N,) samples, and the stretch of each clip."""
    pause = np.zeros(round(settings.pause_s * SAMPLE_RATE_HZ), np.float32)
    pieces: list[np.ndarray] = []
    stretches = []
    at = 0
    for part, label in zip(parts, labels, strict=True):
        samples = trim_silence(part.samples) if settings.trimmed else part.samples
        if len(samples) < MIN_DURATION_S * SAMPLE_RATE_HZ:
            samples = part.samples  # a stretch must be long enough to be analysed alone
        stretches.append(Stretch(at / SAMPLE_RATE_HZ, (at + len(samples)) / SAMPLE_RATE_HZ, label))
        pieces += [samples, pause]
        at += len(samples) + len(pause)
    return np.concatenate(pieces[:-1]), stretches


def command_options(settings: ChangingSettings) -> str:
    """Write the settings as options of the command line."""
    options = f"--recordings {settings.recordings} --min-clips {settings.fewest} --max-clips {settings.most}"
    options += f" --pause-s {settings.pause_s:g} --seed {settings.seed}" + " --untrimmed" * (not settings.trimmed)
    options += f" --protocol {settings.protocol}" * (settings.protocol is not None)
    options += f" --style {settings.style}" * (settings.style is not None)
    return options + f" --without {' '.join(settings.without)}" * bool(settings.without)


def changing_readme(corpus: Corpus, manifest: pd.DataFrame, settings: ChangingSettings) -> str:
    """Describe the folder's content and origin."""
    seconds, split = manifest["duration_s"], manifest["split"].iloc[0]
    trimmed = f"trimmed to {KEPT_SILENCE_S:g} s of silence before and after" if settings.trimmed else "as it is"
    pause = f", with {settings.pause_s:g} s of silence between clips" if settings.pause_s else ""
    fewest, most = manifest["joined"].min(), manifest["joined"].max()
    clips = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f"""# Recordings of {corpus.name} whose emotion changes

{len(manifest)} recordings of {seconds.min():.1f} to {seconds.max():.1f} s, each made of {clips} clips of \
{corpus.name} ({split} split) by one speaker,
neighbours of different emotion. Each clip is {trimmed}, at its own level{pause}.
The voices are real; the changes of emotion are not: each part was said by itself. What holds for {corpus.name}, its
licence among it, holds for these.

Made by `python -m training.corpora join {corpus.name} --changing --split {split} \
{command_options(settings)}`.
A row of `manifest.csv` names a recording's clips in order (`parts`) and says when which emotion is expressed
(`stretches`, in seconds); the TextGrid of the same name says so for Praat. `label` is the emotion of most time.

    python -m training.evaluate --model seg+tri-w --corpus manifest --root FOLDER --out RUN
"""
