"""Time one face in every runtime, fp32 and 8 bit, against eager B0: ``make bench-models``.

Needs the models of ``make repro``. ``python -m tools.bench_models [SIZE ...]`` (px; 224 and the
table's own size if none) writes metrics/bench/models.json and .md. Networks for another size
than the trained one are exported and calibrated anew, from the same weights: their times count,
not their answers.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from torch import nn

from litefake import (
    dataset,
    errors,
    footprint,
    models,
    onnx_export,
    onnx_files,
    params,
    quantization,
    reproducibility,
    runtime,
)
from litefake.artifacts import digest, write_json, write_text
from litefake.latency import LatencyParams, cpu_milliseconds
from litefake.onnx_files import Origin
from litefake.quantization import ExportParams

TEACHER, STUDENT = "models/b0.safetensors", "models/prune_kd.safetensors"
FACES, SPLIT = "data/faces", "data/split.csv"
LATENCY = LatencyParams(threads=1, warmup=10, repeats=100)
OUT = Path("metrics/bench/models")


def main() -> None:
    teacher, card = models.load(TEACHER)
    student, _ = models.load(STUDENT)
    reproducibility.setup(params.section("reproducibility", reproducibility.Reproducibility))
    sizes = [int(size) for size in sys.argv[1:]] or [224, card.image_size]
    measured: dict[str, dict[str, float]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            exported = export(size, Path(folder))
            networks = {"B0, PyTorch eager": teacher, "pruned, PyTorch eager": student, **exported}
            measured[str(size)] = cpu_milliseconds(networks, size, LATENCY)
    results = {"machine": reproducibility.machine(), "milliseconds": measured}
    write_json(OUT.with_suffix(".json"), results)
    write_text(OUT.with_suffix(".md"), markdown(results))
    print(markdown(results))


def markdown(results: dict[str, Any]) -> str:
    """One table a size; the first row is what the others are compared with."""
    cpu = results["machine"]["cpu"]
    parts = [f"{cpu}, {LATENCY.threads} thread, one face, median milliseconds."]
    for size, times in results["milliseconds"].items():
        base = next(iter(times.values()))
        rows = [f"| {name} | {ms:.2f} | {base / ms:.1f} |" for name, ms in times.items()]
        head = [f"| {size} px | ms | times faster |", "| --- | --- | --- |"]
        parts.append("\n".join(head + rows))
    return "\n\n".join(parts) + "\n"


def export(size: int, folder: Path) -> dict[str, nn.Module]:
    """The student for ``size`` px in both engines, fp32 and 8 bit."""
    student, card = models.load(STUDENT)  # not the timed one: its memory layout is another
    card = card.model_copy(update={"image_size": size})
    settings = params.section("export", ExportParams)
    train = dataset.read_split(FACES, SPLIT, "train", card)
    faces = quantization.balanced(train, min(settings.faces, 32), settings.seed)
    origin = Origin(
        precision="fp32",
        source=digest(STUDENT),
        parameters=footprint.parameters(student),
        macs=footprint.macs(student, size),
    )
    network = onnx_export.to_onnx(student, size)
    onnx_files.write(network, card, origin, folder / "fp32.onnx")
    for name in ("nncf", "onnxruntime"):
        small = quantization.quantise(
            network, faces, settings.model_copy(update={"quantizer": name})
        )
        onnx_files.write(small, card, origin, folder / f"int8 by {name}.onnx")
    found: dict[str, nn.Module] = {}
    for file in sorted(folder.glob("*.onnx")):
        found[f"pruned, ONNX Runtime, {file.stem}"] = runtime.load(file, 1, "onnxruntime")[0]
        found[f"pruned, OpenVINO, {file.stem}"] = runtime.load(file, 1, "openvino")[0]
    return found


if __name__ == "__main__":
    errors.run(main)
