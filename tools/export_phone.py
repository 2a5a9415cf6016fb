"""A finished student for phones: ExecuTorch with XNNPACK, fp32 and 8 bit.

``python -m tools.export_phone [MODEL] [FOLDER]`` writes NAME.pte and NAME_int8.pte and prints,
as JSON, the size of each, how far its logits of the validation faces are from PyTorch's, and
its time on this machine. It has requirements of its own (docs/decisions/phone.md).
"""

import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from litefake import dataset, errors, footprint, models, params, quantization, scoring
from litefake.artifacts import rounded, write_json
from litefake.dataset import Faces
from litefake.quantization import ExportParams

MODEL, FOLDER = Path("models/prune_kd.safetensors"), Path("models/phone")
FACES, SPLIT = "data/faces", "data/split.csv"
REPORT = Path("metrics/bench/phone.json")
WARMUP, REPEATS = 10, 100


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else MODEL
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    model, card = models.load(source)
    val = dataset.read_split(FACES, SPLIT, "val", card)
    settings = params.section("export", ExportParams)
    train = dataset.read_split(FACES, SPLIT, "train", card)
    faces = quantization.balanced(train, settings.faces, settings.seed)
    example = torch.zeros(1, 3, card.image_size, card.image_size)
    networks = {
        f"{source.stem}.pte": model,
        f"{source.stem}_int8.pte": quantised(model, example, faces),
    }
    wanted = scoring.logits(model, val)
    labels = val.table["label"]
    results: dict[str, Any] = {
        "source": source.name,
        "faces": len(val),
        "auc": roc_auc_score(labels, wanted),
        "pytorch_ms": milliseconds(lambda: model(example)),
    }
    for name, network in networks.items():
        write(network, example, folder / name)
        run = runner(folder / name)
        found = np.array([run(image) for image in single(val)])
        results[name] = {
            "size_mb": footprint.size_mb(folder / name),
            "auc": roc_auc_score(labels, found),
            **apart(found, wanted),
            "x86_ms": milliseconds(lambda run=run: run(example)),  # type: ignore[misc]
        }
    write_json(REPORT, results)
    print(rounded(results))


def quantised(model: nn.Module, example: torch.Tensor, faces: Faces) -> nn.Module:
    """``model`` with 8-bit weights, per channel, and activations, as ``faces`` range them."""
    exported = torch.export.export(copy.deepcopy(model), (example,)).module()
    recipe = get_symmetric_quantization_config(is_per_channel=True)
    prepared = prepare_pt2e(exported, XNNPACKQuantizer().set_global(recipe))
    with torch.inference_mode():
        for image in single(faces):
            prepared(image)
    converted: nn.Module = convert_pt2e(prepared)
    return converted


def write(model: nn.Module, example: torch.Tensor, path: Path) -> None:
    """Compile ``model`` for batches like ``example``; XNNPACK takes what it knows."""
    program = torch.export.export(model, (example,))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    path.write_bytes(lowered.to_executorch().buffer)


def runner(path: Path) -> Callable[[torch.Tensor], float]:
    """What gives the logit of one image, 1 x 3 x S x S."""
    method = Runtime.get().load_program(path).load_method("forward")
    return lambda image: float(method.execute([image.contiguous()])[0])


def single(faces: Faces) -> Iterator[torch.Tensor]:
    """The images of ``faces`` in order, 1 x 3 x S x S each."""
    return (image[None] for batch in faces.in_order(scoring.BATCH) for image in batch.images)


def apart(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> dict[str, float]:
    """How far the logits are from the source's: the largest, and as a share of their spread."""
    error = found - wanted
    return {
        "largest_logit_error": float(np.abs(error).max()),
        "logit_error_share": float(error.std() / wanted.std()),
    }


@torch.inference_mode()
def milliseconds(work: Callable[[], object]) -> float:
    """Median wall time of ``work``."""
    times = []
    for number in range(WARMUP + REPEATS):
        started = time.perf_counter()
        work()
        if number >= WARMUP:
            times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    errors.run(main)
