"""The line in which analyses wait."""

import threading
import time

import pytest

from pages.shared.recording.queue import Turns


def in_line(turns: Turns, n: int) -> None:
    """Wait until so many are in line, the one whose turn it is among them."""
    while len(turns._line) < n:
        time.sleep(0.001)


def test_one_at_a_time_in_the_order_of_arrival_and_each_is_told_its_place():
    turns, order, told, inside = Turns(), [], {}, []

    def visit(name):
        with turns.turn(lambda ahead: told.setdefault(name, []).append(ahead)):
            inside.append(name)
            assert len(inside) == 1
            time.sleep(0.02)
            inside.remove(name)
            order.append(name)

    threads = []
    with turns.turn(pytest.fail):
        for place, name in enumerate("abcde", start=1):
            threads.append(threading.Thread(target=visit, args=name))
            threads[-1].start()
            in_line(turns, place + 1)
    for thread in threads:
        thread.join(5)
    assert order == list("abcde") and [told[name][0] for name in "abcde"] == [1, 2, 3, 4, 5]
    assert all(sorted(places, reverse=True) == places for places in told.values()) and not turns._line


def test_whoever_leaves_while_waiting_leaves_the_line():
    turns = Turns()

    def leave(ahead):
        raise KeyboardInterrupt

    with turns.turn(pytest.fail):
        with pytest.raises(KeyboardInterrupt), turns.turn(leave):
            pytest.fail("it was not its turn")
        in_line(turns, 1)
    assert not turns._line


def test_whoever_fails_in_its_turn_gives_it_back():
    turns = Turns()
    with pytest.raises(ValueError), turns.turn(pytest.fail):
        raise ValueError
    with turns.turn(pytest.fail):
        assert len(turns._line) == 1


def test_long_work_lets_others_in_between_its_parts():
    turns, done, told = Turns(), [], []

    def short():
        with turns.turn(lambda ahead: None):
            done.append("short")

    with turns.turn(told.append) as again:
        again()  # alone, it goes on at once
        threads = [threading.Thread(target=short) for _ in range(2)]
        for n, thread in enumerate(threads, start=2):
            thread.start()
            in_line(turns, n)
        again()
        done.append("long")
    assert done == ["short", "short", "long"] and told and told[0] <= 2
    for thread in threads:
        thread.join(5)
