"""How often the 95 % intervals of UAR hold the true value, in simulated experiments.

    python -m benchmarks.coverage

Each experiment draws test predictions from a process whose true UAR is known, and makes the interval
exactly as the pages do. The process is that of `tests/support/coverage.py`.

Printed are the share of experiments whose interval covers, its standard error, the mean width, and for
speakers what the interval by utterance covers of the same experiments.
"""

import argparse

import numpy as np

from tests.support.coverage import CLASS_RECALL, coverage_of, simulate_intervals, true_uar_of_speakers


def main() -> None:
    """A line for each number of utterances and of speakers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for n, by_speaker in ((200, False), (5531, False), (10, True), (30, True), (91, True)):
        found, plain = simulate_intervals(n, by_speaker, asked.experiments, asked.resamples, asked.seed)
        truth = true_uar_of_speakers() if by_speaker else float(CLASS_RECALL.mean())
        share, width = coverage_of(found, truth), np.mean([i.high - i.low for i in found])
        line = f"{n} {'speakers' if by_speaker else 'utterances'}: {100 * share:.1f} % cover {truth:.4f}"
        line += f" (± {100 * np.sqrt(share * (1 - share) / len(found)):.1f}), mean width {width:.4f}"
        print(line + (f"; by utterance {100 * coverage_of(plain, truth):.1f} %" if by_speaker else ""), flush=True)


if __name__ == "__main__":
    main()
