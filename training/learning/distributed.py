"""Train in several processes, as `torchrun` starts them: each encodes its share of a batch, one of them writes.

The loss is that of the whole batch. Each process gathers the network's outputs of all of them, chooses triplets over
all recordings and sends the gradients back to where an output was made; averaged over the processes, as
DistributedDataParallel does, these are the gradients that one process would have had.
"""

from collections.abc import Iterator

import torch
from accelerate import PartialState
from torch import Tensor
from torch.distributed.nn.functional import all_gather
from torch.nn.functional import pad
from torch.utils.data import Sampler

from segser_core.network.model import SegmentEmotionOutput
from training.features.batches import BalancedBatches, ClipDraw, MixedBatches
from training.features.joined import JoinedDraw


def process_state() -> PartialState:
    """Return this process's rank among those of the training; the only one without `torchrun`."""
    return PartialState(cpu=not torch.cuda.is_available())


class BatchShare(Sampler[list[ClipDraw] | list[JoinedDraw]]):
    """One process's part of each batch; in the processes' order, the parts are the batch."""

    def __init__(self, batches: BalancedBatches | MixedBatches, process: int, of: int):
        self.batches, self.process, self.of = batches, process, of

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration; the training loop calls it."""
        self.batches.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[ClipDraw] | list[JoinedDraw]]:
        for batch in self.batches:
            first, last = (len(batch) * k // self.of for k in (self.process, self.process + 1))
            yield batch[first:last]


def gather_rows(rows: Tensor) -> Tensor:
    """Gather the rows of every process, in their order, padded in all other dimensions: (b, …) → (B, …).

    Gradients flow back to the process that a row came from.
    """
    if process_state().num_processes == 1:
        return rows
    shapes = torch.stack(all_gather(torch.tensor(rows.shape, device=rows.device)))  # (processes, dimensions)
    lacking = (shapes.amax(dim=0) - shapes[process_state().process_index]).tolist()
    padded = pad(rows, [amount for n in reversed(lacking) for amount in (0, n)])
    parts = all_gather(padded.to(torch.uint8) if rows.dtype == torch.bool else padded)  # gloo gathers no booleans
    return torch.cat([part[:n] for part, n in zip(parts, shapes[:, 0].tolist(), strict=True)]).to(rows.dtype)


def gather_output(output: SegmentEmotionOutput) -> SegmentEmotionOutput:
    """Gather the network's output for the recordings of every process."""
    return SegmentEmotionOutput(**{name: gather_rows(rows) for name, rows in output.items()})
