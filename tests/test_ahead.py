"""The next item is made while the one before is in use, and nothing else changes."""

import threading
from collections.abc import Iterator

import pytest

from litefake.ahead import ahead


def test_order_and_values_stay():
    assert list(ahead(iter([]))) == []
    assert list(ahead(iter([3, None, 1]))) == [3, None, 1]


def test_the_next_item_is_made_before_this_one_is_done_with():
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in ahead(items()):
        assert made[min(number + 1, 2)].wait(10)
        assert not any(event.is_set() for event in made[number + 2 :])


def test_what_making_an_item_raises_arrives_in_its_place():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("second")

    got = ahead(items())
    assert next(got) == 1
    with pytest.raises(ValueError, match="second"):
        next(got)
