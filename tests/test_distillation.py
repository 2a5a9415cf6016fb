import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from litefake.batches import Batch
from litefake.distillation import Distillation, DistillParams, distillation_loss, hard_loss

STUDENT = torch.tensor([0.3, -1.2, 2.0])
TEACHER = torch.tensor([1.0, -0.5, 0.1])
LABELS = torch.tensor([1.0, 0.0, 1.0])


def loss(alpha, temperature=2.0, student=STUDENT, teacher=TEACHER):
    params = DistillParams(alpha=alpha, temperature=temperature)
    return distillation_loss(student, teacher, LABELS, params)


def test_alpha_zero_is_exactly_the_hard_loss():
    assert torch.equal(loss(0.0)["loss"], binary_cross_entropy_with_logits(STUDENT, LABELS))


def test_alpha_one_is_exactly_the_soft_loss():
    soft = 4 * binary_cross_entropy_with_logits(STUDENT / 2, torch.sigmoid(TEACHER / 2))
    assert torch.equal(loss(1.0)["loss"], soft)


def test_a_value_computed_by_hand():
    def bce(z, q):
        p = 1 / (1 + math.exp(-z))
        return -q * math.log(p) - (1 - q) * math.log(1 - p)

    sigmoid = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
    soft = sum(
        9 * bce(s / 3, sigmoid(t / 3))
        for s, t in zip(STUDENT.tolist(), TEACHER.tolist(), strict=True)
    )
    hard = sum(bce(s, y) for s, y in zip(STUDENT.tolist(), LABELS.tolist(), strict=True))
    expected = (0.25 * soft + 0.75 * hard) / 3
    assert loss(0.25, temperature=3.0)["loss"].item() == pytest.approx(expected, rel=1e-5)


@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(0.5, 10))
def test_the_divergence_is_zero_for_equal_logits_and_never_negative(student, teacher, temperature):
    pair = torch.tensor([student]), torch.tensor([teacher])
    params = DistillParams(alpha=0.5, temperature=temperature)
    label = torch.tensor([1.0])
    assert distillation_loss(*pair, label, params)["divergence"].item() >= -1e-3
    same = distillation_loss(pair[0], pair[0], label, params)["divergence"].item()
    assert same == pytest.approx(0, abs=1e-5)


def test_the_teacher_is_frozen_and_the_student_learns(network):
    model, card = network
    teacher = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 1))
    objective = Distillation(teacher, card, card, DistillParams(alpha=0.5, temperature=2.0))
    batch = Batch(torch.randn(4, 3, 32, 32), torch.tensor([0.0, 1.0, 0.0, 1.0]))
    objective(model, batch)["loss"].backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_teacher_sees_images_normalised_as_its_own_card_says(network):
    _, card = network
    other = card.model_copy(update={"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]})
    seen = []

    def teacher(images):
        seen.append(images)
        return images.flatten(1)[:, :1]

    module = torch.nn.Module()
    module.forward = teacher
    pixels = torch.rand(2, 3, 4, 4)
    student_input = (pixels - 0.5) / 0.5
    objective = Distillation(module, other, card, DistillParams(alpha=0.5, temperature=2.0))
    objective(lambda images: images.flatten(1)[:, :1], Batch(student_input, torch.zeros(2)))
    mean, std = torch.tensor(other.mean)[:, None, None], torch.tensor(other.std)[:, None, None]
    assert torch.allclose(seen[0], (pixels - mean) / std, atol=1e-5)


def test_the_plain_objective_is_cross_entropy_of_the_logit():
    batch = Batch(STUDENT[:, None], LABELS)
    assert torch.equal(
        hard_loss(torch.nn.Identity(), batch)["loss"],
        binary_cross_entropy_with_logits(STUDENT, LABELS),
    )
