"""The queue in which analyses wait."""

import threading
import time

import pytest

from pages.shared.recording.queue import FairQueue


def in_line(queue: FairQueue, n: int) -> None:
    """Wait until so many are in line, the one whose turn it is among them."""
    while len(queue._waiting) < n:
        time.sleep(0.001)


def test_one_at_a_time_in_the_order_of_arrival_and_each_is_told_its_place():
    queue, order, told, inside = FairQueue(), [], {}, []

    def visit(name):
        with queue.first(lambda ahead: told.setdefault(name, []).append(ahead)):
            inside.append(name)
            assert len(inside) == 1
            time.sleep(0.02)
            inside.remove(name)
            order.append(name)

    threads = []
    with queue.first(pytest.fail):
        for place, name in enumerate("abcde", start=1):
            threads.append(threading.Thread(target=visit, args=name))
            threads[-1].start()
            in_line(queue, place + 1)
    for thread in threads:
        thread.join(5)
    assert order == list("abcde")
    assert [told[name][0] for name in "abcde"] == [1, 2, 3, 4, 5]
    assert all(sorted(places, reverse=True) == places for places in told.values())
    assert not queue._waiting


def test_whoever_leaves_while_waiting_leaves_the_line():
    queue = FairQueue()

    def leave(ahead):
        raise KeyboardInterrupt

    with queue.first(pytest.fail):
        with pytest.raises(KeyboardInterrupt), queue.first(leave):
            pytest.fail("it was not its turn")
        in_line(queue, 1)
    assert not queue._waiting


def test_whoever_fails_in_its_turn_gives_it_back():
    queue = FairQueue()
    with pytest.raises(ValueError), queue.first(pytest.fail):
        raise ValueError
    with queue.first(pytest.fail):
        assert len(queue._waiting) == 1


def test_long_work_lets_others_in_between_its_parts():
    queue, done, told = FairQueue(), [], []

    def short():
        with queue.first(lambda ahead: None):
            done.append("short")

    with queue.first(told.append) as again:
        again()  # alone, it goes on at once
        threads = [threading.Thread(target=short) for _ in range(2)]
        for n, thread in enumerate(threads, start=2):
            thread.start()
            in_line(queue, n)
        again()
        done.append("long")
    assert done == ["short", "short", "long"]
    assert told
    assert told[0] <= 2
    for thread in threads:
        thread.join(5)
