"""Eight-bit students by post-training quantisation, calibrated on training faces."""

import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from litefake.dataset import Faces
from litefake.onnx_files import INPUT
from litefake.params import Section
from litefake.seeds import seed_of

BATCH = 16
# Everything that is quantised; the pooling before the classifier stays in fp32, at a cost of
# less than a thousandth of the time.
QUANTISED = ["Conv", "Clip", "Relu", "Add", "Gemm", "MatMul"]


class ExportParams(Section):
    """Section ``export``: how students become 8-bit.

    quantizer: ``onnxruntime`` (static QDQ) or ``nncf`` (with bias correction).
    faces: training faces looked at, as many of each class, and of each method within it.
    seven_bit_weights: half the range of weights. Without VNNI, AVX2 and AVX-512 add pairs of
        8-bit products in 16 bits, which the whole range overflows.
    false_alarms: most real validation faces that a file's threshold may call fake, share; null
        leaves it at what the student trained with.
    """

    quantizer: Literal["onnxruntime", "nncf"]
    faces: int = Field(ge=2)
    seed: int = Field(ge=0)
    seven_bit_weights: bool
    false_alarms: float | None = Field(gt=0, le=1)


def balanced(faces: Faces, count: int, seed: int) -> Faces:
    """About ``count`` of ``faces``: half real, half fake, and as many of each method.

    A method with fewer faces gives all it has.
    """
    chosen = []
    for _, ours in faces.table.groupby("label"):
        methods = ours.groupby("method")
        share = math.ceil(count / 2 / len(methods))
        for method, rows in methods:
            random = np.random.default_rng(seed_of(seed, "calibration", str(method)))
            chosen.append(rows.iloc[random.permutation(len(rows))[:share]])
    return faces.only(pd.concat(chosen))


def quantise(
    model: onnx.ModelProto, faces: Faces, params: ExportParams, signed: bool = False
) -> onnx.ModelProto:
    """``model`` with 8-bit weights (per channel) and activations whose ranges ``faces`` give.

    ``signed``: activations are S8, which ARM wants; x86 wants U8 (S8 is two to three times
    slower there). A scheme is that of Jacob et al. (CVPR 2018), eq. 1, written as pairs of
    QuantizeLinear and DequantizeLinear.
    """
    if params.quantizer == "nncf" and not signed:
        return _nncf(model, faces, params)
    return _onnxruntime(model, faces, params, signed)


def _images(faces: Faces, batch: int) -> Iterator[NDArray[np.float32]]:
    return (part.images.contiguous().numpy() for part in faces.in_order(batch))


def _onnxruntime(
    model: onnx.ModelProto, faces: Faces, params: ExportParams, signed: bool
) -> onnx.ModelProto:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = _images(faces, BATCH)

        def get_next(self) -> dict[str, Any] | None:
            images = next(self._batches, None)
            return None if images is None else {INPUT: images}

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source.onnx"), Path(folder, "target.onnx")
        prepared = onnx.ModelProto.FromString(model.SerializeToString())
        # Batch norm is folded already; without this mark it warns that it may not be.
        onnx.helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
        onnx.save_model(prepared, source)
        quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTISED,
            per_channel=True,
            reduce_range=params.seven_bit_weights,
            activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": signed},
        )
        return onnx.load_model(target)


def _nncf(model: onnx.ModelProto, faces: Faces, params: ExportParams) -> onnx.ModelProto:
    os.environ["NNCF_CI"] = "1"  # it reports its use over the network otherwise
    import nncf
    from nncf.onnx.quantization.backend_parameters import BackendParameters
    from nncf.quantization.advanced_parameters import (
        AdvancedQuantizationParameters,
        OverflowFix,
    )

    fix = OverflowFix.ENABLE if params.seven_bit_weights else OverflowFix.DISABLE
    quantised: onnx.ModelProto = nncf.quantize(
        model,
        nncf.Dataset([{INPUT: image} for image in _images(faces, 1)]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(faces),
        fast_bias_correction=True,
        advanced_parameters=AdvancedQuantizationParameters(
            overflow_fix=fix,
            backend_params={BackendParameters.COMPRESS_WEIGHTS: True},
        ),
    )
    return quantised
