"""RAVDESS: the Ryerson Audio-Visual Database of Emotional Speech and Song (Livingstone & Russo 2018).

A name is `modality-channel-emotion-intensity-statement-repetition-actor`, e.g. 03-01-06-01-02-01-12,
and says everything, so files are taken from any folder. 1440 clips of speech and 1012 of song,
24 actors; actor 18 does not sing. `calm` stays `calm` here: protocols join it to neutral.

`03-01-03-01-02-01-07` and `03-01-03-01-02-02-07` are the same recording under two names; both are
kept, so that counts agree with everyone's, and both have the same speaker, so no split parts them.
"""

import re
from pathlib import Path

from segser_core.labels import CORPUS_CODES
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, Counts, Misfit, Utterance, load_by_file_name
from training.corpora.definition import CorpusDefinition, Protocol
from training.corpora.fetching.source import CorpusSource, Publisher
from training.corpora.fetching.zip_archive import ZipArchive
from training.corpora.fold import Fold, fold_by_speaker

RAVDESS_EMOTIONS = CORPUS_CODES["ravdess"]
RAVDESS_STYLES = {"01": "speech", "02": "song"}
_STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
_EXPECTED = {
    "neutral": 188,
    "calm": 376,
    "happy": 376,
    "sad": 376,
    "angry": 376,
    "fearful": 376,
    "disgust": 192,
    "surprised": 192,
}
_EXPECTED_SPEECH = {"neutral": 96} | dict.fromkeys(list(_EXPECTED)[1:], 192)
RAVDESS_PAPER_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
RAVDESS_LABELS = ("neutral", "calm", *RAVDESS_PAPER_LABELS[1:])
_PAPER_SIZES = {"train": 2036, "dev": 208, "test": 208}
_EMOBOX_TEST_ACTORS = (
    ("01", "11", "20", "21"),
    ("04", "10", "12", "14"),
    ("08", "09", "19", "23"),
    ("03", "05", "07", "24"),
    ("02", "15", "16", "18"),
    ("06", "13", "17", "22"),
)
_BY_SPEAKER = Counts(("speaker",), {(f"{n:02d}",): 60 if n == 18 else 104 for n in range(1, 25)})
_NOTES = (
    "Two sentences in all: the same words are in train and test.",
    "03-01-03-01-02-01-07 and 03-01-03-01-02-02-07 are the same recording (one speaker, so never parted).",
    "Acted: a label is what the actor was asked to express.",
)
_ZENODO = Publisher(
    name="Zenodo, record 1188976", page="https://zenodo.org/records/1188976", origins=("https://zenodo.org",)
)


def _archive(style: str, *, clips: int, size_bytes: int, md5: str) -> ZipArchive:
    """Declare the publisher's archive of speech or of song."""
    folder = f"Audio_{style.capitalize()}_Actors_01-24"
    return ZipArchive(
        name=style,
        publisher=_ZENODO,
        clips=clips,
        style=style,
        size_bytes=size_bytes,
        md5=md5,
        address=f"https://zenodo.org/records/1188976/files/{folder}.zip?download=1",
        file_name=f"{folder}.zip",
        folder=folder,
        most_unpacked_bytes=1_000_000_000,
        disk_bytes=800_000_000,
    )


_SPEECH = _archive("speech", clips=1440, size_bytes=208_468_073, md5="bc696df654c87fed845eb13823edef8a")
_SONG = _archive("song", clips=1012, size_bytes=225_505_317, md5="5411230427d67a21e18aa4d466e6d1b9")
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


def load_ravdess(root: Path) -> Corpus:
    """Load RAVDESS from below `root`, speech and song.

    Raises:
        CorpusError: there is no such folder, or no file in it has a RAVDESS name.
    """
    lists = (_SPEECH.list_name, _SONG.list_name)
    manifest, left_out = load_by_file_name(root, parse_ravdess_name, tables=lists)
    return Corpus("ravdess", root, manifest, left_out, _EXPECTED, _NOTES, (_BY_SPEAKER,))


