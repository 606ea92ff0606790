"""CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset (Cao et al. 2014), doi:10.1109/TAFFC.2014.2336244.

A name is `actor_sentence_emotion_level`, e.g. 1001_DFA_ANG_XX: 7442 clips of 91 actors, twelve sentences, six emotions.
The label is the emotion that was acted. `votes_audio.csv` counts by clip which emotion raters heard in the sound alone;
`actors.csv` holds age and sex. Without these files the columns that rest on them are empty.

The name 1040_ITH_SAD_X has the level `X`, which is read as `XX`, no level; nobody rated it. 1076_MTI_SAD_XX is blank
and is left out.
"""

import io
import logging
import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from segser_core.errors import CorpusError
from segser_core.formatting import one_line
from segser_core.labels import CORPUS_CODES
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, Counts, Misfit, Utterance, load_by_file_name
from training.corpora.definition import CorpusDefinition, Protocol
from training.corpora.fetching.git_lfs import GitLfsFolder, RepositoryTable
from training.corpora.fetching.source import CorpusSource, Publisher
from training.corpora.fold import Fold, fold_by_speaker

CREMAD_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust")
_EMOTIONS = CORPUS_CODES["cremad"]
_SENTENCES = {
    "DFA": "Don't forget a jacket",
    "IEO": "It's eleven o'clock",
    "IOM": "I'm on my way to the meeting",
    "ITH": "I think I have a doctor's appointment",
    "ITS": "I think I've seen this before",
    "IWL": "I would like a new alarm clock",
    "IWW": "I wonder what this is about",
    "MTI": "Maybe tomorrow it will be cold",
    "TAI": "The airplane is almost full",
    "TIE": "That is exactly what happened",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
CREMAD_ACTORS = tuple(str(number) for number in range(1001, 1092))
BLANK_RECORDING = "1076_MTI_SAD_XX"
# without the blank one
CREMAD_COUNTS = {
    "neutral": 1087,
    "happy": 1271,
    "sad": 1270,
    "angry": 1271,
    "fearful": 1271,
    "disgust": 1271,
}  # no blank
_FIXED_SIZES = {"train": 5393, "dev": 738, "test": 1310}
_BY_SPEAKER = Counts(
    ("speaker",),
    {(a,): {"1002": 81, "1008": 76, "1009": 76, "1019": 76, "1076": 80}.get(a, 82) for a in CREMAD_ACTORS},
)
_FOLDS = 5
_ENDINGS = (".wav", ".flac", ".mp3", ".opus")
_ACTORS_TABLE, _VOTES_TABLE = "actors.csv", "votes_audio.csv"
VOTE_COLUMNS = tuple(f"votes_{label}" for label in CREMAD_LABELS)
_NOTES = (
    "Twelve sentences in all: the same words are in train and test.",
    "Acted: a label is what the actor was asked to express; `heard` is what most raters heard, the same in fewer "
    "than half of the clips.",
    "The copy in Opus at 20 kbit/s has nothing above 5.5 kHz: beside other corpora, a model can learn that in place of "
    "the emotion.",
)
_log = logging.getLogger(__name__)
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")


def load_cremad(root: Path) -> Corpus:
    """Load CREMA-D from below `root`.

    The manifest's further columns are `age` in years, `votes_<class>` (numbers of raters), `heard` (the class of most
    votes, empty where several have as many) and `agreement` (the share of the raters who heard the acted emotion).

    Raises:
        CorpusError: there is no such folder, no file in it has a CREMA-D name, or one of its tables cannot be read.
    """
    tables = (_ACTORS_TABLE, _VOTES_TABLE, _REPOSITORY.list_name)
    manifest, left_out = load_by_file_name(root, parse_cremad_name, endings=_ENDINGS, tables=tables)
    manifest = with_votes(with_actors(manifest, root), root)
    warn_of_strange_votes(root, {*manifest["utterance_id"], *(Path(file.path).stem for file in left_out)})
    return Corpus("cremad", root, manifest, left_out, CREMAD_COUNTS, _NOTES, (_BY_SPEAKER,))


def parse_cremad_name(stem: str) -> Utterance:
    """Read the name of a recording; `stem` is the file's name without its ending.

    Raises:
        Misfit: the name is none of CREMA-D's, or that of the blank recording.
    """
    match = _NAME.fullmatch(stem)
    if not match:
        raise Misfit("the name is not actor, sentence, emotion, level, as in 1001_DFA_ANG_XX")
    actor, sentence, emotion, level = match.groups()
    if actor not in CREMAD_ACTORS:
        raise Misfit(f"actor {actor} does not exist here; known: {CREMAD_ACTORS[0]} to {CREMAD_ACTORS[-1]}")
    for part, code, known in (
        ("sentence", sentence, _SENTENCES),
        ("emotion", emotion, _EMOTIONS),
        ("level", level, _LEVELS),
    ):
        if code not in known:
            raise Misfit(f"{part} {code} does not exist here; known: {', '.join(known)}")
    if stem == BLANK_RECORDING:
        raise Misfit("blank: it holds no speech")
    return Utterance(stem, actor, "", _EMOTIONS[emotion], _SENTENCES[sentence], _LEVELS[level])


def with_actors(manifest: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Add each actor's gender and age (years) to a manifest."""
    actors = read_csv_table(root / _ACTORS_TABLE, ("actor", "age", "sex")).set_index("actor")
    return manifest.assign(
        gender=manifest["speaker"].map(actors["sex"].to_dict()).astype(object).fillna(""),
        age=pd.to_numeric(manifest["speaker"].map(actors["age"]), errors="coerce"),
    )


def with_votes(manifest: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Add the raters' votes on each clip, the majority's label and the share that heard the label to a manifest."""
    table = read_votes(root).set_index("file")[list(CREMAD_LABELS)]
    of_clips = table.apply(pd.to_numeric, errors="coerce").reindex(manifest["utterance_id"])
    votes = of_clips.to_numpy(dtype=float)  # (clips, classes), NaN where nobody rated
    rated = ~np.isnan(votes).any(axis=1)
    most = votes == votes.max(axis=1, keepdims=True)
    heard = np.where(most.sum(axis=1) == 1, np.array(CREMAD_LABELS)[most.argmax(axis=1)], "")
    acted = votes[np.arange(len(votes)), manifest["label"].map(CREMAD_LABELS.index)]
    with np.errstate(invalid="ignore"):
        agreement = acted / votes.sum(axis=1)
    counts = pd.DataFrame(votes, columns=list(VOTE_COLUMNS), index=manifest.index)
    return manifest.assign(heard=np.where(rated, heard, ""), agreement=agreement, **counts)


def read_votes(root: Path) -> pd.DataFrame:
    """Read the table of raters' votes as text, a row a clip; an empty one where there is none."""
    return read_csv_table(root / _VOTES_TABLE, ("file", *CREMAD_LABELS))


def warn_of_strange_votes(root: Path, known: Collection[str]) -> None:
    """Warn of the rows of the raters' votes that name no clip.

    Args:
        root: the corpus's folder.
        known: the clips that there are, also those that are left out.
    """
    files = read_votes(root)["file"]
    strange = files[~files.isin(known)].tolist()
    if strange:
        _log.warning("%d of %d rows of %s name no clip of the corpus and are passed over, %s among them",
                     len(strange), len(files), _VOTES_TABLE, one_line(strange[0]))  # fmt: skip


def read_csv_table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the corpus's CSV files as text; an empty table where there is none.

    Raises:
        CorpusError: it cannot be read, or lacks a column.
    """
    if not file.is_file():
        return pd.DataFrame(columns=list(columns), dtype=str)
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise CorpusError(f"{file} cannot be read: {str(error).splitlines()[0]}") from error
    if missing := [c for c in columns if c not in table]:
        raise CorpusError(f"{file} has no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    return table.drop_duplicates(columns[0])


def fixed_folds(corpus: Corpus) -> list[Fold]:
    """Divide by actor once: 1001 to 1066 train, 1067 to 1075 development, 1076 to 1091 test."""
    dev, test = (set(CREMAD_ACTORS[first - 1001 : last - 1000]) for first, last in ((1067, 1075), (1076, 1091)))
    return [fold_by_speaker(0, CREMAD_LABELS, corpus.manifest, dev, test)]


def actor_folds(corpus: Corpus) -> list[Fold]:
    """Divide by actor into five folds: every fifth actor tests, those of the next fold (cyclic) validate (ours)."""
    groups = [set(CREMAD_ACTORS[fold::_FOLDS]) for fold in range(_FOLDS)]
    following = [*groups[1:], groups[0]]
    return [
        fold_by_speaker(i, CREMAD_LABELS, corpus.manifest, dev, test)
        for i, (test, dev) in enumerate(zip(groups, following, strict=True))
    ]


def actors_from_demographics(content: bytes) -> str:
    """Convert the repository's VideoDemographics.csv to the text of `actors.csv`.

    Raises:
        CorpusError: it lacks a column.
    """
    table = _repository_table(content, ("ActorID", "Age", "Sex"))
    actors = pd.DataFrame({"actor": table["ActorID"], "age": table["Age"], "sex": table["Sex"].str.lower()})
    return actors.to_csv(index=False, lineterminator="\n")


def votes_from_tabulated(content: bytes) -> str:
    """Convert the repository's tabulatedVotes.csv to the text of `votes_audio.csv`.

    Of its rows those count whose number begins with 1: raters heard the sound alone. The others saw the face.

    Raises:
        CorpusError: it lacks a column.
    """
    letters = {label: code[0] for code, label in _EMOTIONS.items()}
    table = _repository_table(content, ("fileName", *letters.values()))
    heard = table[table.iloc[:, 0].str.fullmatch(r"1\d{5}")]
    votes = pd.DataFrame({"file": heard["fileName"], **{label: heard[letters[label]] for label in sorted(letters)}})
    return votes.sort_values("file").to_csv(index=False, lineterminator="\n")


def _repository_table(content: bytes, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:
        raise CorpusError(f"a table of CREMA-D's repository cannot be read: {str(error).splitlines()[0]}") from error
    if missing := [c for c in columns if c not in table]:
        raise CorpusError(
            f"a table of CREMA-D's repository has no column {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    return table


_REPOSITORY = GitLfsFolder(
    name="cremad",
    publisher=Publisher(
        name="Cheyney University, repository CREMA-D on GitHub",
        page="https://github.com/CheyneyComputerScience/CREMA-D",
        origins=("https://github.com", "https://codeload.github.com", "https://media.githubusercontent.com"),
    ),
    clips=7442,
    size_bytes=605_899_936,
    disk_bytes=900_000_000,
    archive_address="https://github.com/CheyneyComputerScience/CREMA-D/archive/refs/heads/master.zip",
    most_archive_bytes=300_000_000,
    media_address="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
    folder="AudioWAV",
    tables={
        _ACTORS_TABLE: RepositoryTable(path="VideoDemographics.csv", convert=actors_from_demographics),
        _VOTES_TABLE: RepositoryTable(path="processedResults/tabulatedVotes.csv", convert=votes_from_tabulated),
    },
)
CREMAD = CorpusDefinition(
    name="cremad",
    info=CorpusInfo(
        "CREMA-D",
        sentences=len(_SENTENCES),
        training_data="actors who were asked to show an emotion, in twelve English sentences",
    ),
    load=load_cremad,
    protocols=(
        Protocol(name="cremad-fixed", divide=fixed_folds, sizes=_FIXED_SIZES),
        Protocol(name="cremad-actor", divide=actor_folds),
    ),
    run_columns=("age", "heard", "agreement", *VOTE_COLUMNS),
    source=CorpusSource(
        licence="ODbL 1.0 (https://opendatacommons.org/licenses/odbl/1-0/), its contents DbCL 1.0",
        citation="Cao et al. (2014), doi:10.1109/TAFFC.2014.2336244",
        parts=(_REPOSITORY,),
    ),
)
