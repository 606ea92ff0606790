"""Made-up runs on recordings whose emotion changes at known times, whose numbers are worked out by hand."""

from pathlib import Path

import numpy as np
import pandas as pd

from segser_core.prediction.stretches import Stretch, stretches_to_json
from segser_core.runs.changing_recordings import ChangingRecording
from tests.support.run_folders import RUN_LABELS, run_meta, write_run_folder

NEUTRAL, HAPPY, SAD = range(3)


def changing_recording(
    stretches: list[Stretch], steps: list[int] | np.ndarray, name: str = "a", **further
) -> ChangingRecording:
    """Make a recording with a truth and a class of each step of 20 ms."""
    known = {"seed": 0, "fold": 0, "speaker": "1", "predicted": NEUTRAL, "alone": None} | further
    return ChangingRecording(utterance_id=name, stretches=tuple(stretches), steps=np.asarray(steps), **known)


def random_recording(g: np.random.Generator, name: str = "a", pauses: bool = False, **further) -> ChangingRecording:
    """Draw a recording of 1 to 5 stretches on the grid of 20 ms, and labels that change at random."""
    edges_s = np.cumsum(g.integers(1, 60, 11)) / 50
    stretches = [
        Stretch(edges_s[2 * i + (not pauses)], edges_s[2 * i + 1 + (not pauses)], str(g.choice(RUN_LABELS)))
        for i in range(int(g.integers(1, 6)))
    ]
    if not pauses:
        stretches = [Stretch(edges_s[i], edges_s[i + 1], s.label) for i, s in enumerate(stretches)]
    n = round(stretches[-1].end_s * 50)
    steps = np.repeat(g.integers(0, 3, n), g.integers(1, 40, n))[:n]
    return changing_recording(stretches, steps, name, predicted=int(g.integers(0, 3)), **further)


def write_changing_run(path: Path, share_right: float = 0.7, speakers: int = 6, generator: int = 0, **changes) -> Path:
    """Write a run of 12 recordings of two stretches, 2 s each, and 2 s segments each second; returns its folder.

    Args:
        path: the folder.
        share_right: of the segments whose label is that of the stretch in which their centre lies.
        speakers: who speak in turn.
        generator: seeds what is drawn.
        changes: tables to be written in place of the made ones, as `write_run` names them.
    """
    g, truth = np.random.default_rng(generator), np.random.default_rng(99)
    clips, segments, stretches = [], [], []
    for i in range(12):
        name, (first, second) = f"u{i:02d}", truth.permutation(RUN_LABELS)[:2]
        spans = [Stretch(0.0, 2.0, str(first)), Stretch(2.0, 4.0, str(second))]
        p = dict(zip((f"p_{c}" for c in RUN_LABELS), g.dirichlet(np.ones(3)).tolist(), strict=True))
        told = max(RUN_LABELS, key=lambda c: p[f"p_{c}"])
        clips.append(
            {"utterance_id": name, "label": str(first), "predicted": told, "confidence": p[f"p_{told}"], **p}
            | {"seed": 0, "fold": 0, "split": "test", "speaker": f"s{i % speakers}"}
            | {"duration_s": 4.0 + i / 100, "stretches": stretches_to_json(spans)}
        )
        for k, start_s in enumerate((0.0, 1.0, 2.0)):
            row = {"utterance_id": name, "segment": k, "start_s": start_s, "end_s": start_s + 2, "seed": 0, "fold": 0}
            here = RUN_LABELS.index(spans[start_s + 1 >= 2].label)
            for side in ("p", "i"):
                q = g.dirichlet(np.ones(3)) + 3 * np.eye(3)[here if g.random() < share_right else g.integers(3)]
                row |= {f"{side}_{c}": v / q.sum() for c, v in zip(RUN_LABELS, q, strict=True)}
            segments.append(row)
        for k, span in enumerate(spans):
            row = {"utterance_id": name, "stretch": k, "start_s": span.start_s, "end_s": span.end_s}
            row |= {"label": span.label, "alone": span.label if k else RUN_LABELS[0], "alone_isolated": span.label}
            stretches.append(row | {f"{side}_{c}": 1 / 3 for side in "pi" for c in RUN_LABELS} | {"seed": 0, "fold": 0})
    tables = {"predictions": pd.DataFrame(clips), "segments": pd.DataFrame(segments)}
    tables["stretches"] = pd.DataFrame(stretches)
    return write_run_folder(path, **({"meta": run_meta(corpus="manifest", aggregate="max")} | tables | changes))
