"""Write run folders of a few clips, whole or with single parts changed."""

from pathlib import Path

import numpy as np
import pandas as pd

from segser_core.runs.reading import Embeddings
from segser_core.runs.writing import write_run
from segser_core.statistics.scores import compute_metrics

LABELS = ("neutral", "happy", "sad")


def predictions(n=60, seeds=(0,), right=0.7, generator=0, folds=1):
    g = np.random.default_rng(generator)
    labels = np.random.default_rng(99).choice(LABELS, n)
    parts = []
    for seed in seeds:
        p = g.dirichlet(np.ones(3), n)
        p[np.arange(n), [LABELS.index(c) for c in labels]] += np.where(g.random(n) < right, 2.0, 0.0)
        p /= p.sum(axis=1, keepdims=True)
        table = pd.DataFrame({"utterance_id": [f"u{i:03d}" for i in range(n)], "label": labels})
        table["predicted"] = [LABELS[i] for i in p.argmax(axis=1)]
        table["confidence"] = p.max(axis=1)
        table[[f"p_{c}" for c in LABELS]] = p
        parts.append(table.assign(seed=seed, fold=np.arange(n) % folds, split="test", speaker=np.arange(n) % 4))
    return pd.concat(parts, ignore_index=True)


def segments():
    return pd.DataFrame({"utterance_id": ["u000"], "segment": [0], "start_s": [0.0], "end_s": [1.0]}).assign(
        **{f"p_{c}": 1 / 3 for c in LABELS}
    )


def embeddings():
    ids = np.array(["u000", "u001"])
    return Embeddings(np.ones((2, 4), "float16"), ids, np.zeros(2, int), np.ones((2, 4), "float16"), ids, np.arange(2))


def meta(**further):
    return {"system": "seg+tri-w", "labels": list(LABELS), "corpus": "ravdess", **further}


def written(path: Path, **further) -> Path:
    content = {"meta": meta(), "config_yaml": "a: 1\n", "predictions": predictions()} | further
    write_run(path, **{"metrics": compute_metrics(content["predictions"], LABELS)} | content)
    return path
