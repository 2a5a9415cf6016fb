"""Make a run repeatable: fixed thread count, seeds derived from names, a record of the machine."""

import os

# On a busy machine spinning barriers of OpenMP cost 3 to 30 times; read when torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import hashlib
import platform
from pathlib import Path

import torch
from pydantic import Field

from litefake.params import Section


class Reproducibility(Section):
    """Section ``reproducibility``: what fixes the random numbers and the order of sums."""

    seed: int = Field(ge=0)
    threads: int = Field(ge=1, le=256)


def seed_of(*names: int | str) -> int:
    """A 63-bit seed that depends on every name: ``seed_of(seed, "train_b0", epoch)``."""
    text = "/".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def setup(recipe: Reproducibility) -> None:
    """Fix the thread count and forbid non-deterministic kernels.

    Sums over threads are bit-identical for one thread count and differ between counts,
    so the count is a parameter and not the number of cores.
    """
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    # Deterministic mode also fills new tensors with NaN, to make reads of them show: a
    # fifth of the time of a training step, for code that has no such read.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False


def device() -> torch.device:
    """``LITEFAKE_DEVICE``, else a GPU where there is one, else the CPU."""
    fallback = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(os.environ.get("LITEFAKE_DEVICE", fallback))


def machine() -> dict[str, str | int]:
    """The processor and the library versions that a measured time belongs to."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
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
