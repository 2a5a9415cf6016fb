"""Structured pruning: channels go, with everything in every layer that belongs to them.

Torch-Pruning finds which layers are coupled and cuts them; how many channels go is decided
here. Its own pruner counts from the widths it was built with, looks at a cap only before a
step, and lives in memory: none of that survives a restart. Here a step depends on nothing
but the network, the original widths and the share to reach, so any step can be resumed.
"""

import torch
from torch import nn
from torch_pruning.dependency import Group

from litefake import footprint
from litefake.errors import TrainingFailed
from litefake.importance import TaylorImportance, coupled_groups
from litefake.pruning.costs import cost_of, group_widths
from litefake.pruning.params import PruneParams
from litefake.pruning.selection import MINIMUM_WIDTH, Scores, choose_channels, search_channels

# A share of parameters or MACs counts as reached when it is missed by no more than this
# share of the original.
TOLERANCE = 0.01


def prune_step(
    model: nn.Module, original: dict[str, int], share: float, params: PruneParams, size: int
) -> float:
    """Remove channels until ``share`` of ``params.target`` is gone; return the share of channels.

    ``original`` holds the widths before any pruning by module name, ``size`` is the side of
    the square input in pixels. The gradients must be there (``accumulate_gradients``); they
    are cleared. Channels that are coupled count once; the input and the classifier's logit
    are never pruned. Raises TrainingFailed when a score is not finite or a layer collapses.
    """
    groups = coupled_groups(model, size)
    scores = channel_scores(model, groups, params, size)
    cost = cost_of(params.target, model, groups, size)
    chosen = search_channels(scores, original, share, params, cost)
    for name, channels in chosen.items():
        if channels:
            groups[name].prune(channels)
    model.zero_grad(set_to_none=True)
    check_not_collapsed(footprint.widths(model), original)
    left = sum(len(values) - len(chosen[name]) for name, values in scores.items())
    return 1 - left / sum(original[name] for name in scores)


def channel_scores(
    model: nn.Module, groups: dict[str, Group], params: PruneParams, size: int
) -> Scores:
    """The importance of every channel, divided by what it costs if ``params.cost`` says so.

    Removing the channels with the least importance per unit of cost first is the greedy
    solution of the knapsack that Shen et al. (HALP, NeurIPS 2022, arXiv 2210.06659) pose: keep
    the most importance within a budget. Liu et al. (Group Fisher Pruning, ICML 2021, arXiv
    2108.00708) divide a channel's importance by the memory or FLOPs that go with it at the
    present widths, as is done here with MACs or parameters.
    """
    importance = TaylorImportance(params.normalizer, params.group_reduction)
    scores = {name: importance(group) for name, group in groups.items()}
    if params.cost == "none":
        return scores
    cost, widths = cost_of(params.cost, model, groups, size), group_widths(groups)
    return {name: values / cost.of_channel(name, widths) for name, values in scores.items()}


def check_reachable(model: nn.Module, params: PruneParams, size: int) -> None:
    """Raise TrainingFailed when the caps do not let ``params.ratio`` of the target go.

    Single weights are not judged: ``params.round_to`` and the least width do not bind them, and
    ``PruneParams`` knows ``max_pruning_ratio``.
    """
    if params.kind == "unstructured":
        return
    groups = coupled_groups(model, size)
    original = group_widths(groups)
    level = {name: torch.zeros(width) for name, width in original.items()}
    gone = choose_channels(level, original, 1.0, params)
    cost = cost_of(params.target, model, groups, size)
    least = cost.total({name: width - len(gone[name]) for name, width in original.items()})
    most = 1 - least / cost.total(original)
    if most < params.ratio - TOLERANCE:
        raise TrainingFailed(
            f"prune: at most {most:.1%} of the {params.target} can go, prune.ratio is "
            f"{params.ratio:.1%}; lower it or prune.round_to, or raise prune.max_pruning_ratio"
        )


def check_reached(removed: float, params: PruneParams) -> None:
    """Raise TrainingFailed when ``removed`` is not ``params.ratio`` of the target, or nearly so."""
    if abs(removed - params.ratio) > TOLERANCE:
        raise TrainingFailed(
            f"prune: {removed:.1%} of the {params.target} went, prune.ratio is "
            f"{params.ratio:.1%}; lower prune.round_to"
        )


def check_not_collapsed(widths: dict[str, int], original: dict[str, int]) -> None:
    """Raise TrainingFailed when a layer has fewer than MINIMUM_WIDTH channels left."""
    for name, width in widths.items():
        if width < min(MINIMUM_WIDTH, original[name]):
            raise TrainingFailed(
                f"prune: {name} collapsed from {original[name]} channels to {width}; "
                "lower prune.ratio or prune.max_pruning_ratio"
            )
