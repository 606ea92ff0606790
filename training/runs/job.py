"""Train folds under seeds, and put the run in its place."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segser_core.errors import RunError, SegserError
from segser_core.files import write_whole
from segser_core.inference.predictor import Predictor
from segser_core.network.layer_average import LayerAverage
from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.reading import read_json
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import check_run_folder, write_run
from segser_core.statistics.temperature import fit_calibration_temperature
from segser_core.systems import SYSTEMS
from training.config.settings import Settings, read_settings, require, to_yaml
from training.corpora import load_corpus
from training.corpora.combine import combined_protocol, count_by_corpus, load_combined_fold
from training.corpora.decode_check import drop_undecodable, files_by_reason
from training.corpora.fold import Fold
from training.corpora.protocols import folds
from training.features.store import FeatureStore
from training.learning.distributed import process_state
from training.learning.history import code_commit
from training.learning.trainer import HISTORY, train_fold, training_seconds
from training.runs.add_seeds import (
    add_to_record,
    add_to_records,
    check_joins,
    comparable_settings,
    copy_checkpoints,
    trainings_of,
)
from training.runs.records import Records
from training.runs.run_metrics import compute_run_metrics
from training.runs.run_record import RunRecord, TrainedRunRecord, describe_run
from training.runs.scoring import score_manifest

SETTINGS_FILE = "settings.yaml"  # in the resume folder


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """Arguments of the command `train`.

    Attributes:
        settings: of each training.
        root: the corpus's folder.
        out: the run folder to write.
        seeds: each of which trains every fold.
        folds: their indices; None is all.
        cache: a folder in which frozen features are kept for later trainings.
        resume: go on where an earlier call was stopped.
    """

    settings: Settings
    root: Path
    out: Path
    seeds: tuple[int, ...] = (0,)
    folds: tuple[int, ...] | None = None
    cache: Path | None = None
    resume: bool = False


@dataclass(frozen=True)
class Job:
    """One training: a fold under a seed. Its folder holds the resume data, then the checkpoint and `seconds.json`."""

    fold: Fold
    seed: int
    folder: Path

    @property
    def checkpoint(self) -> Path:
        """Where the best epoch's model lies once the job is done."""
        return self.folder / "checkpoint"

    @property
    def done(self) -> bool:
        """Whether the job came to its end."""
        return (self.folder / "seconds.json").exists()

    @property
    def seconds(self) -> float:
        """How long the training took, once it is done."""
        return json.loads((self.folder / "seconds.json").read_text())


@dataclass(frozen=True)
class ScoredJob:
    """Records of a job's development and test clips, and the description of its model.

    Attributes:
        records: of the clips.
        record: of the model.
        layer_weights: of `layer-average`.
        stages: of `p-tapt`.
    """

    records: Records
    record: RunRecord
    layer_weights: list[float] | None
    stages: dict[str, Any] | None


def resume_folder(out: Path) -> Path:
    """Name the folder in which a run that is not complete yet keeps what it needs to go on."""
    return out.with_name(out.name + ".resume")


def plan_jobs(request: TrainRequest) -> list[Job]:
    """List the jobs that are asked for: every fold unless some are named, under every seed.

    Raises:
        SettingError: a seed below 0, or a fold that does not exist.
        CorpusError: the corpus cannot be divided.
    """
    seeds = sorted(set(request.seeds))
    require(seeds[0] >= 0, "seed", seeds[0], "0 or more")
    divided = load_folds(request.settings, request.root)
    known = range(len(divided))
    indices = known if request.folds is None else sorted(set(request.folds))
    require(set(indices) <= set(known), "fold", list(indices), f"0 to {len(divided) - 1}")
    work = resume_folder(request.out)
    return [Job(divided[k], seed, work / f"seed-{seed}" / f"fold-{k}") for seed in seeds for k in indices]


def load_folds(settings: Settings, root: Path, *, with_test: bool = True) -> list[Fold]:
    """Load the folds of the corpus that settings name, or the one of several corpora.

    Recordings that cannot be decoded to their end are left out.
    """
    if settings.corpora:
        return [load_combined_fold(settings, root, with_test=with_test)]
    corpus = load_corpus(settings.corpus, root, settings.corpus_options)
    divided = folds(corpus, settings.protocol, partial=settings.partial)
    divided = divided if with_test else [fold.without_test() for fold in divided]
    return drop_undecodable(divided, corpus, partial=settings.partial)


