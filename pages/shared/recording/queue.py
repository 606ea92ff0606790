"""Analyses take turns, so that many visitors at once slow one another down no more than they must."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

LOOK_AGAIN_S = 0.5  # how soon a visitor who waits and leaves is noticed


class Turns:
    """One analysis runs at a time, on all cores; the others wait in line."""

    def __init__(self) -> None:
        self._line: list[object] = []
        self._changed = Condition()

    @contextmanager
    def turn(self, tell: Callable[[int], None]) -> Iterator[Callable[[], None]]:
        """Wait for one's turn, and hold it for the time of the block.

        Args:
            tell: called with how many are before this one, again and again while it waits; what it raises
                ends the waiting.

        Yields:
            A function to call between parts of long work: it goes to the end of the line, and waits there.
        """
        mine = object()

        def again() -> None:
            with self._changed:
                if self._line[-1] is not mine:
                    self._line.remove(mine)
                    self._line.append(mine)
                    self._changed.notify_all()
            self._wait(mine, tell)

        with self._changed:
            self._line.append(mine)
        try:
            self._wait(mine, tell)
            yield again
        finally:
            with self._changed:
                self._line.remove(mine)
                self._changed.notify_all()

    def _wait(self, mine: object, tell: Callable[[int], None]) -> None:
        while True:
            with self._changed:
                ahead = self._line.index(mine)
                if ahead == 0:
                    return
            tell(ahead)
            with self._changed:
                self._changed.wait_for(lambda: self._line[0] is mine, LOOK_AGAIN_S)
