"""Networks by name: those of timm, and EfficientNet-B0 with one of its parts taken away."""

from typing import Any

import timm
from torch import nn


def build(name: str, channels: int = 3, pretrained: bool = False) -> Any:
    """The network ``name`` with one output, as timm makes it; ``pretrained`` needs the Internet.

    ``efficientnet_b0_no_se`` is B0 without its squeeze-excite blocks, ``efficientnet_b0_relu6``
    B0 with ReLU6 in place of swish: the two changes that make a Lite0 of it.
    """
    options: dict[str, Any] = {
        "num_classes": 1,
        "in_chans": channels,
        "pretrained": pretrained,
    }
    if name == "efficientnet_b0_no_se":
        return _without_squeeze_excite(timm.create_model("efficientnet_b0", **options))
    if name == "efficientnet_b0_relu6":
        return timm.create_model("efficientnet_b0", act_layer="relu6", **options)
    return timm.create_model(name, **options)


def _without_squeeze_excite(model: nn.Module) -> nn.Module:
    """``model`` with nothing where its squeeze-excite blocks were, as timm leaves it out."""
    blocks = [name for name, _ in model.named_modules() if name.endswith(".se")]
    for name in blocks:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, nn.Identity())
    return model
