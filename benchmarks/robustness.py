"""How far a model's UAR falls when a corpus's test clips are degraded, as a Markdown table.

    python -m benchmarks.robustness --corpus ravdess --root RAVDESS --models baseline seg+tri-w --version 0.2.0

Each clip is degraded in the same way for every model and at every call (`training.features.conditions`). Babble is made
of clips of the same fold's training speakers. The figures of each version are kept in a CSV file, and the table shows
all versions in it beside one another; without --models it is made again from the file. `--page docs/robustness.md` puts
it into that page, too. Brackets hold the 95 % interval of the change, by utterance, paired with the clips as recorded.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from benchmarks.turns import markdown
from segser_core.audio.excerpt import ClipLocation, clip_locations
from segser_core.audio.loading import load_audio
from segser_core.errors import SegserError, SettingError
from segser_core.files import write_whole
from segser_core.formatting import percent, signed_points
from segser_core.inference.predictor import Predictor
from segser_core.statistics.scores import compare_predictions
from training.corpora import load_corpus
from training.corpora.fold import SPLITS, Fold
from training.corpora.protocols import folds, protocol_name
from training.features.babble import ClipPool
from training.features.conditions import AS_RECORDED, TEST_CONDITIONS, degrade
from training.tables.markdown import replace_between_marks

TABLE = Path(__file__).parents[1] / "docs" / "robustness.csv"
PAGE_MARKS = ("<!-- table: python -m benchmarks.robustness --page -->", "<!-- /table -->")
KEY = ["corpus", "protocol", "split", "condition", "model", "version"]


@dataclass(frozen=True)
class Loss:
    """What a condition costs a model.

    Attributes:
        corpus, protocol, split: the clips.
        condition: how they are degraded.
        model, version: the model's name, and the version that it came with.
        clips: how many there are.
        uar: under the condition, a fraction.
        change: `uar` minus that of the clips as recorded.
        low, high: the interval of `change`.
    """

    corpus: str
    protocol: str
    split: str
    condition: str
    model: str
    version: str
    clips: int
    uar: float
    change: float
    low: float
    high: float

    def cell(self) -> str:
        """As the table has it, in percent and points."""
        if self.condition == AS_RECORDED:
            return percent(self.uar)
        change, low, high = map(signed_points, (self.change, self.low, self.high))
        return f"{percent(self.uar)}, {change} ({low} to {high})"


def score_condition(
    condition: str, divided: Sequence[Fold], split: str, root: Path, predictors: Sequence[Predictor]
) -> list[pd.DataFrame]:
    """The predictions of each model on the clips of a split, as far as it knows their labels."""
    rows: list[list[dict]] = [[] for _ in predictors]
    for fold, clip, samples in degraded_clips(condition, divided, split, root):
        for predictor, found in zip(predictors, rows, strict=True):
            if clip["label"] in predictor.labels:
                known = {name: clip[name] for name in ("utterance_id", "speaker", "label")}
                named = predictor.predict(samples, min_speech=0).label  # as `evaluate` scores a clip
                found.append(known | {"predicted": named, "split": "test", "fold": fold})
    if not all(rows):
        raise SettingError(f"a model knows no label of the {split} clips; name another corpus or model")
    return [pd.DataFrame(found) for found in rows]


def degraded_clips(condition: str, divided: Sequence[Fold], split: str, root: Path) -> Iterator[tuple]:
    """Every clip of a split under a condition: its fold, its row of the manifest, (N,) samples."""
    for fold in divided:
        others = ClipPool([clip.source(root) for clip in clip_locations(fold.split("train"))])
        for clip in tqdm(fold.split(split).to_dict("records"), condition, unit="clip", file=sys.stderr, leave=False):
            waveform = torch.from_numpy(load_audio(ClipLocation.of_row(clip).source(root)))
            yield fold.index, clip, degrade(waveform, condition, clip["path"], others).numpy()


def measure(asked: argparse.Namespace) -> list[Loss]:
    """Score each model under each condition."""
    predictors = [Predictor.from_pretrained(model, asked.device) for model in asked.models]
    divided = folds(load_corpus(asked.corpus, asked.root), asked.protocol, partial=asked.partial)
    names = dict.fromkeys([AS_RECORDED, *asked.conditions])
    scored = {name: score_condition(name, divided, asked.split, asked.root, predictors) for name in names}
    clips = (asked.corpus, protocol_name(asked.corpus, asked.protocol), asked.split)
    return [
        Loss(*clips, name, Path(asked.models[i]).name, asked.version, len(rows[i]), *compare(rows[i], before, labels))
        for i, labels in enumerate(predictor.labels for predictor in predictors)
        for before in [scored[AS_RECORDED][i]]
        for name, rows in scored.items()
    ]


def compare(rows: pd.DataFrame, before: pd.DataFrame, labels: Sequence[str]) -> tuple[float, float, float, float]:
    """UAR, its change against the clips as recorded, and the interval of the change."""
    found = compare_predictions(rows, before, labels).differences.uar
    recall = (rows["predicted"] == rows["label"]).groupby(rows["label"]).mean()
    return float(recall.mean()), found.value, found.interval.low, found.interval.high


def keep(losses: Sequence[Loss], path: Path) -> pd.DataFrame:
    """Put figures into the file, in place of those of the same clips, condition, model and version; all of them."""
    new = pd.DataFrame([asdict(loss) for loss in losses], columns=[f.name for f in fields(Loss)])
    old = pd.read_csv(path, dtype={"version": str}) if path.exists() else new.iloc[:0]
    every = pd.concat([frame for frame in (old, new) if len(frame)] or [new])
    every = every.drop_duplicates(KEY, keep="last").round(5)
    if len(new):
        every.to_csv(path, index=False)
    return every


def tables(every: pd.DataFrame) -> str:
    """Markdown: a table for each corpus, a column for each model and version."""
    parts = []
    for (corpus, protocol, split), rows in every.groupby(["corpus", "protocol", "split"], sort=False):
        cells = {(r["condition"], f"{r['model']} {r['version']}"): Loss(**r) for r in rows.to_dict("records")}
        models = sorted({model for _, model in cells})
        title = f"{corpus}, {protocol}, {split}: {max(loss.clips for loss in cells.values())} clips"
        body = [
            [name, *(cells[name, model].cell() if (name, model) in cells else "–" for model in models)]
            for name in dict.fromkeys(name for name, _ in cells)
        ]
        parts.append(f"{title}\n\n{markdown([['clips', *models], *body])}")
    return "\n\n".join(parts)


def main(argv: list[str] | None = None) -> int:
    """The table of each corpus; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness", description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[], help="bundled names, or run or checkpoint folders")
    parser.add_argument("--version", help="that the models are of, which names their columns")
    parser.add_argument("--corpus", default="ravdess")
    parser.add_argument("--root", type=Path, help="the corpus's folder")
    parser.add_argument("--protocol", help="the corpus's default where it is not said")
    parser.add_argument("--partial", action="store_true", help="take a corpus that is not complete as it is")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--conditions", nargs="+", choices=list(TEST_CONDITIONS), default=list(TEST_CONDITIONS))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--table", type=Path, default=TABLE, help="the CSV file in which figures are kept")
    parser.add_argument("--page", type=Path, help="a Markdown file, replaced between its marks")
    asked = parser.parse_args(argv)
    if asked.models and not (asked.root and asked.version):
        parser.error("--models needs --root and --version")
    try:
        found = tables(keep(measure(asked) if asked.models else [], asked.table))
        print(found)
        if asked.page:
            text = asked.page.read_text(encoding="utf-8")
            write_whole(asked.page, replace_between_marks(text, f"\n{found}\n", PAGE_MARKS))
    except (SegserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
