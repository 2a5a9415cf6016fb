"""Objectives: what a batch costs a network. One contract, so that one loop trains everything.

An objective is called with the network and a batch and returns its terms; ``loss`` is the
one that is minimised, the others are logged beside it.
"""

from collections.abc import Callable
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from litefake.batches import Batch
from litefake.card import Card
from litefake.params import Section

Objective = Callable[[nn.Module, Batch], dict[str, Tensor]]


class DistillParams(Section):
    """Section ``kd``: how much the student listens to the teacher, and how softly."""

    alpha: float = Field(ge=0, le=1)
    temperature: float = Field(gt=0, le=100)


def hard_loss(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Binary cross-entropy of the one logit against the label: the plain objective."""
    logits = model(batch.images)[:, 0].float()
    return {"loss": binary_cross_entropy_with_logits(logits, batch.labels)}


def distillation_loss(
    student: Tensor, teacher: Tensor, labels: Tensor, params: DistillParams
) -> dict[str, Tensor]:
    """Knowledge distillation (Hinton et al., 2015) for one logit; all tensors of shape N.

    loss = alpha * soft + (1 - alpha) * hard, with
    soft = T^2 * BCE(sigmoid(z_s / T), sigmoid(z_t / T)) and hard = BCE(sigmoid(z_s), y).
    T^2 keeps the gradient's size independent of the temperature T.
    """
    temperature = params.temperature
    targets = torch.sigmoid(teacher / temperature)
    soft = temperature**2 * binary_cross_entropy_with_logits(student / temperature, targets)
    hard = binary_cross_entropy_with_logits(student, labels)
    # The entropy of the teacher is a constant; without it `divergence` can reach zero.
    entropy = binary_cross_entropy_with_logits(teacher / temperature, targets)
    return {
        "loss": params.alpha * soft + (1 - params.alpha) * hard,
        "hard": hard,
        "divergence": soft - temperature**2 * entropy,
    }


class Distillation:
    """The objective of a student under a frozen teacher that sees the same images.

    The cards say how each of the two wants its input normalised.
    """

    def __init__(
        self, teacher: nn.Module, teacher_card: Card, student_card: Card, params: DistillParams
    ) -> None:
        self.teacher = teacher.eval().requires_grad_(False)
        self.params = params
        self._scale, self._shift = _renormalisation(student_card, teacher_card)

    def __getstate__(self) -> dict[str, Any]:
        """For another process: the teacher without its place on a GPU."""
        return {**vars(self), "teacher": self.teacher.cpu()}

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Terms ``loss``, ``hard`` and ``divergence`` of ``model`` on ``batch``."""
        images = self.as_teacher_sees(batch.images)
        with torch.no_grad():
            teacher = self.teacher.to(images.device)(images)[:, 0].float()
        student = model(batch.images)[:, 0].float()
        return distillation_loss(student, teacher, batch.labels, self.params)

    def as_teacher_sees(self, images: Tensor) -> Tensor:
        """``images``, normalised for the student, as the teacher wants them normalised."""
        if (self._scale == 1).all() and (self._shift == 0).all():
            return images
        return images * self._scale.to(images.device) + self._shift.to(images.device)


def _renormalisation(given: Card, wanted: Card) -> tuple[Tensor, Tensor]:
    """Factor and offset per channel that turn input normalised as ``given`` into ``wanted``."""
    mean, std, new_mean, new_std = (
        torch.tensor(values)[:, None, None]
        for values in (given.mean, given.std, wanted.mean, wanted.std)
    )
    return std / new_std, (mean - new_mean) / new_std
