"""Write run folders of a few clips, whole or with single parts changed."""

from pathlib import Path

import numpy as np
import pandas as pd

from segser_core.runs.reading import Embeddings
from segser_core.runs.writing import write_run
from segser_core.statistics.scores import compute_metrics

RUN_LABELS = ("neutral", "happy", "sad")


def make_predictions(n=60, seeds=(0,), right=0.7, generator=0, folds=1):
    """Draw a run's predictions of n clips, right for a share of them."""
    g = np.random.default_rng(generator)
    labels = np.random.default_rng(99).choice(RUN_LABELS, n)
    parts = []
    for seed in seeds:
        p = g.dirichlet(np.ones(3), n)
        p[np.arange(n), [RUN_LABELS.index(c) for c in labels]] += np.where(g.random(n) < right, 2.0, 0.0)
        p /= p.sum(axis=1, keepdims=True)
        table = pd.DataFrame({"utterance_id": [f"u{i:03d}" for i in range(n)], "label": labels})
        table["predicted"] = [RUN_LABELS[i] for i in p.argmax(axis=1)]
        table["confidence"] = p.max(axis=1)
        table[[f"p_{c}" for c in RUN_LABELS]] = p
        parts.append(table.assign(seed=seed, fold=np.arange(n) % folds, split="test", speaker=np.arange(n) % 4))
    return pd.concat(parts, ignore_index=True)


def make_segments():
    """Build a table of one segment."""
    return pd.DataFrame({"utterance_id": ["u000"], "segment": [0], "start_s": [0.0], "end_s": [1.0]}).assign(
        **{f"p_{c}": 1 / 3 for c in RUN_LABELS}
    )


def make_embeddings():
    """Build embeddings of two clips with a segment each."""
    ids = np.array(["u000", "u001"])
    return Embeddings(np.ones((2, 4), "float16"), ids, np.zeros(2, int), np.ones((2, 4), "float16"), ids, np.arange(2))


def run_meta(**further):
    """Return what run.json must say, with further entries."""
    return {"system": "seg+tri-w", "labels": list(RUN_LABELS), "corpus": "ravdess", **further}


def write_run_folder(path: Path, **further) -> Path:
    """Write a run of 60 clips, or one with other content, and return its folder."""
    content = {"meta": run_meta(), "config_yaml": "a: 1\n", "predictions": make_predictions()} | further
    write_run(path, **{"metrics": compute_metrics(content["predictions"], RUN_LABELS)} | content)
    return path
