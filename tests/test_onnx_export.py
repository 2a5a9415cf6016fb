"""From a student to ONNX and 8 bits: the same answers, the same bytes."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from litefake import (
    calibration,
    dataset,
    models,
    onnx_export,
    onnx_files,
    quantization,
    runtime,
    scoring,
)
from litefake.errors import LitefakeError
from litefake.onnx_export import Targets
from litefake.onnx_files import Origin
from litefake.quantization import ExportParams
from tests.conftest import SIZE

PARAMS = ExportParams(
    quantizer="onnxruntime", faces=16, seed=0, seven_bit_weights=True, false_alarms=None
)
ORIGIN = Origin(precision="int8", source="0" * 64, parameters=5, macs=7)


@pytest.fixture(scope="module")
def train(student, split_folder):
    return dataset.read_split(
        split_folder / "faces", split_folder / "split.csv", "train", student[1]
    )


def kinds(model, operation):
    """What the weights (``operation`` Dequantize) or activations (Quantize) become."""
    zeros = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    return {
        zeros[node.input[2]].dtype.name
        for node in model.graph.node
        if node.op_type == operation and len(node.input) > 2
    }


def test_the_exported_network_is_plain_and_tells_nothing_of_this_machine(exported):
    used = {node.op_type for node in exported.graph.node}
    assert used <= onnx_files.OPERATIONS
    assert "BatchNormalization" not in used
    assert "Pad" not in used  # it is in the convolutions
    assert b"site-packages" not in exported.SerializeToString()
    assert not any(node.doc_string or node.metadata_props for node in exported.graph.node)


def test_equal_weights_give_equal_bytes(student, exported):
    again = onnx_export.to_onnx(student[0], SIZE)
    assert again.SerializeToString() == exported.SerializeToString()


def test_calibration_faces_are_balanced_by_class_and_method(train):
    table = train.table.copy()
    fakes = table.index[table["label"] == 1]
    table.loc[fakes[:2], "method"] = "FaceSwap"
    faces = dataset.Faces(train.folder, table, train.size, train.mean, train.std)
    chosen = quantization.balanced(faces, 16, seed=0).table
    counts = chosen.groupby("method").size().to_dict()
    assert counts == {"youtube": 8, "Deepfakes": 4, "FaceSwap": 2}  # there are but two
    assert chosen["path"].is_unique
    again = quantization.balanced(faces, 16, seed=0).table
    assert again["path"].tolist() == chosen["path"].tolist()
    other = quantization.balanced(faces, 16, seed=1).table
    assert other["path"].tolist() != chosen["path"].tolist()


@pytest.mark.parametrize("quantizer", ["onnxruntime", "nncf"])
def test_eight_bits_are_small_near_and_the_same_twice(
    student, exported, train, tmp_path, quantizer
):
    model, card = student
    params = PARAMS.model_copy(update={"quantizer": quantizer})
    for name in ("a.onnx", "b.onnx"):
        small = quantization.quantise(exported, train, params)
        onnx_files.write(small, card, ORIGIN, tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert (tmp_path / "a.onnx").stat().st_size < 0.3 * len(exported.SerializeToString())
    wanted = scoring.logits(model, train)
    found = scoring.logits(runtime.load(tmp_path / "a.onnx")[0], train)
    assert np.corrcoef(wanted, found)[0, 1] > 0.95


def test_weights_keep_to_seven_bits_and_have_a_scale_a_channel(exported, train):
    def largest(seven):
        params = PARAMS.model_copy(update={"seven_bit_weights": seven})
        small = quantization.quantise(exported, train, params)
        values = {one.name: numpy_helper.to_array(one) for one in small.graph.initializer}
        found = [
            (values[node.input[0]], values[node.input[1]])
            for node in small.graph.node
            if node.op_type == "DequantizeLinear" and np.ndim(values.get(node.input[0])) == 4
        ]
        assert len(found) == 49  # every convolution
        assert all(scales.shape == (len(weights),) for weights, scales in found)
        return max(int(np.abs(weights.astype(int)).max()) for weights, _ in found)

    assert largest(True) == 64
    assert largest(False) == 127


def test_arm_gets_signed_activations_and_x86_unsigned_ones(exported, train):
    for signed, wanted in ((True, "int8"), (False, "uint8")):
        small = quantization.quantise(exported, train, PARAMS, signed=signed)
        assert kinds(small, "QuantizeLinear") == {wanted}


def test_export_writes_three_calibrated_files_and_their_figures(
    student, exported, split_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(onnx_export, "to_onnx", lambda *_: exported)  # what it would make again
    model, card = student
    source = str(tmp_path / "student.safetensors")
    models.save(model, card, source)
    targets = Targets(*(str(tmp_path / f"{name}.onnx") for name in Targets._fields))
    places = (str(split_folder / "faces"), str(split_folder / "split.csv"))
    figures = onnx_export.export(source, targets, *places, PARAMS)
    assert figures["fp32"]["largest_logit_error"] < 1e-3
    assert figures["fp32"]["auc"] == figures["auc"]
    assert figures["int8"]["size_mb"] < 0.3 * figures["fp32"]["size_mb"]
    cards = {name: runtime.load(path)[1] for name, path in targets._asdict().items()}
    assert cards["fp32"] == card
    assert cards["int8"].temperature != card.temperature
    loaded, fitted = runtime.load(targets.int8)
    val = dataset.read_split(*places, "val", card)
    assert scoring.calibrated(loaded, card, val) == fitted
    assert runtime.parameters(loaded) == 3_372_289


def test_the_share_of_false_alarms_can_be_chosen_without_training_again(
    student, exported, split_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(onnx_export, "to_onnx", lambda *_: exported)
    monkeypatch.setattr(quantization, "quantise", lambda network, *_: network)
    # A student of a few steps is no better than chance: let the share alone decide.
    monkeypatch.setattr(calibration, "fit_threshold", lambda _p, _l, share: 1 - share)
    source = str(tmp_path / "student.safetensors")
    models.save(*student, source)
    targets = Targets(*(str(tmp_path / f"{name}.onnx") for name in Targets._fields))
    places = (str(split_folder / "faces"), str(split_folder / "split.csv"))
    settings = PARAMS.model_copy(update={"false_alarms": 0.25})
    onnx_export.export(source, targets, *places, settings)
    for path in targets:
        card = runtime.load(path)[1]
        assert (card.false_alarms, card.threshold) == (0.25, 0.75)


def test_an_export_that_answers_otherwise_is_an_error(
    student, exported, split_folder, tmp_path, monkeypatch
):
    model, card = student
    models.save(model, card, tmp_path / "student.safetensors")
    targets = Targets(*(str(tmp_path / f"{name}.onnx") for name in Targets._fields))
    wrong = onnx.ModelProto.FromString(exported.SerializeToString())
    stem = next(one for one in wrong.graph.initializer if len(one.dims) == 4)
    stem.CopyFrom(numpy_helper.from_array(1.1 * numpy_helper.to_array(stem), stem.name))
    monkeypatch.setattr(onnx_export, "to_onnx", lambda *_: wrong)
    with pytest.raises(LitefakeError, match=r"fp32\.onnx: its logits are .* from those of"):
        onnx_export.export(
            str(tmp_path / "student.safetensors"),
            targets,
            str(split_folder / "faces"),
            str(split_folder / "split.csv"),
            PARAMS,
        )


def test_a_file_says_what_it_was_trained_on(faces):
    assert onnx_export._told("data/videos", faces.train) == onnx_export.DEMO
    assert onnx_export._told("/ff++", faces.train) == "/ff++"
    paired = faces.train.only(faces.train.table)
    paired.maker = object()
    assert onnx_export._told("data/portraits", paired) == (
        "real portraits of 6 people and fakes blended from them, no deepfake"
    )
