"""Where in a face the network found what made it say fake."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from litefake import cam


def grad_cam(model: Any, images: torch.Tensor) -> NDArray[np.float32]:
    """Heat maps N x S x S in [0, 1] of ``images``, N x 3 x S x S, for the logit of fake.

    Grad-CAM (Selvaraju et al., ICCV 2017), eq. 1 and 2, on the last feature map of a timm
    network: channels weighted by their mean gradient, negative evidence cut off (``cam.heat``).
    """
    model.eval()
    with torch.enable_grad():
        features = model.forward_features(images).detach().requires_grad_()
        logits = model.forward_head(features)[:, 0]
        (gradients,) = torch.autograd.grad(logits.sum(), features)
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    evidence = (weights * features).sum(dim=1).detach()
    return cam.heat(evidence.numpy(), images.shape[-1])
