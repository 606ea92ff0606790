"""Degrade test clips under fixed conditions, so that models can be compared by how much each one costs them."""

import zlib
from collections.abc import Callable
from types import MappingProxyType

from torch import Generator, Tensor

from segser_core.errors import SettingError
from training.features.augment import add_noise, change_level, change_speed
from training.features.babble import OtherClips, add_babble
from training.features.channel import MP3, OPUS, low_pass, telephone_line, transcode
from training.features.room import reverberate

Condition = Callable[[Tensor, Generator, OtherClips], Tensor]
AS_RECORDED = "as recorded"
TEST_CONDITIONS: MappingProxyType[str, Condition] = MappingProxyType(
    {
        AS_RECORDED: lambda waveform, generator, others: waveform,
        "level −30 dB": lambda waveform, generator, others: change_level(waveform, -30.0),
        "reverberation 0.5 s": lambda waveform, generator, others: reverberate(waveform, 0.5, generator, drr_db=-12.0),
        "telephone": lambda waveform, generator, others: telephone_line(waveform),
        "babble 10 dB": lambda waveform, generator, others: add_babble(waveform, 10.0, others, generator),
        "noise 10 dB": lambda waveform, generator, others: add_noise(waveform, 10.0, generator),
        "low pass 4 kHz": lambda waveform, generator, others: low_pass(waveform, 4000.0),
        "Opus 12 kbit/s": lambda waveform, generator, others: transcode(waveform, OPUS, 12_000),
        "MP3 32 kbit/s": lambda waveform, generator, others: transcode(waveform, MP3, 32_000),
        "speed 0.9": lambda waveform, generator, others: change_speed(waveform, 0.9),
        "speed 1.1": lambda waveform, generator, others: change_speed(waveform, 1.1),
    }
)


def degrade(waveform: Tensor, condition: str, name: str, others: OtherClips) -> Tensor:
    """Degrade a clip under a condition, (N,) → (N',), in the same way at each call.

    Args:
        waveform: (N,) at 16 kHz.
        condition: one of `TEST_CONDITIONS`.
        name: the clip's; with the condition it fixes what is drawn.
        others: clips of training speakers, of which babble is made.

    Raises:
        SettingError: no such condition.
    """
    if condition not in TEST_CONDITIONS:
        raise SettingError(f"condition {condition!r} is unknown; choose from {', '.join(TEST_CONDITIONS)}")
    generator = Generator().manual_seed(zlib.crc32(f"{condition} {name}".encode()))
    return TEST_CONDITIONS[condition](waveform, generator, others)
