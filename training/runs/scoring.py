"""Score clips: one after the other here, or shared out by Ray."""

import contextlib
import logging
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.excerpt import ClipLocation, Excerpt, clip_locations
from segser_core.audio.loading import DecodedAudio, load_audio, predecode
from segser_core.errors import AudioError, CorpusError, SettingError
from segser_core.inference.predictor import Predictor
from segser_core.inference.prefetch import prefetch
from segser_core.inference.ray_workers import map_on_ray
from segser_core.network.layer_average import ActivationStatistics, LayerAverage, activation_statistics
from segser_core.prediction.prediction import Context, Prediction
from segser_core.prediction.stretches import stretches_from_json
from segser_core.systems import find_system
from training.runs.records import Records, Result, ScoredClip, ScoredStretches

_log = logging.getLogger(__name__)


def score_manifest(
    predictor: Predictor, manifest: pd.DataFrame, root: Path, corpus: str, *, seed: int = 0, fold: int = 0
) -> Records:
    """Score every clip of a manifest, one at a time, with the model's own rule of aggregation.

    A model that normalises by speaker is given the statistics of the speaker's clips of the same split.
    A clip that cannot be read is left out with a warning that names it.

    Raises:
        CorpusError: no clip could be read.
    """
    manifest = with_known_stretches(manifest, predictor.labels)
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
    clips = zip(clips_to_score(manifest), keys, strict=False)
    for (clip, key), decoded in prefetch(clips, lambda waiting: predecode(waiting[0].location.source(root))):
        yield score_with_stretches(predictor, clip, decoded.result, by_speaker.get(key))


def score_clips_on_ray(
    model: str, device: str, manifest: pd.DataFrame, root: Path, address: str | None
) -> Iterator[Result]:
    """Score the clips by Ray's workers, each with the model to itself; all of them must see `root`."""
    scorer = partial(make_scorer, model, device, root.resolve())
    return map_on_ray(clips_to_score(manifest), scorer, address, device == "cuda")


def with_known_stretches(manifest: pd.DataFrame, labels: Collection[str]) -> pd.DataFrame:
    """Empty the stretches of clips in which a label occurs that the model does not know, with a warning.

    Without the column `stretches` where no clip has any.
    """
    if "stretches" not in manifest:
        return manifest
    known = manifest["stretches"].map(lambda text: {s.label for s in stretches_from_json(text)} <= set(labels))
    if not known.all():
        _log.warning(
            "%d clips have stretches of a label that the model does not know; they are not used", (~known).sum()
        )
    stretches = manifest["stretches"].where(known, "")
    return manifest.assign(stretches=stretches) if (stretches != "").any() else manifest.drop(columns="stretches")


@dataclass(frozen=True)
class ClipToScore:
    """A clip below the corpus's folder, and its true stretches as JSON; None where the corpus has none."""

    location: ClipLocation
    stretches: str | None

    @property
    def path(self) -> str:
        """The path of the clip's file, below the corpus's folder."""
        return self.location.path


def clips_to_score(manifest: pd.DataFrame) -> list[ClipToScore]:
    """List the clips of a manifest in order."""
    stretches = manifest["stretches"] if "stretches" in manifest else repeat(None)
    return [ClipToScore(clip, text) for clip, text in zip(clip_locations(manifest), stretches, strict=False)]


def make_scorer(model: str, device: str, root: Path) -> Callable[[ClipToScore], Result]:
    """Make the function by which one of Ray's workers scores a clip.

    Raises:
        SettingError: the model normalises by speaker.
    """
    predictor = Predictor.from_pretrained(model, device)
    if isinstance(predictor.model.encoder, LayerAverage) and predictor.model.encoder.by_speaker:
        raise SettingError("a model that normalises by speaker must hear all of a speaker first: use --engine local")
    return lambda clip: score_with_stretches(predictor, clip, partial(predecode, clip.location.source(root)), None)


def score_with_stretches(
    predictor: Predictor,
    clip: ClipToScore,
    decoded: Callable[[], DecodedAudio | Path | Excerpt],
    speaker: ActivationStatistics | None,
) -> Result:
    """Score one clip as `score_clip` does and, where its corpus has stretches, in isolation and each stretch alone."""
    result = score_clip(predictor, clip.path, decoded, speaker)
    if clip.stretches is None or isinstance(result, AudioError):
        return result
    try:
        changing = score_stretches(predictor, clip, load_audio(decoded()), speaker)
    except AudioError as error:
        return error
    return replace(result, changing=changing)


def score_stretches(
    predictor: Predictor, clip: ClipToScore, samples: np.ndarray, speaker: ActivationStatistics | None
) -> ScoredStretches:
    """Score a clip's segments in isolation, and each of its stretches as a recording of its own.

    Args:
        predictor: the model.
        clip: its path and stretches.
        samples: (N,) of the clip.
        speaker: as in `score_clip`.

    Raises:
        AudioError: a stretch is too short to be analysed.
    """
    stretches = stretches_from_json(clip.stretches or "")
    whole = find_system(predictor.system).rule == "utterance"

    def predict(part: np.ndarray, context: Context) -> Prediction:
        encoded = predictor.encode(part, context=context, whole=whole, speaker=speaker)
        return predictor.classify(encoded, clip.path, None, context)

    edges = [(round(s.start_s * SAMPLE_RATE_HZ), round(s.end_s * SAMPLE_RATE_HZ)) for s in stretches]
    parts = [samples[start:end] for start, end in edges]
    return ScoredStretches(
        isolated=predict(samples, "segment"),
        stretches=stretches,
        alone=tuple(predict(part, "clip") for part in parts),
        alone_isolated=tuple(predict(part, "segment") for part in parts),
    )


def score_clip(
    predictor: Predictor,
    path: str,
    decoded: Callable[[], DecodedAudio | Path | Excerpt],
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
    utterance, segments = (v.half().cpu().numpy() for v in (encoded.utterance, encoded.segments))
    return ScoredClip(predictor.classify(encoded, path), utterance, segments)


def speaker_statistics(encoder: LayerAverage, manifest: pd.DataFrame, root: Path) -> dict[Any, ActivationStatistics]:
    """Measure the activations by split and speaker; none where the model does not normalise by speaker."""
    if not encoder.by_speaker:
        return {}

    def activations(clips: pd.DataFrame) -> Iterator[Tensor]:
        for row in tqdm(clips.to_dict("records"), desc="measuring a speaker", unit="clip", file=sys.stderr):
            with contextlib.suppress(AudioError):  # scoring the clip reports it
                samples = load_audio(ClipLocation.of_row(row).source(root))
                yield encoder.activations(torch.from_numpy(samples).to(encoder.mean.device))

    return {key: activation_statistics(activations(clips)) for key, clips in manifest.groupby(["split", "speaker"])}
