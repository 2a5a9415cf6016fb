"""Load any finished model as one thing: images in, logits out, torch only where it is needed."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from litefake import exported
from litefake.card import Card
from litefake.errors import ModelUnreadable
from litefake.exported import FloatImages
from litefake.parallel import cores

SUFFIXES = (".safetensors", ".onnx")


class Network(Protocol):
    """A finished model, whatever computes it."""

    @property
    def parameters(self) -> int:
        """Number of trainable values."""

    def __call__(self, images: FloatImages) -> NDArray[np.float32]:
        """Logits, N x 1, of normalised images, N x 3 x S x S."""

    def describe(self) -> str:
        """What computes it, in words."""

    def heat(self, images: FloatImages) -> NDArray[np.float32] | None:
        """What in each image spoke for fake: maps N x S x S in [0, 1]; None if unknown."""


def load(path: Path | str, threads: int | None = None) -> tuple[Network, Card]:
    """The network of a file, ONNX or safetensors, and its card.

    It runs on ``threads`` threads, on every core if None. Raises ModelUnreadable.
    """
    threads, path = threads or cores(), Path(path)
    if path.suffix not in SUFFIXES:
        raise ModelUnreadable(f"{path}: is no model; give one that ends in .safetensors or .onnx")
    if not path.is_file():
        raise ModelUnreadable(f"{path}: no such file; `make repro` writes its models to models/")
    if path.suffix == ".onnx":
        return exported.load(path, threads)
    from litefake import runtime  # torch takes seconds to import, an exported model needs none

    return runtime.load_eager(path, threads)
