"""How long one face takes on this machine's processor."""

import statistics
import time
from collections.abc import Mapping

import torch
from pydantic import Field
from torch import nn

from litefake.params import Section


class LatencyParams(Section):
    """Section ``benchmark.latency``: a batch of one face, ``threads`` threads."""

    threads: int = Field(ge=1)
    warmup: int = Field(ge=1)
    repeats: int = Field(ge=3)


@torch.inference_mode()
def cpu_milliseconds(
    models: Mapping[str, nn.Module], image_size: int, params: LatencyParams
) -> dict[str, float]:
    """Median milliseconds a face of every network, batch 1, eager, on the CPU.

    The networks take turns, so that a machine that slows down slows all of them and their
    ratios hold. The process's thread count is put back afterwards.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(params.threads)
    image = torch.zeros(1, 3, image_size, image_size).contiguous(memory_format=torch.channels_last)
    on_cpu = {
        name: model.cpu().eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for name, model in models.items()
    }
    times: dict[str, list[float]] = {name: [] for name in models}
    try:
        for number in range(params.warmup + params.repeats):
            for name, model in on_cpu.items():
                started = time.perf_counter()
                model(image)
                if number >= params.warmup:
                    times[name].append(time.perf_counter() - started)
    finally:
        torch.set_num_threads(threads)
    return {name: 1000 * statistics.median(values) for name, values in times.items()}
