"""One phase of training in figures: its length, its optimiser and its learning rate."""

import math
from typing import Any, Literal

import torch
from pydantic import Field
from torch import nn

from litefake.params import Section


class Recipe(Section):
    """Sections ``train`` and ``finetune``: one phase of training.

    averaging: decay d of the averaged weights (``progress.State``); 0 keeps the last ones.
    """

    epochs: int = Field(ge=0)
    patience: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    optimizer: Literal["sgd", "adam", "adamw"]
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    momentum: float = Field(ge=0, lt=1)
    schedule: Literal["none", "cosine"]
    warmup_epochs: float = Field(ge=0)
    averaging: float = Field(ge=0, lt=1)

    def longer(self, factor: float) -> "Recipe":
        """The same phase with ``factor`` times as many epochs, rounded up; no longer warm-up."""
        epochs = math.ceil(round(self.epochs * factor, 9))
        return self.model_copy(update={"epochs": epochs})


def learning_rate(phase: Recipe, epoch: float) -> float:
    """The rate at a fractional ``epoch`` of the phase.

    It rises linearly over the warm-up; then it is constant, or falls along half a cosine
    to zero at the end (Loshchilov & Hutter, ICLR 2017, eq. 5, one cycle).
    """
    warmup = min(phase.warmup_epochs, phase.epochs / 2)
    if epoch < warmup:
        # Never zero: the first step of the first epoch must train something.
        return phase.lr * max(epoch / warmup, 0.01)
    if phase.schedule == "none":
        return phase.lr
    progress = (epoch - warmup) / max(phase.epochs - warmup, 1e-9)
    return phase.lr * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def optimizer(model: nn.Module, phase: Recipe) -> torch.optim.Optimizer:
    """A new optimiser of the phase for all weights of ``model``."""
    shared: dict[str, Any] = {"lr": phase.lr, "weight_decay": phase.weight_decay}
    if phase.optimizer == "sgd":
        return torch.optim.SGD(_groups(model), momentum=phase.momentum, **shared)
    kind = torch.optim.Adam if phase.optimizer == "adam" else torch.optim.AdamW
    return kind(_groups(model), **shared)


def _groups(model: nn.Module) -> list[dict[str, Any]]:
    """The parameters by the ``lr_factor`` of their layer, which few have; the others' is 1."""
    groups: dict[float, list[nn.Parameter]] = {1.0: []}
    for layer in model.modules():
        factor = getattr(layer, "lr_factor", 1.0)
        groups.setdefault(factor, []).extend(layer.parameters(recurse=False))
    return [{"params": found, "lr_factor": factor} for factor, found in groups.items()]


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Use ``rate``, times their ``lr_factor``, from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_factor"]
