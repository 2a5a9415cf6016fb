"""A network of two groups of channels that tests prune in no time, and one like the real ones."""

import timm
import torch
from torch import nn

from litefake.batches import Batch
from litefake.distillation import hard_loss
from litefake.importance import accumulate_gradients
from litefake.pruning import PruneParams
from litefake.recipe import Recipe

SIZE = 32
RECIPE = Recipe(
    epochs=2,
    patience=2,
    batch_size=4,
    optimizer="adam",
    lr=1e-3,
    weight_decay=0.0,
    momentum=0.0,
    schedule="none",
    warmup_epochs=0,
    averaging=0,
)
GLOBAL = PruneParams(
    student="kd_lite0",
    kind="structured",
    target="channels",
    normalizer="mean",
    group_reduction="mean",
    cost="none",
    alpha=None,
    ratio=0.35,
    iterations=3,
    scope="global",
    max_pruning_ratio=1.0,
    round_to=1,
    samples=8,
    recipe=RECIPE,
)


class Tiny(nn.Module):
    """A stem, a residual depthwise-separable block and a classifier: 8 channels, one logit."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.expand = nn.Conv2d(8, 16, 1, bias=False)
        self.expand_norm = nn.BatchNorm2d(16)
        self.depthwise = nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(16)
        self.project = nn.Conv2d(16, 8, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(8)
        self.classifier = nn.Linear(8, 1)

    def get_classifier(self) -> nn.Module:
        return self.classifier

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem_norm(self.stem(x)).relu()
        y = self.expand_norm(self.expand(x)).relu()
        y = self.depthwise_norm(self.depthwise(y)).relu()
        x = x + self.project_norm(self.project(y))
        return self.classifier(x.mean((2, 3)))


def tiny(seed: int = 0) -> Tiny:
    torch.manual_seed(seed)
    return Tiny()


def network(architecture: str) -> nn.Module:
    """Random weights, but running statistics of the random images: without them most
    channels of a deep network are dead and tie at a score of zero."""
    torch.manual_seed(0)
    model = timm.create_model(architecture, num_classes=1).train()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        model(random_batches(seed=1)[0].images)
    return model


def random_batches(seed: int = 0) -> list[Batch]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(4, 3, SIZE, SIZE, generator=generator)
    return [Batch(images, torch.tensor([0.0, 1.0, 0.0, 1.0]))]


def with_gradients(model: nn.Module) -> nn.Module:
    accumulate_gradients(model, random_batches(), hard_loss)
    return model


def changed(base: PruneParams = GLOBAL, **values: object) -> PruneParams:
    return PruneParams(**{**base.model_dump(), **values})
