"""Cost of a training step under every objective, against plain distillation.

``python -m tools.bench_steps [REPEATS]``: forward and backward of one batch on one thread, image
size and batch of params.yaml, in processor time, which another program disturbs less than it
does the clock. The objectives take turns; the least of their times counts.
"""

import sys
import time
from collections.abc import Callable

import torch

from litefake import dual, errors, params, starting, two_in_one
from litefake.apprentice import PARTS, Apprentice, TwoInOneParams
from litefake.batches import Batch
from litefake.card import Card
from litefake.distillation import Distillation, DistillParams, Objective, hard_loss
from litefake.faces import CropParams
from litefake.recipe import Recipe

BASE = "lite0, distilled from b0 (kd_lite0)"


def main() -> None:
    torch.set_num_threads(1)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    steps = {name: step(*made) for name, made in objectives().items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats + 1):  # the first round is not counted
        for name, run in steps.items():
            started = time.process_time()
            run()
            times[name].append(time.process_time() - started)
    base = min(times[BASE][1:])
    print("| a step of | processor s | against plain distillation |\n| --- | --- | --- |")
    for name, found in times.items():
        print(f"| {name} | {min(found[1:]):.2f} | {min(found[1:]) / base:.2f} |")


def objectives() -> dict[str, tuple[torch.nn.Module, Objective]]:
    """Networks with fresh weights and what they would be trained for, by name."""
    crop = params.section("faces", CropParams)
    kd = params.section("kd", DistillParams)
    ours = params.section("two_in_one", TwoInOneParams)
    b0, card = starting.create(params.section("b0", starting.ModelParams), crop, "", 0)
    lite0 = params.section("lite0", starting.ModelParams)
    teacher, seen = dual.start(b0, card, params.section("dual", dual.DualParams), 0)

    def student() -> tuple[torch.nn.Module, Card]:
        return starting.create(lite0, crop, "", 0)

    trained_b0 = starting.create(params.section("b0", starting.ModelParams), crop, "", 0)[0]
    trained_dual, _ = dual.start(b0, card, params.section("dual", dual.DualParams), 0)
    found: dict[str, tuple[torch.nn.Module, Objective]] = {
        "b0": (trained_b0, hard_loss),
        "dual (train_dual)": (trained_dual, dual.dual_loss),
        "lite0": (student()[0], hard_loss),
        BASE: (student()[0], Distillation(b0, card, student()[1], kd)),
    }
    for variant in list(PARTS)[1:]:
        chosen = ours.model_copy(update={"variant": variant})
        network, own = student()
        objective = two_in_one.objective(teacher, (seen, own), kd, chosen)
        found[f"kd_two_in_one, {variant}"] = (Apprentice(network, chosen, 0), objective)
    return found


def step(model: torch.nn.Module, objective: Objective) -> Callable[[], None]:
    """Forward and backward of one batch, as the training loop does them."""
    size = params.section("faces", CropParams).size
    count = params.section("train", Recipe).batch_size
    model.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(count, 3, size, size).to(memory_format=torch.channels_last)
    batch = Batch(images, (torch.arange(count) % 2).float())

    def run() -> None:
        model.zero_grad(set_to_none=True)
        objective(model, batch)["loss"].backward()

    return run


if __name__ == "__main__":
    errors.run(main)
