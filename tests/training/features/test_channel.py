import math
import re

import pytest
import torch

from segser_core.audio.loading import load_audio
from segser_core.errors import SettingError
from tests.support.paths import SAMPLE
from training.features.channel import (
    CODECS,
    MP3,
    OPUS,
    Codec,
    encode,
    low_pass,
    telephone_line,
    transcode,
    transcode_randomly,
)

NOISE = 0.1 * torch.randn(50_000, generator=torch.Generator().manual_seed(0))
SPEECH = torch.from_numpy(load_audio(SAMPLE))[:64_000]
SECONDS = torch.arange(32_000) / 16_000


def power(waveform, low_hz, high_hz):
    """Power between two frequencies."""
    window = torch.hann_window(len(waveform), dtype=torch.double)
    spectrum = torch.fft.rfft(waveform.double() * window).abs().square()
    hz = torch.fft.rfftfreq(len(waveform), 1 / 16_000)
    return spectrum[(hz >= low_hz) & (hz < high_hz)].sum().item()


def gain_db(after, before, low_hz, high_hz):
    return 10 * math.log10(power(after, low_hz, high_hz) / power(before, low_hz, high_hz))


def ratio_db(signal, error):
    return 10 * math.log10(signal.square().mean() / error.square().mean())


def lag(after, before):
    """Samples by which a waveform is late: the place of the highest cross-correlation."""
    length = 2 * len(before)
    product = torch.fft.rfft(after, length) * torch.fft.rfft(before, length).conj()
    at = torch.fft.irfft(product, length).argmax().item()
    return at if at < len(before) else at - length


@pytest.mark.parametrize("cutoff_hz", [1000.0, 4000.0, 5500.0])
def test_a_low_pass_keeps_what_is_below_its_cutoff_and_removes_what_is_above(cutoff_hz):
    passed = low_pass(NOISE, cutoff_hz)
    assert len(passed) == len(NOISE)
    assert gain_db(passed, NOISE, 0, cutoff_hz - 100) == pytest.approx(0, abs=0.01)
    assert gain_db(passed, NOISE, cutoff_hz - 5, cutoff_hz + 5) == pytest.approx(-6, abs=1)
    assert gain_db(passed, NOISE, cutoff_hz + 110, 8000) < -60


def test_a_low_pass_above_the_spectrum_changes_nothing():
    torch.testing.assert_close(low_pass(NOISE, 9000.0), NOISE)


def test_a_telephone_line_passes_300_to_3400_hz():
    heard = telephone_line(NOISE)
    assert len(heard) == len(NOISE)
    assert gain_db(heard, NOISE, 300, 400) == pytest.approx(0, abs=0.1)
    assert gain_db(heard, NOISE, 400, 3400) == pytest.approx(0, abs=0.05)
    assert gain_db(heard, NOISE, 0, 90) < -60
    assert gain_db(heard, NOISE, 3610, 8000) < -60


@pytest.mark.parametrize("level_db", [0, -10, -20, -30])
def test_a_telephone_line_quantises_by_mu_law(level_db):
    """The ratio to the quantisation noise hardly depends on the level; eight linear bits would lose 30 dB."""
    tone = 0.9 * 10 ** (level_db / 20) * torch.sin(2 * math.pi * 1013 * SECONDS)
    middle = slice(2000, -2000)  # away from where the tone begins and ends
    assert 32 < ratio_db(tone[middle], (telephone_line(tone) - tone)[middle]) < 42


@pytest.mark.parametrize("effect", [lambda x: low_pass(x, 5000.0), telephone_line])
def test_filters_have_no_delay(effect):
    assert lag(effect(SPEECH), SPEECH) == 0


@pytest.mark.parametrize(("codec", "least", "most"), [(OPUS, 0.7, 1.0), (MP3, 1.0, 1.06)], ids=["opus", "mp3"])
def test_a_codec_spends_the_bits_that_it_is_given(codec, least, most):
    """Opus spends fewer in the speech's pauses, MP3 the last frame's in full."""
    for bit_rate in codec.bit_rates:
        packets, _ = encode(SPEECH, codec, bit_rate)
        spent = 8 * sum(packet.size for packet in packets) / (len(SPEECH) / 16_000)
        assert least * bit_rate < spent < most * bit_rate


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: c.encoder)
def test_a_codec_is_in_time_and_better_with_more_bits(codec):
    heard = [transcode(SPEECH, codec, bit_rate) for bit_rate in (codec.bit_rates[0], codec.bit_rates[-1])]
    assert all(len(h) == len(SPEECH) and h.dtype == SPEECH.dtype for h in heard)
    assert all(abs(lag(h, SPEECH)) <= 1 for h in heard)  # a sixteenth of a millisecond
    worst, best = (ratio_db(SPEECH, h - SPEECH) for h in heard)
    assert 0 < worst < best - 3


def test_opus_at_its_lowest_rate_is_narrow_band():
    assert gain_db(transcode(SPEECH, OPUS, 6_000), SPEECH, 5000, 8000) < -20
    assert gain_db(transcode(SPEECH, OPUS, 24_000), SPEECH, 5000, 7000) > -6


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: c.encoder)
@pytest.mark.parametrize("n", [400, 16_000, 16_001])
def test_a_codec_keeps_any_length(codec, n):
    assert len(transcode(SPEECH[8000 : 8000 + n], codec, 16_000)) == n


@pytest.mark.parametrize("effect", [telephone_line, lambda x: transcode(x, MP3, 48_000)])
def test_a_clip_beyond_full_scale_is_not_clipped(effect):
    tone = 4 * torch.sin(2 * math.pi * 700 * SECONDS)
    assert effect(tone)[2000:-2000].abs().max() == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(
    "effect", [telephone_line, *(lambda x, c=c: transcode(x, c, 16_000) for c in CODECS)], ids=["line", "opus", "mp3"]
)
def test_silence_stays_silent(effect):
    assert effect(torch.zeros(8000)).abs().max() < 1e-4


def test_the_generator_draws_codec_and_bit_rate():
    speech = SPEECH[16_000:24_000]
    heard = [transcode_randomly(speech, torch.Generator().manual_seed(seed)) for seed in range(40)]
    kinds = [any(torch.equal(transcode(speech, c, rate), h) for h in heard) for c in CODECS for rate in c.bit_rates]
    assert sum(kinds) > 7  # of nine
    assert torch.equal(heard[3], transcode_randomly(speech, torch.Generator().manual_seed(3)))


def test_a_codec_that_libav_lacks_is_named():
    absent = Codec("nosuchcodec", "mp3float", "fltp", (16_000,))
    with pytest.raises(SettingError, match=re.escape("nosuchcodec")):
        transcode(SPEECH, absent, 16_000)
