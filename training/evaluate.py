"""Score a model on a corpus, exactly as `analyze` would hear each clip, and write the run folder.

python -m training.evaluate --model seg+tri-w --corpus emodb --root DIR --out RUN
"""

import argparse
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from segser_core.bundled import find_checkpoint
from segser_core.errors import SegserError
from segser_core.inference.predictor import Predictor
from segser_core.network.model import encoder_origin
from segser_core.runs.reading import read_json
from segser_core.runs.writing import check_run_folder, write_run
from segser_core.statistics.scores import compute_metrics
from training.config.overrides import parse_args
from training.corpora import load_corpus
from training.corpora.protocols import clips_of_split, protocol_name
from training.features.store import digest
from training.runs.describe import describe_run
from training.runs.scoring import Parts, Result, scored, scored_on_ray

log = logging.getLogger(__name__)


def fold_heard(asked: argparse.Namespace) -> int | None:
    """The fold that a model was trained in, where it is one of several and the same protocol is asked for.

    The other folds' test clips were training clips of this one's, so only its own are a test.
    """
    place = find_checkpoint(asked.model).absolute()
    run = place / "../../../run.json"  # of RUN/checkpoint/seed-S/fold-K
    told = read_json(run) if place.name.startswith("fold-") and run.is_file() else {}
    if told.get("corpus") != asked.corpus or told.get("protocol") != protocol_name(asked.corpus, asked.protocol):
        return None
    log.info("the model was trained in %s of this protocol: the clips are of that fold alone", place.name)
    return int(place.name.removeprefix("fold-"))


def clips_of(asked: argparse.Namespace, labels: tuple[str, ...]) -> pd.DataFrame:
    """The clips of a split; of a corpus that the model was not trained on, all clips of the labels it knows."""
    corpus = load_corpus(asked.corpus, asked.root, asked.corpus_options)
    if asked.split == "all":
        manifest = corpus.manifest.assign(split="test")
    else:
        fold = fold_heard(asked)
        manifest = clips_of_split(corpus, asked.split, asked.protocol, partial=asked.partial, fold=fold)
    known = manifest["label"].isin(labels)
    if not known.all():
        log.warning("%d clips have a label that the model does not know; they are left out", (~known).sum())
    return manifest[known].reset_index(drop=True)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a bundled model's name, or a run or checkpoint folder")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--root", required=True, type=Path, help="the corpus's folder")
    parser.add_argument("--out", required=True, type=Path, help="the run folder to write")
    parser.add_argument("--protocol", help="the corpus's default where it is not said")
    parser.add_argument("--partial", action="store_true", help="take a corpus that is not complete as it is")
    parser.add_argument("--split", default="test", choices=("train", "dev", "test", "all"))
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--resume", action="store_true", help="go on where an earlier call was stopped")
    parser.add_argument("--engine", default="local", choices=("local", "ray"), help="ray: more processes and machines")
    parser.add_argument("--ray-address", help="of a Ray cluster; without it, Ray on this machine")
    return parse_args(parser, argv)


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Score the clips that were asked for and put the run folder in place; returns its metrics."""
    check_run_folder(asked.out, keeps_checkpoint=False)
    began = time.monotonic()
    predictor = Predictor.from_pretrained(asked.model, asked.device if asked.engine == "local" else "auto")
    manifest = clips_of(asked, predictor.labels)
    protocol = "all clips" if asked.split == "all" else protocol_name(asked.corpus, asked.protocol)
    meta = describe_run(predictor, asked.corpus, protocol, [0], 0)
    parts = Parts(asked.out.with_name(f".{asked.out.name}.parts"), meta, config_of(asked, protocol, manifest))
    if not asked.resume:
        shutil.rmtree(parts.folder, ignore_errors=True)

    def score(clips: pd.DataFrame) -> Iterator[Result]:
        if asked.engine == "ray":
            return scored_on_ray(asked.model, asked.device, clips, asked.root, asked.ray_address)
        return scored(predictor, clips, asked.root)

    records = parts.complete(manifest, score, {"corpus": asked.corpus, "seed": 0, "fold": 0})
    metrics = compute_metrics(records.predictions.assign(split="test"), list(predictor.labels))
    meta |= {"seconds": round(time.monotonic() - began)}
    write_run(asked.out, meta=meta, config_yaml=parts.config, metrics=metrics, **vars(records))
    shutil.rmtree(parts.folder)
    return metrics


def config_of(asked: argparse.Namespace, protocol: str, manifest: pd.DataFrame) -> str:
    """config.yaml: what decides the result of an evaluation."""
    weights = encoder_origin(str(find_checkpoint(asked.model)), None).get("sha256")
    clips = digest("\n".join(manifest["utterance_id"]).encode())
    asked_for = f"corpus: {asked.corpus}\nprotocol: {protocol}\nsplit: {asked.split}\nclips: {clips}\n"
    return f"model: {Path(asked.model).name}\nsha256: {weights}\n{asked_for}"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    asked = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        metrics = run(asked)
    except KeyboardInterrupt:
        print("interrupted; --resume goes on", file=sys.stderr)
        return 130
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"UAR {100 * metrics['uar']['pooled']:.1f}, accuracy {100 * metrics['accuracy']['pooled']:.1f} → {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
