"""Make the next items in a thread while the one before is worked on."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], depth: int = 1) -> Iterator[Item]:
    """``items`` in order, the next ``depth`` made while one is in use; what making raises, too.

    More than one evens out items that take longer to make than others.
    """
    end = object()
    with ThreadPoolExecutor(1) as maker:
        pending = deque(maker.submit(next, items, end) for _ in range(depth))
        while (item := pending.popleft().result()) is not end:
            pending.append(maker.submit(next, items, end))
            yield item  # type: ignore[misc]  # next() gives the end or an Item
