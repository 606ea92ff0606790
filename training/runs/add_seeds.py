"""Add seeds and folds to a run that is there: check that they fit, and join both."""

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
from training.runs.records import Records
from training.runs.run_record import TrainedRunRecord, today

SeedAndFold = tuple[int, int]


def trainings_of(run: Run) -> list[SeedAndFold]:
    """List the seeds and folds that a run has, in order."""
    pairs = run.predictions[["seed", "fold"]].drop_duplicates()
    return sorted((int(seed), int(fold)) for seed, fold in pairs.itertuples(index=False))


def check_joins(run: Run, settings: Settings, asked: Sequence[tuple[int, Fold]]) -> None:
    """Check that trainings may join a run: the same settings, labels and clips, and all folds under every seed.

    Args:
        run: the one that is there.
        settings: of the trainings.
        asked: each training's seed and fold.

    Raises:
        RunError: they may not; it says what differs.
    """
    try:
        settings_of_run = read_settings(run.path / "config.yaml")
    except SettingError as error:
        raise RunError(f"{run.path} was not written by training.train, so nothing can join it: {error}") from error
    different = different_settings(settings_of_run, settings, run.meta.get("encoder", {}))
    for fold in {fold.index: fold for _, fold in asked}.values():
        different += different_clips(run, fold)
    if different:
        raise RunError(f"{run.path} cannot be joined, since it differs: {'; '.join(different)}; name another folder")
    check_every_seed_has_all_folds(run, {(seed, fold.index) for seed, fold in asked})


def check_every_seed_has_all_folds(run: Run, asked: set[SeedAndFold]) -> None:
    """Check that every seed of a run will have the same folds.

    Raises:
        RunError: a fold would be lacking; it names the fold and the seed.
    """
    after = set(trainings_of(run)) | asked
    seeds, folds = ({pair[i] for pair in after} for i in (0, 1))
    if lacking := sorted({(s, f) for s in seeds for f in folds} - after):
        pairs = ", ".join(f"seed {s} fold {f}" for s, f in lacking)
        raise RunError(f"{run.path} would have no {pairs}, but every seed has the same folds; ask for these too")


def different_settings(settings_of_run: Settings, asked: Settings, encoder: Mapping[str, str]) -> list[str]:
    """List the differences of two trainings' settings in words; folders of the same weights are one encoder.

    Args:
        settings_of_run: of the run that is there.
        asked: those that are to join it.
        encoder: the origin of the run's encoder, from its run.json.
    """
    old, new = (comparable_settings(s) for s in (settings_of_run, asked))
    different = [f"{k} {new[k]!r}, there {old[k]!r}" for k in new if new[k] != old[k]]
    if weights_key(encoder_origin(asked.encoder, asked.revision)) != weights_key(encoder):
        different.append(f"encoder {asked.encoder!r}, there {settings_of_run.encoder!r} with other weights")
    return different


def comparable_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings but for where the encoder lies and who prepares batches, of α that of the system alone."""
    values = yaml.safe_load(to_yaml(settings))
    del values["encoder"], values["revision"], values["data_workers"]
    return values | {"alpha": settings.alpha.get(settings.system)}


def weights_key(origin: Mapping[str, str]) -> tuple[str | None, ...]:
    """Make a key that tells an encoder's weights from others."""
    return (origin["sha256"],) if "sha256" in origin else (origin.get("name"), origin.get("revision"))


def different_clips(run: Run, fold: Fold) -> list[str]:
    """List the differences of a fold from the run's in words: labels, clips, their labels and splits."""
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


def add_to_records(run: Run, parts: list[Records]) -> Records:
    """Append the records of further trainings to those of a run."""
    return Records.concatenate([Records.from_run(run), *parts], seeds_of(run)[0])


def seeds_of(run: Run) -> list[int]:
    """List the seeds in the order in which they came; the embeddings are of the first."""
    return list(run.meta.get("seeds") or run.seeds)


def add_to_record(run: Run, record: TrainedRunRecord) -> dict[str, Any]:
    """Add the record of further trainings to a run's run.json: seeds, seconds, versions, dates and devices."""
    new = record.to_json()
    per_model = [name for name in ("layer_weights", "stages") if name in new]
    further = [seed for seed in record.seeds if seed not in seeds_of(run)]
    added = {name: new[name] for name in ("seeds", "versions", "device")} | {"date": today()}
    return {
        **run.meta,
        **{name: [*run.meta.get(name, []), *new[name]] for name in per_model},
        "seeds": seeds_of(run) + further,
        "seconds": run.meta.get("seconds", 0) + record.seconds,
        "added": [*run.meta.get("added", []), added],
    }


def copy_checkpoints(run: Run, gathered: Path) -> None:
    """Copy the checkpoints that a run has beside further ones, in `seed-S/fold-K/`."""
    folder = run.path / "checkpoint"
    if (folder / "config.json").is_file():
        ((seed, fold),) = trainings_of(run)
        gathered = gathered / f"seed-{seed}" / f"fold-{fold}"
    if folder.is_dir():
        shutil.copytree(folder, gathered, dirs_exist_ok=True)
