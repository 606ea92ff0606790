"""Tell speech from the rest: the network of Silero VAD 6, with the weights of the package `silero-vad`.

The package's TorchScript file holds its newest weights, and a network that hears one window at a time. Here that
network is built from torch's layers and hears many windows at once, ten times as fast. The package is not imported,
since its import sets torch's threads to one. The network stays on the CPU, in fp32: a recording has the same speech on
every device.

Source: Silero Team, Silero VAD, 2021–2026, MIT licence, https://github.com/snakers4/silero-vad.
"""

import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from segser_core.audio.speech import SPEECH_WINDOW_SAMPLES, SpeechTrack
from segser_core.errors import ModelError

CONTEXT_SAMPLES = 64  # of the window before, which each window begins with
FFT_SAMPLES, FFT_BINS, FFT_HOP_SAMPLES = 256, 129, 128
BATCH_WINDOWS = 512  # 16 s: what the convolutions see at once, and what is amplified by one gain
LOUD_PEAK, MOST_GAIN = 0.4, 100.0  # quieter speech is amplified: whispers of RAVDESS peak at 0.007
WEIGHTS_FILE = "silero_vad.jit"
PREFIX = "_model."  # of the network for 16 kHz in that file
LAYERS = {
    "stft.forward_basis_buffer": "stft_conv.weight",
    **{f"encoder.{i}.reparam_conv.{n}": f"conv{i + 1}.{n}" for i in range(4) for n in ("weight", "bias")},
    **{f"decoder.rnn.{n}": f"lstm.{n}_l0" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    **{f"decoder.decoder.2.{n}": f"final_conv.{n}" for n in ("weight", "bias")},
}


class VoiceActivityNetwork(nn.Module):
    """Spectrum, four convolutions and an LSTM, which say how probable speech is in each window of 32 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * FFT_BINS, FFT_SAMPLES, FFT_HOP_SAMPLES, bias=False)
        self.conv1 = nn.Conv1d(FFT_BINS, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm = nn.LSTM(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, windows: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Compute the probability of speech in windows that follow one another.

        Args:
            windows: (W, 576) samples at 16 kHz, each with the last 64 of the window before.
            state: of the LSTM after the window before; None at the start.

        Returns:
            (W,) probabilities, and the state after the last window.
        """
        padded = nn.functional.pad(windows, (0, CONTEXT_SAMPLES), mode="reflect")
        spectrum = self.stft_conv(padded[:, None])  # (W, 258, 4)
        x = (spectrum[:, :FFT_BINS].square() + spectrum[:, FFT_BINS:].square()).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = layer(x).relu()  # at last (W, 128, 1)
        hidden, state = self.lstm(x.squeeze(2), state)
        return self.final_conv(hidden.relu()[..., None]).sigmoid().flatten(), state


@cache
def load_voice_activity() -> VoiceActivityNetwork:
    """Load the network with the weights that come with the package `silero-vad`, once.

    Raises:
        ModelError: the package, or its file of weights, is not there.
    """
    spec = find_spec("silero_vad")
    path = Path(spec.origin).parent / "data" / WEIGHTS_FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModelError(
            f"speech is told from the rest by {WEIGHTS_FILE} of the package silero-vad, which is not installed; "
            "install silero-vad 6.2.3, or keep all segments with a share of 0"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as a whole
        weights = torch.jit.load(path, map_location="cpu").state_dict()
    network = VoiceActivityNetwork()
    network.load_state_dict({ours: weights[PREFIX + theirs] for theirs, ours in LAYERS.items()})
    return network.eval().requires_grad_(False)


class SpeechMeter:
    """Running probability of speech in a recording that comes in blocks; memory does not grow with the blocks."""

    def __init__(self) -> None:
        self.network = load_voice_activity()
        self.state: tuple[Tensor, Tensor] | None = None
        self.held = np.zeros(CONTEXT_SAMPLES, np.float32)  # begins with the context of the next window
        self.found: list[np.ndarray] = []

    def watch(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the same blocks, (n,) samples each at 16 kHz, and listen to them on the way."""
        for block in blocks:
            self.add(block)
            yield block

    def add(self, block: np.ndarray) -> None:
        """Listen to the next (n,) samples, a whole batch of windows at a time, however long the blocks are."""
        self.held = np.concatenate([self.held, block])
        while len(self.held) >= CONTEXT_SAMPLES + BATCH_WINDOWS * SPEECH_WINDOW_SAMPLES:
            self._listen(BATCH_WINDOWS)

    def _listen(self, n_windows: int) -> None:
        n_samples = n_windows * SPEECH_WINDOW_SAMPLES
        now = self.held[: n_samples + CONTEXT_SAMPLES]
        gain = np.clip(LOUD_PEAK / max(float(np.abs(now).max()), 1e-9), 1.0, MOST_GAIN)
        held = torch.from_numpy(now * np.float32(gain))
        windows = held.unfold(0, SPEECH_WINDOW_SAMPLES + CONTEXT_SAMPLES, SPEECH_WINDOW_SAMPLES)
        with torch.inference_mode():
            p, self.state = self.network(windows, self.state)
        self.found.append(p.numpy())
        self.held = self.held[n_samples:]

    def finish(self) -> SpeechTrack:
        """Listen to what is left, filled up with zeros to a whole window, and return the speech of the recording."""
        n_windows = -(-(len(self.held) - CONTEXT_SAMPLES) // SPEECH_WINDOW_SAMPLES)
        lacking = CONTEXT_SAMPLES + n_windows * SPEECH_WINDOW_SAMPLES - len(self.held)
        self.held = np.pad(self.held, (0, lacking))
        if n_windows:
            self._listen(n_windows)
        return SpeechTrack(np.concatenate([np.empty(0, np.float32), *self.found]))
