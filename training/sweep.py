"""Development UAR against segment size (the paper's Figure 2) or α (its Figure 3), test clips left out altogether.

    python -m training.sweep alpha --config training/configs/ravdess.yaml --system tri-w --root DIR --out DIR

Each value is trained on the training part of one fold, or on a share of it, and scored on that fold's development
clips. `sweep.csv`, `sweep.json` and the predictions of each value and seed are written as they come: a value that is
done is not trained again, and one that was stopped goes on. Any setting of the configuration can be given as an option.
"""

import argparse
import dataclasses
import json
import logging
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from segser_core.errors import SegserError, SettingError
from segser_core.files import sole_writer
from segser_core.inference.predictor import Predictor
from segser_core.statistics.scores import metrics_of
from segser_core.systems import SYSTEMS
from training.evaluate import describe_run, evaluate
from training.kept import FeatureStore
from training.protocols import DevelopmentFold, name_of
from training.settings import Settings, require, settings_from, to_yaml
from training.train import Job, folds_of, resume_folder, run_job, with_settings

FORMAT = 1
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


def read_sweep(folder: Path) -> dict[str, Any]:
    """The content of a sweep's sweep.json.

    Raises:
        SettingError: there is none, or it is damaged or of another format.
    """
    try:
        found = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
        if found["format"] == FORMAT and isinstance(found["settings"], dict) and isinstance(found["values"], list):
            return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"{folder} holds no sweep that can be read: {error!r}; expected sweep.json") from error
    raise SettingError(f"{folder}/sweep.json is of format {found['format']!r}; this version reads format {FORMAT}")


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
    protocol = name_of(settings.corpus, settings.protocol)
    about = describe_run(predictor, settings.corpus, protocol, [], seconds)
    names = ("system", "labels", "corpus", "protocol", "encoder", "layer", "aggregate", "versions", "date", "device")
    return {name: about[name] for name in names}


def predictions_of(out: Path, value: float, seed: int) -> Path:
    """Where the predictions of a value and seed lie."""
    return out / "predictions" / f"{value:g}-seed-{seed}.parquet"


def write_sweep(out: Path, sweep: Sweep, about: dict[str, Any]) -> list[dict[str, Any]]:
    """sweep.json and sweep.csv from all predictions that are there; returns a row a value, scores as fractions."""
    found = pd.concat([pd.read_parquet(file) for file in sorted((out / "predictions").glob("*.parquet"))])
    rows = [value_row(float(value), of, about["labels"]) for value, of in found.groupby("value")]
    write_json(out, {**sweep.describe(), **about, "epoch": EPOCH, "values": rows})
    flat = [{k: " ".join(map(str, v)) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    pd.DataFrame(flat).to_csv(out / "sweep.csv", index=False)
    return rows


def write_json(out: Path, content: dict[str, Any]) -> None:
    """sweep.json, new as a whole or as it was."""
    out.mkdir(parents=True, exist_ok=True)
    part = out / "sweep.json.part"
    part.write_text(json.dumps({"format": FORMAT, **content}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.rename(out / "sweep.json")


def value_row(value: float, predictions: pd.DataFrame, labels: list[str]) -> dict[str, Any]:
    """The scores of one value, its seeds pooled, with the 95 % interval of UAR by utterance."""
    scores = metrics_of(predictions.drop(columns="split"), labels)
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


def run_sweep(sweep: Sweep, asked: argparse.Namespace) -> None:
    """Train and score what is not done yet, and say how each value did."""
    values = [float(v) for v in asked.values or SWEPT[sweep.what][1]]
    for value in values:
        sweep.at(value)  # before hours of training
    open_place(asked.out, sweep)
    todo = [(s, v) for s in asked.seed for v in values if not predictions_of(asked.out, v, s).is_file()]
    work, began, name = resume_folder(asked.out), time.monotonic(), SWEPT[sweep.what][0]
    stores = {seed: FeatureStore(asked.root, asked.cache) for seed in asked.seed}
    for done, (seed, value) in enumerate(todo, 1):
        job = Job(sweep.fold, seed, work / f"{value:g}" / f"seed-{seed}")
        about = score_value(sweep, value, job, stores[seed], asked.out)
        row = next(r for r in write_sweep(asked.out, sweep, about) if r["value"] == value)
        minutes = (time.monotonic() - began) / 60
        print(
            f"{name} {value:g}, seed {seed}: development UAR {100 * row['uar']:.1f} ({100 * row['low']:.1f} to "
            f"{100 * row['high']:.1f}) over seeds {row['seeds']}; {done} of {len(todo)} in {minutes:.0f} min",
            flush=True,
        )
    shutil.rmtree(work, ignore_errors=True)
    print(f"{len(values)} values, seeds {asked.seed} → {asked.out}")


def parse(argv: list[str] | None) -> tuple[argparse.Namespace, Settings]:
    """The command line: our own options, and any setting as `--name value`."""
    parser = argparse.ArgumentParser(prog="python -m training.sweep", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=SWEPT)
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--root", required=True, type=Path, help="the corpus's folder")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write")
    parser.add_argument("--values", type=float, nargs="+", help="frames of a segment, or α")
    parser.add_argument("--share", type=float, default=1.0, help="of the training clips, above 0, at most 1")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--cache", type=Path, help="a folder in which frozen features are kept for later trainings")
    return with_settings(parser, argv)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        asked, settings = parse(argv)
        divided = {f.index: f for f in folds_of(settings, asked.root, with_test=False)}
        require(asked.fold in divided, "fold", asked.fold, f"one of {', '.join(map(str, divided))}")
        sweep = Sweep(asked.what, settings, part_of(divided[asked.fold].without_test(), asked.share), asked.share)
        with sole_writer(asked.out):
            run_sweep(sweep, asked)
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
