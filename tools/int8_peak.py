"""How far a model is from the 8-bit matrix peak of this machine, through the same runtime.

Part of ``make bench-detect``. The peak is what OpenVINO makes of a chain of large products of
8-bit matrices on one thread: a figure that no network reaches, and the same units.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from litefake import detection, exported
from litefake.onnx_files import INPUT, IR_VERSION

SIDE, LAYERS, REPEATS = 1024, 4, 30  # of the matrices, of the chain, of what is timed
SHAPE = (1, SIDE, 32, SIDE // 32)  # SIDE pixels of SIDE channels


def share_of_peak(model: Path) -> dict[str, Any]:
    """Multiply-accumulates a second of ``model`` and of one large product of 8-bit matrices.

    Both on one thread of OpenVINO. The model is timed with one face and with BATCH.
    """
    network, card = exported.load(model, 1, "openvino")
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "product.onnx"
        onnx.save_model(int8_product(), file)
        product = exported.run_openvino(file.read_bytes(), 1)
        factor = np.random.default_rng(0).standard_normal(SHAPE, np.float32)
        peak = LAYERS * SIDE**3 / quickest(lambda: product(factor))
    speeds = {}
    for batch in (1, detection.BATCH):
        images = np.zeros((batch, 3, card.image_size, card.image_size), np.float32)
        seconds = quickest(lambda images=images: network(images))  # type: ignore[misc]
        speeds[str(batch)] = batch * network.origin.macs / seconds
    share = {batch: speed / peak for batch, speed in speeds.items()}
    return {"product_macs": peak, "model_macs": speeds, "share": share}


def int8_product() -> onnx.ModelProto:
    """A chain of LAYERS products, SIDE x SIDE each: U8 activations, S8 weights per channel.

    Written as 1 x 1 convolutions of SIDE channels: OpenVINO runs a plain MatMul like this one
    in fp32.
    """
    random = np.random.default_rng(0)
    tensors = [
        numpy_helper.from_array(np.array(0.02, np.float32), "step"),
        numpy_helper.from_array(np.array(0, np.uint8), "zero"),
        numpy_helper.from_array(np.full(SIDE, 0.01, np.float32), "weight_step"),
        numpy_helper.from_array(np.zeros(SIDE, np.int8), "weight_zero"),
    ]
    nodes, last = [], INPUT
    for layer in range(LAYERS):
        weights = random.integers(-127, 128, (SIDE, SIDE, 1, 1), dtype=np.int8)
        tensors.append(numpy_helper.from_array(weights, f"w{layer}"))
        weight_scale = [f"w{layer}", "weight_step", "weight_zero"]
        nodes += [
            helper.make_node("QuantizeLinear", [last, "step", "zero"], [f"q{layer}"]),
            helper.make_node("DequantizeLinear", [f"q{layer}", "step", "zero"], [f"d{layer}"]),
            helper.make_node("DequantizeLinear", weight_scale, [f"dw{layer}"], axis=0),
            helper.make_node("Conv", [f"d{layer}", f"dw{layer}"], [f"m{layer}"]),
        ]
        last = f"m{layer}"
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, SHAPE) for name in (INPUT, last)
    ]
    graph = helper.make_graph(nodes, "product", ends[:1], ends[1:], tensors)
    opset = helper.make_opsetid("", 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def quickest(work: Callable[[], object]) -> float:
    """The least CPU seconds that ``work`` took in REPEATS runs: what others do only adds."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def in_words(peak: dict[str, Any]) -> str:
    """The figures of ``share_of_peak`` as a sentence."""
    shares = " and ".join(
        f"{100 * share:.0f} % with {batch} face{'s' if batch != '1' else ''} at a time"
        for batch, share in peak["share"].items()
    )
    return (
        f"A large product of 8-bit matrices makes {peak['product_macs'] / 1e9:.0f} G "
        f"multiply-accumulates a second on one thread of OpenVINO; the model reaches {shares}."
    )
