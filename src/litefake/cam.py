"""Where in a face a network found what made it say fake, for networks without gradients.

Class activation maps (Zhou et al., CVPR 2016, equations 1 and 2): when the last feature map is
averaged over its places and weighted by one linear layer, the same weights tell what each place
gave to the logit. Grad-CAM of such a network is the same map.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

POOLING = {"ReduceMean", "GlobalAveragePool"}
PASSING = {"Reshape", "Flatten", "Squeeze", "Identity", "QuantizeLinear", "DequantizeLinear"}


def evidence_model(content: bytes) -> bytes | None:
    """The network of an ONNX file with another output: the evidence for fake at each place.

    That is N x 1 x h x w, of which the mean over places is the logit without its bias (8-bit
    networks round that mean once more). None when the network does not end in such a mean and
    a linear layer.
    """
    model = onnx.load_model_from_string(content)
    head = list(_head(model.graph))
    kinds = [node.op_type for node in head if node.op_type not in PASSING]
    if len(kinds) != 2 or kinds[0] != "Gemm" or kinds[1] not in POOLING:
        return None
    weights = next(node.input[1] for node in head if node.op_type == "Gemm")
    features = head[-1].input[0]
    shape = helper.make_tensor("cam_shape", onnx.TensorProto.INT64, [4], [1, -1, 1, 1])
    model.graph.initializer.append(shape)
    model.graph.node.extend(
        [
            helper.make_node("Reshape", [weights, "cam_shape"], ["cam_weights"]),
            helper.make_node("Conv", [features, "cam_weights"], ["evidence"]),
        ]
    )
    del model.graph.output[:]
    places: list[str | int | None] = ["batch", 1, "height", "width"]
    model.graph.output.append(
        helper.make_tensor_value_info("evidence", onnx.TensorProto.FLOAT, places)
    )
    return bytes(model.SerializeToString())


def _head(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes from the output up, each by its first input, to the pooling or what is unknown."""
    makers = {name: node for node in graph.node for name in node.output}
    node = makers.get(graph.output[0].name)
    while node is not None:
        yield node
        if node.op_type not in PASSING | {"Gemm"}:
            return
        node = makers.get(node.input[0])


def heat(evidence: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Maps N x size x size in [0, 1] of the ``evidence`` N x h x w.

    Evidence against fake is cut off, the highest of each map is 1. A map whose evidence is all
    against is zero.
    """
    positive = np.maximum(evidence, 0)
    maps = [cv2.resize(one, (size, size), interpolation=cv2.INTER_LINEAR) for one in positive]
    found = np.stack(maps)
    highest = found.max(axis=(1, 2), keepdims=True)
    return np.asarray(found / np.maximum(highest, 1e-12), np.float32)
