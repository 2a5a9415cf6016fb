"""ONNX files: one form, a card inside, and nothing foreign let in."""

import pickle

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from litefake import models, onnx_files
from litefake.errors import ModelUnreadable
from litefake.onnx_files import Origin

ORIGIN = Origin(precision="fp32", source="0" * 64, parameters=5, macs=7)


def small(doc="", order=1, name="{}"):
    """Convolution and mean of a 32 px image; the arguments must not matter."""
    values = {"weight": [[[[1.0]]] * 3], "bias": [0.5]}
    tensors = [
        numpy_helper.from_array(np.array(value, np.float32), name.format(key))
        for key, value in values.items()
    ]
    nodes = [
        helper.make_node(
            "Conv", ["x", *(name.format(key) for key in values)], [name.format("y")], doc_string=doc
        ),
        helper.make_node("GlobalAveragePool", [name.format("y")], [name.format("z")]),
        helper.make_node("Flatten", [name.format("z")], ["out"]),
        helper.make_node("Relu", ["x"], [name.format("unused")]),
    ]
    graph = helper.make_graph(
        nodes,
        "any",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n", 1])],
        tensors[::order],
        doc_string=doc,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], doc_string=doc)


@pytest.fixture
def card(network):
    return network[1]


@pytest.fixture
def file(card, tmp_path):
    onnx_files.write(small(), card, ORIGIN, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def change(file, edit):
    model = onnx.load_model(file)
    edit(model)
    file.write_bytes(model.SerializeToString())


def test_card_and_origin_come_back(file, card):
    content, found, origin = onnx_files.read(file)
    assert (found, origin) == (card, ORIGIN)
    assert content == file.read_bytes()
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)


def test_equal_networks_are_equal_bytes_whatever_their_names_and_remarks(card, tmp_path):
    variants = [small(), small(doc="/home/someone/x.py", order=-1, name="v_{}_7")]
    for number, model in enumerate(variants):
        onnx_files.write(model, card, ORIGIN, tmp_path / f"{number}.onnx")
    written = [(tmp_path / f"{number}.onnx").read_bytes() for number in range(2)]
    assert written[0] == written[1]
    assert b"someone" not in written[1]
    assert b"Relu" not in written[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"weights": [1.0]}), "not an ONNX file"),
        (b"hello, this is text", "not an ONNX file"),
        (b"", "not a model of litefake"),
        (small().SerializeToString(), "not a model of litefake"),
    ],
)
def test_what_is_no_file_of_ours_is_one_line(tmp_path, content, message):
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(ModelUnreadable, match=message) as caught:
        onnx_files.read(tmp_path / "bad.onnx")
    assert "bad.onnx" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(ModelUnreadable, match=r"none\.onnx: no such file; `make repro`"):
        onnx_files.read(tmp_path / "none.onnx")


def test_every_truncation_is_refused(file):
    whole = file.read_bytes()
    for length in range(0, len(whole), 37):
        file.write_bytes(whole[:length])
        with pytest.raises(ModelUnreadable):
            onnx_files.read(file)


def test_a_file_that_reads_other_files_is_refused(file):
    def point_outside(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")

    change(file, point_outside)
    with pytest.raises(ModelUnreadable, match="weights lie in other files"):
        onnx_files.read(file)


def test_operations_that_no_student_has_are_refused(file):
    def loop(model):
        model.graph.node[0].op_type = "Loop"

    def custom(model):
        model.graph.node[0].domain = "com.example"

    for edit, named in ((loop, "Loop"), (custom, "Conv")):
        good = file.read_bytes()
        change(file, edit)
        with pytest.raises(ModelUnreadable, match=f"does not use .*{named}"):
            onnx_files.read(file)
        file.write_bytes(good)


def test_an_input_that_does_not_fit_the_card_is_refused(file, card):
    other = card.model_copy(update={"image_size": 64})
    onnx_files.write(small(), other, ORIGIN, file)
    with pytest.raises(ModelUnreadable, match="does not fit its card"):
        onnx_files.read(file)


def test_a_file_of_any_size_is_not_read_into_memory(file, monkeypatch):
    monkeypatch.setattr(onnx_files, "LARGEST", 100)
    with pytest.raises(ModelUnreadable, match="too large"):
        onnx_files.read(file)


def test_the_card_has_the_key_that_safetensors_use(file):
    assert models.FORMAT in {entry.key for entry in onnx.load_model(file).metadata_props}