def train_run(request: TrainRequest, jobs: Sequence[Job]) -> dict[str, Any] | None:
    """Train the jobs that the run does not have yet, and write the run.

    Returns:
        The run's metrics; None where it has all already, and in all processes but the main one.

    Raises:
        RunError: a run is there that the jobs cannot join, or what is to be resumed was begun with other settings.
    """
    us, existing = process_state(), existing_run(request, jobs)
    done = trainings_of(existing) if existing else []
    jobs = [job for job in jobs if (job.seed, job.fold.index) not in done]
    if done and us.is_main_process:
        listed = ", ".join(f"seed {seed} (fold {fold})" for seed, fold in done)
        print(f"{request.out} has {listed} already, which stay as they are")
    if not jobs:
        return None
    work = resume_folder(request.out)
    if us.is_main_process and work.exists() and not request.resume:
        shutil.rmtree(work)
    us.wait_for_everyone()
    keep_settings(work / SETTINGS_FILE, request.settings)
    logs = request.out.parent / "tensorboard" / request.out.name
    # the features of `layer-average` are too large for memory
    on_disk = work / "features" if SYSTEMS[request.settings.system].frames == "layer-mix" else None
    with leaving_no_settings(work):
        for job in jobs:
            run_job(job, FeatureStore(request.root, request.cache or on_disk), request.settings, logs)
    if not us.is_main_process:
        return None
    metrics = write_trained_run(request, jobs, existing)
    shutil.rmtree(work)
    return metrics


def existing_run(request: TrainRequest, jobs: Sequence[Job]) -> Run | None:
    """Read the run that the jobs are to join; None where there is none yet.

    Raises:
        RunError: they cannot join it, see `check_joins`.
    """
    check_run_folder(request.out, keeps_checkpoint=True)
    if not (request.out / "run.json").is_file():
        return None
    run = read_run(request.out)
    check_joins(run, request.settings, [(job.seed, job.fold) for job in jobs])
    earlier_history(run)  # else what is wrong with it would show once the trainings are done
    return run


def keep_settings(file: Path, settings: Settings) -> None:
    """Write the settings that a training begins with, or check that it goes on with the same.

    Raises:
        RunError: it was begun with others.
    """
    if file.exists():
        begun = comparable_settings(read_settings(file))
        if other := [name for name, value in comparable_settings(settings).items() if value != begun[name]]:
            raise RunError(f"{file.parent} was begun with another {', '.join(other)}; leave out --resume")
    elif process_state().is_main_process:
        write_whole(file, to_yaml(settings))


@contextmanager
def leaving_no_settings(work: Path) -> Iterator[None]:
    """Remove a resume folder that holds nothing but its settings, where a training is refused before its first step."""
    try:
        yield
    except SegserError:
        kept = [file.name for file in work.rglob("*") if file.is_file()]
        if process_state().is_main_process and set(kept) <= {SETTINGS_FILE}:
            shutil.rmtree(work, ignore_errors=True)
        raise


def run_job(job: Job, store: FeatureStore, settings: Settings, logs: Path) -> None:
    """Train unless done; the model is kept in half precision, as it is later served."""
    if job.done:
        return
    began = time.monotonic() - training_seconds(job.folder / "steps")
    model = train_fold(
        job.fold, store, settings, job.seed, job.folder / "steps", logs / f"seed-{job.seed}-fold-{job.fold.index}"
    )
    us = process_state()
    us.wait_for_everyone()  # all have read the best epoch's weights from the folder that goes now
    if us.is_main_process:
        save_checkpoint(model, job.checkpoint)
        if settings.calibrated:
            calibrate_checkpoint(job, store.root)
        shutil.move(job.folder / "steps" / HISTORY, job.folder / HISTORY)
        write_whole(job.folder / "seconds.json", json.dumps(time.monotonic() - began))
        shutil.rmtree(job.folder / "steps")


def save_checkpoint(model: SegmentEmotionModel, folder: Path) -> None:
    """Write config.json, model.safetensors in half precision, and preprocessor_config.json."""
    from transformers import Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

    whisper = model.config.encoder["model_type"] == "whisper"
    extractor = WhisperFeatureExtractor() if whisper else Wav2Vec2FeatureExtractor(do_normalize=model.config.normalize)
    shutil.rmtree(folder, ignore_errors=True)
    model.cpu().half().save_pretrained(folder)
    extractor.save_pretrained(folder)


def calibrate_checkpoint(job: Job, root: Path) -> None:
    """Store in a checkpoint the temperature under which its development clips are the most likely."""
    predictor = Predictor.from_pretrained(job.checkpoint)
    records = score_manifest(predictor, job.fold.split("dev"), root, "")
    predictor.model.config.calibration_temperature = fit_calibration_temperature(
        records.predictions, records.segments, predictor.system
    )
    predictor.model.config.save_pretrained(job.checkpoint)


