"""What docs/own-code.md tells to write gives what ``litefake detect`` gives."""

import re
import shutil

import cv2
import numpy as np
import pytest

from litefake import detection, exported, faces, report
from litefake.shipped import MODEL
from tests.clips import draw_face, write_clip
from tools.pipeline import ROOT

LIBRARY, PLAIN = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "own-code.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the code of the page runs: a clip and the packaged model lie there."""
    write_clip(tmp_path / "clip.mp4", [draw_face()] * 8)
    shutil.copy(MODEL, tmp_path / "default.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_library_as_the_page_calls_it(folder, capsys):
    names: dict = {}
    exec(LIBRARY, names)
    assert names["report"]["faces"] == 8
    answer = names["found"].verdict.answer
    assert capsys.readouterr().out.startswith(answer)
    assert answer in ("real", "fake", "undecided")


@pytest.mark.parametrize(("x", "y", "side"), [(30, 40, 120), (30, 40, 300), (-7, 250, 200)])
def test_the_onnx_file_alone_as_the_page_calls_it(folder, x, y, side):
    """The same probability as the package gives in the same runtime, of shrunk and enlarged."""
    names: dict = {}
    exec(PLAIN, names)
    frame = np.asarray(draw_face(height=400, width=400, side=200), np.uint8)
    square = faces.Square(x, y, side)
    network, card = exported.load(MODEL, 1, "onnxruntime")
    crop = faces.cut(frame, square, card.crop.size)
    wanted = detection.probabilities([crop], network, card)[0]
    assert names["probability"](frame, *square) == pytest.approx(wanted, abs=1e-4)


def test_the_squares_of_a_report_are_what_the_file_is_to_be_given(folder):
    names: dict = {}
    exec(PLAIN, names)
    judge = report.Judge.load(MODEL)
    frame = draw_face(height=480, width=640, side=200)
    cv2.imwrite("face.png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    told = report.judge_file(folder / "face.png", judge, every=1).as_dict(judge)["timeline"][0]
    found = names["probability"](frame, told["x"], told["y"], told["side"])
    assert found == pytest.approx(told["probability"], abs=0.1)  # OpenVINO's own eight bits
