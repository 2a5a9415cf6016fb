"""One device or several: Lightning Fabric places, casts, launches and adds up."""

from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch.multiprocessing.spawn import ProcessRaisedException

from litefake import errors, reproducibility
from litefake.errors import LitefakeError, ParamsInvalid
from litefake.reproducibility import Reproducibility


def single() -> Fabric:
    """The device of this process, in full precision."""
    return _fabric(1, "32-true")


def launch(work: Callable[..., None], *args: Any) -> None:
    """Call ``work(fabric, *args)`` on every device that ``reproducibility.devices`` asks for.

    On one device that is a call. For several, each gets a process of its own and a copy of
    ``args``, which must be picklable; what ``work`` finds out it has to write to a file. Raises
    ParamsInvalid when there are too few GPUs, and what LitefakeError ended one of the processes.
    """
    recipe = reproducibility.current()
    fabric = _fabric(recipe.devices, recipe.precision)
    if recipe.devices == 1:
        fabric.launch(work, *args)
        return
    in_process: Callable[..., None] = _in_process
    try:
        fabric.launch(in_process, recipe, work, *args)
    except ProcessRaisedException as failure:
        raise _cause(failure) from None


def add_up(fabric: Fabric, tensors: list[torch.Tensor], how: str = "sum") -> None:
    """Replace ``tensors`` by their sum (or ``mean``) over all processes, in one exchange."""
    if fabric.world_size == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    total = fabric.all_reduce(flat, reduce_op=how)
    assert isinstance(total, torch.Tensor)
    parts = total.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))


def _fabric(count: int, precision: Any) -> Fabric:
    device = reproducibility.device()
    if device.type == "cuda" and count > torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ParamsInvalid(
            f"params.yaml, reproducibility.devices: {count} GPUs wanted, {found} found; "
            "lower it, or set LITEFAKE_DEVICE=cpu for processes on the CPU"
        )
    return Fabric(
        accelerator=device.type,
        devices=count if device.index is None or count > 1 else [device.index],
        # Spawned, not started as scripts: only training runs on every device, not the stage.
        strategy="ddp_spawn" if count > 1 else "auto",
        precision=precision,
        # Not what Fabric would read from the variables of a cluster: the stage starts them all.
        plugins=[LightningEnvironment()],
    )


def _in_process(
    fabric: Fabric, recipe: Reproducibility, work: Callable[..., None], *args: Any
) -> None:
    reproducibility.setup(recipe)
    work(fabric, *args)


def _cause(failure: ProcessRaisedException) -> Exception:
    """The LitefakeError in the traceback that a process left, or ``failure`` itself."""
    name, _, text = str(failure).strip().splitlines()[-1].partition(": ")
    kind = getattr(errors, name.removeprefix("litefake.errors."), None)
    if isinstance(kind, type) and issubclass(kind, LitefakeError):
        return kind(text)
    return failure
