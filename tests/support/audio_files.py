"""Build audio files of many formats in memory."""

import io
import struct
import wave
from fractions import Fraction

import av
import numpy as np

TONE_HZ = 440
CHANNEL_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def make_tone(rate, seconds=1.0, hz=TONE_HZ, amplitude=0.5):
    """Make a sine tone, (N,) float32."""
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def encode_any_wav(samples, rate, bits=16, code=1, claim=None):
    """Encode an array (n,) or (n, channels) of any type as WAV; `claim` is the length its header says."""
    samples = np.asarray(samples)
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    data, width = samples.tobytes(), channels * bits // 8
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, code, channels, rate, (rate * width) % 2**32, width, bits)
    body = header + b"data" + struct.pack("<I", len(data) if claim is None else claim) + data
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def make_noise(seconds, seed=0):
    """Make white noise at 16 kHz, (N,) float32."""
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


def to_pcm16(samples):
    """Round samples from -1 to 1 to 16-bit integers."""
    return np.round(samples * 32767).astype("<i2")


def encode_audio(container, codec, samples, rate, channels=1):
    """Encode mono samples, the same in each channel, in another format."""
    layout, content = CHANNEL_LAYOUTS[channels], io.BytesIO()
    with av.open(content, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout, options={"strict": "-2"})  # Vorbis is experimental
        form = stream.codec_context.format
        size = stream.codec_context.frame_size or 1024
        interleaved = np.repeat(samples, channels)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(format=form.name, layout=layout, rate=rate, frame_size=size)
        for piece in resampler.resample(frame) + resampler.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return content.getvalue()


def encode_video(with_sound):
    """Encode half a second of an MP4 with a grey picture."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as out:
        picture = out.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        sound = out.add_stream("aac", rate=16_000, layout="mono") if with_sound else None
        for i in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 32), 128, np.uint8), format="yuv420p")
            frame.pts = i
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        if sound is not None:
            for i in range(8):
                samples = make_tone(16_000, 8 * 0.064)[None, 1024 * i : 1024 * (i + 1)]
                piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="mono")
                piece.sample_rate, piece.pts = 16_000, 1024 * i
                out.mux(sound.encode(piece))
            out.mux(sound.encode(None))
    return content.getvalue()


def make_swelling_hum(seconds: float = 4.0) -> bytes:
    """Make a WAV file of a hum that swells, at 22 050 Hz."""
    t = np.arange(int(22_050 * seconds)) / 22_050
    samples = 0.3 * np.sin(2 * np.pi * 180 * t) * np.sin(np.pi * t / seconds)
    with io.BytesIO() as file:
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(22_050)
            out.writeframes((samples * 32_767).astype("<i2").tobytes())
        return file.getvalue()


def make_beeps(seconds, rate, first_s=1.0):
    """Make a beep of 100 ms at each whole second from `first_s` on, (N,) float32."""
    at_s = np.arange(round(seconds * rate)) / rate
    is_on = (at_s >= first_s) & (at_s % 1 < 0.1)
    return (0.5 * np.sin(2 * np.pi * 1000 * at_s) * is_on).astype(np.float32)


def encode_placed(container, codec, places, rate, picture_s=0.0):
    """Encode pieces of mono sound at given times in one track, perhaps beside a picture from 0 s on.

    Args:
        container, codec: by libav's names.
        places: (start in seconds, (N,) samples) each, in order.
        rate: in Hz.
        picture_s: how long a grey picture is shown; 0 for none.
    """
    content = io.BytesIO()
    with av.open(content, "w", format=container) as out:
        picture = out.add_stream("flv1" if container == "flv" else "mpeg4", rate=10) if picture_s else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        sound = out.add_stream(codec, rate=rate, layout="mono")
        sound.time_base, sound.bit_rate = Fraction(1, rate), 128_000
        size = sound.codec_context.frame_size or 1024
        for i in range(round(10 * picture_s)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 32), 128, np.uint8), format="yuv420p")
            frame.pts = i
            out.mux(picture.encode(frame))
        for start_s, samples in places:
            resampler = av.AudioResampler(sound.codec_context.format.name, "mono", rate, frame_size=size)
            whole = np.pad(samples, (0, -len(samples) % size))
            frame = av.AudioFrame.from_ndarray(whole[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, round(start_s * rate), Fraction(1, rate)
            for i, piece in enumerate(resampler.resample(frame) + resampler.resample(None)):
                piece.pts, piece.time_base = round(start_s * rate) + i * size, Fraction(1, rate)
                out.mux(sound.encode(piece))
        out.mux(sound.encode(None))
        if picture is not None:
            out.mux(picture.encode(None))
    return content.getvalue()
