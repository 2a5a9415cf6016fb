"""Map over the workers of a Dask cluster, which see the same files under the same paths."""

import contextlib
import functools
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from litefake.errors import LitefakeError

Item = TypeVar("Item")
Result = TypeVar("Result")

CONNECT = 5  # seconds, to reach the scheduler
WITHOUT_WORKERS = 300  # seconds, before giving up: killed ones take a while to start again
POLL = 5  # seconds between two looks at the workers

_one_at_a_time = threading.Lock()  # detectors are not made for several threads


def map_on_cluster(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    address: str,
    lost: Callable[[Item], Result],
) -> Iterator[Result]:
    """Yield ``work(item)`` in order, from the workers of the scheduler at ``address``.

    Dask tries an item again whose worker died, as often as the scheduler's setting
    ``allowed-failures`` says, and blames whatever else the worker had. So an item that Dask
    gives up is tried once more as often with nothing beside it; ``lost(item)`` stands for
    one that kills its workers even then.

    Raises LitefakeError when Dask is not installed, the scheduler cannot be reached or is lost,
    or has no worker for five minutes.
    """
    with _connected(address) as client, _named(address):
        run = functools.partial(_on_worker, work, str(Path.cwd()))
        name = f"litefake-{uuid.uuid4().hex}"
        futures = client.map(run, items, key=[f"{name}-{n}" for n in range(len(items))])
        for number, item in enumerate(items):
            killed, result = _outcome(client, futures[number], address)
            if killed:
                for other in futures[number + 1 :]:
                    _wait(client, other, address)
                again = client.submit(run, item, key=f"{name}-{number}-alone")
                killed, result = _outcome(client, again, address)
            futures[number].release()
            yield lost(item) if killed else result


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise LitefakeError(
            f"LITEFAKE_SCHEDULER is {address}, but Dask is not installed: run"
            " `pip install '.[cluster]'`, or unset LITEFAKE_SCHEDULER"
        ) from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # says all in tracebacks
    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise LitefakeError(
            f"LITEFAKE_SCHEDULER: no Dask scheduler at {address} ({error}): start one with"
            " `dask scheduler`, or unset LITEFAKE_SCHEDULER"
        ) from None
    with client:
        yield client


@contextlib.contextmanager
def _named(address: str) -> Iterator[None]:
    """A scheduler that is lost on the way is one line."""
    from distributed import CancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except (CancelledError, CommClosedError) as error:
        raise LitefakeError(
            f"the Dask scheduler at {address} was lost ({error}); start it and run again:"
            " finished clips are kept"
        ) from None


def _outcome(client: Any, future: Any, address: str) -> tuple[bool, Any]:
    """Whether the item killed its workers, else its result; what ``work`` raises is raised."""
    from distributed import KilledWorker

    _wait(client, future, address)
    try:
        return False, future.result()
    except KilledWorker:
        return True, None


def _wait(client: Any, future: Any, address: str) -> None:
    """Until ``future`` is done. Raises LitefakeError when no worker is there to do it."""
    from distributed import wait

    without = 0
    while not future.done():
        with contextlib.suppress(TimeoutError), client.as_current():
            wait([future], timeout=POLL)
            return
        without = 0 if client.scheduler_info()["workers"] else without + POLL
        if without >= WITHOUT_WORKERS:
            raise LitefakeError(
                f"the Dask scheduler at {address} has no worker: start some with"
                f" `dask worker {address} --nthreads 1` in {Path.cwd()}"
            )


def _on_worker(work: Callable[[Item], Result], folder: str, item: Item) -> Result:
    import cv2

    with _one_at_a_time:
        try:
            os.chdir(folder)  # paths are relative to it
        except OSError as error:
            raise LitefakeError(
                f"{folder}: not found by a Dask worker ({error.strerror}); all workers must see"
                " the files of this machine under the same paths"
            ) from None
        cv2.setNumThreads(1)
        return work(item)
