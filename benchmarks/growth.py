"""How cost grows: with the length of a recording, the number of classes, and the utterances of a page.

    python -m benchmarks.growth

Length: the bundled sample again and again, through the default model. Classes: the loss of `seg+tri-w` with its
gradients, on 64 made recordings of 40 segments, and the intervals of 5531 utterances. Utterances: what *Recall*
computes of two made-up runs (`tests/support/made_run.py`), reading included, without charts and browser. All sizes of
a line take turns; the exponent is that of time by size, from the size before to this one: 1 is proportional. How cost
grows with the number of files, `benchmarks/scale.py` says.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.turns import alternate, exponent, markdown
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.bundled import BUNDLED
from segser_core.inference.predictor import Predictor
from segser_core.network.model import SegmentEmotionOutput
from segser_core.runs.run import read_run
from segser_core.runs.test_split import select_test_rows
from segser_core.statistics.bootstrap import group_utterances, score_intervals
from segser_core.statistics.calibration import run_calibration
from segser_core.statistics.recall_by_group import recall_by_group
from segser_core.statistics.scores import compare_predictions, summarise_scores
from segser_core.statistics.scores_by_rule import differences_by_rule, scores_by_rule
from segser_core.systems import SYSTEMS
from tests.support.made_run import make_runs
from training.learning.objective import Objective

LENGTHS_S = (15, 60, 240, 960)
CLASSES = (4, 8, 16, 32)
UTTERANCES = (1000, 5531, 25_000, 100_000)
RECORDINGS, SEGMENTS, WIDTH, SCORED = 64, 40, 768, 5531
Work = Callable[[], object]


def by_length(sizes: Sequence[int]) -> dict[int, Work]:
    """An analysis for each length, in seconds."""
    predictor, sample = Predictor.from_pretrained(), load_audio(BUNDLED / "sample.flac")
    return {s: partial(predictor.predict, np.resize(sample, s * SAMPLE_RATE_HZ)) for s in sizes}


def losses(classes: int) -> Work:
    """The loss of `seg+tri-w` with its gradients, for so many classes."""
    g = torch.Generator().manual_seed(0)
    vectors = torch.randn(RECORDINGS, SEGMENTS, WIDTH, generator=g, requires_grad=True)
    head, objective = torch.nn.Linear(WIDTH, classes), Objective(SYSTEMS["seg+tri-w"], alpha=0.2)
    labels, lengths = torch.arange(RECORDINGS) % classes, torch.randint(100, 300, (RECORDINGS,), generator=g)

    def work() -> None:
        whole, mask = vectors.mean(dim=1), torch.ones(RECORDINGS, SEGMENTS, dtype=torch.bool)
        output = SegmentEmotionOutput(
            head(whole), head(vectors), mask, torch.ones(RECORDINGS, dtype=torch.bool), whole, vectors
        )
        objective(output, labels, lengths).total.backward()

    return work


def resampling(classes: int) -> Work:
    """The intervals of a run with so many classes."""
    g = np.random.default_rng(0)
    true = g.integers(0, classes, SCORED)
    said = np.where(g.random(SCORED) < 0.7, true, g.integers(0, classes, SCORED))
    return lambda: score_intervals(group_utterances(true, [said[:, None]], classes), np.random.default_rng(0))


def page(first: Path, second: Path) -> None:
    """What *Recall* computes of two runs."""
    runs = read_run(first), read_run(second)
    for run in runs:
        summarise_scores(run.predictions, run.labels)
        scores_by_rule(run)
        run_calibration(run)
        recall_by_group(select_test_rows(run.predictions), run.labels, ("length",), 10.0)
    compare_predictions(runs[0].predictions, runs[1].predictions, runs[0].labels)
    differences_by_rule(*runs)


def lines(what: str, unit: str, works: dict[int, Work], turns: int) -> Iterator[list[str]]:
    """A line for each size: seconds, and how they grew since the size before."""
    sides = {f"{size}": lambda turn, work=work: work() for size, work in works.items()}
    alternate([0], sides)
    times = {size: statistics.median(t) for size, t in zip(works, alternate(range(turns), sides).values(), strict=True)}
    before = None
    for now in times.items():
        yield [what, f"{now[0]} {unit}", f"{1000 * now[1]:.3g} ms", exponent(now, before)]
        before = now


def main(argv: list[str] | None = None) -> None:
    """All of it as one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS_S, help="seconds")
    parser.add_argument("--classes", type=int, nargs="+", default=CLASSES)
    parser.add_argument("--utterances", type=int, nargs="+", default=UTTERANCES)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        pages = {n: partial(page, *make_runs(Path(place) / f"{n}", n)) for n in asked.utterances}
        table = [
            ["what", "size", "time", "exponent"],
            *lines("analysis of a recording", "s", by_length(asked.lengths), asked.turns),
            *lines("loss and gradients", "classes", {n: losses(n) for n in asked.classes}, 10 * asked.turns),
            *lines("10 000 resamples", "classes", {n: resampling(n) for n in asked.classes}, asked.turns),
            *lines("scores of a page", "utterances", pages, asked.turns),
        ]
    print(markdown(table))


if __name__ == "__main__":
    main()
