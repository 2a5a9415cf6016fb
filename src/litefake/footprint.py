"""How much a network weighs: parameters, multiply-accumulates, bytes on disk."""

from pathlib import Path

import torch
from torch import nn


def parameters(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())


def nonzero_parameters(model: nn.Module) -> int:
    """Number of trainable values that are not zero."""
    return sum(int(parameter.count_nonzero()) for parameter in model.parameters())


def macs(model: nn.Module, image_size: int) -> int:
    """Multiply-accumulates of convolutions and linear layers for one square RGB image."""
    return sum(layer_macs(model, image_size).values())


@torch.no_grad()
def layer_macs(model: nn.Module, image_size: int) -> dict[str, int]:
    """Multiply-accumulates of each convolution and linear layer, by module name."""
    counts: dict[nn.Module, int] = {}

    def count(layer: nn.Module, _inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        weight = layer.get_parameter("weight")
        counts[layer] = counts.get(layer, 0) + output[0].numel() * weight[0].numel()

    layers: dict[nn.Module, str] = {
        layer: name
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = model.training
    try:
        device = next(model.parameters()).device
        model.eval()(torch.zeros(1, 3, image_size, image_size, device=device))
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    return {layers[layer]: counted for layer, counted in counts.items()}


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
