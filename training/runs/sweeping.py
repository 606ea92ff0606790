"""Train and score the values of a sweep."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from segser_core.errors import SettingError
from segser_core.inference.predictor import Predictor
from segser_core.statistics.scores import compute_metrics
from segser_core.systems import SYSTEMS
from training.config.settings import Settings, require, settings_from, to_yaml
from training.corpora.fold import DevelopmentFold
from training.corpora.protocols import protocol_name
from training.features.store import FeatureStore
from training.runs.describe import describe_run
from training.runs.job import Job, resume_folder, run_job
from training.runs.scoring import evaluate
from training.runs.sweep_folder import predictions_of, read_sweep, write_json

SHARE_SEED = 0  # of the draw of training clips: the same ones for every value and seed
SWEPT = {"segment-size": ("segment_frames", (40.0, 80.0, 120.0, 160.0)), "alpha": ("alpha", (0.1, 0.3, 0.5, 0.7, 0.9))}
EPOCH = "the epoch was chosen on these same development clips, so every figure here is somewhat too high"


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What is swept, and on what.

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
        """The settings with one value; segments of it overlap by half.

        Raises:
            SettingError: the value cannot be, or the system does not depend on it.
        """
        system, name = self.settings.system, SWEPT[self.what][0]
        if self.what == "alpha":
            fits = [s for s, of in SYSTEMS.items() if of.triplets]
            require(system in fits, "system", system, f"one with a triplet loss, which α weighs: {', '.join(fits)}")
            return dataclasses.replace(self.settings, alpha={**self.settings.alpha, system: value})
        fits = [s for s, of in SYSTEMS.items() if of.segments]
        require(system in fits, "system", system, f"one that learns from segments: {', '.join(fits)}")
        require(value >= 2 and value == int(value), name, value, "a whole number of frames, at least 2")
        return dataclasses.replace(self.settings, segment_frames=int(value), stride_frames=int(value) // 2)

    def describe(self) -> dict[str, Any]:
        """What two calls must share so that their values stand in one sweep."""
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


def part_of(fold: DevelopmentFold, share: float, seed: int = SHARE_SEED) -> DevelopmentFold:
    """A fold with a share of its training clips: of each class, and of each speaker in it, alike, to within a clip.

    Raises:
        SettingError: the share is not above 0 and at most 1, or leaves a class without a clip.
    """
    require(0 < share <= 1, "share", share, "above 0, at most 1")
    generator = np.random.default_rng(seed)
    mixed = fold.manifest[fold.manifest["split"] == "train"].sample(frac=1, random_state=generator)
    ordered = mixed.sort_values(["label", "speaker"], kind="stable")
    steps = np.floor(share * np.arange(len(ordered) + 1) + generator.random())
    kept = ordered[np.diff(steps) > 0]
    if missing := set(ordered["label"]) - set(kept["label"]):
        raise SettingError(f"a share of {share:g} leaves {', '.join(sorted(missing))} without a clip; ask for more")
    train_or_dev = fold.manifest.index.isin(kept.index) | (fold.manifest["split"] == "dev")
    return dataclasses.replace(fold, manifest=fold.manifest[train_or_dev].reset_index(drop=True))


def open_place(out: Path, sweep: Sweep) -> None:
    """See that a sweep may go on in a folder, and begin it where there is none yet.

    Raises:
        SettingError: what lies there is no sweep, or was made with other settings; it says which.
    """
    if not (out / "sweep.json").is_file():
        if out.is_file() or (out.is_dir() and any(out.iterdir())):
            raise SettingError(f"{out} is there and holds no sweep.json; name another folder")
        shutil.rmtree(resume_folder(out), ignore_errors=True)
        write_json(out, {**sweep.describe(), "values": []})
        return
    found = read_sweep(out)
    found["settings"] = yaml.safe_load(to_yaml(settings_from(found["settings"])))  # with those that came later
    old, new = ({**d, **d["settings"], "settings": None} for d in (found, sweep.describe()))
    if differing := [f"{k} {v!r}, there {old.get(k)!r}" for k, v in new.items() if old.get(k) != v]:
        raise SettingError(f"{out} holds a sweep with other settings: {'; '.join(differing)}; name another folder")


def score_value(sweep: Sweep, value: float, job: Job, store: FeatureStore, out: Path) -> dict[str, Any]:
    """Train a value with a seed and keep what it says of the development clips; returns what run.json would say."""
    settings = sweep.at(value)
    run_job(job, store, settings, out.parent / "tensorboard" / out.name)
    predictor = Predictor.from_pretrained(job.checkpoint)
    records = evaluate(
        predictor, sweep.fold.split("dev"), store.root, settings.corpus, seed=job.seed, fold=job.fold.index
    )
    seconds = json.loads((job.folder / "seconds.json").read_text())
    place = predictions_of(out, value, job.seed)
    place.parent.mkdir(parents=True, exist_ok=True)
    records.predictions.assign(value=value, seconds=seconds).to_parquet(place.with_suffix(".part"), index=False)
    place.with_suffix(".part").rename(place)
    shutil.rmtree(job.folder)
    protocol = protocol_name(settings.corpus, settings.protocol)
    about = describe_run(predictor, settings.corpus, protocol, [], seconds)
    names = ("system", "labels", "corpus", "protocol", "encoder", "layer", "aggregate", "versions", "date", "device")
    return {name: about[name] for name in names}


def write_sweep(out: Path, sweep: Sweep, about: dict[str, Any]) -> list[dict[str, Any]]:
    """sweep.json and sweep.csv from all predictions that are there; returns a row a value, scores as fractions."""
    found = pd.concat([pd.read_parquet(file) for file in sorted((out / "predictions").glob("*.parquet"))])
    rows = [value_row(float(value), of, about["labels"]) for value, of in found.groupby("value")]
    write_json(out, {**sweep.describe(), **about, "epoch": EPOCH, "values": rows})
    flat = [{k: " ".join(map(str, v)) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    pd.DataFrame(flat).to_csv(out / "sweep.csv", index=False)
    return rows


def value_row(value: float, predictions: pd.DataFrame, labels: list[str]) -> dict[str, Any]:
    """The scores of one value, its seeds pooled, with the 95 % interval of UAR by utterance."""
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
