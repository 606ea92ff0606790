"""Train one system on one corpus and write its run folder.

    python -m training.train --config training/configs/ravdess.yaml --system seg+tri-w --root DIR --out RUN

Any setting of the configuration can be given as an option: `--epochs 8`,
`--augmentation.variants 4`. What is needed to go on after a stop lies beside the run, in
`RUN.resume`, and goes when the run is complete; `tensorboard --logdir` reads the folder
`tensorboard` beside the run.
"""

import argparse
import contextlib
import logging
import sys
from pathlib import Path

from segser_core.errors import SegserError
from segser_core.files import write_lock
from training.config.settings import Settings
from training.learning.distributed import processes
from training.learning.dry_run import rehearse
from training.runs.job import carry_out, plan, with_settings


def parse(argv: list[str] | None) -> tuple[argparse.Namespace, Settings]:
    """The command line: our own options, and any setting as `--name value`."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--root", required=True, type=Path, help="the corpus's folder")
    parser.add_argument("--out", type=Path, help="the run folder to write; runs/CORPUS/SYSTEM where it is not said")
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--fold", type=int, nargs="+", help="all where it is not said")
    parser.add_argument("--cache", type=Path, help="a folder in which frozen features are kept for later trainings")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier call was stopped")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    asked, settings = with_settings(parser, argv)
    asked.out = asked.out or Path("runs") / settings.corpus / settings.system
    return asked, settings


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        asked, settings = parse(argv)
        jobs = plan(asked, settings)
        if asked.dry_run:
            print(rehearse([job.fold for job in jobs if job.seed == jobs[0].seed], settings, len(jobs)))
            return 0
        with write_lock(asked.out) if processes().is_main_process else contextlib.nullcontext():
            metrics = carry_out(asked, jobs, settings)
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if metrics is not None:
        uar, accuracy = (100 * metrics[name]["pooled"] for name in ("uar", "accuracy"))
        print(f"test UAR {uar:.1f}, accuracy {accuracy:.1f} → {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
