"""Other ways to compute the same model, each against the one that is used (float32, PyTorch): time, and labels kept.

    pip install -e ".[bench]"
    python -m benchmarks.engines --ravdess RAVDESS --emodb EMODB --encoder whisper

bf16: as `analyze` offers it. int8: the linear layers, quantised as they go. compile: `torch.compile` with lengths that
vary. onnx: ONNX Runtime for what lies above the features. Labels are those of RAVDESS's test clips and all of EMO-DB's
clips; those of wav2vec2 with weights at random say nothing. Time is taken on each `--every`-th of the clips.
"""

import argparse
import copy
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.inference import clips_of_ravdess
from benchmarks.turns import alternate, publish, ratio
from segser_core.audio.folders import find_audio_files
from segser_core.audio.loading import load_audio
from segser_core.inference.predictor import Precision, Predictor
from segser_core.network.model import SegmentEmotionModel

Label = Callable[[np.ndarray], str]
WARM_UP = 3
ENOUGH = 0.995  # of the labels must stay


def label_by(model: SegmentEmotionModel, precision: Precision = "fp32") -> Label:
    """Recordings → their labels."""
    predictor = Predictor(model, "tried", precision=precision)
    return lambda clip: predictor.predict(clip).label


def in_bf16(model: SegmentEmotionModel, _: Path) -> Label:
    """As `analyze --precision bf16`."""
    return label_by(model, "bf16")


def in_int8(model: SegmentEmotionModel, _: Path) -> Label:
    """Linear layers in 8 bits, activations quantised as they come."""
    torch.backends.quantized.engine = "x86"
    model.encoder = torch.ao.quantization.quantize_dynamic(model.encoder, {nn.Linear}, dtype=torch.qint8)
    return label_by(model)


def compiled(model: SegmentEmotionModel, _: Path) -> Label:
    """`torch.compile`."""
    model.encoder.forward = torch.compile(model.encoder.forward, dynamic=True)
    return label_by(model)


def by_onnx(model: SegmentEmotionModel, folder: Path) -> Label:
    """ONNX Runtime on two threads."""
    path, features = folder / "encoder.onnx", model.encoder.features(torch.zeros(48_000))[None]
    length = torch.tensor([features.shape[1]])
    axes = {"x": {0: "b", 1: "t"}, "n": {0: "b"}}
    torch.onnx.export(
        model.encoder, (features, length), path, input_names=["x", "n"], dynamic_axes=axes, dynamo=False, verbose=False
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]

    def forward(features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        given = {"x": features.numpy(), "n": lengths.numpy()}
        return torch.from_numpy(session.run(None, {name: given[name] for name in names})[0])

    model.encoder.forward = forward
    return label_by(model)


WAYS: dict[str, Callable[[SegmentEmotionModel, Path], Label]] = {
    "bf16": in_bf16,
    "int8": in_int8,
    "compile": compiled,
    "onnx": by_onnx,
}


def kept(label: Label, before: list[str], clips: list[np.ndarray]) -> str:
    """The share of labels that stay."""
    same = np.mean([label(clip) == old for clip, old in zip(clips, before, strict=True)])
    return f"{100 * same:.1f} %"


def labels_kept(way: Label, as_it_is: Label, corpora: dict[str, list[np.ndarray]]) -> Iterator[str]:
    """A phrase a corpus."""
    for name, clips in corpora.items():
        yield f"{kept(way, [as_it_is(clip) for clip in clips], clips)} of {len(clips)} on {name}"


def main() -> None:
    """All ways that are asked for, with one encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ravdess", type=Path, required=True)
    parser.add_argument("--emodb", type=Path, required=True)
    parser.add_argument("--encoder", choices=("whisper", "wav2vec2"), required=True)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--every", type=int, default=8)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    bundled = asked.encoder == "whisper"
    model = Predictor.from_pretrained("seg+tri-w").model if bundled else peers.random_wav2vec2()
    corpora = {
        "RAVDESS": clips_of_ravdess(asked.ravdess),
        "EMO-DB": [load_audio(p) for p in find_audio_files(asked.emodb)],
    }
    timed, figures = corpora["RAVDESS"][:: asked.every], []
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        sides = {way: WAYS[way](copy.deepcopy(model), Path(folder)) for way in asked.ways}
        sides["used"] = label_by(model)
        alternate(timed[:WARM_UP], sides)
        times = alternate(timed, sides)
        for way in asked.ways:
            remark = "; ".join(labels_kept(sides[way], sides["used"], corpora)) if bundled else "weights at random"
            what = f"float32 with PyTorch, {len(timed)} clips, {asked.encoder}"
            figures.append(ratio(what, way, times["used"], times[way], f"> 1 ×, labels ≥ {100 * ENOUGH:.1f} %", remark))
    publish(f"engines-{asked.encoder}", figures)


if __name__ == "__main__":
    main()
