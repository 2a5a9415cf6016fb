"""How many channels each group gives, and which; nothing here knows a network."""

import math
from bisect import bisect_left
from collections import Counter

import torch

from litefake.pruning.costs import Cost
from litefake.pruning.params import PruneParams

Scores = dict[str, torch.Tensor]
# A layer with a single channel left is a collapsed one.
MINIMUM_WIDTH = 2


def search_channels(
    scores: Scores, original: dict[str, int], share: float, params: PruneParams, cost: Cost
) -> dict[str, list[int]]:
    """The channels of each group to remove, so that ``share`` of the original cost is gone.

    ``scores`` holds one importance per channel that is still there, ``cost`` counts
    ``params.target``. As channels are removed one after the other, the cheapest first, the
    cost never rises, rounded widths or not; so the number of them that comes nearest to the
    target is found by bisection.
    """
    if params.target == "channels" and params.round_to == 1:
        return choose_channels(scores, original, share, params)
    total = sum(original[name] for name in scores)
    wanted = cost.total(original) * (1 - share)

    def chosen(count: int) -> dict[str, list[int]]:
        return choose_channels(scores, original, count / total, params)

    def left(count: int) -> int:
        gone = chosen(count)
        return cost.total({name: len(scores[name]) - len(gone[name]) for name in scores})

    enough = bisect_left(range(total), -wanted, key=lambda count: -left(count))
    return chosen(min((max(enough - 1, 0), enough), key=lambda count: abs(left(count) - wanted)))


def choose_channels(
    scores: Scores, original: dict[str, int], share: float, params: PruneParams
) -> dict[str, list[int]]:
    """The channels of each group to remove, so that ``share`` of the original ones are gone.

    ``scores`` holds one importance per channel that is still there.
    """
    pools = [list(scores)] if params.scope == "global" else [[name] for name in scores]
    floors = {name: floor_width(original[name], params.max_pruning_ratio) for name in scores}
    removed: Counter[str] = Counter()
    for pool in pools:
        present = sum(len(scores[name]) for name in pool)
        wanted = round(sum(original[name] for name in pool) * (1 - share))
        removed += _cheapest({name: scores[name] for name in pool}, floors, present - wanted)
    chosen = {}
    for name, values in scores.items():
        kept = len(values) - removed[name]
        if removed[name]:
            kept = round_width(kept, params.round_to, floors[name], len(values))
        chosen[name] = torch.argsort(values, stable=True)[: len(values) - kept].tolist()
    return chosen


def floor_width(original: int, max_pruning_ratio: float) -> int:
    """The fewest channels that a layer of ``original`` ones may be left with."""
    floor = math.ceil(original * (1 - max_pruning_ratio) - 1e-9)
    return min(max(floor, MINIMUM_WIDTH), original)


def round_width(kept: int, multiple: int, floor: int, present: int) -> int:
    """The multiple of ``multiple`` nearest to ``kept``, from ``floor`` to ``present``.

    A layer narrower than ``multiple`` stays as it is.
    """
    lowest = max(1, math.ceil(floor / multiple))
    return min(max(math.floor(kept / multiple + 0.5), lowest) * multiple, present)


def _cheapest(scores: Scores, floors: dict[str, int], budget: int) -> Counter[str]:
    """How many channels each group gives when the ``budget`` least important ones go."""
    spare = [
        (value, name)
        for name, values in scores.items()
        for value in values.sort().values[: max(len(values) - floors[name], 0)].tolist()
    ]
    return Counter(name for _, name in sorted(spare)[: max(budget, 0)])
