"""Share many recordings out to Ray's workers, in order and in constant memory."""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from segser_core.errors import SegserError, SettingError

Engine = Literal["local", "ray"]
T = TypeVar("T")
R = TypeVar("R")
BLOCK = 16  # recordings that one of Ray's workers is given at once, and that are done again where it is killed


@dataclass(frozen=True)
class WorkerError:
    """Result of a worker that failed to start: the error."""

    why: SegserError


class RayWorker:
    """One of Ray's processes: makes its function once, then applies it to every item."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]):
        try:
            self.work = make()
        except SegserError as error:
            unmade = WorkerError(error)
            self.work = lambda item: unmade

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Apply the function to a batch of items, in order."""
        return {"result": [self.work(item) for item in batch["item"]]}


def map_on_ray(
    items: list[T], make: Callable[[], Callable[[T], R]], address: str | None = None, on_gpu: bool = False
) -> Iterator[R]:
    """Map a function over items, in their order, by as many workers as there are CPU cores or GPUs.

    A worker that is killed is started anew, and what it had not given back is done again.

    Args:
        items: what is sent to the workers.
        make: makes the function, once in each worker; a function of a module, or a `partial` of one.
        address: of a cluster, as `ray start` names it. None starts Ray for this call, which then can be reached
            from this machine alone.
        on_gpu: whether each worker has a GPU to itself, or a CPU core.

    Raises:
        SettingError: Ray is not installed, no cluster is found at the address, or it has no GPU.
        SegserError: a worker's function cannot be made.
    """
    if not items:
        return
    ray = connect_ray(address)
    try:
        workers, blocks = int(ray.cluster_resources().get("GPU" if on_gpu else "CPU", 0)), -(-len(items) // BLOCK)
        if not workers:
            raise SettingError("Ray knows of no GPU; use --device cpu, or a cluster that has one")
        results = ray.data.from_items(items, override_num_blocks=blocks).map_batches(
            RayWorker,
            fn_constructor_args=(make,),
            batch_size=BLOCK,
            compute=ray.data.ActorPoolStrategy(size=min(workers, blocks)),
            **({"num_gpus": 1} if on_gpu else {"num_cpus": 1}),
        )
        for row in results.iter_rows():
            if isinstance(row["result"], WorkerError):
                raise row["result"].why
            yield row["result"]
    finally:
        ray.shutdown()


def _await_head(address: str | None) -> None:
    """Raise an error at once where nobody listens at HOST:PORT: Ray itself tries for many minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=10).close()


def connect_ray(address: str | None) -> Any:
    """Connect Ray, without usage statistics, dashboard or messages of its own. Errors as in `map_on_ray`."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    if address is None:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # which on any system makes Ray listen on loopback alone
    try:
        import ray
        import ray.data
    except ImportError:
        raise SettingError('--engine ray needs Ray Data; install it: pip install ".[ray]" in the checkout') from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    how: dict[str, Any] = {} if address else {"include_dashboard": False}
    code = {"env_vars": {"PYTHONPATH": str(Path(__file__).parents[2])}}
    try:
        _await_head(address)
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, runtime_env=code, **how)
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingError(f"Ray cannot be reached at {address or 'this machine'}: {error}") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    return ray
