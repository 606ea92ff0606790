"""Score a model on a corpus, exactly as `analyze` would hear each clip, and write the run folder.

What a long evaluation has done lies beside its run in parts, each a small run folder that is whole or not
there, so that it goes on after a stop and holds one part at a time.
"""

import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from tqdm import tqdm

from segser_core.audio.excerpt import clip_locations
from segser_core.bundled import find_checkpoint
from segser_core.errors import CorpusError, RunError, SettingError
from segser_core.inference.predictor import Predictor
from segser_core.labels import normalise_label
from segser_core.network.model import encoder_origin
from segser_core.prediction.stretches import stretches_from_json
from segser_core.runs.reading import read_json
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import check_run_folder, write_run
from training.config.settings import read_settings
from training.corpora import load_corpus
from training.corpora.decode_check import reasons_in_words
from training.corpora.label_codes import LABELS_OPTION, count_labels, own_labels
from training.corpora.protocols import clips_of_split, protocol_name
from training.features.store import digest
from training.runs.records import Records, Result
from training.runs.run_metrics import compute_run_metrics
from training.runs.run_record import RunRecord, describe_run
from training.runs.scoring import score_clips, score_clips_on_ray, with_known_stretches

PART = 500  # clips: what is done again after a stop, at most
SHARED_COLUMNS = {"seed": 0, "fold": 0}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest:
    """Arguments of the command `evaluate`.

    Attributes:
        model: a bundled model's name, or a run or checkpoint folder.
        corpus, root, corpus_options: the corpus, its folder, and further arguments of its loader.
        out: the run folder to write.
        protocol: the corpus's default where it is None.
        split: the clips to score.
        partial: take a corpus that is not complete as it is.
        one_class: score clips of one class alone, too.
        device: where to compute.
        resume: go on where an earlier call was stopped.
        engine: `ray` shares the clips out to more processes and machines.
        ray_address: of a Ray cluster; Ray on this machine where it is None.
    """

    model: str
    corpus: str
    root: Path
    out: Path
    corpus_options: dict[str, Any] = field(default_factory=dict)
    protocol: str | None = None
    split: Literal["train", "dev", "test", "all"] = "test"
    partial: bool = False
    one_class: bool = False
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    resume: bool = False
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None

    @property
    def protocol_name(self) -> str:
        """The protocol as the run records it."""
        return "all clips" if self.split == "all" else protocol_name(self.corpus, self.protocol)


def run_evaluation(request: EvaluateRequest) -> dict[str, Any]:
    """Score the clips that are asked for and write the run folder; returns its metrics.

    Raises:
        SegserError: the model, the corpus or the run folder cannot be used, or no clip could be read.
    """
    check_run_folder(request.out, keeps_checkpoint=False)
    began = time.monotonic()
    predictor = Predictor.from_pretrained(request.model, request.device if request.engine == "local" else "auto")
    manifest = requested_clips(request, predictor.labels)
    record = describe_run(predictor, request.corpus, request.protocol_name, [0], 0)
    parts = EvaluationParts(parts_folder(request.out), record, config_yaml(request, manifest))
    if not request.resume:
        shutil.rmtree(parts.folder, ignore_errors=True)

    def score(clips: pd.DataFrame) -> Iterator[Result]:
        if request.engine == "ray":
            return score_clips_on_ray(request.model, request.device, clips, request.root, request.ray_address)
        return score_clips(predictor, clips, request.root)

    records = parts.complete(manifest, score, {"corpus": request.corpus, **SHARED_COLUMNS})
    meta = replace(record, seconds=round(time.monotonic() - began)).to_json()
    scored = replace(records, predictions=records.predictions.assign(split="test"))
    metrics = compute_run_metrics(scored, meta, request.out)
    write_run(request.out, meta=meta, config_yaml=parts.config, metrics=metrics, **vars(records))
    shutil.rmtree(parts.folder)
    return metrics


