"""Section ``prune`` of params.yaml."""

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from litefake.distillation import DistillParams
from litefake.importance import GroupReduction, Normalizer
from litefake.params import Section
from litefake.pruning.costs import Quantity
from litefake.recipe import Recipe

# What has no meaning for single weights, and the value that says so.
OF_CHANNELS: dict[str, Any] = {
    "target": "channels",
    "group_reduction": "mean",
    "cost": "none",
    "round_to": 1,
}


class PruneParams(Section):
    """Section ``prune``: what goes, how much of it, from where, in how many steps.

    student: the network to be pruned, models/STUDENT.safetensors.
    kind: ``structured`` removes channels; ``unstructured`` sets single weights of
        convolutions to zero, which leaves shapes, file size and time as they are.
    target: what ``ratio`` is a share of; of the weights of convolutions if unstructured.
    ratio: share of the original quantity to remove over all iterations.
    iterations: steps of pruning and training; 1 is one-shot pruning.
    scope: ``global`` ranks all candidates together, ``local`` takes the share of channels
        (or weights) from each group (or convolution).
    normalizer: ``mean`` divides the scores of a group by their mean before groups are
        ranked together (Torch-Pruning's default), ``none`` ranks the raw scores.
    group_reduction: a channel's score is the mean or the sum over the layers of its group.
    cost: the score is divided by what the channel costs in this quantity.
    max_pruning_ratio: no layer loses more than this share of its original channels; in the
        global scope the others give more instead.
    round_to: widths become the nearest multiple of this; 1 leaves them as they fall.
    alpha: weight of the teacher's answers while pruning; None is that of section ``kd``.
    samples: training faces from which the gradients of an iteration are taken.
    recipe: the training that follows every iteration.
    """

    student: Literal["lite0", "kd_lite0", "kd_two_in_one"]
    kind: Literal["structured", "unstructured"]
    target: Quantity
    ratio: float = Field(ge=0, lt=1)
    iterations: int = Field(ge=1)
    scope: Literal["global", "local"]
    normalizer: Normalizer
    group_reduction: GroupReduction
    cost: Literal["none", "macs", "parameters"]
    max_pruning_ratio: float = Field(gt=0, le=1)
    round_to: int = Field(ge=1)
    alpha: float | None = Field(ge=0, le=1)
    samples: int = Field(ge=1)
    recipe: Recipe

    @field_validator(*OF_CHANNELS)
    @classmethod
    def _only_of_channels(cls, value: object, info: ValidationInfo) -> object:
        neutral = OF_CHANNELS[str(info.field_name)]
        if info.data.get("kind") == "unstructured" and value != neutral:
            raise ValueError(f"must be {neutral} with kind unstructured, which keeps all channels")
        return value

    @model_validator(mode="after")
    def _within_the_cap(self) -> Self:
        # Of MACs and parameters more can go: those between two layers go with the channels of both.
        if self.target == "channels" and self.ratio > self.max_pruning_ratio:
            raise ValueError(
                f"ratio {self.ratio} cannot be reached: max_pruning_ratio keeps every layer from "
                f"losing more than {self.max_pruning_ratio}"
            )
        return self

    def distillation(self, kd: DistillParams) -> DistillParams:
        """``kd`` as it holds while pruning."""
        return kd if self.alpha is None else kd.model_copy(update={"alpha": self.alpha})
