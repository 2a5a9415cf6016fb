"""Unstructured pruning: single weights of convolutions become zero and stay so.

No shape changes, so neither the file nor the time gets smaller: it is here to be compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize

from litefake.errors import TrainingFailed
from litefake.importance import Normalizer, weight_taylor
from litefake.pruning.params import PruneParams
from litefake.pruning.selection import floor_width


@torch.no_grad()
def zero_weights(model: nn.Module, share: float, params: PruneParams) -> float:
    """Zero the least important weights until ``share`` of them is; return the share reached.

    Counted are the weights of all convolutions, zeros included. A weight's importance is
    |w * dL/dw| (Molchanov et al., CVPR 2019); what is zero already goes first. No convolution
    loses more than ``params.max_pruning_ratio`` of its weights. The gradients must be there
    (``accumulate_gradients``); they are cleared. Raises TrainingFailed when a score is not
    finite.
    """
    layers = _convolutions(model)
    scores = {name: _scores(name, layer, params.normalizer) for name, layer in layers.items()}
    pools = [list(scores)] if params.scope == "global" else [[name] for name in scores]
    for pool in pools:
        gone = _cheapest([scores[name] for name in pool], share, params.max_pruning_ratio)
        for name, mask in zip(pool, gone, strict=True):
            weight = layers[name].weight
            weight.masked_fill_(mask.reshape(weight.shape).to(weight.device), 0.0)
    model.zero_grad(set_to_none=True)
    total = sum(layer.weight.numel() for layer in layers.values())
    return 1 - sum(int(layer.weight.count_nonzero()) for layer in layers.values()) / total


@contextmanager
def zeros_kept(model: nn.Module) -> Iterator[None]:
    """While this holds, the weights of convolutions that are zero now stay zero in training."""
    layers = [layer for layer in _convolutions(model).values() if (layer.weight == 0).any()]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", _Zeros(layer.weight == 0))
    try:
        yield
    finally:
        for layer in layers:
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


class _Zeros(nn.Module):
    """A weight with zeros wherever ``mask`` is true."""

    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.masked_fill(self.mask, 0.0)


def _convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)}


def _scores(name: str, layer: nn.Conv2d, normalizer: Normalizer) -> torch.Tensor:
    """The importance of each weight, flat; that of a zero is below all others."""
    values = weight_taylor(layer.weight).flatten()
    if not values.isfinite().all():
        raise TrainingFailed(
            f"importance of {name} is not finite; "
            "the gradients overflowed: lower prune.recipe.lr or check the data"
        )
    if normalizer == "mean" and values.mean() > 0:
        values = values / values.mean()
    return values.masked_fill((layer.weight == 0).flatten().cpu(), -1.0)


def _cheapest(
    scores: list[torch.Tensor], share: float, max_pruning_ratio: float
) -> list[torch.Tensor]:
    """A mask a layer of the least important weights of all, ``share`` of them together."""
    spared = []
    for values in scores:
        best = values.argsort(descending=True, stable=True)
        floor = floor_width(len(values), max_pruning_ratio)
        spared.append(values.index_fill(0, best[:floor], torch.inf))
    joined = torch.cat(spared)
    wanted = min(len(joined) - round(len(joined) * (1 - share)), int(joined.isfinite().sum()))
    gone = torch.zeros(len(joined), dtype=torch.bool)
    gone[joined.argsort(stable=True)[:wanted]] = True
    return list(gone.split([len(values) for values in scores]))
