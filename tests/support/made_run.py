"""A made-up pair of runs in IEMOCAP's shape, in which long sad clips go wrong; no number in it was measured on speech.

    python -m tests.support.made_run FOLDER [UTTERANCES]

Ten speakers in five sessions, which are the folds; four classes; a segment each 1.4 s. `seg+tri-w` hears neutral
segments in long sad clips, so its rule of the most confident segment loses them while the mean does not.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import encode_wav
from segser_core.runs.run import Run
from segser_core.runs.writing import write_run


def with_seeds_and_folds(run: Run, seeds: int = 2, folds: int = 2) -> Run:
    """Repeat a run for each seed and fold, shuffled; tested in one fold, development in the rest."""
    predictions, segments = [], []
    g = np.random.default_rng(3)
    for seed in range(seeds):
        for fold in range(folds):
            tested = (np.arange(len(run.predictions)) % folds) == fold
            numbers = {"seed": seed, "fold": fold}
            predictions.append(run.predictions.assign(**numbers, split=np.where(tested, "test", "dev")))
            p = run.segments[[f"p_{c}" for c in run.labels]].to_numpy()
            mixed = g.dirichlet(np.ones(p.shape[1]), len(p))
            segments.append(run.segments.assign(**numbers, **{f"p_{c}": mixed[:, i] for i, c in enumerate(run.labels)}))
    together = (pd.concat(frames).sample(frac=1, random_state=0) for frames in (predictions, segments))
    return replace(run, **dict(zip(("predictions", "segments"), together, strict=True)), seeds=tuple(range(seeds)))


MADE_LABELS = ("angry", "happy", "neutral", "sad")
SEGMENT_S, STRIDE_S = 2.8, 1.4
EMBEDDING_SIZE = 48
TRANSCRIPTS = ("I do not know.", "What did you say?", "It is all over now.", "You never told me!")


def make_runs(folder: Path, utterances: int = 5531, seed: int = 1, sounds: int = 0) -> tuple[Path, Path]:
    """Write two run folders, `seg+tri-w` and `baseline`, below `folder`/runs.

    Args:
        folder: where `runs`, and with sounds `corpora/iemocap`, are made.
        utterances: how many test clips.
        seed: fixes everything.
        sounds: of how many clips, the longest sad ones first, a hum of their length is written.
    """
    g = np.random.default_rng(seed)
    clips = make_clips(utterances, g)
    places = []
    for system, skill in (("seg+tri-w", 1.9), ("baseline", 1.2)):
        places.append(folder / "runs" / system)
        _write(places[-1], system, clips, skill, g)
    ordered = clips.assign(last=clips.label != "sad").sort_values(["last", "duration_s"], ascending=[True, False])
    for clip in ordered.head(sounds).itertuples():
        _hum(folder / "corpora" / "iemocap" / clip.path, clip.duration_s)
    return places[0], places[1]


def make_clips(n: int, g: np.random.Generator) -> pd.DataFrame:
    """Draw the clips that both runs share: who says what in which class, for how long."""
    session = g.integers(1, 6, n)
    gender = g.choice(["female", "male"], n)
    label = g.choice(MADE_LABELS, n, p=[0.20, 0.29, 0.31, 0.20])
    duration_s = np.round(np.minimum(g.gamma(3.0, 1.7, n) + 0.6 + 1.5 * (label == "sad"), 30), 2)
    ids = [f"Ses0{s}_{sex[0].upper()}{i:06d}" for i, (s, sex) in enumerate(zip(session, gender, strict=True))]
    return pd.DataFrame(
        {
            "utterance_id": ids,
            "label": label,
            "path": [f"Session{s}/{name}.wav" for s, name in zip(session, ids, strict=True)],
            "corpus": "iemocap",
            "speaker": [f"Ses0{s}_{sex[0].upper()}" for s, sex in zip(session, gender, strict=True)],
            "session": session.astype(str),
            "gender": gender,
            "seed": 0,
            "fold": session - 1,
            "split": "test",
            "duration_s": duration_s,
            "style": g.choice(["improvised", "scripted"], n),
            "text": g.choice(TRANSCRIPTS, n),
        }
    )


def _write(place: Path, system: str, clips: pd.DataFrame, skill: float, g: np.random.Generator) -> None:
    true = clips.label.map({c: i for i, c in enumerate(MADE_LABELS)}).to_numpy()
    counts = np.maximum(1, np.ceil((clips.duration_s.to_numpy() - SEGMENT_S) / STRIDE_S).astype(int) + 1)
    own = g.normal(size=(len(clips), 4)) + skill * np.eye(4)[true]
    owner, index = np.repeat(np.arange(len(clips)), counts), np.concatenate([np.arange(k) for k in counts])
    scores = own[owner] + 0.7 * g.normal(size=(len(owner), 4))
    if system.startswith("seg"):  # a pause in a long sad clip sounds neutral, and surely so
        paused = (true[owner] == 3) & (counts[owner] > 3) & (g.random(len(owner)) < 0.5)
        scores[paused] += 4 * np.eye(4)[2]
    u, p = softmax(own), softmax(scores)
    starts = np.cumsum(counts) - counts
    segments = pd.DataFrame(
        {
            "utterance_id": clips.utterance_id.to_numpy()[owner],
            "segment": index,
            "start_s": index * STRIDE_S,
            "end_s": np.minimum(index * STRIDE_S + SEGMENT_S, clips.duration_s.to_numpy()[owner]),
            **{f"p_{c}": p[:, i] for i, c in enumerate(MADE_LABELS)},
            "seed": 0,
        }
    )
    chosen = u
    if system.startswith("seg"):
        order = np.lexsort((np.arange(len(p)), -p.max(axis=1), owner))
        chosen = p[order[starts]]
    predictions = clips.assign(
        predicted=np.array(MADE_LABELS)[chosen.argmax(axis=1)],
        confidence=chosen.max(axis=1),
        **{f"p_{c}": chosen[:, i] for i, c in enumerate(MADE_LABELS)},
        **{f"u_{c}": u[:, i] for i, c in enumerate(MADE_LABELS)},
    )
    away = g.normal(size=(4, EMBEDDING_SIZE))
    write_run(
        place,
        meta={
            "system": system,
            "labels": list(MADE_LABELS),
            "corpus": "iemocap",
            "protocol": "iemocap-session",
            "seeds": [0],
            "encoder": {"name": "made up", "revision": "none"},
            "segment_frames": 140,
            "stride_frames": 70,
            "date": "2026-11-22",
        },
        config_yaml="{}\n",
        metrics={},
        predictions=predictions,
        segments=segments,
        embeddings={
            "utterance": (g.normal(size=(len(clips), EMBEDDING_SIZE)) + skill * away[true]).astype(np.float16),
            "utterance_id": clips.utterance_id.to_numpy(),
            "utterance_fold": clips.fold.to_numpy(),
            "segment": (g.normal(size=(len(owner), EMBEDDING_SIZE)) + skill * away[true[owner]]).astype(np.float16),
            "segment_utterance_id": segments.utterance_id.to_numpy(),
            "segment_index": index,
        },
    )


def softmax(scores: np.ndarray) -> np.ndarray:
    """Turn (N, C) scores into probabilities."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _hum(path: Path, seconds: float) -> None:
    """A hum whose pitch falls slowly, as a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    path.write_bytes(encode_wav((0.2 * np.sin(2 * np.pi * (180 - t) * t)).astype(np.float32), 0, seconds))


if __name__ == "__main__":
    print(*make_runs(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5531), sep="\n")
