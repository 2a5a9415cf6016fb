import torch
from torch import nn

from litefake import saliency


class Corner(nn.Module):
    """A network whose logit is the mean of the red channel, seen at a quarter of the size."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.sign = sign

    def forward_features(self, images):
        return nn.functional.avg_pool2d(images, 4)

    def forward_head(self, features):
        return self.sign * features[:, :1].mean(dim=(2, 3))


def image_with_a_bright_corner():
    image = torch.zeros(1, 3, 32, 32)
    image[:, 0, :8, :8] = 1
    image[:, 1, 24:, 24:] = 1  # green counts for nothing
    return image


def test_the_heat_lies_where_the_evidence_is():
    heat = saliency.grad_cam(Corner(), image_with_a_bright_corner())[0]
    assert heat.shape == (32, 32)
    assert heat[:6, :6].min() > 0.9
    assert heat[16:, 16:].max() == 0


def test_evidence_against_leaves_no_heat():
    assert saliency.grad_cam(Corner(-1.0), image_with_a_bright_corner()).max() == 0


def test_a_real_network_gives_maps_and_is_left_as_it_was(network):
    model, _ = network
    before = [value.clone() for value in model.state_dict().values()]
    heat = saliency.grad_cam(model, torch.randn(3, 3, 64, 64))
    assert heat.shape == (3, 64, 64)
    assert 0 <= heat.min() <= heat.max() <= 1
    after = model.state_dict().values()
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())