def parts_folder(out: Path) -> Path:
    """Name the folder in which an evaluation that is not complete yet keeps its parts."""
    return out.with_name(f".{out.name}.parts")


def trained_fold(request: EvaluateRequest) -> int | None:
    """Find the fold that a model was trained in, alone or beside other corpora, where the same protocol is asked for.

    The other folds' test clips were training clips of this one's, so only its own are a test.
    """
    folder = find_checkpoint(request.model).absolute()
    one_of_many = folder.name.startswith("fold-")  # RUN/checkpoint/seed-S/fold-K, else RUN/checkpoint
    run = folder.parents[2] if one_of_many else folder.parent
    same = (request.corpus, protocol_name(request.corpus, request.protocol))
    fold = fold_of_part(run / "config.yaml", *same)
    if fold is None and one_of_many and (run / "run.json").is_file():
        meta = read_json(run / "run.json")
        fold = int(folder.name.removeprefix("fold-")) if (meta.get("corpus"), meta.get("protocol")) == same else None
    if fold is not None:
        _log.info("the model was trained in fold-%d of this protocol: the clips are of that fold alone", fold)
    return fold


def fold_of_part(config: Path, corpus: str, protocol: str) -> int | None:
    """Find the fold of a corpus in a training on several; None where the training was another one.

    Args:
        config: of the training's run.
        corpus, protocol: their names.
    """
    try:
        parts = read_settings(config).corpora
    except SettingError:
        return None  # no training's, as that of an evaluation
    found = [part.fold for part in parts if (part.name, protocol_name(part.name, part.protocol)) == (corpus, protocol)]
    return found[0] if len(found) == 1 else None


def requested_clips(request: EvaluateRequest, labels: tuple[str, ...]) -> pd.DataFrame:
    """Select the clips of a split, or all clips, as far as the model knows their labels."""
    corpus = load_corpus(request.corpus, request.root, request.corpus_options)
    if request.split == "all":
        manifest = corpus.manifest.assign(split="test")
    else:
        fold = trained_fold(request)
        manifest = clips_of_split(corpus, request.split, request.protocol, partial=request.partial, fold=fold)
    if corpus.left_out:
        reasons = reasons_in_words(corpus.left_out)
        _log.warning("%d files of %s are left out: %s", len(corpus.left_out), corpus.name, reasons)
    manifest = with_labels_of_model(manifest, labels)
    known = manifest["label"].isin(labels)
    if "stretches" in manifest:
        known &= manifest["stretches"].map(lambda text: {s.label for s in stretches_from_json(text)} <= set(labels))
    check_classes(manifest[known], request, unknown_labels(manifest, known, labels))
    if not known.all():
        _log.warning("%s; they are left out", unknown_labels(manifest, known, labels))
    return with_known_stretches(manifest[known].reset_index(drop=True), labels)


