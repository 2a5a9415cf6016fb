"""The dual-branch teacher: how it starts from a finished B0, and what it is trained for."""

from typing import cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from litefake import models
from litefake.batches import Batch
from litefake.card import Card
from litefake.errors import ParamsInvalid
from litefake.frequency import BANDS
from litefake.params import Section
from litefake.seeds import seed_of
from litefake.two_branch import DualBranch

ARCHITECTURE = "dual_efficientnet_b0"


BRANCH = "efficientnet_b0"  # of which both branches are


class DualParams(Section):
    """Section ``dual``: the teacher with a spatial and a frequency branch."""

    dropout: float = Field(ge=0, lt=1)
    epoch_factor: float = Field(gt=0, le=10)
    false_alarms: float = Field(gt=0, le=1)  # as in ``starting.ModelParams``


def start(b0: nn.Module, card: Card, params: DualParams, seed: int) -> tuple[nn.Module, Card]:
    """Both branches as copies of a trained B0, and the card of the two together.

    The frequency branch sees 12 channels: its stem is the RGB stem four times over, divided by
    four. The bands add up to twice the image, so that it sees half of one until its BatchNorm
    statistics have caught up (docs/decisions/two-in-one.md). The fused head starts as the mean of
    the branches' heads. Raises ParamsInvalid when ``b0`` is another network.
    """
    if card.architecture != BRANCH:
        raise ParamsInvalid(
            f"params.yaml, b0.architecture: train_dual needs {BRANCH}, "
            f"and models/b0.safetensors is {card.architecture}"
        )
    torch.manual_seed(seed_of(seed, "create", ARCHITECTURE))
    model = cast(DualBranch, models.blank(ARCHITECTURE, params.dropout, card.image_size))
    state = b0.state_dict()
    model.spatial.load_state_dict(state)
    stem = state["conv_stem.weight"]
    model.frequency.load_state_dict(
        state | {"conv_stem.weight": stem.repeat(1, BANDS, 1, 1) / BANDS}
    )
    fused = {
        "weight": torch.cat([state["classifier.weight"] / 2] * 2, 1),
        "bias": state["classifier.bias"],
    }
    model.classifier.load_state_dict(fused)
    own = {"architecture": ARCHITECTURE, "false_alarms": params.false_alarms}
    return model, card.model_copy(update=own)


def dual_loss(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """The objective of a ``DualBranch``: BCE of the fused logit + half of each branch's own.

    The branches' own terms keep the better one from carrying the other. (Inferred: the paper's
    loss of the teacher is not public to us.)
    """
    logits = cast(DualBranch, model).logits(batch.images)
    terms = {
        name: binary_cross_entropy_with_logits(logit[:, 0].float(), batch.labels)
        for name, logit in logits._asdict().items()
    }
    return {"loss": terms["fused"] + (terms["spatial"] + terms["frequency"]) / 2, **terms}