def parse_ravdess_name(stem: str) -> Utterance:
    """Read the name of a recording; `stem` is the file's name without its ending.

    Raises:
        Misfit: the name is none of RAVDESS's sound recordings.
    """
    match = _NAME.fullmatch(stem)
    if not match:
        raise Misfit("the name is not seven pairs of digits joined by hyphens")
    modality, channel, emotion, intensity, statement, repetition, actor = match.groups()
    if modality != "03":
        raise Misfit(f"modality {modality}; only 03, sound alone, is used")
    _check("channel", channel, RAVDESS_STYLES)
    _check("emotion", emotion, RAVDESS_EMOTIONS)
    _check("intensity", intensity, ("01",) if emotion == "01" else ("01", "02"))
    _check("statement", statement, _STATEMENTS)
    _check("repetition", repetition, ("01", "02"))
    _check("actor", actor, [f"{n:02d}" for n in range(1, 25)])
    if channel == "02" and emotion in ("07", "08"):
        raise Misfit(f"RAVDESS has no song of emotion {emotion}")
    gender = "male" if int(actor) % 2 else "female"
    return Utterance(stem, actor, gender, RAVDESS_EMOTIONS[emotion], _STATEMENTS[statement], RAVDESS_STYLES[channel])


def _check(what: str, got: str, known) -> None:
    if got not in known:
        raise Misfit(f"{what} {got} does not exist here; known: {', '.join(known)}")


def paper_folds(corpus: Corpus) -> list[Fold]:
    """Divide as the paper does (Pepino's split): speech and song, calm joins neutral, actors 1–20, 21–22, 23–24."""
    manifest = corpus.manifest.assign(label=corpus.manifest.label.replace("calm", "neutral"))
    return [fold_by_speaker(0, RAVDESS_PAPER_LABELS, manifest, {"21", "22"}, {"23", "24"})]


def emobox_folds(corpus: Corpus) -> list[Fold]:
    """Divide as EmoBox does: six folds, speech only, eight classes; the next fold's test actors validate (ours)."""
    speech = corpus.manifest[corpus.manifest["style"] == "speech"]
    groups = [set(g) for g in _EMOBOX_TEST_ACTORS]
    return [
        fold_by_speaker(i, RAVDESS_LABELS, speech, groups[(i + 1) % len(groups)], test) for i, test in enumerate(groups)
    ]


def nkululeko_folds(corpus: Corpus) -> list[Fold]:
    """Divide as Nkululeko does: speech only, eight classes, dev actors 16, 17, 19, 20 and test actors 21–24."""
    speech = corpus.manifest[corpus.manifest["style"] == "speech"]
    return [fold_by_speaker(0, RAVDESS_LABELS, speech, {"16", "17", "19", "20"}, {"21", "22", "23", "24"})]


RAVDESS = CorpusDefinition(
    name="ravdess",
    info=CorpusInfo(
        "RAVDESS",
        sentences=len(_STATEMENTS),
        training_data="speech and song of 20 actors who were asked to show an emotion, in two sentences",
    ),
    load=load_ravdess,
    protocols=(
        Protocol(name="ravdess-paper", divide=paper_folds, sizes=_PAPER_SIZES),
        Protocol(name="ravdess-emobox", divide=emobox_folds, style="speech", expected=_EXPECTED_SPEECH),
        Protocol(name="ravdess-nkululeko", divide=nkululeko_folds, style="speech", expected=_EXPECTED_SPEECH),
    ),
    source=CorpusSource(
        licence="CC BY-NC-SA 4.0, not for commercial use (https://creativecommons.org/licenses/by-nc-sa/4.0/)",
        citation="Livingstone and Russo (2018), doi:10.1371/journal.pone.0196391",
        parts=(_SPEECH,),
        song=_SONG,
    ),
)
