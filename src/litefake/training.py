"""The one training loop: any network, any objective, one or more phases, resumable."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from sklearn.metrics import roc_auc_score
from torch import nn
from tqdm import tqdm

from litefake import calibration, devices, places, recipe, reproducibility, scoring
from litefake.checkpoints import Run
from litefake.dataset import Faces, TrainVal
from litefake.distillation import Objective
from litefake.errors import TrainingFailed
from litefake.progress import State
from litefake.recipe import Recipe
from litefake.scaling import FloatArray
from litefake.seeds import seed_of
from litefake.shards import Shards


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
            **reproducibility.current().model_dump(include={"threads", "devices", "precision"}),
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
    uninterrupted one. With ``reproducibility.devices`` above one the work is done by as many
    processes, and ``objective`` must be picklable. Raises TrainingFailed when a loss or a logit
    is not finite.
    """
    if reproducibility.current().devices > 1:
        model.cpu()  # another process gets a copy of it
    learner, objective = places.taught(model, faces.train, objective)
    devices.launch(_train, learner, faces, phases, objective, run, name)
    learner.to(reproducibility.device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    # What several processes found out is in their checkpoint alone.
    saved = run.load(name)
    if saved is not None:
        learner.load_state_dict(saved["best"])
    learner.eval()
    if isinstance(learner, places.Pointer):
        learner.release()
    return Fit(**saved["fit"]) if saved is not None else Fit()


def _train(
    fabric: Fabric,
    model: nn.Module,
    faces: TrainVal,
    phases: Sequence[Recipe],
    objective: Objective,
    run: Run,
    name: str,
) -> None:
    """``fit`` in each of its processes; the first one keeps the records."""
    model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    done, state = Fit(), State(model)
    saved = run.load(name)
    if saved is not None:
        done, state = Fit(**saved["fit"]), State(model, saved)
    total, others = sum(phase.epochs for phase in phases), not fabric.is_global_zero
    title = f"{run.stage} {name}"
    with (
        Shards.of(model, fabric) as shards,
        tqdm(total=total, initial=len(done.rows), desc=title, unit="epoch", disable=others) as bar,
    ):
        for number, phase in enumerate(phases, start=1):
            if number < state.phase:
                continue
            if number > state.phase:
                state.enter(number)
            optimizer = recipe.optimizer(model, phase)
            state.decay = phase.averaging
            if state.optimizer is not None:
                optimizer.load_state_dict(state.optimizer)
            while state.epoch < phase.epochs and state.stale < phase.patience:
                seed = seed_of(run.seed, name)
                row = _epoch(
                    fabric, shards, faces, phase, objective, optimizer, run, seed, done, state
                )
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.3f}", val=f"{row['val_loss']:.3f}")
                state.optimizer = optimizer.state_dict()
                if fabric.is_global_zero:
                    run.save(name, {"fit": vars(done), **state.dump()})


def _epoch(
    fabric: Fabric,
    shards: Shards,
    faces: TrainVal,
    phase: Recipe,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    run: Run,
    seed: int,
    done: Fit,
    state: State,
) -> dict[str, Any]:
    started = time.perf_counter()
    number = len(done.rows) + 1
    shards.seed(seed_of(seed, "dropout", number))
    shards.share_statistics()
    shards.train(True)
    rank, world = fabric.global_rank, fabric.world_size
    batches = faces.train.shuffled(phase.batch_size, seed, number, faces.augmentation, rank, world)
    steps = faces.train.steps(phase.batch_size, seed, number, world)
    terms: list[dict[str, float]] = []
    for step, batch in enumerate(batches):
        recipe.set_rate(optimizer, recipe.learning_rate(phase, state.epoch + step / steps))
        optimizer.zero_grad(set_to_none=True)
        terms.append(_finite(shards.backward(objective, batch), run, number))
        optimizer.step()
        state.average.update_parameters(shards.copies[0])
    row = {
        "epoch": number,
        "phase": state.phase,
        "lr": optimizer.param_groups[0]["lr"],
        **pd.DataFrame(terms).mean().to_dict(),
        **_finite(validate(state.average.module, faces.val, fabric), run, number),
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


def validate(model: nn.Module, faces: Faces, fabric: Fabric | None = None) -> dict[str, float]:
    """Loss, AUC and balanced accuracy of ``model`` on ``faces``, and the scaling that suits it.

    ``val_loss`` is the mean cross-entropy after that scaling. The processes of ``fabric`` share
    the work, and all of them get the figures. Raises TrainingFailed when a logit is not finite.
    """
    values = scoring.logits(model, faces) if fabric is None else _logits(model, faces, fabric)
    if not np.isfinite(values).all():
        raise TrainingFailed(
            "the network answers some faces with no finite number; lower the learning rate (lr), "
            "or prune.ratio after a cut"
        )
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


def _logits(model: nn.Module, faces: Faces, fabric: Fabric) -> FloatArray:
    """``scoring.logits``, each process of ``fabric`` scoring its share of ``faces``."""
    rows = np.array_split(np.arange(len(faces)), fabric.world_size)[fabric.global_rank]
    values = torch.zeros(len(faces), dtype=torch.float64, device=fabric.device)
    if len(rows):
        own = faces if fabric.world_size == 1 else faces.only(faces.table.iloc[rows])
        values[rows] = torch.from_numpy(scoring.logits(model, own)).to(values)
    devices.add_up(fabric, [values])
    return values.cpu().numpy()


def _finite(terms: dict[str, float], run: Run, epoch: int) -> dict[str, float]:
    for name, value in terms.items():
        if not math.isfinite(value):
            raise TrainingFailed(
                f"{run.stage}: {name} is {value} in epoch {epoch}; lower the learning rate (lr)"
            )
    return terms
