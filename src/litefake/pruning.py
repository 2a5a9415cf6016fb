"""Remove the least important channels in steps, and distil what is left after each one.

Torch-Pruning finds which layers are coupled and cuts them; how many channels go is decided
here. Its own pruner counts from the widths it was built with, looks at a cap only before a
step, and lives in memory: none of that survives a restart. Here a step depends on nothing
but the network, the original widths and the share to reach, so any step can be resumed.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import nn

from litefake import footprint, models, reproducibility, scoring, training
from litefake.checkpoints import Run
from litefake.dataset import Faces, TrainVal
from litefake.distillation import Objective
from litefake.errors import TrainingFailed
from litefake.importance import (
    Normalizer,
    TaylorImportance,
    accumulate_gradients,
    coupled_groups,
)
from litefake.params import Section
from litefake.recipe import Recipe
from litefake.reproducibility import seed_of
from litefake.training import Fit

# A layer with a single channel left is a collapsed one.
MINIMUM_WIDTH = 2


class PruneParams(Section):
    """Section ``prune``: how many channels go, from where, in how many steps.

    ratio: share of the original channels to remove over all iterations.
    scope: ``global`` ranks all channels together, ``local`` takes the share from each group.
    max_pruning_ratio: no layer loses more than this share of its original channels; in the
        global scope the others give more instead.
    round_to: widths become the nearest multiple of this; 1 leaves them as they fall.
    samples: training faces from which the gradients of an iteration are taken.
    normalizer: ``mean`` divides the scores of a group by their mean before groups are
        ranked together (Torch-Pruning's default), ``none`` ranks the raw scores.
    recipe: the training that follows every iteration.
    """

    ratio: float = Field(ge=0, lt=1)
    iterations: int = Field(ge=1)
    scope: Literal["global", "local"]
    max_pruning_ratio: float = Field(gt=0, le=1)
    round_to: int = Field(ge=1)
    samples: int = Field(ge=1)
    normalizer: Normalizer
    recipe: Recipe


@dataclass(frozen=True)
class PruneResult:
    """A pruned and fine-tuned network and how it came about.

    history: one row an iteration, the first (0) before any pruning.
    widths: one row a convolution, its output channels ``before`` and after each iteration.
    summary: the figures of the stage's metrics file.
    curve: one row an epoch of fine-tuning, with its ``iteration``.
    """

    model: nn.Module
    history: pd.DataFrame
    widths: pd.DataFrame
    summary: dict[str, Any]
    curve: pd.DataFrame


def prune_iteratively(
    student: nn.Module,
    faces: TrainVal,
    params: PruneParams,
    objective: Objective,
    run: Run,
) -> PruneResult:
    """Prune ``student`` in place in equal steps to ``params.ratio``; fine-tune after each.

    Iteration k of K leaves 1 - ratio * k / K of the original channels. A single step may
    remove nothing (``round_to``), the whole run may not. A run that was killed goes on from
    the last pruning step or epoch that ``run`` holds, given the same unpruned student.
    Raises TrainingFailed when the parameters do not fall, a layer collapses, or a score or
    loss is not finite.
    """
    student.to(reproducibility.device())
    original = footprint.widths(student)
    start = _describe(student, faces)
    history = [
        {"iteration": 0, "pruned_share": 0.0, **start, "val_loss": start["val_loss_before_tuning"]}
    ]
    widths = {"before": original}
    fits: list[Fit] = []
    for iteration in range(1, params.iterations + 1):
        saved = run.load(f"pruned-{iteration}")
        if saved is None:
            seed = seed_of(run.seed, run.stage, "gradients", iteration)
            sample = faces.train.sample(params.samples, params.recipe.batch_size, seed)
            accumulate_gradients(student, sample, objective)
            share = params.ratio * iteration / params.iterations
            reached = prune_step(student, original, share, params, faces.train.size)
            row = {"iteration": iteration, "pruned_share": reached, **_describe(student, faces)}
            saved = {"model": student.state_dict(), "row": row}
            run.save(f"pruned-{iteration}", saved)
        else:
            models.reshape_to(student, saved["model"])
        if iteration == params.iterations:
            _check_fell(start["parameters"], footprint.parameters(student), params)
        fit = training.fit(student, faces, [params.recipe], objective, run, f"finetune-{iteration}")
        fits.append(fit)
        val_loss = fit.val_loss if fit.rows else saved["row"]["val_loss_before_tuning"]
        history.append({**saved["row"], "val_loss": val_loss})
        widths[f"iteration_{iteration}"] = footprint.widths(student)
    return PruneResult(
        model=student,
        history=pd.DataFrame(history),
        widths=pd.DataFrame(widths).rename_axis("layer").reset_index(),
        summary=_summary(history, fits),
        curve=_curve(fits),
    )


def prune_step(
    model: nn.Module, original: dict[str, int], share: float, params: PruneParams, size: int
) -> float:
    """Remove channels until ``share`` of the ``original`` ones are gone; return the share reached.

    ``original`` holds the widths before any pruning by module name, ``size`` is the side of
    the square input in pixels. The gradients must be there (``accumulate_gradients``); they
    are cleared. Channels that are coupled count once; the input and the classifier's logit
    are never pruned. Raises TrainingFailed when a score is not finite or a layer collapses.
    """
    groups = coupled_groups(model, size)
    importance = TaylorImportance(params.normalizer)
    scores = {name: importance(group) for name, group in groups.items()}
    chosen = choose_channels(scores, original, share, params)
    for name, channels in chosen.items():
        if channels:
            groups[name].prune(channels)
    model.zero_grad(set_to_none=True)
    check_not_collapsed(footprint.widths(model), original)
    left = sum(len(values) - len(chosen[name]) for name, values in scores.items())
    return 1 - left / sum(original[name] for name in scores)


def choose_channels(
    scores: dict[str, torch.Tensor], original: dict[str, int], share: float, params: PruneParams
) -> dict[str, list[int]]:
    """The channels of each group to remove, so that ``share`` of the original ones are gone.

    ``scores`` holds one importance per channel that is still there.
    """
    pools = [list(scores)] if params.scope == "global" else [[name] for name in scores]
    floors = {name: floor_width(original[name], params.max_pruning_ratio) for name in scores}
    removed: Counter[str] = Counter()
    for pool in pools:
        present = sum(len(scores[name]) for name in pool)
        wanted = round(sum(original[name] for name in pool) * (1 - share))
        removed += _cheapest({name: scores[name] for name in pool}, floors, present - wanted)
    chosen = {}
    for name, values in scores.items():
        kept = len(values) - removed[name]
        if removed[name]:
            kept = round_width(kept, params.round_to, floors[name], len(values))
        chosen[name] = torch.argsort(values, stable=True)[: len(values) - kept].tolist()
    return chosen


def floor_width(original: int, max_pruning_ratio: float) -> int:
    """The fewest channels that a layer of ``original`` ones may be left with."""
    floor = math.ceil(original * (1 - max_pruning_ratio) - 1e-9)
    return min(max(floor, MINIMUM_WIDTH), original)


def round_width(kept: int, multiple: int, floor: int, present: int) -> int:
    """The multiple of ``multiple`` nearest to ``kept``, from ``floor`` to ``present``.

    A layer narrower than ``multiple`` stays as it is.
    """
    lowest = max(1, math.ceil(floor / multiple))
    return min(max(math.floor(kept / multiple + 0.5), lowest) * multiple, present)


def check_not_collapsed(widths: dict[str, int], original: dict[str, int]) -> None:
    """Raise TrainingFailed when a layer has fewer than MINIMUM_WIDTH channels left."""
    for name, width in widths.items():
        if width < min(MINIMUM_WIDTH, original[name]):
            raise TrainingFailed(
                f"prune: {name} collapsed from {original[name]} channels to {width}; "
                "lower prune.ratio or prune.max_pruning_ratio"
            )


def _cheapest(scores: dict[str, torch.Tensor], floors: dict[str, int], budget: int) -> Counter[str]:
    """How many channels each group gives when the ``budget`` least important ones go."""
    spare = [
        (value, name)
        for name, values in scores.items()
        for value in values.sort().values[: max(len(values) - floors[name], 0)].tolist()
    ]
    return Counter(name for _, name in sorted(spare)[: max(budget, 0)])


def _describe(model: nn.Module, faces: TrainVal) -> dict[str, Any]:
    widths = footprint.widths(model)
    smallest = min(widths, key=lambda name: widths[name])
    return {
        "parameters": footprint.parameters(model),
        "macs": footprint.macs(model, faces.train.size),
        "smallest_width": widths[smallest],
        "smallest_layer": smallest,
        "val_loss_before_tuning": _validation_loss(model, faces.val),
    }


def _validation_loss(model: nn.Module, faces: Faces) -> float:
    if not np.isfinite(scoring.logits(model, faces)).all():
        raise TrainingFailed("prune: the network's logits are not finite; lower prune.ratio")
    return training.validate(model, faces)["val_loss"]


def _check_fell(before: int, after: int, params: PruneParams) -> None:
    if params.ratio > 0 and after >= before:
        raise TrainingFailed(
            f"prune: {after} parameters left of {before}, nothing was removed; "
            "raise prune.ratio or prune.max_pruning_ratio, or lower prune.round_to"
        )


def _curve(fits: list[Fit]) -> pd.DataFrame:
    rows = [
        {**row, "iteration": iteration} for iteration, fit in enumerate(fits, 1) for row in fit.rows
    ]
    return pd.DataFrame([{**row, "epoch": epoch} for epoch, row in enumerate(rows, 1)])


def _summary(history: list[dict[str, Any]], fits: list[Fit]) -> dict[str, Any]:
    first, last = history[0], history[-1]
    seconds = sum(fit.seconds for fit in fits)
    images = sum(fit.images for fit in fits)
    earlier = sum(len(fit.rows) for fit in fits[:-1])
    return {
        **fits[-1].summary(),
        "epochs": earlier + len(fits[-1].rows),
        "best_epoch": earlier + fits[-1].best_epoch,
        "val_loss": last["val_loss"],
        "train_seconds": round(seconds, 1),
        "images_per_second": round(images / max(seconds, 1e-9), 1),
        "parameters_before": first["parameters"],
        "parameters": last["parameters"],
        "parameters_share": last["parameters"] / first["parameters"],
        "macs_before": first["macs"],
        "macs": last["macs"],
        "pruned_share": last["pruned_share"],
        "smallest_width": last["smallest_width"],
        "smallest_layer": last["smallest_layer"],
    }
