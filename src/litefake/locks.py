"""One process at a time for a stage: a second one could only spoil what the first writes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from litefake.errors import StageBusy
from litefake.storage import writing

FOLDER = Path("checkpoints")  # no output of DVC, which deletes outputs before a run


@contextmanager
def alone(stage: str, folder: Path = FOLDER) -> Iterator[None]:
    """Hold the lock of ``stage``, as a context or as the decorator of its ``main``.

    The system frees the lock of a killed process. Raises StageBusy with the number of the
    process that holds it, and LitefakeError when something cannot be written.
    """
    with writing(), _held(stage, folder):
        yield


@contextmanager
def _held(stage: str, folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{stage}.lock")
    holder = folder / f"{stage}.pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        process = holder.read_text(encoding="utf-8") if holder.exists() else "unknown"
        raise StageBusy(
            f"{stage}: process {process} is running this stage in this folder; "
            f"wait for it, or end it with `kill {process}`"
        ) from None
    try:
        holder.write_text(str(os.getpid()), encoding="utf-8")
        yield
        holder.unlink(missing_ok=True)
    finally:
        lock.release()
