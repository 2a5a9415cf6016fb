"""What validation decides after training: the temperature and the threshold of a detector."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.metrics import roc_curve

FloatArray = NDArray[np.float64]


def probabilities(logits: FloatArray, temperature: float) -> FloatArray:
    """Calibrated probability of fake: the logistic function of logit / temperature."""
    return np.asarray(expit(logits / temperature), np.float64)


def fit_temperature(logits: FloatArray, labels: FloatArray) -> float:
    """The temperature T that minimises the cross-entropy of sigmoid(logit / T).

    Temperature scaling of Guo et al. (ICML 2017), eq. 9, for one logit; T lies in
    [0.05, 20]. Both arrays have shape N; labels are 1 for fake.
    """
    signed = np.where(labels > 0.5, logits, -logits)

    def cross_entropy(log_temperature: float) -> float:
        return float(np.logaddexp(0, -signed / np.exp(log_temperature)).mean())

    found = minimize_scalar(cross_entropy, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def fit_threshold(probability: FloatArray, labels: FloatArray) -> float:
    """The threshold with the best balanced accuracy; of equals, the one nearest to 0.5.

    It lies midway between two neighbouring probabilities: a face on the boundary of the
    validation set must not decide by its last digit.
    """
    false_rate, true_rate, _ = roc_curve(labels, probability, drop_intermediate=False)
    cuts = np.unique(probability)[::-1]
    borders = np.concatenate([[1.0], (cuts[:-1] + cuts[1:]) / 2, [0.0]])
    balanced = (true_rate + 1 - false_rate) / 2
    best = np.flatnonzero(np.isclose(balanced, balanced.max(), rtol=0, atol=1e-12))
    return float(borders[best[np.abs(borders[best] - 0.5).argmin()]])


def calibrate(logits: FloatArray, labels: FloatArray) -> tuple[float, float]:
    """Temperature and threshold from the logits of validation faces, shape N each."""
    temperature = fit_temperature(logits, labels)
    return temperature, fit_threshold(probabilities(logits, temperature), labels)
