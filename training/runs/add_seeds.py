"""Further seeds and folds for a run that is there: whether they fit, and both as one."""

import datetime
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from segser_core.errors import RunError, SettingError
from segser_core.network.model import encoder_origin
from segser_core.runs.run import Run
from training.config.settings import Settings, read_settings, to_yaml
from training.corpora.fold import Fold
from training.runs.scoring import Records

Training = tuple[int, int]  # a seed and a fold


def trainings_of(run: Run) -> list[Training]:
    """The seeds and folds that a run has, in order."""
    pairs = run.predictions[["seed", "fold"]].drop_duplicates()
    return sorted((int(seed), int(fold)) for seed, fold in pairs.itertuples(index=False))


def check_joins(run: Run, settings: Settings, wanted: Sequence[tuple[int, Fold]]) -> None:
    """Whether trainings may join a run: the same settings, labels and clips, and all folds under every seed.

    Args:
        run: what is there.
        settings: of the trainings.
        wanted: each training's seed and fold.

    Raises:
        RunError: they may not; it says what differs.
    """
    try:
        there = read_settings(run.path / "config.yaml")
    except SettingError as error:
        raise RunError(f"{run.path} was not written by training.runs.job, so nothing can join it: {error}") from error
    different = differences(there, settings, run.meta.get("encoder", {}))
    for fold in {fold.index: fold for _, fold in wanted}.values():
        different += different_clips(run, fold)
    if different:
        raise RunError(f"{run.path} cannot be joined, since it differs: {'; '.join(different)}; name another folder")
    after = set(trainings_of(run)) | {(seed, fold.index) for seed, fold in wanted}
    seeds, folds = ({pair[i] for pair in after} for i in (0, 1))
    if lacking := sorted({(s, f) for s in seeds for f in folds} - after):
        pairs = ", ".join(f"seed {s} fold {f}" for s, f in lacking)
        raise RunError(f"{run.path} would have no {pairs}, but every seed has the same folds; ask for these too")


def differences(there: Settings, asked: Settings, encoder: Mapping[str, str]) -> list[str]:
    """What two trainings are set to do otherwise, a text each; folders of the same weights are one encoder.

    Args:
        there: the settings of a run.
        asked: those that are to join it.
        encoder: what the run says of its encoder's origin.
    """
    old, new = (flat(s) for s in (there, asked))
    found = [f"{k} {new[k]!r}, there {old[k]!r}" for k in new if new[k] != old[k]]
    if weights(encoder_origin(asked.encoder, asked.revision)) != weights(encoder):
        found.append(f"encoder {asked.encoder!r}, there {there.encoder!r} with other weights")
    return found


def flat(settings: Settings) -> dict[str, Any]:
    """The settings but for the encoder's place, of α that of the system alone."""
    values = yaml.safe_load(to_yaml(settings))
    del values["encoder"], values["revision"]
    return values | {"alpha": settings.alpha.get(settings.system)}


def weights(encoder: Mapping[str, str]) -> tuple[str | None, ...]:
    """What tells an encoder's weights from others."""
    return (encoder["sha256"],) if "sha256" in encoder else (encoder.get("name"), encoder.get("revision"))


def different_clips(run: Run, fold: Fold) -> list[str]:
    """How a fold differs from what a run has of it, a text each: labels, clips, their labels and splits."""
    if fold.labels != run.labels:
        return [f"labels {', '.join(fold.labels)}, there {', '.join(run.labels)}"]
    columns = ["utterance_id", "label", "split"]
    old = run.predictions[run.predictions["fold"] == fold.index][columns].drop_duplicates()
    if old.empty:
        return []
    new = fold.manifest[fold.manifest["split"] != "train"][columns].astype({"utterance_id": str})
    both = old.merge(new, how="outer", indicator=True)
    differing = both[both["_merge"] != "both"]["utterance_id"].unique()
    if not len(differing):
        return []
    return [f"{len(differing)} development and test clips of fold {fold.index}, {differing[0]} among them"]


def join_records(run: Run, parts: list[Records]) -> Records:
    """A run's predictions, segments and vectors with those of further trainings after them."""
    vectors = run.embeddings()
    there = Records(run.predictions, run.segments, {} if vectors is None else vars(vectors))
    return Records.joined([there, *parts], seeds_of(run)[0])


def seeds_of(run: Run) -> list[int]:
    """The seeds in the order in which they came; the vectors are of the first."""
    return list(run.meta.get("seeds") or run.seeds)


def join_meta(run: Run, meta: Mapping[str, Any]) -> dict[str, Any]:
    """run.json with further trainings: all seeds, all seconds, and when and with what the further ones were made."""
    further = [seed for seed in meta["seeds"] if seed not in seeds_of(run)]
    added = {name: meta[name] for name in ("seeds", "versions", "device")} | {"date": datetime.date.today().isoformat()}
    lists = {name: [*run.meta.get(name, []), *meta[name]] for name in ("layer_weights", "stages") if name in meta}
    return {
        **run.meta,
        **lists,
        "seeds": seeds_of(run) + further,
        "seconds": run.meta.get("seconds", 0) + meta["seconds"],
        "added": [*run.meta.get("added", []), added],
    }


def join_checkpoints(run: Run, gathered: Path) -> None:
    """Copy the checkpoints that a run has beside further ones, in `seed-S/fold-K/`."""
    place = run.path / "checkpoint"
    if (place / "config.json").is_file():
        ((seed, fold),) = trainings_of(run)
        gathered = gathered / f"seed-{seed}" / f"fold-{fold}"
    if place.is_dir():
        shutil.copytree(place, gathered, dirs_exist_ok=True)
