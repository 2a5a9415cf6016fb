"""Map a function over work items with every core, one process each."""

import functools
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNKS = 64  # per process: few enough to hide the hand-over, enough to end together


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers() -> int:
    """How many processes to use: ``LITEFAKE_WORKERS``, else one per available core."""
    return int(os.environ.get("LITEFAKE_WORKERS", 0)) or cores()


def map_items(
    work: Callable[[Item], Result], items: Sequence[Item], desc: str, unit: str = "item"
) -> Iterator[Result]:
    """Yield ``work(item)`` for every item, in order, with a progress bar.

    ``work`` must be a module-level function (or a partial of one). Processes are
    spawned, never forked: OpenCV, PyAV and numba keep threads that a fork breaks.
    """
    count = min(workers(), len(items))
    # A log file gets a line now and then, a terminal a moving bar.
    interval = 0.1 if sys.stderr.isatty() else 10
    bar = functools.partial(tqdm, desc=desc, total=len(items), unit=unit, mininterval=interval)
    if count <= 1:
        yield from bar(map(work, items))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker) as pool:
        chunk = max(1, len(items) // (CHUNKS * count))
        yield from bar(pool.map(work, items, chunksize=chunk))


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
