"""The whole run: prune a step, train, prune the next one; a killed run goes on where it was."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pandas as pd
from torch import nn

from litefake import footprint, models, reproducibility, training
from litefake.checkpoints import Run
from litefake.dataset import TrainVal
from litefake.distillation import Objective
from litefake.errors import ParamsInvalid, TrainingFailed
from litefake.importance import accumulate_gradients
from litefake.pruning.channels import check_reachable, check_reached, prune_step
from litefake.pruning.params import PruneParams
from litefake.pruning.weights import zero_weights, zeros_kept
from litefake.reproducibility import Reproducibility
from litefake.seeds import seed_of
from litefake.training import Fit


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

    Iteration k of K leaves 1 - ratio * k / K of the original ``params.target``. A single step
    may remove nothing (``round_to``), the whole run may not. A run that was killed goes on
    from the last pruning step or epoch that ``run`` holds, given the same unpruned student.
    Raises ParamsInvalid (see ``check_processes``), and TrainingFailed when the target cannot be
    or is not reached, nothing is removed, a layer collapses, or a score or loss is not finite.
    """
    check_processes(params, reproducibility.current())
    student.to(reproducibility.device())
    check_reachable(student, params, faces.train.size)
    original = footprint.widths(student)
    start = _describe(student, faces)
    history = [
        {"iteration": 0, "pruned_share": 0.0, **start, "val_loss": start["val_loss_before_tuning"]}
    ]
    widths = {"before": original}
    fits: list[Fit] = []
    for iteration in range(1, params.iterations + 1):
        row = _pruned(student, iteration, original, faces, params, objective, run)
        if iteration == params.iterations:
            _check_removed(start, row, params)
        with zeros_kept(student) if params.kind == "unstructured" else nullcontext():
            name = f"finetune-{iteration}"
            fit = training.fit(student, faces, [params.recipe], objective, run, name)
        fits.append(fit)
        val_loss = fit.val_loss if fit.rows else row["val_loss_before_tuning"]
        history.append({**row, "val_loss": val_loss})
        widths[f"iteration_{iteration}"] = footprint.widths(student)
    return PruneResult(
        model=student,
        history=pd.DataFrame(history),
        widths=pd.DataFrame(widths).rename_axis("layer").reset_index(),
        summary=_summary(history, fits),
        curve=_curve(fits),
    )


def check_processes(params: PruneParams, machine: Reproducibility) -> None:
    """Raise ParamsInvalid when single weights are to be pruned by several processes."""
    if params.kind == "unstructured" and machine.devices > 1:
        raise ParamsInvalid(
            "params.yaml, prune.kind: unstructured trains in one process; set "
            "reproducibility.devices to 1"
        )


def _pruned(
    student: nn.Module,
    iteration: int,
    original: dict[str, int],
    faces: TrainVal,
    params: PruneParams,
    objective: Objective,
    run: Run,
) -> dict[str, Any]:
    """Prune ``student`` as ``iteration`` has it, or as ``run`` remembers; the row of its history.

    ``original`` holds the widths before any pruning.
    """
    saved = run.load(f"pruned-{iteration}")
    if saved is not None:
        models.reshape_to(student, saved["model"])
        return dict(saved["row"])
    seed = seed_of(run.seed, run.stage, "gradients", iteration)
    sample = faces.train.sample(params.samples, params.recipe.batch_size, seed)
    accumulate_gradients(student, sample, objective)
    share = params.ratio * iteration / params.iterations
    if params.kind == "unstructured":
        reached = zero_weights(student, share, params)
    else:
        reached = prune_step(student, original, share, params, faces.train.size)
    row = {"iteration": iteration, "pruned_share": reached, **_describe(student, faces)}
    run.save(f"pruned-{iteration}", {"model": student.state_dict(), "row": row})
    return row


def _describe(model: nn.Module, faces: TrainVal) -> dict[str, Any]:
    widths = footprint.widths(model)
    smallest = min(widths, key=lambda name: widths[name])
    return {
        "parameters": footprint.parameters(model),
        "nonzero_parameters": footprint.nonzero_parameters(model),
        "macs": footprint.macs(model, faces.train.size),
        "smallest_width": widths[smallest],
        "smallest_layer": smallest,
        "val_loss_before_tuning": training.validate(model, faces.val)["val_loss"],
    }


def _check_removed(start: dict[str, Any], row: dict[str, Any], params: PruneParams) -> None:
    kind = "parameters" if params.kind == "structured" else "nonzero_parameters"
    if params.ratio > 0 and row[kind] >= start[kind]:
        raise TrainingFailed(
            f"prune: {row[kind]} {kind} left of {start[kind]}, nothing was removed; "
            "raise prune.ratio or prune.max_pruning_ratio, or lower prune.round_to"
        )
    if params.target != "channels":
        check_reached(1 - row[params.target] / start[params.target], params)


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
        "nonzero_parameters": last["nonzero_parameters"],
        "macs_before": first["macs"],
        "macs": last["macs"],
        "pruned_share": last["pruned_share"],
        "smallest_width": last["smallest_width"],
        "smallest_layer": last["smallest_layer"],
    }
