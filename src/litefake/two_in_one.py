"""Two teachers in one student: features of a spatial and a frequency branch, distilled together.

After Zhou et al. (arXiv 2302.10437), of which only the abstract is public to us: distillation
from both branches at once is worse than from the spatial one alone, unless feature projectors
and gradient homogenisation bring the two together. Everything below that sentence is built from
named sources or inferred; docs/decisions/two-in-one.md says which is which.
"""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from litefake import homogenization
from litefake.apprentice import PARTS, Apprentice, TwoInOneParams
from litefake.batches import Batch
from litefake.card import Card
from litefake.distillation import (
    Distillation,
    DistillParams,
    Objective,
    distillation_loss,
    hard_loss,
)
from litefake.two_branch import BRANCHES, DualBranch, after_last_block, last_block


class TwoInOne(Distillation):
    """The objective of an ``Apprentice`` under a frozen ``DualBranch``.

    loss = distillation_loss + weight * sum_k l_k, l_k = mean || norm(P_k(R_k Z)) - norm(f_k) ||^2
    over faces and places; norm divides the channels of a place by their length. Z and f_k come
    from the last blocks (``two_branch.last_block``). What reaches the student is not the plain
    gradient of the second term but the homogenised one (``homogenization``); it is homogenised
    over the part of a batch that a thread holds, as BatchNorm is.
    """

    def __init__(
        self,
        teacher: nn.Module,
        teacher_card: Card,
        student_card: Card,
        kd: DistillParams,
        params: TwoInOneParams,
    ) -> None:
        super().__init__(teacher, teacher_card, student_card, kd)
        self._weight = params.weight
        self._parts = PARTS[params.variant]

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The terms of ``distillation_loss``, each branch's l_k, and how their gradients lie."""
        apprentice = cast(Apprentice, model)
        wanted, soft = self._ask_teacher(batch.images)
        features = last_block(apprentice.student, batch.images)
        head = after_last_block(apprentice.student, features)
        logits = apprentice.student.forward_head(head)[:, 0].float()
        terms = distillation_loss(logits, soft, batch.labels, self.params)
        if not self._parts.branches:
            return terms
        lessons = [
            _lesson(apprentice, number, features.detach(), wanted[name])
            for number, name in enumerate(self._parts.branches)
        ]
        gradients = [lesson.gradient for lesson in lessons]
        sent = self._homogenised(apprentice, gradients)
        extra = sum(lesson.loss for lesson in lessons) + with_gradient(features, sum(sent))
        loss = terms["loss"] + self._weight * extra
        if self._parts.rotation:
            loss = loss + _rotations_loss(lessons)
        return {**terms, "loss": loss, **_record(self._parts.branches, lessons, sent)}

    @torch.no_grad()
    def _ask_teacher(self, images: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """What the last block of each branch gives for ``images``, and the fused logits."""
        teacher = cast(DualBranch, self.teacher.to(images.device))
        maps = teacher.maps(self.as_teacher_sees(images))
        logits = teacher.forward_head(teacher.features_of(maps))[:, 0].float()
        return dict(zip(BRANCHES, maps, strict=True)), logits

    def _homogenised(self, apprentice: Apprentice, gradients: list[Tensor]) -> list[Tensor]:
        """The gradients as they are sent into the student."""
        if not self._parts.scale:
            return gradients
        with torch.no_grad():
            initial = apprentice.initial_norms
            found = homogenization.norms(gradients)
            initial.copy_(torch.where(initial > 0, initial, found))
        return homogenization.equalised(gradients, initial)


class _Lesson(NamedTuple):
    """One branch's feature loss and its gradients before and behind its rotation."""

    loss: Tensor
    gradient: Tensor  # at Z
    behind: Tensor  # at R_k Z
    rotation: Tensor | None


def _lesson(apprentice: Apprentice, number: int, features: Tensor, wanted: Tensor) -> _Lesson:
    """The loss of branch ``number``; its graph ends at ``features``, so it trains its projector."""
    rotation = apprentice.rotations[number]() if len(apprentice.rotations) else None
    seen = features if rotation is None else homogenization.rotate(rotation.detach(), features)
    seen = seen.detach().requires_grad_()
    loss = feature_loss(apprentice.projectors[number](seen), wanted)
    (behind,) = torch.autograd.grad(loss, seen, retain_graph=True)
    gradient = behind if rotation is None else homogenization.rotate(rotation.detach().T, behind)
    return _Lesson(loss, gradient, behind, rotation)


def feature_loss(given: Tensor, wanted: Tensor) -> Tensor:
    """mean || norm(given) - norm(wanted) ||^2 of maps N x C x h x w, over N, h and w; 0 to 4."""
    return (normalize(given.float()) - normalize(wanted.float())).square().sum(1).mean()


def with_gradient(tensor: Tensor, gradient: Tensor | int) -> Tensor:
    """A zero whose gradient with respect to ``tensor`` is ``gradient``."""
    product = (tensor.float() * gradient).sum()
    return product - product.detach()


def _rotations_loss(lessons: list[_Lesson]) -> Tensor:
    """A zero that trains the rotations: towards the mean of all unit gradients."""
    units = [lesson.gradient / lesson.gradient.norm().clamp_min(1e-12) for lesson in lessons]
    direction = torch.stack(units).mean(0)
    losses = [
        homogenization.rotation_loss(lesson.rotation, lesson.behind, direction)
        for lesson in lessons
        if lesson.rotation is not None
    ]
    total = torch.stack(losses).sum()
    return total - total.detach()


@torch.no_grad()
def _record(
    names: tuple[str, ...], lessons: list[_Lesson], sent: list[Tensor]
) -> dict[str, Tensor]:
    """Terms for the curve: losses, norms and cosine before and after, distance of rotations."""
    before = homogenization.norms([lesson.gradient for lesson in lessons])
    after = homogenization.norms(sent)
    terms = {}
    for name, lesson, *sizes in zip(names, lessons, before, after, strict=True):
        terms[f"loss_{name}"] = lesson.loss
        terms[f"norm_before_{name}"], terms[f"norm_after_{name}"] = sizes
        if lesson.rotation is not None:
            terms[f"moved_{name}"] = homogenization.moved(lesson.rotation)
    if len(lessons) == 2:
        terms["cosine_before"] = homogenization.cosine(*(lesson.behind for lesson in lessons))
        terms["cosine_after"] = homogenization.cosine(*sent)
    return terms


def objective(
    teacher: nn.Module,
    cards: tuple[Card, Card],
    kd: DistillParams,
    params: TwoInOneParams,
) -> Objective:
    """The objective of ``params.variant``; ``cards`` are the teacher's and the student's."""
    if params.variant == "none":
        return hard_loss
    return TwoInOne(teacher, *cards, kd, params)
