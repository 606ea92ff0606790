"""Make one channel of a recording's several: their mean, one of them, or one where they cancel out."""

from dataclasses import dataclass, field

import av
import numpy as np

from segser_core.errors import AudioError, SettingError

LARGEST_SAMPLE = 1e6  # full scale is 1
# The numpy type of libav's packed sample formats, the value of silence, and that of full scale.
PCM = {
    "u8": ("u1", 128, 2**7),
    "s16": ("i2", 0, 2**15),
    "s32": ("i4", 0, 2**31),
    "flt": ("f4", 0, 1),
    "dbl": ("f8", 0, 1),
}
SAFE_PLANES = 7  # PyAV 18 reads past the list of a planar frame's channels where there are eight or more
CANCELLED_SHARE = 1e-3  # of the power that the mean of unlike channels has
AUDIBLE_POWER = 10 ** (-50 / 10)  # relative to full scale
SAME_SHARE = 1e-4  # channels differ by less where a codec alone made the difference


@dataclass(frozen=True)
class AudioChoice:
    """Choice of a file's audio track and of its channel, both counted from 1.

    Attributes:
        track: None for the one that players take.
        channel: None for the mean of all channels.

    Raises:
        SettingError: a number below 1.
    """

    track: int | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        for name, number in (("track", self.track), ("channel", self.channel)):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
                raise SettingError(f"{name} {number!r}: expected a whole number from 1, the first {name}")


DEFAULT_CHOICE = AudioChoice()


@dataclass
class ChannelReport:
    """Findings about a recording's channels.

    Attributes:
        n_channels: the most that a part of it has.
        taken: the channel that was taken alone, from 1, since the channels cancel one another out.
        power, difference: sums over all samples and channels, of the samples and of what sets them apart from the mean.
    """

    n_channels: int = 1
    taken: int | None = None
    power: float = field(default=0.0, repr=False)
    difference: float = field(default=0.0, repr=False)

    def notes(self, choice: AudioChoice) -> list[str]:
        """List the findings, each a plain sentence; none where a channel was chosen."""
        if choice.channel is not None:
            return []
        if self.taken is not None:
            return [f"The channels cancel one another out (out of phase): channel {self.taken} alone is analysed."]
        if self.n_channels > 1 and self.difference > SAME_SHARE * self.power:
            many = f"The recording has {self.n_channels} channels that differ"
            return [f"{many}; their mean is analysed: choose one, or each by itself (channel)."]
        return []


class ChannelMixer:
    """Mixer of a recording's frames to one channel."""

    def __init__(self, choice: AudioChoice, report: ChannelReport):
        self.choice, self.report = choice, report

    def mix(self, frame: av.AudioFrame) -> np.ndarray:
        """Mix a frame to (n,) float32.

        From the first frame on in which channels cancel out, one of them stands for all.

        Raises:
            AudioError: the channel that was chosen is not there, or samples are no numbers or far beyond full scale.
        """
        planes, report = check_samples(frame_to_array(frame)), self.report
        report.n_channels = max(report.n_channels, len(planes))
        if self.choice.channel is not None:
            return pick_channel(planes, self.choice.channel)
        mean = planes.mean(axis=0)
        powers = np.mean(np.square(planes, dtype=np.float64), axis=1)
        report.power += float(powers.sum()) * frame.samples
        report.difference += float(np.square(planes - mean, dtype=np.float64).sum())
        if report.taken is None and are_cancelled(mean, powers):
            report.taken = int(np.argmax(powers >= powers.max() / 2)) + 1
        return mean if report.taken is None or report.taken > len(planes) else planes[report.taken - 1]


def are_cancelled(mean: np.ndarray, powers: np.ndarray) -> bool:
    """Check whether audible channels of these powers (C,) leave next to nothing of their mean (n,)."""
    expected = powers.sum() / len(powers) ** 2  # of channels that have nothing in common
    is_audible = powers.max() > AUDIBLE_POWER
    return bool(is_audible and np.mean(np.square(mean, dtype=np.float64)) < CANCELLED_SHARE * expected)


def pick_channel(planes: np.ndarray, channel: int) -> np.ndarray:
    """Pick a channel, counted from 1, of (channels, n)."""
    if channel > len(planes):
        has = "one channel" if len(planes) == 1 else f"{len(planes)} channels"
        raise AudioError(f"channel {channel} was asked for, but the recording has {has}; choose another")
    return planes[channel - 1]


def average_channels(frame: av.AudioFrame) -> np.ndarray:
    """Average a frame's channels to (n,) float32.

    Raises:
        AudioError: a sample is not finite, or far beyond full scale.
    """
    planes = check_samples(frame_to_array(frame))
    return planes[0] if len(planes) == 1 else planes.mean(axis=0)


def check_samples(planes: np.ndarray) -> np.ndarray:
    """Return samples (channels, n) that can be those of a recording."""
    if not np.abs(planes).max() <= LARGEST_SAMPLE:
        raise AudioError("some samples are NaN, infinite or absurdly large; full scale is 1: export the file again")
    return planes


def frame_to_array(frame: av.AudioFrame) -> np.ndarray:
    """Convert a frame to samples (channels, n) float32, full scale is 1."""
    channels, name = frame.layout.nb_channels, frame.format.packed.name
    if name not in PCM or (frame.format.is_planar and channels > SAFE_PLANES):
        name = name if name in PCM else "dbl"
        frame = av.AudioResampler(format=name, layout=frame.layout, rate=frame.sample_rate).resample(frame)[0]
    dtype, zero, full_scale = PCM[name]
    if frame.format.is_planar:
        raw = frame.to_ndarray()
    else:
        raw = np.frombuffer(bytes(frame.planes[0]), dtype, frame.samples * channels).reshape(-1, channels).T
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray((raw.astype(np.float32) - np.float32(zero)) / np.float32(full_scale))
