"""How much a network weighs: parameters, multiply-accumulates, bytes on disk."""

from pathlib import Path

import torch
from torch import nn

from litefake.frequency import FrequencyBands


def parameters(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())


@torch.no_grad()
def macs(model: nn.Module, image_size: int) -> int:
    """Multiply-accumulates of convolutions and linear layers for one square RGB image.

    The cosine transforms of a frequency branch count too.
    """
    total = sum(layer.macs() for layer in model.modules() if isinstance(layer, FrequencyBands))

    def count(layer: nn.Module, _inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        weight = layer.get_parameter("weight")
        total += output[0].numel() * weight[0].numel()

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = model.training
    try:
        device = next(model.parameters()).device
        model.eval()(torch.zeros(1, 3, image_size, image_size, device=device))
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    return total


def widths(model: nn.Module) -> dict[str, int]:
    """Output channels of every convolution, by module name."""
    return {
        name: layer.out_channels
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d)
    }


def size_mb(path: Path | str) -> float:
    """Size of a file in MB (10^6 bytes)."""
    return Path(path).stat().st_size / 1e6
