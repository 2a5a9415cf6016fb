"""The one training loop: any network, any objective, one or more phases, resumable."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from litefake import calibration, reproducibility, scoring
from litefake.checkpoints import Run
from litefake.dataset import Faces, TrainVal
from litefake.distillation import Objective
from litefake.errors import TrainingFailed
from litefake.params import Section
from litefake.reproducibility import seed_of
from litefake.shards import Shards


class Recipe(Section):
    """Sections ``train`` and ``finetune``: one phase of training.

    averaging: decay d of the averaged weights (``_State``); 0 keeps the last ones.
    """

    epochs: int = Field(ge=0)
    patience: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    optimizer: Literal["sgd", "adam", "adamw"]
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    momentum: float = Field(ge=0, lt=1)
    schedule: Literal["none", "cosine"]
    warmup_epochs: float = Field(ge=0)
    averaging: float = Field(ge=0, lt=1)

    def longer(self, factor: float) -> "Recipe":
        """The same phase with ``factor`` times as many epochs, rounded up; no longer warm-up."""
        epochs = math.ceil(round(self.epochs * factor, 9))
        return self.model_copy(update={"epochs": epochs})


@dataclass
class Fit:
    """What one call of ``fit`` did; the best weights are in the network itself."""

    best_epoch: int = 0
    val_loss: float = math.inf
    seconds: float = 0.0
    images: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def curve(self) -> pd.DataFrame:
        """One row an epoch: phase, lr, the mean of each term of the loss, validation."""
        return pd.DataFrame(self.rows)

    def summary(self) -> dict[str, Any]:
        """The figures of a stage's metrics file."""
        return {
            "epochs": len(self.rows),
            "best_epoch": self.best_epoch,
            "train_loss": self.rows[self.best_epoch - 1]["loss"] if self.best_epoch else None,
            "val_loss": self.val_loss,
            "val_auc": self.rows[self.best_epoch - 1]["val_auc"] if self.best_epoch else None,
            "train_seconds": round(self.seconds, 1),
            "images_per_second": round(self.images / max(self.seconds, 1e-9), 1),
            "device": str(reproducibility.device()),
            "threads": reproducibility.threads(),
        }


def fit(
    model: nn.Module,
    faces: TrainVal,
    phases: Sequence[Recipe],
    objective: Objective,
    run: Run,
    name: str = "fit",
) -> Fit:
    """Train ``model`` in place through ``phases``; leave in it the weights of the best epoch.

    What an epoch is judged by and leaves behind are its averaged weights. The best epoch is
    the one with the lowest cross-entropy on validation after calibration (``validate``);
    every phase starts from the best weights so far and ends after its epochs or its patience.
    After every epoch the state is saved under ``name`` in ``run``. Every epoch draws its
    random numbers from (seed, name, epoch) alone, so a killed and resumed run equals an
    uninterrupted one. Raises TrainingFailed when the loss is not finite.
    """
    device = reproducibility.device()
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    done, state = Fit(), _State(model)
    saved = run.load(name)
    if saved is not None:
        done, state = Fit(**saved["fit"]), _State(model, saved)
    total = sum(phase.epochs for phase in phases)
    title = f"{run.stage} {name}"
    with (
        Shards.of(model) as shards,
        tqdm(total=total, initial=len(done.rows), desc=title, unit="epoch") as bar,
    ):
        for number, phase in enumerate(phases, start=1):
            if number < state.phase:
                continue
            if number > state.phase:
                state.enter(number)
            optimizer = _optimizer(model, phase)
            state.decay = phase.averaging
            if state.optimizer is not None:
                optimizer.load_state_dict(state.optimizer)
            while state.epoch < phase.epochs and state.stale < phase.patience:
                seed = seed_of(run.seed, name)
                row = _epoch(shards, faces, phase, objective, optimizer, run, seed, done, state)
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.3f}", val=f"{row['val_loss']:.3f}")
                state.optimizer = optimizer.state_dict()
                run.save(name, {"fit": vars(done), **state.dump()})
    model.load_state_dict(state.best)
    model.eval()
    return done


