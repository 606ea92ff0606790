"""What a GPU makes of it: an epoch of each system, and inference, batch by batch up to the limit.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --dry-run

Around wav2vec2-base's configuration with weights at random, on noise as long as RAVDESS's training clips on average,
with as much padding as a batch of 12 has in training (8 %). Training: bf16 autocast, fused AdamW, the encoder as it is
and compiled, with what the frozen convolutions make of the noise at hand, as from the second epoch on; batches of 12
and twice as many each time until memory runs out. An epoch is RAVDESS's 2036 training clips at the pace of one batch;
the paper's took 34 minutes on a V100, on which corpus it does not say. Inference: from samples on the card to logits,
the convolutions clip by clip. The share of the peak is that of the arithmetic of a step, padding included
(`torch.utils.flop_counter`), in the rate at which this card multiplies large bf16 matrices. `--dry-run` goes the same
way on a CPU with a tiny network, batches of 2 and 4 and no code made by the compiler: it shows that the script works,
and nothing else.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.paper_cost import loss_of, training_step
from benchmarks.peers import random_wav2vec2
from benchmarks.turns import markdown, seconds
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.network.model import SegmentEmotionModel
from tests.support.networks import tiny_model

SYSTEMS = ("baseline", "seg", "tri-w", "seg+tri-s", "seg+tri-w")
TRAINING_CLIPS = 2036
SHORTEST_S, LONGEST_S = 3.73, 4.40
TURNS, LARGE = 10, 8192
HEAD = ["work", "batch", "way", "pace", "of the peak", "memory at most"]
Batch = dict[str, Any]
Work = Callable[[Batch], object]


def made_batch(model: SegmentEmotionModel, size: int, device: str) -> Batch:
    """Noise of RAVDESS's lengths, as samples and as features, with a label each."""
    lengths_s = torch.linspace(SHORTEST_S, LONGEST_S, size)
    waveforms = [0.1 * torch.randn(int(SAMPLE_RATE_HZ * s), device=device) for s in lengths_s]
    features, lengths = features_of(model, waveforms)
    return {
        "waveforms": waveforms,
        "features": features,
        "lengths": lengths,
        "labels": torch.arange(size, device=device) % len(model.config.labels),
        "offsets": torch.zeros(size, dtype=torch.long, device=device),
        "seconds": lengths_s,
    }


def features_of(model: SegmentEmotionModel, waveforms: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Each (N,) through the convolutions, padded to (B, T, F), and their lengths (B,) in frames."""
    features = [model.encoder.features(w) for w in waveforms]
    lengths = torch.tensor([len(f) for f in features], device=features[0].device)
    return torch.nn.utils.rnn.pad_sequence(features, batch_first=True), lengths


def inference(model: SegmentEmotionModel, device: str) -> Work:
    """One pass in bf16, from samples to logits."""

    @torch.no_grad()  # the operations of what runs in inference mode cannot be counted
    def run(batch: Batch) -> None:
        with torch.autocast(device, torch.bfloat16):
            model(*features_of(model, batch["waveforms"]), batch["offsets"])

    return run


def timed(work: Work, batch: Batch, turns: int, device: str) -> float:
    """Median seconds of a call, after two that do not count, the device's work included."""

    def whole() -> None:
        work(batch)
        if device == "cuda":
            torch.cuda.synchronize()

    return statistics.median([seconds(whole) for _ in range(turns + 2)][2:])


def peak_flops(device: str) -> float:
    """Operations a second of a large product in bf16."""
    size = LARGE if device == "cuda" else LARGE // 16
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    return 2 * size**3 / timed(lambda _: torch.mm(a, a), {}, 20, device)


def flops_of(work: Work, batch: Batch) -> int:
    """Operations of one call."""
    with FlopCounterMode(display=False) as counter:
        work(batch)
    return counter.get_total_flops()


def line(name: str, work: Work, batch: Batch, device: str, peak: float) -> list[str]:
    """What a batch costs: time by epoch or by hour of audio, share of the peak, memory."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    took_s, size = timed(work, batch, TURNS, device), len(batch["labels"])
    if name == "inference":
        pace = f"{float(batch['seconds'].sum()) / took_s:.0f} h of audio an hour"
    else:
        pace = f"{took_s * TRAINING_CLIPS / size:.1f} s an epoch"
    gb = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else None
    return [pace, f"{100 * flops_of(work, batch) / took_s / peak:.0f} %", "–" if gb is None else f"{gb:.1f} GB"]


def lines(model_of: Callable[[], SegmentEmotionModel], device: str, batches: Sequence[int]) -> Iterator[list[str]]:
    """A line for each system, way and batch, until memory runs out."""
    peak = peak_flops(device)
    backend = "inductor" if device == "cuda" else "eager"
    for name, compiled in product((*SYSTEMS, "inference"), (False, True)):
        model = model_of().to(device).train(name != "inference")
        if compiled:
            model.encoder.compile(dynamic=True, backend=backend)
        if name == "inference":
            work = inference(model, device)
        else:
            work = training_step(model, torch.autocast(device, torch.bfloat16)(loss_of(name)), fused=True)
        for size in batches:
            head = [name, f"{size}", "compiled" if compiled else "as it is"]
            try:
                yield head + line(name, work, made_batch(model, size, device), device, peak)
            except torch.OutOfMemoryError:
                yield [*head, "out of memory", "–", "–"]
                break


def main(argv: list[str] | None = None) -> None:
    """The table, as its lines come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=1536, help="the largest batch that is tried")
    parser.add_argument("--dry-run", action="store_true")
    asked = parser.parse_args(argv)
    if not asked.dry_run and not torch.cuda.is_available():
        parser.error("torch finds no GPU here; --dry-run shows on a CPU that the script works")
    if asked.dry_run:
        found = lines(lambda: tiny_model("wav2vec2"), "cpu", (2, 4))
    else:
        found = lines(random_wav2vec2, "cuda", [12 * 2**k for k in range(9) if 12 * 2**k <= asked.most])
        print(f"{torch.cuda.get_device_name()}; the paper's epoch took 34 minutes on a V100\n")
    print(markdown([HEAD]))
    for cells in found:
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
