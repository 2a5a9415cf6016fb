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

SIDE, LAYERS, REPEATS = 1024, 4, 30  # of the matrices, of the chain, of what is timed


def share_of_peak(model: Path) -> dict[str, Any]:
    """Multiply-accumulates a second of ``model`` and of one large product of 8-bit matrices.

    Both on one thread of OpenVINO. The model is timed with one face and with BATCH.
    """
    network, card = exported.load(model, 1, "openvino")
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "product.onnx"
        onnx.save_model(int8_product(), file)
        product = exported.run_openvino(file.read_bytes(), 1)
        factor = np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32)
        peak = LAYERS * SIDE**3 / quickest(lambda: product(factor))
    speeds = {}
    for batch in (1, detection.BATCH):
        images = np.zeros((batch, 3, card.image_size, card.image_size), np.float32)
        seconds = quickest(lambda images=images: network(images))  # type: ignore[misc]
        speeds[str(batch)] = batch * network.origin.macs / seconds
    share = {batch: speed / peak for batch, speed in speeds.items()}
    return {"product_macs": peak, "model_macs": speeds, "share": share}


def int8_product() -> onnx.ModelProto:
    """SIDE x SIDE, quantised to U8, times S8 weights of the same size, as a chain of LAYERS."""
    random = np.random.default_rng(0)
    tensors = [
        numpy_helper.from_array(np.float32(0.02), "step"),
        numpy_helper.from_array(np.uint8(128), "zero"),
        numpy_helper.from_array(np.full(SIDE, 0.01, np.float32), "weight_step"),
        numpy_helper.from_array(np.zeros(SIDE, np.int8), "weight_zero"),
    ]
    nodes, last = [], "images"
    for layer in range(LAYERS):
        weights = random.integers(-127, 128, (SIDE, SIDE), dtype=np.int8)
        tensors.append(numpy_helper.from_array(weights, f"w{layer}"))
        nodes += [
            helper.make_node("QuantizeLinear", [last, "step", "zero"], [f"q{layer}"]),
            helper.make_node("DequantizeLinear", [f"q{layer}", "step", "zero"], [f"d{layer}"]),
            helper.make_node(
                "DequantizeLinear",
                [f"w{layer}", "weight_step", "weight_zero"],
                [f"dw{layer}"],
                axis=1,
            ),
            helper.make_node("MatMul", [f"d{layer}", f"dw{layer}"], [f"m{layer}"]),
        ]
        last = f"m{layer}"
    sides = [SIDE, SIDE]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sides)
        for name in ("images", last)
    ]
    graph = helper.make_graph(nodes, "product", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


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
