"""What a network costs as a function of its widths, known before anything is cut.

A tensor whose axes belong to groups of coupled channels holds a fixed number of values for
each combination of one channel of every such group. So parameters and MACs are polynomials
of the groups' widths, exact at any widths (a test prunes and compares).
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn
from torch_pruning.dependency import Group

from litefake import footprint
from litefake.importance import CHANNEL_AXIS

Quantity = Literal["channels", "parameters", "macs"]


@dataclass(frozen=True)
class Cost:
    """A quantity of a network as the sum of ``unit * product of the widths of groups``.

    terms: pairs of a unit and the names of its groups; none for a part that cannot change.
    """

    terms: tuple[tuple[int, tuple[str, ...]], ...]

    def total(self, widths: Mapping[str, int]) -> int:
        """The quantity at these widths, by group."""
        return sum(unit * math.prod(widths[name] for name in names) for unit, names in self.terms)

    def of_channel(self, name: str, widths: Mapping[str, int]) -> int:
        """What one channel of group ``name`` costs at these widths."""
        return self.total(widths) - self.total({**widths, name: widths[name] - 1})


def cost_of(quantity: Quantity, model: nn.Module, groups: dict[str, Group], size: int) -> Cost:
    """The ``quantity`` of ``model``, whose input is ``size`` x ``size`` pixels.

    Parameters and MACs are those of ``footprint``; coupled channels count as one.
    """
    if quantity == "channels":
        return Cost(tuple((1, (name,)) for name in groups))
    widths = group_widths(groups)
    sizes = _parameter_sizes(model) if quantity == "parameters" else _mac_sizes(model, size)
    axes = _axes(groups)
    terms = []
    for layer, dimensions, count in sizes:
        names = tuple(name for axis, name in sorted(axes[layer].items()) if axis < dimensions)
        terms.append((count // math.prod(widths[name] for name in names), names))
    return Cost(tuple(terms))


def group_widths(groups: dict[str, Group]) -> dict[str, int]:
    """The number of channels of each group."""
    return {name: len(group[0].root_idxs) for name, group in groups.items()}


def _axes(groups: dict[str, Group]) -> defaultdict[nn.Module, dict[int, str]]:
    """For each layer: which axis of its weight is numbered by the channels of which group."""
    axes: defaultdict[nn.Module, dict[int, str]] = defaultdict(dict)
    for name, group in groups.items():
        for item in group:
            axis = CHANNEL_AXIS.get(item.dep.handler)
            if axis is not None:
                axes[item.dep.target.module][axis] = name
    return axes


def _parameter_sizes(model: nn.Module) -> Iterator[tuple[nn.Module, int, int]]:
    """Layer, dimensions and number of values of every parameter."""
    for layer in model.modules():
        for parameter in layer.parameters(recurse=False):
            yield layer, parameter.dim(), parameter.numel()


def _mac_sizes(model: nn.Module, size: int) -> Iterator[tuple[nn.Module, int, int]]:
    """Layer, dimensions of its weight and MACs of every convolution and linear layer."""
    for name, count in footprint.layer_macs(model, size).items():
        layer = model.get_submodule(name)
        yield layer, layer.get_parameter("weight").dim(), count
