"""What a file for phones is measured by, whichever runtime made it; needs none of them."""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import nn

from litefake import footprint, scoring
from litefake.dataset import Faces

WARMUP, REPEATS = 10, 100
Logit = Callable[[torch.Tensor], float]  # of one image, 1 x 3 x S x S


class PhoneRuntime(Protocol):
    """A module ``tools.phone_NAME``."""

    SUFFIX: str  # of its files

    def write(
        self, model: nn.Module, example: torch.Tensor, faces: Faces, plain: Path, small: Path
    ) -> None:
        """Write ``model`` in fp32 and in 8 bit, for batches like ``example``.

        The ranges of activations are those that ``faces`` give.
        """

    def runner(self, path: Path) -> Logit:
        """What gives the logit of an image by the file at ``path``, on one thread."""


def figures(path: Path, logit: Logit, val: Faces, wanted: NDArray[np.float64]) -> dict[str, Any]:
    """Size, AUC, distance from the ``wanted`` logits of ``val``, and time, of one file."""
    found = np.array([logit(image) for image in single(val)])
    example = next(single(val))
    return {
        "size_mb": footprint.size_mb(path),
        "auc": float(roc_auc_score(val.table["label"], found)),
        **apart(found, wanted),
        "x86_ms": milliseconds(lambda: logit(example)),
    }


def single(faces: Faces) -> Iterator[torch.Tensor]:
    """The images of ``faces`` in order, 1 x 3 x S x S each, contiguous."""
    batches = faces.in_order(scoring.BATCH)
    return (image[None].contiguous() for batch in batches for image in batch.images)


def apart(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> dict[str, float]:
    """How far the logits are from the source's: the largest, and as a share of their spread."""
    error = found - wanted
    return {
        "largest_logit_error": float(np.abs(error).max()),
        "logit_error_share": float(error.std() / wanted.std()),
    }


@torch.inference_mode()
def milliseconds(work: Callable[[], object]) -> float:
    """Median CPU time of ``work``: waiting for other processes is not counted."""
    times = []
    for number in range(WARMUP + REPEATS):
        started = time.process_time()
        work()
        if number >= WARMUP:
            times.append(time.process_time() - started)
    return 1000 * statistics.median(times)