def write_trained_run(request: TrainRequest, jobs: list[Job], existing: Run | None) -> dict[str, Any]:
    """Score every job's model on its development and test clips, and write the run, joined to the existing one.

    Returns:
        The run's metrics.
    """
    scored = [score_job(job, request) for job in jobs]
    parts = [each.records for each in scored]
    records = add_to_records(existing, parts) if existing else Records.concatenate(parts, jobs[0].seed)
    record = describe_training(request, jobs, scored)
    meta = add_to_record(existing, record) if existing else record.to_json()
    metrics = compute_run_metrics(records, meta, request.out)
    write_run(
        request.out,
        meta=meta,
        config_yaml=(existing.path / "config.yaml").read_text() if existing else to_yaml(request.settings),
        predictions=records.predictions,
        segments=records.segments,
        stretches=records.stretches,
        embeddings=records.embeddings or None,
        metrics=metrics,
        history=gather_history(jobs, existing),
        checkpoint_dir=gather_checkpoints(jobs, existing),
    )
    return metrics


def score_job(job: Job, request: TrainRequest) -> ScoredJob:
    """Score a job's model on its development and test clips."""
    predictor = Predictor.from_pretrained(job.checkpoint)
    manifest = job.fold.manifest[job.fold.manifest["split"] != "train"]
    corpus, encoder = request.settings.corpus_name, predictor.model.encoder
    return ScoredJob(
        score_manifest(predictor, manifest, request.root, corpus, seed=job.seed, fold=job.fold.index),
        describe_run(predictor, corpus, combined_protocol(request.settings), [job.seed], job.seconds),
        encoder.layer_weights.tolist() if isinstance(encoder, LayerAverage) else None,
        predictor.model.config.stages,
    )


def describe_training(request: TrainRequest, jobs: Sequence[Job], scored: Sequence[ScoredJob]) -> TrainedRunRecord:
    """Record the trainings of a run, `scored` each."""
    settings, seeds = request.settings, sorted({job.seed for job in jobs})
    seconds = round(sum(job.seconds for job in jobs))
    return TrainedRunRecord(
        **vars(replace(scored[-1].record, seeds=seeds, seconds=seconds)),
        alpha=settings.alpha.get(settings.system),
        reductions={
            "over_segments": settings.over_segments,
            "over_recordings": "mean",
            "over_triplets": "mean of all",
        },
        epochs=settings.epochs,
        training_clips=len(jobs[0].fold.split("train")),
        corpora=count_by_corpus(jobs[0].fold) if settings.corpora else None,
        corpus_options=settings.corpus_options,
        left_out=files_by_reason(jobs[0].fold.left_out),
        layer_weights=[each.layer_weights for each in scored if each.layer_weights] or None,
        stages=[each.stages for each in scored if each.stages] or None,
    )


def earlier_history(run: Run) -> list[dict[str, Any]]:
    """Read the trainings in a run's history.json; none where the run has no such file.

    Raises:
        RunError: it is damaged.
    """
    file = run.path / HISTORY
    if not file.is_file():
        return []
    trainings = read_json(file).get("trainings")
    if not isinstance(trainings, list):
        raise RunError(f"{file} has no list of trainings; remove it, and what it says of earlier epochs is lost")
    return trainings


def gather_history(jobs: Sequence[Job], existing: Run | None) -> dict[str, Any]:
    """Gather the run's history.json: of each training the commit, the kept epoch, and the figures of each epoch."""
    earlier = earlier_history(existing) if existing else []
    new = [
        {
            "seed": job.seed,
            "fold": job.fold.index,
            "commit": code_commit(),
            **json.loads((job.folder / HISTORY).read_text()),
        }
        for job in jobs
    ]
    return {"trainings": [*earlier, *new]}


def gather_checkpoints(jobs: Sequence[Job], existing: Run | None) -> Path:
    """Gather the run's `checkpoint/`: one model, or `seed-S/fold-K/` where there are several."""
    if len(jobs) == 1 and existing is None:
        return jobs[0].checkpoint
    gathered = jobs[0].folder.parents[1] / "checkpoint"
    shutil.rmtree(gathered, ignore_errors=True)
    for job in jobs:
        shutil.copytree(job.checkpoint, gathered / f"seed-{job.seed}" / f"fold-{job.fold.index}")
    if existing:
        copy_checkpoints(existing, gathered)
    return gathered
