"""A network with two eyes: one sees the image, one its frequency bands."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from litefake.frequency import FrequencyBands

BRANCHES = ("spatial", "frequency")


class BranchLogits(NamedTuple):
    """Logits of both branches together and of each alone, each N x 1."""

    fused: Tensor
    spatial: Tensor
    frequency: Tensor


def last_block(network: Any, images: Tensor) -> Tensor:
    """What the last block of a timm EfficientNet gives, N x 320 x h x w in B0 and Lite0.

    It is linear: no activation follows before the head's 1x1 convolution.
    """
    maps: Tensor = network.blocks(network.bn1(network.conv_stem(images)))
    return maps


def after_last_block(network: Any, maps: Tensor) -> Tensor:
    """The feature map that the network pools, from what its last block gave."""
    features: Tensor = network.bn2(network.conv_head(maps))
    return features


class DualBranch(nn.Module):
    """Two EfficientNets of timm, one on the image and one on its bands, and a head on both.

    Called like one of them: ``forward`` gives the fused logit, and ``forward_features`` and
    ``forward_head`` are its halves. The abstract of arXiv 2302.10437 says "dual-branch (spatial
    and frequency)"; that the branches are whole networks which meet in one linear layer on
    their pooled vectors is our reading.
    """

    def __init__(self, spatial: nn.Module, frequency: nn.Module, size: int) -> None:
        super().__init__()
        self.bands = FrequencyBands(size)
        self.spatial: Any = spatial
        self.frequency: Any = frequency
        self.classifier: nn.Module = nn.Identity()  # until it is given one with dropout

    @property
    def num_features(self) -> int:
        """Length of the pooled vectors of both branches, one after the other."""
        return int(self.spatial.num_features + self.frequency.num_features)

    def maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the last block of each branch gives (``last_block``)."""
        return last_block(self.spatial, images), last_block(self.frequency, self.bands(images))

    def features_of(self, maps: tuple[Tensor, Tensor]) -> Tensor:
        """The feature maps of both branches as one, N x 2560 x h x w, from ``maps``."""
        networks = (self.spatial, self.frequency)
        return torch.cat([after_last_block(*pair) for pair in zip(networks, maps, strict=True)], 1)

    def forward_features(self, images: Tensor) -> Tensor:
        """The feature maps of both branches as one, N x 2560 x h x w."""
        return self.features_of(self.maps(images))

    def forward_head(self, features: Tensor) -> Tensor:
        """The fused logit, N x 1."""
        logit: Tensor = self.classifier(features.mean((2, 3)))
        return logit

    def forward(self, images: Tensor) -> Tensor:
        """The fused logit, N x 1, of images N x 3 x S x S."""
        return self.forward_head(self.forward_features(images))

    def logits(self, images: Tensor) -> BranchLogits:
        """The fused logit and those of the branches' own heads."""
        features = self.forward_features(images)
        spatial, frequency = features.split(self.spatial.num_features, 1)
        return BranchLogits(
            self.forward_head(features),
            self.spatial.forward_head(spatial),
            self.frequency.forward_head(frequency),
        )
