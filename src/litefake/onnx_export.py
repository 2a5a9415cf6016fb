"""A finished student as ONNX: fp32 for any runtime, 8 bit for x86 and for ARM."""

from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import nn

from litefake import (
    dataset,
    footprint,
    manifest,
    models,
    onnx_files,
    quantization,
    runtime,
    scoring,
)
from litefake.artifacts import digest
from litefake.card import Card
from litefake.dataset import Faces
from litefake.errors import LitefakeError
from litefake.exported import Engine
from litefake.onnx_files import INPUT, OUTPUT, Origin
from litefake.quantization import ExportParams

OPSET = 18
TOLERANCE = 1e-3  # of a logit, between PyTorch and the fp32 file
DEMO = "built-in rendered demo data, no real face"


class Targets(NamedTuple):
    """The files that one student becomes."""

    fp32: str
    int8: str
    int8_arm: str


def to_onnx(model: nn.Module, size: int) -> onnx.ModelProto:
    """``model`` for images of ``size`` px, batch norm folded, in canonical form.

    Equal weights give equal bytes. The batch is dynamic, the size is not: TensorFlow's padding
    depends on it.
    """
    program = torch.onnx.export(
        model.cpu().eval(),
        (torch.zeros(2, 3, size, size),),
        dynamo=True,
        external_data=False,
        opset_version=OPSET,
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    return onnx_files.canonical(program.model_proto)


def export(
    source: str, targets: Targets, folder: str, table: str, params: ExportParams
) -> dict[str, Any]:
    """Write the files of ``targets`` from the student in ``source``; their figures.

    Temperature, bias and threshold of the 8-bit files are fitted anew on validation, with the
    runtime that uses them; the fp32 file has the student's, unless ``params.false_alarms`` is set.
    Raises LitefakeError when the fp32 file answers otherwise than its source.
    """
    model, card = models.load(source)
    val = dataset.read_split(folder, table, "val", card)
    train = dataset.read_split(folder, table, "train", card)
    card = card.model_copy(update={"trained_on": _told(card.trained_on, train)})
    faces = quantization.balanced(train, params.faces, params.seed)
    network = to_onnx(model, card.image_size)
    origin = Origin(
        precision="fp32",
        source=digest(source),
        parameters=footprint.parameters(model),
        macs=footprint.macs(model, card.image_size),
    )
    wanted = scoring.logits(model, val)
    if params.false_alarms is not None:
        strict = card.model_copy(update={"false_alarms": params.false_alarms})
        card = scoring.fitted(strict, wanted, val)

    onnx_files.write(network, card, origin, targets.fp32)
    found = scoring.logits(runtime.load(targets.fp32)[0], val)
    apart = float(np.abs(found - wanted).max())
    if apart > TOLERANCE:
        raise LitefakeError(
            f"{targets.fp32}: its logits are {apart:.2g} from those of {source}; "
            "the installed torch or onnxscript exports it wrongly, use the pinned versions"
        )
    origin = origin.model_copy(update={"precision": "int8"})
    figures = {"fp32": _figures(targets.fp32, found, wanted, val)}
    # OpenVINO is for x86; the file for ARM is judged by the runtime that will use it.
    variants: list[tuple[str, str, bool, Engine | None]] = [
        ("int8", targets.int8, False, None),
        ("int8_arm", targets.int8_arm, True, "onnxruntime"),
    ]
    for kind, path, signed, engine in variants:
        small = quantization.quantise(network, faces, params, signed)
        found = _write_calibrated(small, card, origin, path, val, engine)
        figures[kind] = _figures(path, found, wanted, val)
    return {"calibration_faces": len(faces), "auc": _auc(wanted, val), **figures}


def _write_calibrated(
    model: onnx.ModelProto, card: Card, origin: Origin, path: str, val: Faces, engine: Engine | None
) -> NDArray[np.float64]:
    onnx_files.write(model, card, origin, path)
    found = scoring.logits(runtime.load(path, engine=engine)[0], val)
    onnx_files.write(model, scoring.fitted(card, found, val), origin, path)
    return found


def _figures(
    path: str, found: NDArray[np.float64], wanted: NDArray[np.float64], val: Faces
) -> dict[str, float]:
    """Size, and how far its logits of validation faces are from the source's."""
    error = found - wanted
    return {
        "size_mb": footprint.size_mb(path),
        "auc": _auc(found, val),
        "auc_change": _auc(found, val) - _auc(wanted, val),
        "largest_logit_error": float(np.abs(error).max()),
        "logit_error_share": float(error.std() / wanted.std()),
    }


def _auc(logits: NDArray[np.float64], val: Faces) -> float:
    return float(roc_auc_score(val.table["label"], logits))


def _told(trained_on: str, train: Faces) -> str:
    """A file leaves its repository, where ``data/videos`` says nothing."""
    if train.maker is not None:
        people = train.table["person"].nunique()
        return f"real portraits of {people} people and fakes blended from them, no deepfake"
    return DEMO if trained_on == str(manifest.DEMO_ROOT) else trained_on
