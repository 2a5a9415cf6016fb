"""A student with what it needs while two branches teach it, and what that is, by parameters."""

from typing import Any, Literal, NamedTuple, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from litefake.errors import ParamsInvalid
from litefake.homogenization import Rotation
from litefake.params import Section
from litefake.seeds import seed_of
from litefake.two_branch import BRANCHES

Variant = Literal[
    "none", "logits", "spatial", "frequency", "both", "projectors", "scale", "rotation"
]


CHANNELS = 320  # of the feature maps of the teacher's branches


class TwoInOneParams(Section):
    """Section ``two_in_one``: what the student takes over from the two branches.

    variant: the row of the ablation. From ``both`` on each adds one part to the one before.
    weight: of the feature losses beside the loss of the logits.
    rotated_channels: at most so many are turned; the rest of the feature map stays as it is.
    rotation_rate: share of the learning rate that the rotations learn with.
    """

    variant: Variant
    weight: float = Field(gt=0, le=100)
    rotated_channels: int = Field(ge=2, le=CHANNELS)
    rotation_rate: float = Field(gt=0, le=1)


class Parts(NamedTuple):
    """What a variant consists of besides labels and the teacher's logits."""

    branches: tuple[str, ...] = ()
    projectors: bool = False
    scale: bool = False
    rotation: bool = False


PARTS: dict[str, Parts] = {
    "none": Parts(),
    "logits": Parts(),
    "spatial": Parts(("spatial",)),
    "frequency": Parts(("frequency",)),
    "both": Parts(BRANCHES),
    "projectors": Parts(BRANCHES, projectors=True),
    "scale": Parts(BRANCHES, projectors=True, scale=True),
    "rotation": Parts(BRANCHES, projectors=True, scale=True, rotation=True),
}


class Projector(nn.Sequential):
    """From the student's channels to a branch's: 1x1 convolution, BatchNorm, ReLU, 1x1."""

    def __init__(self, channels: int, wanted: int) -> None:
        super().__init__(
            nn.Conv2d(channels, wanted, 1, bias=False),
            nn.BatchNorm2d(wanted),
            nn.ReLU(inplace=True),
            nn.Conv2d(wanted, wanted, 1),
        )


class Apprentice(nn.Module):
    """A student with what it needs while it learns, and only then; called, it is the student.

    Projectors and rotations are parameters of this module, so the training loop optimises,
    averages and saves them like any other; whoever saves ``student`` leaves them behind.
    """

    def __init__(self, student: nn.Module, params: TwoInOneParams, seed: int) -> None:
        """Raises ParamsInvalid when the student's map has other channels than the teacher's."""
        super().__init__()
        torch.manual_seed(seed_of(seed, "projectors"))
        parts = PARTS[params.variant]
        channels = cast(Any, student).conv_head.in_channels
        if parts.branches and channels != CHANNELS:
            raise ParamsInvalid(
                f"params.yaml, lite0.architecture: kd_two_in_one compares maps of {CHANNELS} "
                f"channels, and this one has {channels}; use tf_efficientnet_lite0"
            )
        turned = min(channels, params.rotated_channels)
        self.student: Any = student
        self.projectors = nn.ModuleList(
            Projector(channels, channels) if parts.projectors else nn.Identity()
            for _ in parts.branches
        )
        self.rotations = nn.ModuleList(
            Rotation(turned, params.rotation_rate) for _ in parts.branches if parts.rotation
        )
        # Norms of the first gradients; a buffer, so that threads agree on it. Zero: none yet.
        self.initial_norms: Tensor
        self.register_buffer("initial_norms", torch.zeros(len(parts.branches)))

    def forward(self, images: Tensor) -> Tensor:
        """The student's logits, N x 1."""
        logits: Tensor = self.student(images)
        return logits
