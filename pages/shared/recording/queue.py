"""Fair queue: one analysis at a time; those that wait are told their position."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

POLL_S = 0.5  # how soon a visitor who waits and leaves is noticed


class FairQueue:
    """A queue of analyses: the first one runs, on all cores; the others wait."""

    def __init__(self) -> None:
        self._waiting: list[object] = []  # the first one is the one that runs
        self._changed = Condition()

    @contextmanager
    def first(self, report_position: Callable[[int], None]) -> Iterator[Callable[[], None]]:
        """Wait to be the first in the queue, and stay it for the time of the block.

        Args:
            report_position: called again and again during the wait with how many are before this one; what it
                raises ends the wait.

        Yields:
            A function to call between parts of long work: it goes to the end of the queue, and waits there.
        """
        ticket = object()

        def requeue() -> None:
            with self._changed:
                if self._waiting[-1] is not ticket:
                    self._waiting.remove(ticket)
                    self._waiting.append(ticket)
                    self._changed.notify_all()
            self._wait(ticket, report_position)

        with self._changed:
            self._waiting.append(ticket)
        try:
            self._wait(ticket, report_position)
            yield requeue
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _wait(self, ticket: object, report_position: Callable[[int], None]) -> None:
        while True:
            with self._changed:
                position = self._waiting.index(ticket)
                if position == 0:
                    return
            report_position(position)
            with self._changed:
                self._changed.wait_for(lambda: self._waiting[0] is ticket, POLL_S)
