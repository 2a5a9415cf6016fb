"""Map over processes of this machine; one that dies takes nothing but its own item with it."""

import contextlib
import functools
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

TRIES = 3  # workers that an item may kill


def map_in_processes(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    count: int,
    lost: Callable[[Item], Result],
) -> Iterator[Result]:
    """Yield ``work(item)`` in order, from ``count`` processes that hold one item each.

    An item whose process dies is tried again in a new one; ``lost(item)`` stands for one that
    killed TRIES. Executors of one process each, since one of many breaks as a whole and
    does not say which item was to blame. Processes are spawned, never forked: OpenCV, PyAV and
    numba keep threads that a fork breaks.
    """
    idle: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            idle.put(_process())
            stack.callback(lambda: idle.get().shutdown())
        threads = stack.enter_context(ThreadPoolExecutor(count))
        attempt = functools.partial(_attempt, work=work, idle=idle, lost=lost)
        yield from threads.map(attempt, items)


def _attempt(
    item: Item,
    work: Callable[[Item], Result],
    idle: "SimpleQueue[ProcessPoolExecutor]",
    lost: Callable[[Item], Result],
) -> Result:
    process = idle.get()
    try:
        for _ in range(TRIES):
            try:
                return process.submit(work, item).result()
            except BrokenProcessPool:
                process.shutdown()
                process = _process()
        return lost(item)
    finally:
        idle.put(process)


def _process() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_start_worker)


def _start_worker() -> None:
    import cv2

    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone.

    A worker holds both ends of the queue it reads, so it never learns from the queue that
    nobody will write to it again: after ``kill -9`` it would wait, or write files, for ever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
