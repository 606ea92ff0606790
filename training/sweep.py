"""Development UAR against segment size (the paper's Figure 2) or α (its Figure 3), test clips left out altogether.

    python -m training.sweep alpha --config training/configs/ravdess.yaml --system tri-w --root DIR --out DIR

Each value is trained on the training part of one fold, or on a share of it, and scored on that fold's development
clips. `sweep.csv`, `sweep.json` and the predictions of each value and seed are written as they come: a value that is
done is not trained again, and one that was stopped goes on. Any setting of the configuration can be given as an option.
"""

import argparse
import logging
import shutil
import sys
import time
from pathlib import Path

from segser_core.errors import SegserError
from segser_core.files import write_lock
from training.config.settings import Settings, require
from training.features.store import FeatureStore
from training.runs.job import Job, folds_of, resume_folder, with_settings
from training.runs.sweep_folder import predictions_of
from training.runs.sweeping import SWEPT, Sweep, open_place, part_of, score_value, write_sweep


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
        with write_lock(asked.out):
            run_sweep(sweep, asked)
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