class _State:
    """Where ``fit`` stands; ``best`` holds the weights of the best epoch so far.

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
        weights = self.average.module.state_dict()
        return {key: value.detach().clone() for key, value in weights.items()}

    def enter(self, phase: int) -> None:
        self.phase, self.epoch, self.stale, self.optimizer = phase, 0, 0, None
        self.model.load_state_dict(self.best)
        # Zero updates so far: the first one copies the weights.
        self.average.n_averaged.zero_()

    def dump(self) -> dict[str, Any]:
        kept = ("phase", "epoch", "stale", "optimizer", "best")
        networks = {"model": self.model.state_dict(), "average": self.average.state_dict()}
        return {**networks, **{key: getattr(self, key) for key in kept}}


def _epoch(
    shards: Shards,
    faces: TrainVal,
    phase: Recipe,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    run: Run,
    seed: int,
    done: Fit,
    state: _State,
) -> dict[str, Any]:
    started = time.perf_counter()
    number = len(done.rows) + 1
    shards.seed(seed_of(seed, "dropout", number))
    shards.share_statistics()
    shards.train(True)
    batches = faces.train.shuffled(phase.batch_size, seed, number, faces.augmentation)
    steps = math.ceil(len(faces.train) / phase.batch_size)
    terms: list[dict[str, float]] = []
    for step, batch in enumerate(batches):
        _set_lr(optimizer, learning_rate(phase, state.epoch + step / steps))
        optimizer.zero_grad(set_to_none=True)
        terms.append(_finite(shards.backward(objective, batch), run, number))
        optimizer.step()
        state.average.update_parameters(shards.copies[0])
    row = {
        "epoch": number,
        "phase": state.phase,
        "lr": optimizer.param_groups[0]["lr"],
        **pd.DataFrame(terms).mean().to_dict(),
        **_finite(validate(state.average.module, faces.val), run, number),
    }
    done.rows.append(row)
    done.images += len(faces.train)
    done.seconds += time.perf_counter() - started
    state.epoch += 1
    state.stale += 1
    if row["val_loss"] < done.val_loss:
        done.val_loss, done.best_epoch = row["val_loss"], number
        state.stale, state.best = 0, state.snapshot()
    return row


def learning_rate(phase: Recipe, epoch: float) -> float:
    """The rate at a fractional ``epoch`` of the phase.

    It rises linearly over the warm-up; then it is constant, or falls along half a cosine
    to zero at the end (Loshchilov & Hutter, ICLR 2017, eq. 5, one cycle).
    """
    warmup = min(phase.warmup_epochs, phase.epochs / 2)
    if epoch < warmup:
        # Never zero: the first step of the first epoch must train something.
        return phase.lr * max(epoch / warmup, 0.01)
    if phase.schedule == "none":
        return phase.lr
    progress = (epoch - warmup) / max(phase.epochs - warmup, 1e-9)
    return phase.lr * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def validate(model: nn.Module, faces: Faces) -> dict[str, float]:
    """Loss, AUC and balanced accuracy of ``model`` on ``faces``, and the scaling that suits it.

    ``val_loss`` is the mean cross-entropy after that scaling.
    """
    values = scoring.logits(model, faces)
    labels = faces.labels.numpy()
    signed = np.where(labels > 0.5, values, -values)
    recalls = [(signed[labels == label] > 0).mean() for label in (0, 1)]
    # A network grows too sure of itself long before it stops getting better; since the
    # finished one is calibrated, epochs are compared as they would be after calibration.
    scaling = calibration.fit_scaling(values, labels)
    return {
        "val_loss": calibration.cross_entropy(values, labels, scaling),
        "val_temperature": scaling.temperature,
        "val_bias": scaling.bias,
        "val_auc": float(roc_auc_score(labels, values)),
        "val_balanced_accuracy": float(np.mean(recalls)),
    }


def _finite(terms: dict[str, float], run: Run, epoch: int) -> dict[str, float]:
    for name, value in terms.items():
        if not math.isfinite(value):
            raise TrainingFailed(
                f"{run.stage}: {name} is {value} in epoch {epoch}; lower the learning rate (lr)"
            )
    return terms


def _optimizer(model: nn.Module, phase: Recipe) -> torch.optim.Optimizer:
    shared: dict[str, Any] = {"lr": phase.lr, "weight_decay": phase.weight_decay}
    if phase.optimizer == "sgd":
        return torch.optim.SGD(_groups(model), momentum=phase.momentum, **shared)
    kind = torch.optim.Adam if phase.optimizer == "adam" else torch.optim.AdamW
    return kind(_groups(model), **shared)


def _groups(model: nn.Module) -> list[dict[str, Any]]:
    """The parameters by the ``lr_factor`` of their layer, which few have; the others' is 1."""
    groups: dict[float, list[nn.Parameter]] = {1.0: []}
    for layer in model.modules():
        factor = getattr(layer, "lr_factor", 1.0)
        groups.setdefault(factor, []).extend(layer.parameters(recurse=False))
    return [{"params": found, "lr_factor": factor} for factor, found in groups.items()]


def _set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_factor"]