def with_labels_of_model(manifest: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Spell the labels of clips as the model does, where it spells them in another way than the project."""
    spelled: dict[str, list[str]] = {}
    for label in labels:
        spelled.setdefault(normalise_label(label), []).append(label)
    one = {ours: theirs[0] for ours, theirs in spelled.items() if len(theirs) == 1 and ours not in labels}
    return manifest.assign(label=manifest["label"].replace(one)) if one else manifest


def unknown_labels(manifest: pd.DataFrame, known: pd.Series, labels: tuple[str, ...]) -> str:
    """Name the labels that a model does not know, with their counts; a clause, empty where it knows all.

    Args:
        manifest: all clips.
        known: (N,) whether the model knows the labels of a clip.
        labels: of the model.
    """
    if known.all():
        return ""
    strange = manifest["label"][~known & ~manifest["label"].isin(labels)]
    counts = f": {count_labels(strange)}" if len(strange) else ", in their stretches"
    remedy = f"; say what a label stands for with {LABELS_OPTION}" if own_labels(strange) else ""
    return (
        f"{(~known).sum()} clips have a label that the model does not know (of {len(known)}){counts}; it knows "
        f"{', '.join(labels)}{remedy}"
    )


def check_classes(manifest: pd.DataFrame, request: EvaluateRequest, why: str) -> None:
    """Check that clips of two classes or more are left to score, unless one is asked for.

    Args:
        manifest: the clips.
        request: that was made.
        why: others are left out; empty where none is.

    Raises:
        CorpusError: there is no clip, or one class.
    """
    because = f" ({why})" if why else ""
    if manifest.empty:
        raise CorpusError(f"no clip of {request.corpus} in {request.root} is left to score{because}")
    if manifest["label"].nunique() < 2 and not request.one_class:
        raise CorpusError(
            f"only {count_labels(manifest['label'])} is left to score, and a recall over one class tells "
            f"nothing apart; to have it all the same: --one-class{because}"
        )


def config_yaml(request: EvaluateRequest, manifest: pd.DataFrame) -> str:
    """Write config.yaml: everything that decides the result of an evaluation."""
    weights = encoder_origin(str(find_checkpoint(request.model)), None).get("sha256")
    excerpts = [clip.key for clip in clip_locations(manifest) if clip.start_s is not None]
    names = [*manifest["utterance_id"], *manifest.get("stretches", ()), *excerpts]
    clips = digest("\n".join([*names, *manifest["label"]]).encode())
    return (
        f"model: {Path(request.model).name}\nsha256: {weights}\ncorpus: {request.corpus}\n"
        f"protocol: {request.protocol_name}\nsplit: {request.split}\nclips: {clips}\n"
    )


@dataclass(frozen=True)
class EvaluationParts:
    """The parts of an evaluation that are done, in a folder beside its run.

    Attributes:
        folder: holds a run folder for every `PART` clips.
        record: run.json of each.
        config: config.yaml of each; a part that was made under another one is done again.
    """

    folder: Path
    record: RunRecord
    config: str

    def read(self, part: int) -> Run | None:
        """Read a part; None where it is not there, torn, or of another evaluation."""
        path = self._path(part)
        try:
            run = read_run(path)
            run.embeddings()
        except RunError:
            return None
        return run if (path / "config.yaml").read_text(encoding="utf-8") == self.config else None

    def write(self, part: int, records: Records) -> None:
        """Write a part."""
        path = self._path(part)
        shutil.rmtree(path, ignore_errors=True)
        meta = self.record.to_json()
        write_run(path, meta=meta, config_yaml=self.config, metrics={"part": part}, **vars(records))

    def _path(self, part: int) -> Path:
        return self.folder / f"{part:06d}"

    def complete(
        self, manifest: pd.DataFrame, score: Callable[[pd.DataFrame], Iterator[Result]], shared: dict[str, Any]
    ) -> Records:
        """Score the clips of all parts that are not there yet, and join them all.

        Args:
            manifest: all clips, in order.
            score: from clips to their results.
            shared: columns that all rows share, see `Records.from_results`.

        Raises:
            CorpusError: no clip could be read.
        """
        parts = {k // PART: manifest.iloc[k : k + PART] for k in range(0, len(manifest), PART)}
        waiting = {part: clips for part, clips in parts.items() if self.read(part) is None}
        left = pd.concat([manifest.iloc[:0], *waiting.values()])
        done = len(manifest) - len(left)
        bar = tqdm(score(left), "evaluating", len(manifest), initial=done, unit="clip", file=sys.stderr)
        results = iter(bar)  # once, for all parts
        for part, clips in waiting.items():
            records = Records.from_results(clips.to_dict("records"), results, shared)
            if records is not None:
                self.write(part, records)
        runs = [run for part in parts if (run := self.read(part)) is not None]
        if not runs:
            raise CorpusError(f"none of the {len(manifest)} clips could be read")
        return Records.concatenate([Records.from_run(run) for run in runs], shared["seed"])
