"""RAVDESS: the Ryerson Audio-Visual Database of Emotional Speech and Song (Livingstone & Russo 2018).

A name is `modality-channel-emotion-intensity-statement-repetition-actor`, e.g. 03-01-06-01-02-01-12,
and says everything, so files are taken from any folder. 1440 clips of speech and 1012 of song,
24 actors; actor 18 does not sing. `calm` stays `calm` here: protocols join it to neutral.

`03-01-03-01-02-01-07` and `03-01-03-01-02-02-07` are the same recording under two names; both are
kept, so that counts agree with everyone's, and both have the same speaker, so no split parts them.
"""

import re
from pathlib import Path

from training.corpora.corpus import Corpus, Counts, Misfit, Utterance, load_named

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
STYLES = {"01": "speech", "02": "song"}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
EXPECTED = {
    "neutral": 188,
    "calm": 376,
    "happy": 376,
    "sad": 376,
    "angry": 376,
    "fearful": 376,
    "disgust": 192,
    "surprised": 192,
}
BY_SPEAKER = Counts(("speaker",), {(f"{n:02d}",): 60 if n == 18 else 104 for n in range(1, 25)})
NOTES = (
    "Two sentences in all: the same words are in train and test.",
    "03-01-03-01-02-01-07 and 03-01-03-01-02-02-07 are the same recording (one speaker, so never parted).",
    "Acted: a label is what the actor was asked to express.",
)
NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


def load(root: Path) -> Corpus:
    """RAVDESS below `root`, speech and song.

    Raises:
        CorpusError: there is no such folder, or no file in it has a RAVDESS name.
    """
    manifest, left_out = load_named(root, parse)
    return Corpus("ravdess", root, manifest, left_out, EXPECTED, NOTES, (BY_SPEAKER,))


def parse(stem: str) -> Utterance:
    """What a name says; `stem` is the file's name without its ending.

    Raises:
        Misfit: the name is none of RAVDESS's sound recordings.
    """
    found = NAME.fullmatch(stem)
    if not found:
        raise Misfit("the name is not seven pairs of digits joined by hyphens")
    modality, channel, emotion, intensity, statement, repetition, actor = found.groups()
    if modality != "03":
        raise Misfit(f"modality {modality}; only 03, sound alone, is used")
    _check("channel", channel, STYLES)
    _check("emotion", emotion, EMOTIONS)
    _check("intensity", intensity, ("01",) if emotion == "01" else ("01", "02"))
    _check("statement", statement, STATEMENTS)
    _check("repetition", repetition, ("01", "02"))
    _check("actor", actor, [f"{n:02d}" for n in range(1, 25)])
    if channel == "02" and emotion in ("07", "08"):
        raise Misfit(f"RAVDESS has no song of emotion {emotion}")
    gender = "male" if int(actor) % 2 else "female"
    return Utterance(stem, actor, gender, EMOTIONS[emotion], STATEMENTS[statement], STYLES[channel])


def _check(what: str, got: str, known) -> None:
    if got not in known:
        raise Misfit(f"{what} {got} does not exist here; known: {', '.join(known)}")
