"""Where a training stands: the phase, the epoch, the best weights so far."""

from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class State:
    """Where ``training.fit`` stands; ``best`` holds the weights of the best epoch so far.

    ``average`` is the network whose weights follow those of ``model`` step by step.
    """

    def __init__(self, model: nn.Module, saved: dict[str, Any] | None = None) -> None:
        self.model = model
        saved = saved or {}
        self.phase: int = saved.get("phase", 1)
        self.epoch: int = saved.get("epoch", 0)
        self.stale: int = saved.get("stale", 0)
        self.optimizer: dict[str, Any] | None = saved.get("optimizer")
        self.decay = 0.0
        if "model" in saved:
            model.load_state_dict(saved["model"])
        self.average = AveragedModel(model, multi_avg_fn=self._follow, use_buffers=True)
        if "average" in saved:
            self.average.load_state_dict(saved["average"])
        self.best: dict[str, torch.Tensor] = saved.get("best") or self.snapshot()

    def _follow(self, averages: Any, values: Any, count: torch.Tensor | int) -> None:
        """Exponential moving average whose first steps forget faster.

        average += (1 - d_n) * (value - average), d_n = min(d, (1 + n) / (10 + n)), after the
        ``num_updates`` rule of TensorFlow's ExponentialMovingAverage: a constant d would keep
        the first weights in the average of a short training.
        """
        decay = min(self.decay, (1 + int(count)) / (10 + int(count)))
        get_ema_multi_avg_fn(decay)(averages, values, count)

    def snapshot(self) -> dict[str, torch.Tensor]:
        """A copy of the averaged weights."""
        weights = self.average.module.state_dict()
        return {key: value.detach().clone() for key, value in weights.items()}

    def enter(self, phase: int) -> None:
        """Start the phase with that number from the best weights so far."""
        self.phase, self.epoch, self.stale, self.optimizer = phase, 0, 0, None
        self.model.load_state_dict(self.best)
        # Zero updates so far: the first one copies the weights.
        self.average.n_averaged.zero_()

    def dump(self) -> dict[str, Any]:
        """Everything that ``State(model, saved)`` needs to go on from here."""
        kept = ("phase", "epoch", "stale", "optimizer", "best")
        networks = {"model": self.model.state_dict(), "average": self.average.state_dict()}
        return {**networks, **{key: getattr(self, key) for key in kept}}
