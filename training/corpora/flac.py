"""Write samples as a FLAC file."""

from pathlib import Path

import av
import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ


def write_flac(samples: np.ndarray, path: Path, metadata: dict[str, str]) -> None:
    """Write samples (N,), full scale 1, as 16-bit mono FLAC at 16 kHz with `metadata` (title, comment …)."""
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    with av.open(str(path), "w", format="flac") as container:
        container.metadata.update(metadata)
        stream = container.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="mono", options={"compression_level": "12"})
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        fifo = av.AudioFifo()
        fifo.write(frame)
        while piece := fifo.read(stream.codec_context.frame_size or 4096, partial=True):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
