"""Train and score the values of a sweep."""

import dataclasses
import shutil
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml

from segser_core.errors import RunError, SettingError
from segser_core.files import write_lock, write_whole
from segser_core.inference.predictor import Predictor
from segser_core.network.pretrained import load_encoder_config
from segser_core.statistics.scores import compute_metrics
from segser_core.systems import SYSTEMS
from training.config.settings import Settings, replace_settings, require, settings_from, to_yaml
from training.corpora.fold import DevelopmentFold
from training.corpora.protocols import protocol_name
from training.features.store import FeatureStore
from training.runs.job import Job, load_folds, resume_folder, run_job
from training.runs.run_record import describe_run
from training.runs.scoring import score_manifest
from training.runs.sweep_folder import predictions_file, read_sweep, write_index

SHARE_SEED = 0  # of the draw of training clips: the same ones for every value and seed
SWEPT = {"segment-size": ("segment_frames", (40.0, 80.0, 120.0, 160.0)), "alpha": ("alpha", (0.1, 0.3, 0.5, 0.7, 0.9))}
INDEX_FIELDS = ("system", "labels", "corpus", "protocol", "encoder", "layer", "aggregate", "versions", "date", "device")
EPOCH = "the epoch was chosen on these same development clips, so every figure here is somewhat too high"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepRequest:
    """Arguments of the command `sweep`.

    Attributes:
        what: the setting that is swept.
        settings: of each training, but for the swept one.
        root: the corpus's folder.
        out: the folder to write.
        values: of the swept setting; None takes those of `SWEPT`.
        share: of the training clips, above 0, at most 1.
        fold: whose clips are used.
        seeds: each of which trains every value.
        cache: a folder in which frozen features are kept for later trainings.
    """

    what: Literal["segment-size", "alpha"]
    settings: Settings
    root: Path
    out: Path
    values: tuple[float, ...] | None = None
    share: float = 1.0
    fold: int = 0
    seeds: tuple[int, ...] = (0,)
    cache: Path | None = None


