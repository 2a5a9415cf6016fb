import math

import pytest
import torch

from litefake.homogenization import (
    Rotation,
    cosine,
    equalised,
    moved,
    norms,
    rotate,
    rotation_loss,
)


def turned(channels=6, scale=0.5):
    rotation = Rotation(channels, rate=0.1)
    torch.nn.init.normal_(rotation.weight, std=scale, generator=torch.Generator().manual_seed(0))
    return rotation


def test_a_new_rotation_is_the_identity():
    rotation = Rotation(5, rate=0.1)()
    assert torch.equal(rotation, torch.eye(5))
    assert moved(rotation) == 0


def test_any_weights_give_a_rotation():
    rotation = turned()()
    assert torch.allclose(rotation @ rotation.T, torch.eye(6), atol=1e-5)
    assert torch.det(rotation).item() == pytest.approx(1, abs=1e-4)
    assert moved(rotation) > 0.1


def test_a_quarter_turn_is_the_exponential_of_its_angle():
    rotation = Rotation(2, rate=0.1)
    with torch.no_grad():
        rotation.weight[0, 1] = -math.pi / 4  # A - A^T holds the angle once to each side
        rotation.weight[1, 0] = math.pi / 4
    assert torch.allclose(rotation(), torch.tensor([[0.0, -1.0], [1.0, 0.0]]), atol=1e-6)
    assert moved(rotation()).item() == pytest.approx(math.sqrt(2), abs=1e-6)


def test_each_place_is_turned_alike_and_channels_beyond_stay():
    rotation = turned(4)()
    features = torch.randn(2, 7, 3, 5)
    found = rotate(rotation, features)
    expected = torch.einsum("ij,njhw->nihw", rotation, features[:, :4])
    assert torch.allclose(found[:, :4], expected, atol=1e-6)
    assert torch.equal(found[:, 4:], features[:, 4:])
    assert torch.allclose(rotate(rotation.T, found), features, atol=1e-5)


def test_equalised_gradients_are_equally_long_and_keep_their_directions():
    gradients = [torch.randn(3, 4, 2, 2), 50 * torch.randn(3, 4, 2, 2)]
    found = equalised(gradients, torch.tensor([2.0, 3.0]))
    first, second = norms(found).tolist()
    assert first == pytest.approx(second, rel=1e-5)
    for old, new in zip(gradients, found, strict=True):
        assert cosine(old, new).item() == pytest.approx(1, abs=1e-5)


def test_their_length_is_computed_by_hand():
    # Norms 3 and 8, once 6 and 8: relative 1/2 and 1, weights 1/3 and 2/3, so 1 + 16/3.
    gradients = [torch.tensor([3.0, 0.0]), torch.tensor([0.0, 8.0])]
    found = equalised(gradients, torch.tensor([6.0, 8.0]))
    assert norms(found).tolist() == pytest.approx([19 / 3, 19 / 3])


def test_a_gradient_of_zero_stays_zero():
    found = equalised([torch.zeros(4), torch.ones(4)], torch.tensor([1.0, 1.0]))
    assert all(torch.isfinite(one).all() for one in found)
    assert torch.equal(found[0], torch.zeros(4))


def test_rotations_learn_to_point_opposed_gradients_the_same_way():
    """The gradients behind them are held; only the rotations move."""
    torch.manual_seed(0)
    behind = [torch.randn(8, 6, 2, 2)]
    behind.append(-behind[0] + 0.3 * torch.randn(8, 6, 2, 2))
    rotations = [Rotation(6, rate=0.1) for _ in behind]
    optimizer = torch.optim.Adam([one.weight for one in rotations], lr=0.05)

    def before():
        return [rotate(one().T, grad) for one, grad in zip(rotations, behind, strict=True)]

    start = cosine(*before()).item()
    for _ in range(60):
        optimizer.zero_grad()
        with torch.no_grad():
            direction = torch.stack([grad / grad.norm() for grad in before()]).mean(0)
        losses = [
            rotation_loss(one(), grad, direction)
            for one, grad in zip(rotations, behind, strict=True)
        ]
        sum(losses).backward()
        optimizer.step()
    assert start < -0.9
    assert cosine(*before()).item() > 0.5
