"""Make the next item in a thread while the one before is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """``items`` in order, each made while its predecessor is in use; what making it raises, too."""
    end = object()
    with ThreadPoolExecutor(1) as maker:
        pending = maker.submit(next, items, end)
        while (item := pending.result()) is not end:
            pending = maker.submit(next, items, end)
            yield item  # type: ignore[misc]  # next() gives the end or an Item
