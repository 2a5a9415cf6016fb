"""From the logits of a detector to calibrated probabilities."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

FloatArray = NDArray[np.float64]


class Scaling(NamedTuple):
    """p(fake) = sigmoid(logit / temperature + bias)."""

    temperature: float
    bias: float


def probabilities(logits: FloatArray, scaling: Scaling) -> FloatArray:
    """Calibrated probability of fake, in the shape of ``logits``."""
    return np.asarray(expit(logits / scaling.temperature + scaling.bias), np.float64)
