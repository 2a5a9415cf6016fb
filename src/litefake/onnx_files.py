"""ONNX files of litefake: one canonical form, a card inside, and nothing foreign let in."""

from pathlib import Path
from typing import Literal

import onnx
from google.protobuf.message import DecodeError
from onnx import helper, numpy_helper
from pydantic import Field, ValidationError

from litefake.artifacts import replacing
from litefake.card import FORMAT, Card
from litefake.errors import ModelUnreadable
from litefake.params import Section

ORIGIN = "litefake-origin-1"  # the key of the origin in a file's metadata
INPUT, OUTPUT = "images", "logit"
IR_VERSION = 10
LARGEST = 200 * 10**6  # bytes; a student has 2 to 14 million
# What a student consists of, and no more: a graph with a loop could run for ever, an unknown
# operation could be anything.
OPERATIONS = {
    *("Add", "Clip", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Identity", "MatMul", "Mul"),
    *("Pad", "ReduceMean", "Relu", "Reshape", "Sigmoid", "Squeeze"),
    *("DequantizeLinear", "QuantizeLinear"),
}


class Origin(Section):
    """Which network a file was made from, and how. ``source`` is the SHA-256 of its file."""

    precision: Literal["fp32", "int8"]
    source: str
    parameters: int = Field(ge=1)
    macs: int = Field(ge=1)


def canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network in one fixed form, so that equal networks are equal bytes.

    Nodes stand in the order of a depth-first walk from the output and values have numbers for
    names; doc strings, metadata (which holds paths of the exporting machine) and unused
    tensors are gone. The batch is dynamic.
    """
    graph = model.graph
    nodes = _walk(graph)
    names = {graph.input[0].name: INPUT, graph.output[0].name: OUTPUT}
    for node in nodes:
        for name in [*node.input, *node.output]:
            if name:
                names.setdefault(name, str(len(names)))
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    used = [name for name in names if name in tensors]
    side = graph.input[0].type.tensor_type.shape.dim[2].dim_value
    made = helper.make_graph(
        [_renamed(node, names) for node in nodes],
        "litefake",
        [helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, ["batch", 3, side, side])],
        [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(tensors[name], names[name]) for name in used],
    )
    opset = next(one.version for one in model.opset_import if one.domain == "")
    return helper.make_model(
        made,
        producer_name="litefake",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", opset)],
    )


def _walk(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that the output needs, each after those that it needs."""
    makers = {name: node for node in graph.node for name in node.output}
    ordered: dict[str, onnx.NodeProto] = {}
    waiting = [graph.output[0].name]
    while waiting:
        node = makers.get(waiting[-1])
        if node is None or node.output[0] in ordered:
            waiting.pop()
            continue
        missing = [
            name for name in node.input if name in makers and makers[name].output[0] not in ordered
        ]
        if missing:
            waiting.append(missing[0])
        else:
            ordered[node.output[0]] = node
    return list(ordered.values())


def _renamed(node: onnx.NodeProto, names: dict[str, str]) -> onnx.NodeProto:
    attributes = sorted(node.attribute, key=lambda attribute: attribute.name)
    inputs, outputs = ([names.get(name, "") for name in side] for side in (node.input, node.output))
    made = onnx.NodeProto(op_type=node.op_type, input=inputs, output=outputs, name=f"n{outputs[0]}")
    made.attribute.extend(attributes)
    return made


def write(model: onnx.ModelProto, card: Card, origin: Origin, path: Path | str) -> None:
    """Write ``model`` in its canonical form with ``card`` and ``origin``, as one file."""
    model = canonical(model)
    values = {FORMAT: card.model_dump_json(), ORIGIN: origin.model_dump_json()}
    helper.set_model_props(model, values)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def read(path: Path | str) -> tuple[bytes, Card, Origin]:
    """The content of a file, its card and its origin.

    Raises ModelUnreadable when the file is missing, no ONNX, not of litefake, reads other
    files (external data), or holds operations that no student has.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise ModelUnreadable(f"{path}: too large for a model of litefake")
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
        values = {entry.key: entry.value for entry in model.metadata_props}
        card = Card.model_validate_json(values[FORMAT])
        origin = Origin.model_validate_json(values[ORIGIN])
    except FileNotFoundError:
        raise ModelUnreadable(
            f"{path}: no such file; `make repro` writes its models to models/"
        ) from None
    except (DecodeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ModelUnreadable(f"{path}: not an ONNX file ({reason}); use an exported one") from None
    except (KeyError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ModelUnreadable(f"{path}: not a model of litefake ({reason})") from None
    _require_plain(path, model, card)
    return content, card, origin


def _require_plain(path: Path, model: onnx.ModelProto, card: Card) -> None:
    graph = model.graph
    foreign = {node.op_type for node in graph.node if node.domain or node.op_type not in OPERATIONS}
    if foreign or len(model.functions):
        named = ", ".join(sorted(foreign)) or "functions"
        raise ModelUnreadable(f"{path}: holds operations that litefake does not use ({named})")
    tensors = [*graph.initializer, *(a.t for node in graph.node for a in node.attribute)]
    if graph.sparse_initializer or any(one.data_location or one.external_data for one in tensors):
        raise ModelUnreadable(f"{path}: its weights lie in other files; export it as one file")
    size = card.image_size
    shapes = [
        [part.dim_value for part in value.type.tensor_type.shape.dim]
        for value in [*graph.input, *graph.output]
    ]
    if shapes != [[0, 3, size, size], [0, 1]]:
        raise ModelUnreadable(f"{path}: its input or output does not fit its card ({size} px)")
