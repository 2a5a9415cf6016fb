"""The export for phones up to the runtimes, which are not installed here."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from litefake import models
from litefake.errors import ParamsInvalid
from litefake.quantization import ExportParams
from tests.conftest import SIZE
from tools import export_phone, phone

PARAMS = ExportParams(quantizer="nncf", faces=8, seed=0, seven_bit_weights=True, false_alarms=None)


class Halving:
    """A runtime whose files hold nothing and whose 8-bit logits are half of the network's."""

    SUFFIX = ".half"

    def write(self, model, example, faces, plain, small):
        self.model, self.calibrated = model, len(faces)
        assert example.shape == (1, 3, SIZE, SIZE)
        plain.write_bytes(b"12")
        small.write_bytes(b"1")

    def runner(self, path):
        part = 0.5 if path.stem.endswith("int8") else 1.0

        @torch.inference_mode()
        def logit(image):
            assert image.shape == (1, 3, SIZE, SIZE)
            assert image.is_contiguous()
            return part * float(self.model(image))

        return logit


@pytest.fixture
def run(student, split_folder, tmp_path):
    """A folder with a student and the faces that it was trained on."""
    (tmp_path / "models").mkdir()
    models.save(*student, tmp_path / "models/prune_kd.safetensors")
    (tmp_path / "data").symlink_to(split_folder, target_is_directory=True)
    return tmp_path


def test_both_files_are_written_and_compared_with_the_network(run):
    halving = Halving()
    found = export_phone.export(halving, run, PARAMS)
    assert halving.calibrated == 8
    assert (found["faces"], found["image_size"]) == (12, SIZE)
    assert (run / "models/phone/prune_kd.half").read_bytes() == b"12"
    assert (run / "models/phone/prune_kd_int8.half").read_bytes() == b"1"
    assert found["fp32"]["size_mb"] == 2 * found["int8"]["size_mb"] == 2e-6
    assert found["fp32"]["largest_logit_error"] < 1e-4
    assert found["int8"]["logit_error_share"] == pytest.approx(0.5, abs=1e-4)
    # Halving changes no order.
    assert found["int8"]["auc"] == found["fp32"]["auc"] == found["pytorch"]["auc"]


def test_the_error_is_told_in_logits_and_as_a_share_of_their_spread():
    wanted = np.array([-2.0, 0.0, 2.0])
    assert phone.apart(wanted, wanted) == {"largest_logit_error": 0, "logit_error_share": 0}
    # A shift changes no order and is refitted: it is no part of the spread.
    assert phone.apart(wanted + 1, wanted) == {"largest_logit_error": 1, "logit_error_share": 0}


def test_runs_and_runtimes_stand_side_by_side_in_the_report(tmp_path):
    report = tmp_path / "phone.json"
    for run, name, value in (
        ("", "executorch", 1),
        ("", "litert", 2),
        ("build/portraits", "litert", 3),
    ):
        report.write_text(json.dumps(export_phone.added(report, Path(run), name, {"auc": value})))
    assert json.loads(report.read_text()) == {
        "built-in": {"executorch": {"auc": 1}, "litert": {"auc": 2}},
        "portraits": {"litert": {"auc": 3}},
    }


def test_an_unknown_runtime_is_one_line():
    with pytest.raises(ParamsInvalid, match="tflite: no such runtime; there are executorch, lit"):
        export_phone.runtime("tflite")
