"""Finished models of both kinds for those who work with torch."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from litefake import exported, footprint, models, saliency
from litefake.card import Card
from litefake.exported import Engine, FloatImages


class ExportedModule(nn.Module):
    """An exported network as a torch module: it cannot be trained and has no gradients."""

    def __init__(self, network: exported.Exported) -> None:
        super().__init__()
        self.network = network
        # Whoever scores asks a network where its parameters are; these are not torch's.
        self.nowhere = nn.Parameter(torch.empty(0), requires_grad=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, N x 1, of normalised images, N x 3 x S x S."""
        return torch.from_numpy(self.network(images.numpy()))


class Eager:
    """A network of torch without torch outside: arrays in, arrays out."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model.eval()

    def __call__(self, images: FloatImages) -> NDArray[np.float32]:
        """Logits, N x 1, of normalised images, N x 3 x S x S."""
        with torch.inference_mode():
            return np.asarray(self._model(torch.from_numpy(images)).numpy(), np.float32)

    @property
    def parameters(self) -> int:
        """Number of trainable values."""
        return parameters(self._model)

    def describe(self) -> str:
        """What computes it, in words."""
        return describe(self._model)

    def heat(self, images: FloatImages) -> NDArray[np.float32]:
        """What in each image spoke for fake: maps N x S x S in [0, 1] (``saliency``)."""
        return saliency.grad_cam(self._model, torch.from_numpy(images))


def load(
    path: Path | str, threads: int | None = None, engine: Engine | None = None
) -> tuple[nn.Module, Card]:
    """The network of a file as a torch module, in eval mode, and its card.

    ``threads`` (None: as many as torch uses) and ``engine`` are for an ONNX file, see
    ``exported.load``. Raises ModelUnreadable.
    """
    if Path(path).suffix != ".onnx":
        return models.load(path)
    network, card = exported.load(path, threads or torch.get_num_threads(), engine)
    return ExportedModule(network).eval(), card


def load_eager(path: Path | str, threads: int) -> tuple[Eager, Card]:
    """The network of a safetensors file and its card. Raises ModelUnreadable.

    Torch has one number of threads for the whole process.
    """
    torch.set_num_threads(threads)
    model, card = models.load(path)
    return Eager(model), card


def parameters(model: nn.Module) -> int:
    """Number of trainable values; of an exported network, those of its source."""
    if isinstance(model, ExportedModule):
        return model.network.parameters
    return footprint.parameters(model)


def macs(model: nn.Module, image_size: int) -> int:
    """Multiply-accumulates for one image; of an exported network, those of its source."""
    if isinstance(model, ExportedModule):
        return model.network.origin.macs
    return footprint.macs(model, image_size)


def describe(model: nn.Module) -> str:
    """What computes it, in words."""
    if isinstance(model, ExportedModule):
        return model.network.describe()
    return "PyTorch, eager, fp32"
