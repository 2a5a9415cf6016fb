"""First-order Taylor importance of groups of coupled channels, every layer counted.

Torch-Pruning's own ``GroupTaylorImportance`` skips BatchNorm and depthwise convolutions
(docs/decisions/taylor-importance.md), which carry every block of an EfficientNet.
"""

from collections.abc import Iterable
from typing import Literal

import torch
import torch_pruning as tp
from torch import nn
from torch_pruning.dependency import Group
from torch_pruning.pruner import function
from torch_pruning.pruner.importance import Importance

from litefake.batches import Batch
from litefake.distillation import Objective
from litefake.errors import TrainingFailed
from litefake.shards import Shards

Normalizer = Literal["mean", "none"]
GroupReduction = Literal["mean", "sum"]

# The axis of a layer's weight along which its pruning function removes channels. For
# BatchNorm and depthwise layers removing inputs and outputs is one and the same function.
CHANNEL_AXIS = {
    function.prune_conv_out_channels: 0,
    function.prune_linear_out_channels: 0,
    function.prune_depthwise_conv_out_channels: 0,
    function.prune_batchnorm_out_channels: 0,
    function.prune_conv_in_channels: 1,
    function.prune_linear_in_channels: 1,
}


def accumulate_gradients(model: nn.Module, batches: Iterable[Batch], objective: Objective) -> None:
    """Leave the gradient of the objective's loss, averaged over all faces, in ``model``.

    In eval mode: the importance of a channel is asked of the network as it will be used,
    with its running statistics and without dropout, and asking must not change it.
    """
    model.zero_grad(set_to_none=True)
    faces = 0
    with torch.enable_grad(), Shards.of(model) as shards:
        shards.train(False)
        for batch in batches:
            count = len(batch.labels)
            shards.backward(_summed(objective, count), batch)
            faces += count
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad /= faces


def _summed(objective: Objective, count: int) -> Objective:
    """``objective`` summed over the ``count`` faces of a batch in place of averaged."""
    return lambda model, part: {"loss": objective(model, part)["loss"] * count}


def coupled_groups(model: nn.Module, size: int) -> dict[str, Group]:
    """The groups of layers that must lose the same channels, by the name of their first.

    The classifier's output belongs to none.
    """
    example = torch.zeros(1, 3, size, size, device=next(model.parameters()).device)
    training_mode = model.training
    with torch.enable_grad():  # the graph is read off autograd's
        graph = tp.DependencyGraph().build_dependency(model, (example,))
    model.train(training_mode)
    classifier: nn.Module = model.get_classifier()  # type: ignore[operator]  # timm's
    names = {layer: name for name, layer in model.named_modules()}
    groups = graph.get_all_groups(ignored_layers=[classifier])
    return {names[group[0].dep.target.module]: group for group in groups}


class TaylorImportance(Importance):  # type: ignore[misc]  # torch_pruning has no types
    """Over the group's layers, the mean or sum of |w * dL/dw| over what a channel owns.

    The score of channel c of a group G of coupled layers is::

        I(c) = 1 / N * sum over layers l in G, w in S(l, c) of |w * dL/dw|

    where S(l, c) holds every weight of layer l that goes when c goes: the filter and bias
    of a convolution that puts c out, the filter slices of one that takes c in, the filter
    of a depthwise one, gamma and beta of a BatchNorm. It is the sum over single
    parameters of Molchanov et al., "Importance Estimation for Neural Network Pruning",
    CVPR 2019 (arXiv 1906.10771), with the absolute value in place of the square, as in
    Torch-Pruning's ``GroupTaylorImportance``. N is |G| with ``group_reduction="mean"`` and
    1 with ``"sum"``: then every weight counts alike, however many layers share a channel.

    ``normalizer="mean"`` divides by the group's mean, so that groups of different scale
    can be ranked together; a group whose scores are all zero stays zero. ``"none"``
    compares the raw sums. Gradients must have been accumulated before.
    """

    def __init__(
        self, normalizer: Normalizer = "mean", group_reduction: GroupReduction = "mean"
    ) -> None:
        self.normalizer = normalizer
        self.group_reduction = group_reduction

    @torch.no_grad()
    def __call__(self, group: Group) -> torch.Tensor:
        """Scores, float64 on the CPU, one per channel of the group's first layer.

        Raises TrainingFailed when a score is not finite, ValueError when a layer has no
        gradient or is of a kind that this does not count (it never skips weights silently).
        """
        root_channels = group[0].root_idxs
        scores = torch.zeros(max(root_channels) + 1, dtype=torch.float64)
        members = 0
        for item in group:
            layer = item.dep.target.module
            axis = CHANNEL_AXIS.get(item.dep.handler)
            if axis is None:
                if list(layer.parameters(recurse=False)):
                    raise ValueError(f"no importance is defined for {type(layer).__name__}")
                continue  # an activation or a sum: it owns no weights
            contribution = channel_taylor(layer, axis)
            scores.index_add_(0, torch.tensor(item.root_idxs), contribution[item.idxs])
            members += 1
        scores = scores[root_channels] / (members if self.group_reduction == "mean" else 1)
        if not scores.isfinite().all():
            raise TrainingFailed(
                f"importance of {group[0].dep.target.name} is not finite; "
                "the gradients overflowed: lower prune.recipe.lr or check the data"
            )
        return self._normalized(scores)

    def _normalized(self, scores: torch.Tensor) -> torch.Tensor:
        mean = scores.mean()
        if self.normalizer == "none" or mean == 0:
            return scores
        return scores / mean


def channel_taylor(layer: nn.Module, axis: int) -> torch.Tensor:
    """Sum of |w * dL/dw| over the parameters of each channel along ``axis``; float64, CPU."""
    if axis == 1 and getattr(layer, "groups", 1) > 1:
        raise ValueError(f"grouped convolutions must be depthwise, got {layer}")
    weight = weight_taylor(layer.weight)
    total = weight.transpose(0, axis).flatten(1).sum(1) if weight.dim() > 1 else weight
    if axis == 0 and layer.bias is not None:
        total = total + weight_taylor(layer.bias)
    return total


def weight_taylor(parameter: torch.Tensor | nn.Module) -> torch.Tensor:
    """|w * dL/dw| of every value of a parameter; its shape, float64, CPU."""
    assert isinstance(parameter, torch.Tensor)
    if parameter.grad is None:
        raise ValueError("a parameter has no gradient; accumulate gradients before scoring")
    return (parameter.double() * parameter.grad.double()).abs().cpu()
