"""Train folds under seeds, and put the run in its place."""

import argparse
import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import Any

from segser_core.errors import SettingError
from segser_core.inference.predictor import Predictor
from segser_core.network.layer_average import LayerAverage
from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import check_run_folder, write_run
from segser_core.statistics.scores import compute_metrics
from segser_core.systems import SYSTEMS
from training.config.overrides import pairs
from training.config.settings import Settings, read_settings, require, to_yaml
from training.corpora import load_corpus
from training.corpora.decode_check import by_reason, heard
from training.corpora.fold import Fold
from training.corpora.protocols import folds, protocol_name
from training.features.store import FeatureStore
from training.learning.distributed import processes
from training.learning.trainer import seconds_spent, train_fold
from training.runs.add_seeds import check_joins, flat, join_checkpoints, join_meta, join_records, trainings_of
from training.runs.describe import describe_run
from training.runs.scoring import Records, evaluate


@dataclasses.dataclass(frozen=True)
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


def run_job(job: Job, store: FeatureStore, settings: Settings, logs: Path) -> None:
    """Train unless done; the model is kept in half precision, as it is later served."""
    if job.done:
        return
    began = time.monotonic() - seconds_spent(job.folder / "steps")
    model = train_fold(
        job.fold, store, settings, job.seed, job.folder / "steps", logs / f"seed-{job.seed}-fold-{job.fold.index}"
    )
    us = processes()
    us.wait_for_everyone()  # all have read the best epoch's weights from the folder that goes now
    if us.is_main_process:
        save_checkpoint(model, job.checkpoint)
        (job.folder / "seconds.json").write_text(json.dumps(time.monotonic() - began))
        shutil.rmtree(job.folder / "steps")


def save_checkpoint(model: SegmentEmotionModel, folder: Path) -> None:
    """config.json, model.safetensors in half precision, preprocessor_config.json."""
    from transformers import Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

    whisper = model.config.encoder["model_type"] == "whisper"
    extractor = WhisperFeatureExtractor() if whisper else Wav2Vec2FeatureExtractor(do_normalize=model.config.normalize)
    shutil.rmtree(folder, ignore_errors=True)
    model.cpu().half().save_pretrained(folder)
    extractor.save_pretrained(folder)


def finish(out: Path, jobs: list[Job], root: Path, settings: Settings, there: Run | None) -> dict:
    """Evaluate every job's model on its development and test clips, and put the run in place, joined to `there`."""
    parts, seconds, told = [], 0.0, []
    for job in jobs:
        predictor = Predictor.from_pretrained(job.checkpoint)
        manifest = job.fold.manifest[job.fold.manifest["split"] != "train"]
        parts.append(evaluate(predictor, manifest, root, settings.corpus, seed=job.seed, fold=job.fold.index))
        seconds += json.loads((job.folder / "seconds.json").read_text())
        told.append(told_of(predictor.model))
    seeds = sorted({job.seed for job in jobs})
    records = join_records(there, parts) if there else Records.joined(parts, seeds[0])
    metrics = compute_metrics(records.predictions, list(predictor.labels))
    protocol = protocol_name(settings.corpus, settings.protocol)
    meta = describe_run(predictor, settings.corpus, protocol, seeds, seconds)
    meta |= {
        "alpha": settings.alpha.get(settings.system),
        "reductions": {
            "over_segments": settings.over_segments,
            "over_recordings": "mean",
            "over_triplets": "mean of all",
        },
        "epochs": settings.epochs,
        "training_clips": len(jobs[0].fold.split("train")),
        "corpus_options": settings.corpus_options,
        "left_out": by_reason(jobs[0].fold.left_out),
    }
    meta |= {name: [each[name] for each in told] for name in told[0]}
    write_run(
        out,
        meta=join_meta(there, meta) if there else meta,
        config_yaml=(there.path / "config.yaml").read_text() if there else to_yaml(settings),
        predictions=records.predictions,
        segments=records.segments,
        embeddings=records.embeddings or None,
        metrics=metrics,
        checkpoint_dir=gather_checkpoints(jobs, there),
    )
    return metrics


def told_of(model: SegmentEmotionModel) -> dict[str, Any]:
    """What run.json tells of each model: the weight of what enters the lowest layer and of each layer, or stages."""
    if isinstance(model.encoder, LayerAverage):
        return {"layer_weights": model.encoder.layer_weights.tolist()}
    return {"stages": model.config.stages} if model.config.stages else {}