@dataclasses.dataclass(frozen=True)
class Sweep:
    """The swept setting, and the clips that its values are trained and scored on.

    Attributes:
        what: `segment-size` or `alpha`.
        settings: all but the swept one hold for every value.
        fold: the clips to train on and the development clips.
        share: of the fold's training clips that are left in it.
    """

    what: str
    settings: Settings
    fold: DevelopmentFold
    share: float

    def at(self, value: float) -> Settings:
        """Return the settings with one value; segments of it overlap by half.

        Raises:
            SettingError: the value cannot be, or the system does not depend on it.
        """
        system, name = self.settings.system, SWEPT[self.what][0]
        if self.what == "alpha":
            fits = [s for s, of in SYSTEMS.items() if of.triplets]
            require(system in fits, "system", system, f"one with a triplet loss, which α weighs: {', '.join(fits)}")
            return replace_settings(self.settings, alpha={**self.settings.alpha, system: value})
        fits = [s for s, of in SYSTEMS.items() if of.segments]
        require(system in fits, "system", system, f"one that learns from segments: {', '.join(fits)}")
        require(value >= 2 and float(value).is_integer(), name, value, "a whole number of frames, at least 2")
        return replace_settings(self.settings, segment_frames=int(value), stride_frames=int(value) // 2)

    def describe(self) -> dict[str, Any]:
        """Return all that two calls must share so that their values stand in one sweep."""
        settings = yaml.safe_load(to_yaml(self.settings))
        swept = ("alpha",) if self.what == "alpha" else ("segment_frames", "stride_frames")
        counts = self.fold.manifest["split"].value_counts()
        return {
            "sweep": self.what,
            "fold": self.fold.index,
            "share": self.share,
            "share_seed": SHARE_SEED,
            "training_clips": int(counts["train"]),
            "development_clips": int(counts["dev"]),
            "settings": {name: value for name, value in settings.items() if name not in swept},
        }


def run_sweep(request: SweepRequest) -> None:
    """Train and score the values that are not done yet, and print each value's score.

    Raises:
        SettingError: a value, fold or share that cannot be.
        ModelError: the encoder is not to be had.
        RunError: another sweep lies in the folder.
    """
    divided = {f.index: f for f in load_folds(request.settings, request.root, with_test=False)}
    require(request.fold in divided, "fold", request.fold, f"one of {', '.join(map(str, divided))}")
    clips = draw_share(divided[request.fold].without_test(), request.share)
    sweep = Sweep(request.what, request.settings, clips, request.share)
    load_encoder_config(request.settings.encoder, request.settings.revision)  # else refused once the folder is begun
    with write_lock(request.out):
        train_values(sweep, request)


def train_values(sweep: Sweep, request: SweepRequest) -> None:
    """Train and score the values that are not done yet, and print each value's score."""
    out, seeds = request.out, request.seeds
    values = request.values or SWEPT[sweep.what][1]
    for value in values:
        sweep.at(value)  # before hours of training
    open_folder(out, sweep)
    todo = [(s, v) for s in seeds for v in values if not predictions_file(out, v, s).is_file()]
    work, began, name = resume_folder(out), time.monotonic(), SWEPT[sweep.what][0]
    stores = {seed: FeatureStore(request.root, request.cache) for seed in seeds}
    for done, (seed, value) in enumerate(todo, 1):
        job = Job(sweep.fold, seed, work / f"{value:g}" / f"seed-{seed}")
        about = score_value(sweep, value, job, stores[seed], out)
        row = next(r for r in write_sweep(out, sweep, about) if r["value"] == value)
        minutes = (time.monotonic() - began) / 60
        print(
            f"{name} {value:g}, seed {seed}: development UAR {100 * row['uar']:.1f} ({100 * row['low']:.1f} to "
            f"{100 * row['high']:.1f}) over seeds {row['seeds']}; {done} of {len(todo)} in {minutes:.0f} min",
            flush=True,
        )
    shutil.rmtree(work, ignore_errors=True)
    print(f"{len(values)} values, seeds {list(seeds)} → {out}")


def draw_share(fold: DevelopmentFold, share: float, seed: int = SHARE_SEED) -> DevelopmentFold:
    """Draw a share of a fold's training clips: of each class, and of each speaker in it, alike, to within a clip.

    Raises:
        SettingError: the share is not above 0 and at most 1, or leaves a class without a clip.
    """
    require(0 < share <= 1, "share", share, "above 0, at most 1")
    generator = np.random.default_rng(seed)
    mixed = fold.manifest[fold.manifest["split"] == "train"].sample(frac=1, random_state=generator)
    ordered = mixed.sort_values(["label", "speaker"], kind="stable")
    steps = np.floor(share * np.arange(len(ordered) + 1) + generator.random())
    drawn = ordered[np.diff(steps) > 0]
    if missing := set(ordered["label"]) - set(drawn["label"]):
        raise SettingError(f"a share of {share:g} leaves {', '.join(sorted(missing))} without a clip; ask for more")
    train_or_dev = fold.manifest.index.isin(drawn.index) | (fold.manifest["split"] == "dev")
    return dataclasses.replace(fold, manifest=fold.manifest[train_or_dev].reset_index(drop=True))


def open_folder(out: Path, sweep: Sweep) -> None:
    """Check that a sweep may go on in a folder, and begin it where there is none yet.

    Raises:
        RunError: the folder holds something else, or a sweep with other settings; it says which.
    """
    if not (out / "sweep.json").is_file():
        if out.is_file() or (out.is_dir() and any(out.iterdir())):
            raise RunError(f"{out} is there and holds no sweep.json; name another folder")
        shutil.rmtree(resume_folder(out), ignore_errors=True)
        write_index(out, {**sweep.describe(), "values": []})
        return
    index = read_sweep(out)
    index["settings"] = yaml.safe_load(to_yaml(settings_from(index["settings"])))  # with those that came later
    old, new = ({**d, **d["settings"], "settings": None} for d in (index, sweep.describe()))
    if differing := [f"{k} {v!r}, there {old.get(k)!r}" for k, v in new.items() if old.get(k) != v]:
        raise RunError(f"{out} holds a sweep with other settings: {'; '.join(differing)}; name another folder")


def score_value(sweep: Sweep, value: float, job: Job, store: FeatureStore, out: Path) -> dict[str, Any]:
    """Train a value with a seed and write its predictions of the development clips.

    Returns:
        The fields of run.json that sweep.json repeats.
    """
    settings = sweep.at(value)
    run_job(job, store, settings, out.parent / "tensorboard" / out.name)
    predictor = Predictor.from_pretrained(job.checkpoint)
    records = score_manifest(
        predictor, sweep.fold.split("dev"), store.root, settings.corpus, seed=job.seed, fold=job.fold.index
    )
    seconds = job.seconds  # its folder goes
    table = records.predictions.assign(value=value, seconds=seconds)
    write_whole(predictions_file(out, value, job.seed), lambda file: table.to_parquet(file, index=False))
    shutil.rmtree(job.folder)
    protocol = protocol_name(settings.corpus, settings.protocol)
    record = describe_run(predictor, settings.corpus, protocol, [], seconds).to_json()
    return {name: record[name] for name in INDEX_FIELDS}


def write_sweep(out: Path, sweep: Sweep, about: dict[str, Any]) -> list[dict[str, Any]]:
    """Write sweep.json and sweep.csv from all predictions that are there.

    Returns:
        A row a value, scores as fractions.
    """
    predictions = pd.concat([pd.read_parquet(file) for file in sorted((out / "predictions").glob("*.parquet"))])
    rows = [value_row(float(value), of, about["labels"]) for value, of in predictions.groupby("value")]
    write_index(out, {**sweep.describe(), **about, "epoch": EPOCH, "values": rows})
    flat = [{k: " ".join(map(str, v)) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    write_whole(out / "sweep.csv", pd.DataFrame(flat).to_csv(index=False))
    return rows


def value_row(value: float, predictions: pd.DataFrame, labels: list[str]) -> dict[str, Any]:
    """Score one value, its seeds pooled, with the 95 % interval of UAR by utterance."""
    scores = compute_metrics(predictions.drop(columns="split"), labels)
    low, high = scores["intervals"]["uar"]
    of_seeds = predictions.groupby("seed")["seconds"].first()
    return {
        "value": value,
        "uar": scores["uar"]["pooled"],
        "low": low,
        "high": high,
        "accuracy": scores["accuracy"]["pooled"],
        "macro_f1": scores["macro_f1"]["pooled"],
        "clips": scores["utterances"],
        "seeds": of_seeds.index.tolist(),
        "uar_per_seed": scores["uar"]["per_seed"],
        "seconds": round(float(of_seeds.sum())),
    }
