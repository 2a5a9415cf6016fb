"""Class activation maps from an ONNX file are the Grad-CAM of the network it was made from."""

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from litefake import cam, dataset, exported, onnx_export, onnx_files, quantization, saliency
from litefake.onnx_files import Origin
from litefake.quantization import ExportParams

SIDE, PLACES = 96, 3  # of the image and of the last feature map
ORIGIN = Origin(precision="fp32", source="0" * 64, parameters=3_372_289, macs=7)


@pytest.fixture(scope="module")
def card(student):
    return student[1].model_copy(update={"image_size": SIDE})


@pytest.fixture(scope="module")
def file(student):
    return onnx_export.to_onnx(student[0], SIDE)


@pytest.fixture(scope="module")
def images():
    return torch.randn(6, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def load(model, card, folder, engine="openvino"):
    onnx_files.write(model, card, ORIGIN, folder / "model.onnx")
    return exported.load(folder / "model.onnx", 1, engine)[0]


def evidence(model, images):
    content = cam.evidence_model(model.SerializeToString())
    return exported.run_openvino(content, 1)(images.numpy())


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_maps_are_those_of_the_source_and_the_logits_stay(
    student, card, file, images, tmp_path, engine
):
    network = load(file, card, tmp_path, engine)
    before = network(images.numpy())
    wanted = saliency.grad_cam(student[0], images)
    found = network.heat(images.numpy())
    assert wanted.max() == 1
    assert wanted.std() > 0.1
    assert np.abs(found - wanted).max() < 1e-3
    assert np.array_equal(network(images.numpy()), before)


def test_the_evidence_of_all_places_is_the_logit(student, file, images):
    found = evidence(file, images)
    assert found.shape == (6, 1, PLACES, PLACES)
    with torch.inference_mode():
        logits = student[0](images) - student[0].classifier.bias
    assert np.allclose(found.mean(axis=(2, 3)), logits, atol=1e-3)


@pytest.mark.parametrize("signed", [False, True])
def test_eight_bits_give_similar_maps(card, file, split_folder, tmp_path, signed):
    train = dataset.read_split(split_folder / "faces", split_folder / "split.csv", "train", card)
    settings = ExportParams(
        quantizer="onnxruntime", faces=16, seed=0, seven_bit_weights=True, false_alarms=None
    )
    small = quantization.quantise(file, train, settings, signed)
    faces = next(iter(train.in_order(8))).images
    wanted, found = evidence(file, faces), evidence(small, faces)
    assert np.corrcoef(wanted.ravel(), found.ravel())[0, 1] > 0.8
    heat = load(small, card, tmp_path).heat(faces.numpy())
    assert heat.shape == (8, SIDE, SIDE)
    assert 0 <= heat.min() <= heat.max() <= 1


def network_of(*nodes, weights=(1, 3)):
    tensors = [
        numpy_helper.from_array(np.ones(weights, np.float32), "w"),
        numpy_helper.from_array(np.zeros(weights[0], np.float32), "b"),
    ]
    graph = helper.make_graph(
        [helper.make_node(*node) for node in nodes],
        "any",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 1])],
        tensors,
    )
    return helper.make_model(graph).SerializeToString()


POOL, FLAT = ("GlobalAveragePool", ["x"], ["p"]), ("Flatten", ["p"], ["f"])


def test_a_network_with_another_head_has_no_maps():
    linear = ("Gemm", ["f", "w", "b"], ["y"])
    assert cam.evidence_model(network_of(POOL, FLAT, linear)) is not None
    bent = ("Relu", ["f"], ["r"]), ("Gemm", ["r", "w", "b"], ["y"])
    assert cam.evidence_model(network_of(POOL, FLAT, *bent)) is None
    assert cam.evidence_model(network_of(POOL, ("Flatten", ["p"], ["y"]))) is None
    assert cam.evidence_model(network_of(("Flatten", ["x"], ["f"]), linear)) is None


def test_heat_keeps_what_speaks_for_fake_alone():
    evidence = np.array([[[2.0, -1.0], [1.0, 0.0]], [[-1.0, -2.0], [-1.0, -1.0]]], np.float32)
    maps = cam.heat(evidence, 4)
    assert maps.shape == (2, 4, 4)
    assert maps[0, 0, 0] == 1
    assert maps[0, 0, 3] == maps[0, 3, 3] == 0
    assert maps[0, 3, 0] == 0.5
    assert not maps[1].any()