def gather_checkpoints(jobs: list[Job], there: Run | None) -> Path:
    """The run's `checkpoint/`: one model, or `seed-S/fold-K/` where there are several."""
    if len(jobs) == 1 and there is None:
        return jobs[0].checkpoint
    gathered = jobs[0].folder.parents[1] / "checkpoint"
    shutil.rmtree(gathered, ignore_errors=True)
    for job in jobs:
        shutil.copytree(job.checkpoint, gathered / f"seed-{job.seed}" / f"fold-{job.fold.index}")
    if there:
        join_checkpoints(there, gathered)
    return gathered


def resume_folder(out: Path) -> Path:
    """Where a run that is not complete yet keeps what it needs to go on."""
    return out.with_name(out.name + ".resume")


def folds_of(settings: Settings, root: Path, *, with_test: bool = True) -> list[Fold]:
    """The folds of the corpus that settings name, as it lies in its folder, every recording heard."""
    corpus = load_corpus(settings.corpus, root, settings.corpus_options)
    divided = folds(corpus, settings.protocol, partial=settings.partial)
    divided = divided if with_test else [*(fold.without_test() for fold in divided)]
    return heard(divided, corpus, partial=settings.partial)


def plan(asked: argparse.Namespace, settings: Settings) -> list[Job]:
    """The jobs that were asked for: every fold unless some are named, under every seed."""
    require(min(asked.seed) >= 0, "seed", min(asked.seed), "0 or more")
    divided = folds_of(settings, asked.root)
    wanted = range(len(divided)) if asked.fold is None else sorted(set(asked.fold))
    require(set(wanted) <= set(range(len(divided))), "fold", asked.fold, f"0 to {len(divided) - 1}")
    work = resume_folder(asked.out)
    return [
        Job(divided[k], seed, work / f"seed-{seed}" / f"fold-{k}") for seed in sorted(set(asked.seed)) for k in wanted
    ]


def run_there(out: Path, jobs: list[Job], settings: Settings) -> Run | None:
    """The run that the jobs are to join, or None where there is none yet; errors as in `check_joins`."""
    check_run_folder(out, keeps_checkpoint=True)
    if not (out / "run.json").is_file():
        return None
    run = read_run(out)
    check_joins(run, settings, [(job.seed, job.fold) for job in jobs])
    return run


def with_settings(parser: argparse.ArgumentParser, argv: list[str] | None) -> tuple[argparse.Namespace, Settings]:
    """A parser's own options, `--config` among them, and the settings: any that is given as an option goes over it."""
    parser.add_argument("--partial", action="store_true", help="take a corpus that is not complete as it is")
    asked, rest = parser.parse_known_args(argv)
    return asked, read_settings(asked.config, pairs(rest) | ({"partial": "true"} if asked.partial else {}))


def keep_to(file: Path, settings: Settings) -> None:
    """Go on with the settings that what lies beside this file was begun with, or begin.

    Raises:
        SettingError: they were others.
    """
    if file.exists():
        begun = flat(read_settings(file))
        if other := [name for name, value in flat(settings).items() if value != begun[name]]:
            raise SettingError(f"{file.parent} was begun with another {', '.join(other)}; leave out --resume")
    elif processes().is_main_process:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(to_yaml(settings))
        new.replace(file)


def carry_out(asked: argparse.Namespace, jobs: list[Job], settings: Settings) -> dict | None:
    """Train what the run does not have yet and write it; its metrics, None where it has all."""
    us, there = processes(), run_there(asked.out, jobs, settings)
    had = trainings_of(there) if there else []
    jobs = [job for job in jobs if (job.seed, job.fold.index) not in had]
    if had and us.is_main_process:
        listed = ", ".join(f"seed {seed} (fold {fold})" for seed, fold in had)
        print(f"{asked.out} has {listed} already, which stay as they are")
    if not jobs:
        return None
    work = resume_folder(asked.out)
    if us.is_main_process and work.exists() and not asked.resume:
        shutil.rmtree(work)
    us.wait_for_everyone()
    keep_to(work / "settings.yaml", settings)
    logs = asked.out.parent / "tensorboard" / asked.out.name
    kept_in = asked.cache or (
        work / "features" if SYSTEMS[settings.system].frames == "layer-mix" else None
    )  # memory is small
    for job in jobs:
        run_job(job, FeatureStore(asked.root, kept_in), settings, logs)
    if not us.is_main_process:
        return None
    metrics = finish(asked.out, jobs, asked.root, settings, there)
    shutil.rmtree(work)
    return metrics
