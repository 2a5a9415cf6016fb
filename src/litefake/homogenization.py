"""Make two gradients of one feature map equally long, and learn to turn them the same way.

RotoGrad (Javaloy & Valera, ICLR 2022, arXiv 2103.02631). K losses share features Z; loss k sees
R_k Z. G_k is its gradient at Z, G~_k the one at R_k Z, so G_k = R_k^T G~_k. The paper's features
are vectors, ours are maps: a rotation turns the channels at every place alike.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

TINY = 1e-12  # keeps a gradient of zero from becoming no number


class Rotation(nn.Module):
    """A rotation R = expm(A - A^T), C x C, learnt through A; it starts as the identity.

    ``rate`` is how fast it learns: a share of the network's learning rate
    (``lr_factor``, which the training loop looks for).
    """

    def __init__(self, channels: int, rate: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, channels))
        self.lr_factor = rate

    def forward(self) -> Tensor:
        """R itself."""
        rotation: Tensor = torch.linalg.matrix_exp(self.weight - self.weight.T)
        return rotation


def rotate(rotation: Tensor, features: Tensor) -> Tensor:
    """The first C channels of ``features``, N x D x h x w, turned by a C x C matrix; C <= D."""
    channels = len(rotation)
    turned = conv2d(features[:, :channels], rotation[:, :, None, None])
    return torch.cat([turned, features[:, channels:]], 1)


def moved(rotation: Tensor) -> Tensor:
    """How far a rotation is from the identity: ||R - I|| / ||I|| (Frobenius), 0 to 2."""
    distance: Tensor = (rotation - torch.eye(len(rotation), device=rotation.device)).norm()
    return distance / math.sqrt(len(rotation))


def norms(gradients: list[Tensor]) -> Tensor:
    """The Frobenius norm of each gradient, shape K."""
    return torch.stack([gradient.norm() for gradient in gradients])


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """The cosine of the angle between two gradients, each taken as one long vector."""
    found: Tensor = (first * second).sum() / (first.norm() * second.norm()).clamp_min(TINY)
    return found


def equalised(gradients: list[Tensor], initial: Tensor) -> list[Tensor]:
    """The gradients, all with the norm C = sum_k alpha_k ||G_k||.

    alpha_k = (||G_k|| / ||G_k^0||) / sum_i (||G_i|| / ||G_i^0||), with the ``initial`` norms
    ||G_k^0||, shape K: whose gradient has shrunk least counts most. RotoGrad, section 3.1.
    """
    found = norms(gradients).clamp_min(TINY)
    relative = found / initial.clamp_min(TINY)
    common = (relative / relative.sum() * found).sum()
    return [gradient * (common / norm) for gradient, norm in zip(gradients, found, strict=True)]


def rotation_loss(rotation: Tensor, rotated: Tensor, direction: Tensor) -> Tensor:
    """What a rotation learns by: -<R^T G~, v>, both unit vectors. RotoGrad, section 3.2.

    ``rotated`` is G~, the gradient behind the rotation; ``direction`` is v, the mean of all
    gradients before theirs.
    """
    return -cosine(rotate(rotation.T, rotated), direction)
