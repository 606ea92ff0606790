"""Predict: decode, encode, cut into segments, classify.

Recordings of up to 30 s, or what a model's `window_frames` says, pass through the encoder at once. Longer ones pass in
overlapping windows, of which the middle is kept, and the frames are joined before segments are cut; audio
and frames are held window by window, so memory does not grow with the recording.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from segser_core.audio.channels import DEFAULT_CHOICE, AudioChoice
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.levels import LevelMeter
from segser_core.audio.loading import Source, audio_blocks, count_channels, prepare_source, rechunk
from segser_core.audio.speech import SpeechDecision, check_min_speech
from segser_core.bundled import find_checkpoint
from segser_core.errors import ModelError, SettingError
from segser_core.inference.long_audio import (
    WINDOW_FRAMES,
    Progress,
    SpanMeans,
    bounds_in_seconds,
    fit_span,
    margin_frames,
    meter_blocks,
    overlapping_windows,
    slice_blocks,
    step_frames,
    stream_means,
)
from segser_core.inference.speech_watch import SpeechWatch
from segser_core.network.encoders import HOP_SAMPLES
from segser_core.network.layer_average import ActivationStatistics, LayerAverage
from segser_core.network.model import SegmentEmotionModel
from segser_core.network.segments import FRAME_S
from segser_core.prediction.prediction import CONTEXTS, Context, LabelledTurn, Prediction, Segment
from segser_core.prediction.rules import Aggregate, aggregate
from segser_core.prediction.turn_files import TurnsOfFiles, read_turns_file
from segser_core.prediction.turns import Turn, TurnTuple, as_turns, fit_turns, sort_turns
from segser_core.systems import DEFAULT_MIN_SPEECH, DEFAULT_SYSTEM, find_system

BATCH_SEGMENTS = 16
A_WORD_S = 0.3  # a recording that is shorter comes with a warning
Precision = Literal["fp32", "bf16"]
GivenTurns = str | Path | Sequence[Turn | TurnTuple]
PRECISIONS: tuple[str, ...] = get_args(Precision)


@dataclass(frozen=True)
class EncodedRecording:
    """Vectors of a recording, as they enter the linear layer.

    Attributes:
        utterance: (D,) mean of all frames, in the context of the clip; None where only segments were heard.
        segments: (S, D) means of the segments' frames, in the context that was asked for.
        bounds_s: start and end of each segment, in seconds.
        duration_s: of the recording.
        warnings: what a listener should know of it, in sentences.
        turns: in order of their start; None where none were asked for.
        turn_means: (R, D) means of the turns' frames, in the context that was asked for.
        speech: tells which stretches are speech; None where that was not asked for.
    """

    utterance: Tensor | None
    segments: Tensor
    bounds_s: tuple[tuple[float, float], ...]
    duration_s: float
    warnings: tuple[str, ...]
    turns: tuple[Turn, ...] | None = None
    turn_means: Tensor | None = None
    speech: SpeechDecision | None = None

    def is_speech(self, start_s: float, end_s: float) -> bool | None:
        """Decide on a segment, a turn or any other stretch; None where speech was not told from the rest."""
        return None if self.speech is None else self.speech.is_speech(start_s, end_s)


class Predictor:
    """A trained model, ready to analyse recordings.

    Attributes:
        name: as it was asked for.
        system: which of the paper's systems the model is.
        labels: its emotions, in order.
        longest_training_clip_s: audio longer than this is new ground for it.
    """

    def __init__(self, model: SegmentEmotionModel, name: str, device: str = "auto", precision: Precision = "fp32"):
        if precision not in PRECISIONS:
            raise SettingError(f"precision {precision!r} is unknown; choose one of {', '.join(PRECISIONS)}")
        self.device, self.precision = torch.device(choose_device(device)), precision
        self.model = model.eval().to(self.device)
        self.name, self.system, self.labels = name, model.config.system, tuple(model.config.labels)
        self.longest_training_clip_s = model.config.longest_training_clip_s

    @property
    def window_frames(self) -> int:
        """The most frames that pass through the encoder at once."""
        return self.model.encoder.max_frames or WINDOW_FRAMES

    @classmethod
    def from_pretrained(
        cls, model: str | Path = DEFAULT_SYSTEM, device: str = "auto", precision: Precision = "fp32"
    ) -> "Predictor":
        """Load a bundled model by name, or any run or checkpoint folder.

        Args:
            model: name or folder.
            device: `auto`, `cpu`, `cuda` or `mps`, Apple's GPU.
            precision: of the encoder's arithmetic. `bf16` is about twice as fast on some processors and slower on
                others, and moves a label in two hundred (benchmarks/README.md).

        Raises:
            ModelError: there is no such model, or it cannot be loaded as it stands.
            SettingError: no such precision.
        """
        return cls(SegmentEmotionModel.from_folder(find_checkpoint(model)), str(model), device, precision)

    def predict(
        self,
        source: Source,
        *,
        sample_rate: int | None = None,
        channel: int | None = None,
        track: int | None = None,
        file: str | None = None,
        aggregate: Aggregate | None = None,
        context: Context = "clip",
        progress: Progress | None = None,
        max_duration_s: float | None = None,
        turns: GivenTurns | None = None,
        min_speech: float = DEFAULT_MIN_SPEECH,
    ) -> Prediction:
        """Predict the emotions of a recording and of its segments, and of turns of speech in it.

        Args:
            source: path, bytes or open binary file of a recording, or (N,) samples, floats with full scale at 1, as an
                array, list or tensor.
            sample_rate: of samples, in Hz; 16 000 where it is None. A file names its own.
            channel: of a file, from 1; the mean of all where it is None.
            track: of a file with several audio tracks, from 1; the one that players take where it is None.
            file: what to call it in the result; the path where there is one.
            aggregate: how the label is found; the system's own rule where it is None.
            context: `clip`, each segment as part of the whole, the paper's; or `segment`, each
                segment's audio alone. Then, where another rule than `utterance` is named, the clip
                as a whole is not heard at all.
            progress: called with the seconds analysed so far.
            max_duration_s: longer recordings are refused.
            turns: path of a turns file (`read_turns`), or turns: (start_s, end_s), (start_s, end_s, speaker) or `Turn`.
                Each has one label, by the mean of its frames, in the same context as the segments.
            min_speech: segments of which a smaller share is speech decide nothing; 0 keeps all of them.

        Raises:
            AudioError: the recording cannot be analysed.
            SettingError: no such aggregation, context, channel or track, a sample rate beside a file, or a share
                of speech that is not from 0 to 1.
            TurnsError: the turns cannot be read, or are not of this recording.

        Example:
            >>> from segser_core.bundled import BUNDLED
            >>> prediction = Predictor.from_pretrained("seg+tri-w").predict(BUNDLED / "sample.flac")
            >>> prediction.label in prediction.labels, len(prediction.segments)
            (True, 7)
        """
        prepared, choice = prepare_source(source, sample_rate), AudioChoice(track, channel)
        whole, name = aggregate in (None, "utterance"), file or name_source(source)
        encoded = self.encode(
            prepared,
            context=context,
            whole=whole,
            progress=progress,
            max_duration_s=max_duration_s,
            choice=choice,
            turns=None if turns is None else load_turns(turns, name),
            min_speech=check_min_speech(min_speech),
        )
        return replace(self.classify(encoded, name, aggregate, context), channel=channel, track=track)

    def predict_channels(self, source: Source, *, track: int | None = None, **options: Any) -> list[Prediction]:
        """Predict the emotions of each channel of a file by itself, such as a call with a speaker a channel.

        Args:
            source, track, options: as in `predict`, without `channel`.

        Raises:
            AudioError: the recording, or one of its channels, cannot be analysed.
        """
        prepared, name = prepare_source(source), options.pop("file", None) or name_source(source)
        channels = range(1, count_channels(prepared, track) + 1)
        return [self.predict(prepared, channel=c, track=track, file=name, **options) for c in channels]

    @torch.inference_mode()
    def encode(
        self,
        source: Source,
        *,
        context: Context = "clip",
        whole: bool = True,
        progress: Progress | None = None,
        max_duration_s: float | None = None,
        speaker: ActivationStatistics | None = None,
        turns: tuple[Turn, ...] | None = None,
        choice: AudioChoice = DEFAULT_CHOICE,
        min_speech: float | None = None,
    ) -> EncodedRecording:
        """Encode a recording, its segments and turns as vectors; see `predict`. In context, the whole is encoded.

        Args:
            source, context, progress, max_duration_s: as in `predict`.
            whole: encode the utterance, too, where segments are heard alone.
            speaker: statistics of the speaker's activations, for a model that normalises by speaker.
            turns: checked, in the order of their file.
            choice: of a file's track and channel.
            min_speech: as in `predict`; speech is not told from the rest where it is None, as in evaluation.
        """
        if context not in CONTEXTS:
            raise SettingError(f"context {context!r} is unknown; choose one of {', '.join(CONTEXTS)}")
        levels, config, utterance, source = LevelMeter(), self.model.config, None, prepare_source(source)
        means = SpanMeans([(turn.start_s, turn.end_s) for turn in sort_turns(turns or ())])
        block_s = step_frames(self.window_frames) * FRAME_S
        blocks = audio_blocks(source, block_s, max_duration_s=max_duration_s, levels=levels, choice=choice)
        watch = SpeechWatch(min_speech, config.windows, config.crop_frames)
        blocks = watch.watch_samples(blocks)
        if whole or context == "clip":
            frames = watch.watch_frames(means.watch(self._frames(meter_blocks(blocks, levels, progress), speaker)))
            utterance, segments, bounds = stream_means(frames, config.windows, config.crop_frames)
        else:
            n_samples = sum(map(len, meter_blocks(blocks, levels, None)))
            bounds = config.windows.bounds(self.model.encoder.count_frames(n_samples))
        duration_s = levels.n_samples / SAMPLE_RATE_HZ
        fitting = None if turns is None else fit_turns(turns, duration_s)
        if context == "segment":
            again = meter_blocks(
                audio_blocks(source, block_s, choice=choice), LevelMeter(), None if whole else progress
            )
            segments = torch.cat(list(self._isolated(again, bounds, speaker)))
        turn_means = None
        if fitting is not None and context == "segment":
            again = audio_blocks(source, block_s, choice=choice)
            turn_means = torch.stack(list(self._isolated_turns(again, fitting, levels.n_samples, speaker)))
        elif fitting is not None:
            turn_means = means.stacked(duration_s)
        bounds_s = bounds_in_seconds(bounds, duration_s)
        utterance, speech, no_speech = watch.finish(utterance, bounds, bounds_s)
        warnings = (*no_speech, *self._warnings(levels, duration_s), *_short_turns(fitting or ()))
        return EncodedRecording(utterance, segments, bounds_s, duration_s, warnings, fitting, turn_means, speech)

    @torch.inference_mode()
    def classify(
        self, encoded: EncodedRecording, file: str, rule: Aggregate | None = None, context: Context = "clip"
    ) -> Prediction:
        """Classify an encoded recording; segments that are no speech decide nothing, whatever the rule."""
        rule = rule or find_system(self.system).rule
        told = [encoded.is_speech(*span) for span in encoded.bounds_s]
        heard = [each is not False for each in told]
        utterance = None if encoded.utterance is None else self._probabilities(encoded.utterance)
        segments = self._probabilities(encoded.segments)
        index, p = aggregate(utterance, segments[heard] if any(heard) else segments, rule)
        return Prediction(
            file=file,
            duration_s=encoded.duration_s,
            model=self.name,
            system=self.system,
            labels=self.labels,
            label=self.labels[index] if any(heard) else "",
            probabilities=self._named(p) if any(heard) else {},
            utterance={} if utterance is None else self._named(utterance),
            aggregate=rule,
            context=context,
            warnings=encoded.warnings,
            segments=tuple(
                Segment(i, start, end, self._named(q), speech=speech)
                for i, ((start, end), q, speech) in enumerate(zip(encoded.bounds_s, segments, told, strict=True))
            ),
            turns=self._label_turns(encoded),
        )

    def _label_turns(self, encoded: EncodedRecording) -> tuple[LabelledTurn, ...] | None:
        if encoded.turns is None or encoded.turn_means is None:
            return None
        rows = zip(encoded.turns, self._probabilities(encoded.turn_means), strict=True)
        return tuple(
            LabelledTurn(
                i,
                turn.start_s,
                turn.end_s,
                self._named(p),
                turn.speaker,
                turn.text,
                speech=encoded.is_speech(turn.start_s, turn.end_s),
            )
            for i, (turn, p) in enumerate(rows)
        )

    def _frames(self, blocks: Iterable[np.ndarray], speaker: ActivationStatistics | None) -> Iterator[Tensor]:
        """Yield the frames of a recording, (t, D) at a time: of each window the part that is not margin."""
        window = self.window_frames
        for waveform, first, last in overlapping_windows(blocks, window, margin_frames(window)):
            yield self._encode_batch(self._features(waveform, speaker)[None])[0][first:last]

    def _features(self, waveform: np.ndarray, speaker: ActivationStatistics | None) -> Tensor:
        """Compute the features (T, F) of (N,) samples."""
        given, encoder = torch.from_numpy(waveform).to(self.device), self.model.encoder
        if isinstance(encoder, LayerAverage):
            return encoder.features(given, speaker=speaker)
        return encoder.features(given)

    def _encode_batch(self, features: Tensor) -> Tensor:
        """Encode recordings of one length (B, T, F) to their frames (B, T, D), in fp32 again.

        Apple's GPU has no double precision, in which frames are averaged: there they move to the CPU.
        """
        lengths = torch.full((len(features),), features.shape[1], device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            frames = self.model.encoder(features, lengths).float()
        return frames.cpu() if self.device.type == "mps" else frames

    def _isolated(
        self, blocks: Iterable[np.ndarray], bounds: list[tuple[int, int]], speaker: ActivationStatistics | None
    ) -> Iterator[Tensor]:
        """Yield vectors (s, D) of segments that the encoder sees alone, a batch of equal length at a time."""
        encoder = self.model.encoder
        cuts = slice_blocks(blocks, [(a * HOP_SAMPLES, b * HOP_SAMPLES + encoder.overhang_samples) for a, b in bounds])
        waiting: list[Tensor] = []
        for cut in cuts:
            waiting.append(self._features(cut, speaker))
            if len(waiting) == BATCH_SEGMENTS:
                yield self._mean_frames(waiting)
                waiting = []
        if waiting:
            yield self._mean_frames(waiting)

    def _isolated_turns(
        self, blocks: Iterable[np.ndarray], turns: Iterable[Turn], n_samples: int, speaker: ActivationStatistics | None
    ) -> Iterator[Tensor]:
        """Yield the vector (D,) of each turn, in order of their start, which the encoder sees alone.

        The samples of the longest turn are held; beyond a window they pass in overlapping ones, as a recording does.
        """
        encoder, step = self.model.encoder, step_frames(self.window_frames)
        n_frames, duration_s = encoder.count_frames(n_samples), n_samples / SAMPLE_RATE_HZ
        frames = [fit_span(turn.start_s, turn.end_s, n_frames, duration_s) for turn in turns]
        bounds = [(a * HOP_SAMPLES, min(b * HOP_SAMPLES + encoder.overhang_samples, n_samples)) for a, b in frames]
        for cut in slice_blocks(blocks, bounds):
            whole = SpanMeans([(0.0, len(cut) / SAMPLE_RATE_HZ)])
            for _ in whole.watch(self._frames(rechunk([cut], step * HOP_SAMPLES), speaker)):
                pass
            yield whole.stacked(len(cut) / SAMPLE_RATE_HZ)[0]

    def _mean_frames(self, features: list[Tensor]) -> Tensor:
        return self._encode_batch(torch.stack(features)).mean(dim=1)  # all segments of a recording are equally long

    def _probabilities(self, vectors: Tensor) -> np.ndarray:
        logits = self.model.head(vectors.to(self.device)).cpu().double()
        return (logits / self.model.config.calibration_temperature).softmax(-1).numpy()

    def _named(self, p: np.ndarray) -> dict[str, float]:
        return dict(zip(self.labels, p.tolist(), strict=True))

    def _warnings(self, levels: LevelMeter, duration_s: float) -> tuple[str, ...]:
        longest, crop, found = self.longest_training_clip_s, self.model.config.crop_frames, list(levels.warnings())
        if duration_s < A_WORD_S:
            found.append(f"At {duration_s:.2f} s, shorter than a word: what is shown is a guess.")
        if crop is not None and duration_s > crop * FRAME_S:
            found.append(f"As a whole it is judged by its first {crop * FRAME_S:.1f} s alone, as in training.")
        if longest is not None and duration_s > longest:
            longer = f"longer than any clip of the model's training (at most {longest:.1f} s)"
            found.append(f"At {duration_s:.1f} s, {longer}.")
        return tuple(found)


def load_turns(given: GivenTurns, recording: str) -> tuple[Turn, ...]:
    """Load the turns of a recording from a turns file, in which it may be one of several, or check those given.

    Raises:
        TurnsError: the file cannot be read, has no turn of the recording, or a turn cannot be right.
    """
    if isinstance(given, str | Path):
        return TurnsOfFiles(read_turns_file(Path(given)), Path(given).name).of_recording(PurePath(recording))
    return as_turns(given)


def _short_turns(turns: Sequence[Turn]) -> list[str]:
    short = sum(turn.duration_s < A_WORD_S for turn in turns)
    if not short:
        return []
    are = "is" if short == 1 else "are"
    return [f"{short} of {len(turns)} turns {are} shorter than {A_WORD_S} s, a word: what is shown of them is a guess."]


def choose_device(device: str) -> str:
    """Choose the GPU for `auto`, where there is one: NVIDIA's (`cuda`) or Apple's (`mps`).

    Raises:
        ModelError: a GPU was asked for and there is none.

    Example:
        >>> choose_device("cpu")
        'cpu'
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("device cuda was asked for, but torch finds no GPU here; use --device cpu or auto")
    if device == "mps" and not torch.backends.mps.is_available():
        raise ModelError("device mps was asked for, but torch finds no Apple GPU here; use --device cpu or auto")
    return device


def name_source(source: Source) -> str:
    """Name a recording by its path, or by that of an open file; `recording` where it has none."""
    name = source if isinstance(source, str | Path) else getattr(source, "name", None)
    return str(name) if isinstance(name, str | Path) else "recording"
