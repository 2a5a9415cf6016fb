"""What validation decides after training: scale, offset and threshold of a detector's answers."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_curve

from litefake.scaling import FloatArray, Scaling, probabilities


def cross_entropy(logits: FloatArray, labels: FloatArray, scaling: Scaling) -> float:
    """Mean cross-entropy of the scaled ``logits``; both arrays of shape N, labels 1 for fake."""
    scaled = logits / scaling.temperature + scaling.bias
    return float(np.logaddexp(0, np.where(labels > 0.5, -scaled, scaled)).mean())


def fit_scaling(logits: FloatArray, labels: FloatArray) -> Scaling:
    """The scaling with the lowest cross-entropy: Platt (1999), eq. 1, with A = -1/T, B = -bias.

    Both arrays have shape N; labels are 1 for fake. T lies in [0.05, 20], the bias in
    [-20, 20], also where the classes can be told apart without error.
    """

    def loss_and_gradient(values: FloatArray) -> tuple[float, FloatArray]:
        slope, bias = values
        error = expit(slope * logits + bias) - labels
        loss = cross_entropy(logits, labels, Scaling(1 / slope, bias))
        return loss, np.array([(error * logits).mean(), error.mean()])

    bounds = [(1 / 20, 20.0), (-20.0, 20.0)]
    start = np.array([1.0, 0.0])
    found = minimize(loss_and_gradient, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return Scaling(float(1 / found.x[0]), float(found.x[1]))


def fit_threshold(probability: FloatArray, labels: FloatArray, false_alarms: float = 1.0) -> float:
    """The threshold with the best balanced accuracy; of equals, the one nearest to 0.5.

    Only thresholds that call at most the share ``false_alarms`` of the real faces fake count.
    It lies midway between two neighbouring probabilities: a face on the boundary of the
    validation set must not decide by its last digit.
    """
    false_rate, true_rate, _ = roc_curve(labels, probability, drop_intermediate=False)
    cuts = np.unique(probability)[::-1]
    middle = (cuts[:-1] + cuts[1:]) / 2
    # Between two adjacent floats lies none: the middle rounds to either, the lower would count.
    middle = np.where(middle > cuts[1:], middle, cuts[:-1])
    borders = np.concatenate([[1.0], middle, [0.0]])
    balanced = np.where(false_rate <= false_alarms, (true_rate + 1 - false_rate) / 2, 0)
    best = np.flatnonzero(np.isclose(balanced, balanced.max(), rtol=0, atol=1e-12))
    return float(borders[best[np.abs(borders[best] - 0.5).argmin()]])


def calibrate(
    logits: FloatArray, labels: FloatArray, false_alarms: float = 1.0
) -> tuple[Scaling, float]:
    """Scaling and threshold from the logits of validation faces, shape N each."""
    scaling = fit_scaling(logits, labels)
    return scaling, fit_threshold(probabilities(logits, scaling), labels, false_alarms)
