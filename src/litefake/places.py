"""Where a fake was made, taught beside whether it is one: for faces whose makers know the place.

A label says one bit of a whole face. A pair of self-blending knows more: under which mask its
halves differ. As in face X-ray (Li et al., CVPR 2020, arXiv 1912.13458: the loss of the label and
that of a map, added) and in patch-wise detectors (Chai et al., ECCV 2020, arXiv 2008.10588), the
network says of every place of a middle feature map whether it was replaced. The layer that says
it, one 1x1 convolution, is left behind after training.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, binary_cross_entropy_with_logits

from litefake.batches import Batch
from litefake.dataset import Faces
from litefake.distillation import Objective

STAGE = 4  # of an EfficientNet: the last one at a sixteenth of the image's side
OFTEN = 0.1  # share of places that are replaced, about: where the new layer starts


class Pointer(nn.Module):
    """A network that also says where, while it learns; called, it is the network alone.

    ``network`` is an EfficientNet or holds one, whose stage STAGE is looked at.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        stages = [module.blocks for module in network.modules() if hasattr(module, "blocks")]
        seen = cast(Any, stages[0])[STAGE]
        channels = [layer for layer in seen.modules() if isinstance(layer, nn.Conv2d)][-1]
        self.layer = nn.Conv2d(channels.out_channels, 1, 1)
        nn.init.zeros_(self.layer.weight)
        nn.init.constant_(cast(Tensor, self.layer.bias), torch.logit(torch.tensor(OFTEN)).item())
        self._features: Tensor | None = None
        # A method, not a closure: the copy of a Pointer for another thread keeps its own.
        self._hook = seen.register_forward_hook(self._keep)

    def _keep(self, _block: nn.Module, _given: Any, features: Tensor) -> None:
        self._features = features

    def forward(self, images: Tensor) -> Tensor:
        """The logits of the network, N x 1."""
        logits: Tensor = self.network(images)
        return logits

    def places(self) -> Tensor:
        """Logits N x h x w of the images that the network saw last."""
        assert self._features is not None, "the network has seen no image"
        features, self._features = self._features, None
        return cast(Tensor, self.layer(features)[:, 0]).float()

    def release(self) -> nn.Module:
        """The network, which nothing listens to any more."""
        self._hook.remove()
        return self.network


class WithPlaces:
    """An objective, and beside it the cross-entropy of every place: ``places`` in the terms.

    loss = loss of the objective + weight * mean over places of BCE(sigmoid(p), share), where
    share is how much of a place was replaced, 0 everywhere in a real face.
    """

    def __init__(self, objective: Objective, weight: float) -> None:
        self._objective, self._weight = objective, weight

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The terms of the objective for ``model``, a Pointer, on a batch with ``replaced``."""
        pointer = cast(Pointer, model)
        terms = self._objective(pointer.network, batch)
        said = pointer.places()
        assert batch.replaced is not None, "these faces do not know where they were changed"
        height, width = said.shape[1:]
        wanted = adaptive_avg_pool2d(batch.replaced[:, None], (height, width))[:, 0]
        places = binary_cross_entropy_with_logits(said, wanted)
        return {**terms, "loss": terms["loss"] + self._weight * places, "places": places}


def taught(network: nn.Module, faces: Faces, objective: Objective) -> tuple[nn.Module, Objective]:
    """What to train, and by what: a Pointer when the maker of ``faces`` gives places a weight."""
    if not faces.places:
        return network, objective
    return Pointer(network), WithPlaces(objective, faces.places)
