"""Score clips: one after the other here, or shared out by Ray."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from segser_core.audio.loading import DecodedAudio, load_audio, predecode
from segser_core.errors import AudioError, CorpusError, SettingError
from segser_core.inference.predictor import Predictor
from segser_core.inference.prefetch import prefetch
from segser_core.inference.ray_workers import map_on_ray
from segser_core.network.layer_average import ActivationStatistics, LayerAverage, activation_statistics
from training.runs.records import Records, Result, ScoredClip


def score_manifest(
    predictor: Predictor, manifest: pd.DataFrame, root: Path, corpus: str, *, seed: int = 0, fold: int = 0
) -> Records:
    """Score every clip of a manifest, one at a time, with the model's own rule of aggregation.

    A model that normalises by speaker is given the statistics of the speaker's clips of the same split.
    A clip that cannot be read is left out with a warning that names it.

    Raises:
        CorpusError: no clip could be read.
    """
    results = tqdm(score_clips(predictor, manifest, root), "evaluating", len(manifest), unit="clip", file=sys.stderr)
    shared = {"corpus": corpus, "seed": seed, "fold": fold}
    records = Records.from_results(manifest.to_dict("records"), results, shared)
    if records is None:
        raise CorpusError(f"none of the {len(manifest)} clips below {root} could be read")
    return records


def score_clips(predictor: Predictor, manifest: pd.DataFrame, root: Path) -> Iterator[Result]:
    """Score the clips of a manifest in order; the next ones are decoded meanwhile.

    A model that normalises by speaker is given the statistics of the speaker's clips of the same split.
    """
    encoder = predictor.model.encoder
    by_speaker = speaker_statistics(encoder, manifest, root) if isinstance(encoder, LayerAverage) else {}
    keys = zip(manifest["split"], manifest["speaker"], strict=True) if by_speaker else repeat(None)
    clips = zip(manifest["path"], keys, strict=False)
    for (path, key), decoded in prefetch(clips, lambda clip: predecode(root / clip[0])):
        yield score_clip(predictor, path, decoded.result, by_speaker.get(key))


def score_clips_on_ray(
    model: str, device: str, manifest: pd.DataFrame, root: Path, address: str | None
) -> Iterator[Result]:
    """Score the clips by Ray's workers, each with the model to itself; all of them must see `root`."""
    scorer = partial(make_scorer, model, device, root.resolve())
    return map_on_ray(list(manifest["path"]), scorer, address, device == "cuda")


def make_scorer(model: str, device: str, root: Path) -> Callable[[str], Result]:
    """Make the function by which one of Ray's workers scores a path.

    Raises:
        SettingError: the model normalises by speaker.
    """
    predictor = Predictor.from_pretrained(model, device)
    if isinstance(predictor.model.encoder, LayerAverage) and predictor.model.encoder.by_speaker:
        raise SettingError("a model that normalises by speaker must hear all of a speaker first: use --engine local")
    return lambda path: score_clip(predictor, path, partial(predecode, root / path))


def score_clip(
    predictor: Predictor,
    path: str,
    decoded: Callable[[], DecodedAudio | Path],
    speaker: ActivationStatistics | None = None,
) -> Result:
    """Score one clip, or return the error where it cannot be read.

    Args:
        predictor: the model.
        path: the clip's name in the result.
        decoded: returns the decoded clip.
        speaker: statistics of its speaker's activations, as far as the model normalises by speaker.
    """
    try:
        encoded = predictor.encode(decoded(), speaker=speaker)
    except AudioError as error:
        return error
    assert encoded.utterance is not None, "in context the whole is encoded"
    vectors = (v.half().cpu().numpy() for v in (encoded.utterance, encoded.segments))
    return ScoredClip(predictor.classify(encoded, path), *vectors)


def speaker_statistics(encoder: LayerAverage, manifest: pd.DataFrame, root: Path) -> dict[Any, ActivationStatistics]:
    """Measure the activations by split and speaker; none where the model does not normalise by speaker."""
    if not encoder.by_speaker:
        return {}

    def activations(paths: pd.Series) -> Iterator[Tensor]:
        for path in tqdm(paths, desc="measuring a speaker", unit="clip", file=sys.stderr):
            with contextlib.suppress(AudioError):  # scoring the clip reports it
                yield encoder.activations(torch.from_numpy(load_audio(root / path)).to(encoder.mean.device))

    return {
        key: activation_statistics(activations(clips["path"])) for key, clips in manifest.groupby(["split", "speaker"])
    }
