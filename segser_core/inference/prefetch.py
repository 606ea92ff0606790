"""Decode recordings in threads ahead of their turn."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from segser_core.inference.ray_workers import R, T

THREADS, MAX_PREFETCHED = 2, 8


def prefetch(items: Iterable[T], make: Callable[[T], R]) -> Iterator[tuple[T, "Future[R]"]]:
    """Yield each item with what threads made of it before its turn; at most `MAX_PREFETCHED` of them wait.

    Example:
        >>> [(item, made.result()) for item, made in prefetch([1, 2, 3], lambda n: n * n)]
        [(1, 1), (2, 4), (3, 9)]
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(THREADS)
    try:
        for item in items:
            waiting.append((item, pool.submit(make, item)))
            if len(waiting) > MAX_PREFETCHED:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        pool.shutdown(cancel_futures=True)
