"""Turn every student into ONNX: fp32, and 8 bit for x86 and for ARM."""

from tqdm import tqdm

from litefake import errors, onnx_export, params, reproducibility
from litefake.artifacts import write_json
from litefake.locks import alone
from litefake.onnx_export import Targets
from litefake.quantization import ExportParams

FACES, SPLIT = "data/faces", "data/split.csv"
STUDENTS = {
    "models/lite0.safetensors": Targets(
        "models/lite0.onnx", "models/lite0_int8.onnx", "models/lite0_int8_arm.onnx"
    ),
    "models/kd_lite0.safetensors": Targets(
        "models/kd_lite0.onnx", "models/kd_lite0_int8.onnx", "models/kd_lite0_int8_arm.onnx"
    ),
    "models/prune_kd.safetensors": Targets(
        "models/prune_kd.onnx", "models/prune_kd_int8.onnx", "models/prune_kd_int8_arm.onnx"
    ),
}


@alone("export")
def main() -> None:
    reproducibility.setup(params.section("reproducibility", reproducibility.Reproducibility))
    settings = params.section("export", ExportParams)
    figures = {}
    for source, targets in tqdm(STUDENTS.items(), "export -> models/*.onnx", unit="model"):
        name = targets.fp32.removeprefix("models/").removesuffix(".onnx")
        figures[name] = onnx_export.export(source, targets, FACES, SPLIT, settings)
    write_json("metrics/export.json", figures, digits=6)


if __name__ == "__main__":
    errors.run(main)
