"""Map a function over work items: in this process, in one a core, or on a Dask cluster."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, TypeVar

from tqdm import tqdm

from litefake.cluster import map_on_cluster
from litefake.errors import LitefakeError, ParamsInvalid
from litefake.process_pool import map_in_processes

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers() -> int:
    """How many processes to use: ``LITEFAKE_WORKERS``, else one per available core.

    Raises ParamsInvalid when that is no number.
    """
    wanted = os.environ.get("LITEFAKE_WORKERS") or "0"
    if not wanted.isdecimal():
        raise ParamsInvalid(f"LITEFAKE_WORKERS is {wanted}; it must be a number of processes")
    return int(wanted) or cores()


def map_items(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    desc: str,
    unit: str = "item",
    lost: Callable[[Item], Result] | None = None,
) -> Iterator[Result]:
    """Yield ``work(item)`` for every item, in order, with a progress bar.

    ``work`` must be a module-level function (or a partial of one). It runs on the Dask cluster
    at ``LITEFAKE_SCHEDULER`` if that is set, in ``workers()`` processes if that is more
    than one, else here. An item whose worker dies is tried again; ``lost(item)`` is the result
    of one that kills a worker every time. Raises LitefakeError in its place when ``lost`` is None.
    """
    # A log file gets a line now and then, a terminal a moving bar.
    interval = 0.1 if sys.stderr.isatty() else 10
    results = _results(work, items, lost or _give_up)
    yield from tqdm(results, desc=desc, total=len(items), unit=unit, mininterval=interval)


def _results(
    work: Callable[[Item], Result], items: Sequence[Item], lost: Callable[[Item], Result]
) -> Iterator[Result]:
    address = os.environ.get("LITEFAKE_SCHEDULER")
    if address:
        return map_on_cluster(work, items, address, lost)
    count = min(workers(), len(items))
    if count > 1:
        return map_in_processes(work, items, count, lost)
    return map(work, items)


def killed(name: object) -> str:
    """What is said of an item that ``lost`` stands for."""
    return f"{name}: killed every process that worked on it; replace the file"


def _give_up(item: object) -> NoReturn:
    raise LitefakeError(killed(item))
