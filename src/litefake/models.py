"""Networks with one logit (positive = fake): built, saved and loaded without pickle.

A file is safetensors; its metadata carries everything that a score depends on besides
the weights: architecture, image size, mean and std, the crop rule, scaling and threshold.
A pruned network is rebuilt from the shapes of its tensors.
"""

from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import nn

from litefake import architectures
from litefake.artifacts import replacing
from litefake.card import FORMAT, Card
from litefake.errors import ModelUnreadable
from litefake.frequency import BANDS
from litefake.two_branch import DualBranch


class Classifier(nn.Linear):
    """The last layer, with dropout on its input from a generator that can be its own.

    torch draws dropout from one generator for all threads, so that what a network gets
    depends on which thread comes first.
    """

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__(features, 1)
        self.dropout = dropout
        self.generator: torch.Generator | None = None

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, N x 1, of pooled features, N x C."""
        if self.training and self.dropout > 0:
            kept = torch.rand(features.shape, generator=self.generator) >= self.dropout
            features = features * kept.to(features.device) / (1 - self.dropout)
        return super().forward(features)


def save(model: nn.Module, card: Card, path: Path | str) -> None:
    """Write weights and card as one safetensors file."""
    state = {name: tensor.contiguous().cpu() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        # One key only: safetensors writes several in a random order, and two runs that give
        # equal tensors would give files with other hashes.
        content = safetensors.torch.save(state, {FORMAT: card.model_dump_json()})
        temporary.write_bytes(content)


def load(path: Path | str) -> tuple[nn.Module, Card]:
    """The network of a file, in eval mode, and its card.

    Raises ModelUnreadable when the file is missing, damaged, no safetensors (a pickle
    is never opened), of an unknown architecture, or of shapes that do not fit it.
    """
    path = Path(path)
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        card = Card.model_validate_json(metadata[FORMAT])
    except FileNotFoundError:
        raise ModelUnreadable(
            f"{path}: no such file; `make repro` writes its models to models/"
        ) from None
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelUnreadable(
            f"{path}: not a safetensors file ({error}); pickled models are never opened"
        ) from None
    except (KeyError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ModelUnreadable(f"{path}: not a model of litefake ({reason})") from None
    size = card.image_size
    model = blank(card.architecture, 0.0, size)
    try:
        reshape_to(model, state)
        # Each tensor may have a possible shape and still not fit its neighbour.
        with torch.inference_mode():
            answer = model.eval()(torch.zeros(1, 3, size, size))
        if answer.shape != (1, 1):
            raise ValueError(f"{answer.shape[-1]} outputs, not one logit")
    except (RuntimeError, KeyError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise ModelUnreadable(
            f"{path}: its tensors do not fit {card.architecture} ({reason})"
        ) from None
    return model, card


def reshape_to(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Give every layer of ``model`` the widths found in ``state``, then load it strictly.

    Raises KeyError, RuntimeError or ValueError when names or shapes do not fit.
    """
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d):
            _reshape_conv(layer, state[f"{name}.weight"])
        elif isinstance(layer, nn.Linear):
            weight = state[f"{name}.weight"]
            layer.out_features, layer.in_features = weight.shape
            _replace_values(layer, weight=weight.shape, bias=weight.shape[:1])
        elif isinstance(layer, nn.BatchNorm2d):
            shape = state[f"{name}.weight"].shape
            layer.num_features = shape[0]
            for value in ("weight", "bias", "running_mean", "running_var"):
                _replace_values(layer, **{value: shape})
    model.load_state_dict(state)


def _reshape_conv(layer: nn.Conv2d, weight: torch.Tensor) -> None:
    if weight.shape[2:] != layer.weight.shape[2:]:
        raise ValueError(f"kernel {tuple(weight.shape[2:])} for {layer.kernel_size}")
    depthwise = layer.groups > 1
    layer.out_channels = weight.shape[0]
    layer.groups = weight.shape[0] if depthwise else 1
    layer.in_channels = weight.shape[1] * layer.groups
    _replace_values(layer, weight=weight.shape, bias=weight.shape[:1])


def _replace_values(layer: nn.Module, **shapes: torch.Size) -> None:
    for name, shape in shapes.items():
        old = getattr(layer, name)
        if old is None or old.shape == shape:
            continue
        new = old.new_empty(shape)
        setattr(layer, name, nn.Parameter(new) if isinstance(old, nn.Parameter) else new)


def blank(architecture: str, dropout: float, size: int, channels: int = 3) -> nn.Module:
    """A network with one logit and fresh weights, for images of ``size`` px."""
    if architecture == "dual_efficientnet_b0":
        spatial = blank("efficientnet_b0", dropout, size)
        frequency = blank("efficientnet_b0", dropout, size, 3 * BANDS)
        return with_classifier(DualBranch(spatial, frequency, size), dropout)
    return with_classifier(architectures.build(architecture, channels), dropout)


def with_classifier(model: Any, dropout: float) -> nn.Module:
    """``model`` with a ``Classifier`` as its last layer."""
    model.classifier = Classifier(model.num_features, dropout)
    network: nn.Module = model
    return network
