"""The one path from faces to probabilities: validation, benchmark and detector use it."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from litefake import calibration, reproducibility, scaling
from litefake.card import Card
from litefake.dataset import Faces

BATCH = 64


def logits(model: nn.Module, faces: Faces) -> NDArray[np.float64]:
    """The logit of every face, in the table's order; shape N. ``model`` is left in eval mode."""
    device = next(model.parameters()).device
    model.eval()

    def score(images: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            values: torch.Tensor = model(images.to(device))
            return values[:, 0].cpu()

    count = reproducibility.threads() if device.type == "cpu" else 1
    with reproducibility.thread_pool(count) as pool:
        parts = [
            part
            for batch in faces.in_order(BATCH)
            for part in pool.map(score, batch.images.tensor_split(min(count, len(batch.labels))))
        ]
    return torch.cat(parts).double().numpy()


def score_table(model: nn.Module, card: Card, faces: Faces) -> pd.DataFrame:
    """The rows of ``faces`` with a column ``probability`` (of fake)."""
    scores = scaling.probabilities(logits(model, faces), card.scaling)
    return faces.table.assign(probability=scores)


def calibrated(model: nn.Module, card: Card, val: Faces) -> Card:
    """``card`` with the scaling and threshold that validation gives ``model``."""
    return fitted(card, logits(model, val), val)


def fitted(card: Card, values: NDArray[np.float64], val: Faces) -> Card:
    """``calibrated`` for who has the logits of validation already."""
    labels = val.table["label"].to_numpy(np.float64)
    found, threshold = calibration.calibrate(values, labels, card.false_alarms)
    return card.model_copy(update={**found._asdict(), "threshold": threshold})
