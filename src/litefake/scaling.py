"""From the logits of a detector to calibrated probabilities."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

FloatArray = NDArray[np.float64]
SUREST = np.nextafter(1.0, 0.0)


class Scaling(NamedTuple):
    """p(fake) = sigmoid(logit / temperature + bias)."""

    temperature: float
    bias: float


def probabilities(logits: FloatArray, scaling: Scaling) -> FloatArray:
    """Calibrated probability of fake, in the shape of ``logits``.

    Always below 1, so that a threshold of 1 calls nothing fake.
    """
    found = expit(logits / scaling.temperature + scaling.bias)
    return np.minimum(np.asarray(found, np.float64), SUREST)
