"""Make a run repeatable: threads, a record of the machine."""

import ctypes
import os
import platform
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from litefake.errors import ParamsInvalid
from litefake.parallel import cores
from litefake.params import Section


class Reproducibility(Section):
    """Section ``reproducibility``: what fixes the random numbers and the order of sums.

    threads: how many share a batch inside one process.
    devices: GPUs that training uses, or processes where there is no GPU; each takes its part
        of every batch.
    precision: of training alone, in the words of Lightning Fabric.
    """

    seed: int = Field(ge=0)
    threads: int = Field(ge=1, le=256)
    devices: int = Field(default=1, ge=1, le=256)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


_run = {"recipe": Reproducibility(seed=0, threads=1)}


def setup(recipe: Reproducibility) -> None:
    """Fix the number of threads and forbid non-deterministic kernels.

    Batches are divided among ``threads`` threads (see ``litefake.shards``); inside a layer
    there is one, so that no sum depends on how a library divides it.
    """
    _run["recipe"] = recipe
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Deterministic mode also fills new tensors with NaN, to make reads of them show: a
    # fifth of the time of a training step, for code that has no such read.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    _keep_freed_memory()


def current() -> Reproducibility:
    """What ``setup`` was told last; before that seed 0, one thread, one device."""
    return _run["recipe"]


def threads() -> int:
    """How many threads share a batch: what ``setup`` was told, else one."""
    return current().threads


@contextmanager
def thread_pool(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that each use one core inside a layer."""
    with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield pool


def _keep_freed_memory() -> None:
    """Let glibc reuse the memory of tensors in place of returning it to the system.

    A training step frees and allocates some hundred large tensors; as it is, each is
    mapped anew and zeroed page by page, up to a third of the time of a step.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # names of mallopt(3)
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return  # another C library
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 64 * 2**20)


def device() -> torch.device:
    """``LITEFAKE_DEVICE``, else a GPU where there is one, else the CPU. Raises ParamsInvalid."""
    fallback = "cuda" if torch.cuda.is_available() else "cpu"
    name = os.environ.get("LITEFAKE_DEVICE", fallback)
    try:
        return torch.device(name)
    except RuntimeError:
        raise ParamsInvalid(f"LITEFAKE_DEVICE={name}: no device of torch; cpu or cuda") from None


def machine() -> dict[str, str | int]:
    """The processor and the library versions that a measured time belongs to."""
    return {
        "cpu": _cpu_name(),
        "cores": cores(),
        "threads": threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
