"""The benchmark of the detectors counts what it says, and the tables say what it counted."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest

from litefake.detectors import detector
from litefake.errors import DataMissing
from litefake.faces import Box
from litefake.landmarks import haar_square
from tests.clips import draw_face
from tests.test_faces import crop_params
from tools import bench_detectors, detector_scores, detector_tables, fit_face_box, mtcnn
from tools.detector_frames import CANVAS, Shown, at_size
from tools.detector_scores import Answers, Setting
from tools.fit_face_box import Pair

FACE, ASIDE = Box(10, 10, 100, 100), Box(300, 10, 50, 50)


def test_a_box_on_the_face_is_found_any_other_is_false():
    truth = dict.fromkeys(range(4), FACE)
    boxes = [[FACE], [], [ASIDE], [Box(15, 12, 90, 90), FACE, ASIDE]]
    assert detector_scores.score(boxes, truth) == {"found": 0.5, "false_a_frame": 3 / 4}


def test_frames_without_a_known_face_do_not_count():
    assert detector_scores.score([[FACE], [ASIDE]], {0: FACE}) == {"found": 1, "false_a_frame": 0}


def test_the_settings_agree_on_the_median_of_their_biggest_boxes():
    answers = [
        Answers([[FACE, ASIDE]], 1.0),
        Answers([[Box(14, 8, 96, 96)]], 1.0),
        Answers([[Box(12, 12, 200, 200)]], 1.0),
    ]
    assert detector_scores.agreed(answers, 0) == Box(12, 10, 100, 100)
    none = Answers([[]], 1.0)
    assert detector_scores.agreed([*answers, none, none], 0) is not None
    assert detector_scores.agreed([answers[0], none], 0) is None


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({20: 0.1, 40: 1.0, 80: 0.96}, 40),
        ({20: 1.0, 40: 0.5, 80: 1.0}, 80),
        ({20: 1.0, 40: 1.0}, 20),
        ({20: 1.0, 40: 0.9}, None),
    ],
)
def test_the_smallest_size_is_the_last_before_the_first_failure(shares, expected):
    assert detector_scores.smallest(shares) == expected


@pytest.mark.parametrize("side", [30, 120, 400])
def test_a_face_is_shown_at_its_size_in_the_middle(side):
    """A white square on black, in a corner of its frame, is found again by its pixels."""
    image = np.zeros((200, 300, 3), np.uint8)
    image[20:80, 10:70] = 255
    shown = at_size(Shown(image, Box(10, 20, 60, 60)), side)
    assert shown.image.shape == (*CANVAS, 3)
    white = shown.image[..., 0] > 127
    assert white.any(axis=1).sum() == pytest.approx(side, abs=2)
    assert white.any(axis=0).sum() == pytest.approx(side, abs=2)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    assert (columns[0], rows[0]) == pytest.approx(shown.face[:2], abs=2)
    assert shown.face.height == side


def test_the_fit_is_recovered_from_faces_that_obey_it():
    rng = np.random.default_rng(0)
    pairs, exact = [], []
    for x, y, size in rng.uniform(100, 300, (20, 3)):
        points = np.array([[x, y], [x + size, y], [x + size / 2, y + size]])
        side = 1.5 * 2 * size  # eye to eye is size, eyes to mouth too
        corner = (round(x + size / 2 - side / 2), round(y + 0.2 * size - side / 2))
        pairs.append(Pair(points, Box(*corner, round(side), round(side))))
        exact.append(Pair(points, haar_square(*points)))
    assert fit_face_box.fitted(pairs) == pytest.approx((0.2, 1.5), abs=0.005)
    left = fit_face_box.residuals(exact)
    assert [left["faces"], left["overlap_median"]] == [20, 1]
    assert all(left[name] == {"median": 0, "nine_in_ten": 0} for name in ("x", "y", "side"))


def test_the_tables_hold_every_setting(monkeypatch):
    monkeypatch.setattr(bench_detectors, "SIDES", (60, 120))
    frame = draw_face()
    haar = Setting("haar", detector(crop_params(min_size=0.05)), True)
    blind = Setting("blind", detector(crop_params(min_size=0.99)), False)
    found, shown = bench_detectors.judge([haar, haar, blind], [frame] * 3, None)
    assert found["agreed"] == 3
    assert found["settings"]["haar"]["found"] == 1
    assert found["settings"]["blind"]["found"] == 0
    sizes = bench_detectors.judge_sizes([haar, blind], shown)
    assert list(sizes) == ["haar"]
    assert list(sizes["haar"]["found"]) == ["60", "120"]
    machine = {"cpu": "a processor", "opencv": "4", "openvino": "5-x"}
    one = found | {"frame": "320 x 240", "sizes": sizes}
    text = bench_detectors.markdown({"machine": machine, "sets": {"drawn": one}})
    assert "| haar | 100.0 % | 0.000 |" in text
    assert "| blind | 0.0 % | 0.000 |" in text
    assert "a processor" in text


def test_mtcnn_searches_from_a_share_of_the_frame_and_answers_with_haars_square(monkeypatch):
    eyes_nose_mouth = np.array([[40, 50], [80, 50], [60, 70], [45, 90], [75, 90]], np.float32)

    class Answering:
        def __init__(self, keep_all: bool) -> None:
            assert keep_all

        def detect(self, image, landmarks):
            searched.append(self.min_face_size)
            return None, None, None if not image.any() else eyes_nose_mouth[None]

    searched = []
    package = ModuleType("facenet_pytorch")
    package.MTCNN = Answering
    monkeypatch.setitem(sys.modules, "facenet_pytorch", package)
    bright, dark = np.full((200, 300, 3), 9, np.uint8), np.zeros((50, 90, 3), np.uint8)
    finder = mtcnn.Mtcnn(min_size=0.2)
    expected = haar_square(np.array([40.0, 50]), np.array([80.0, 50]), np.array([60.0, 90]))
    assert finder.detect(bright) == [expected]
    assert finder.detect(dark) == []
    assert searched == [40, 20]


def test_mtcnn_not_installed_is_one_line_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(DataMissing, match="uv pip install --no-deps facenet-pytorch"):
        mtcnn.Mtcnn(0)


def test_the_page_shows_the_named_rows_of_both_sets():
    row = {"found": 0.986, "false_a_frame": 0.021, "cpu_ms": 12.34}
    sized = {"found": dict.fromkeys(detector_tables.SIDES, 0.5), "cpu_ms": 7.6}
    one = {"frame": "640 x 480", "settings": dict.fromkeys(detector_tables.SHOWN, row)}
    text = json.dumps(
        {"sets": dict.fromkeys(("demo", "clips"), one | {"sizes": {"blazeface": sized}})}
    )
    quality = detector_tables.quality(text).splitlines()
    assert "| blazeface_full | 98.6 %, 98.6 % | 0.021, 0.021 | 12.3 |" in quality
    assert len(quality) == 2 + len(detector_tables.SHOWN)
    assert detector_tables.sizes(text).splitlines()[2:] == [
        "| blazeface (short range) |" + " 50 / 50 |" * len(detector_tables.SIDES) + " 8 / 8 |"
    ]
    del one["settings"]["mtcnn, min_size 0.2"]  # as without --mtcnn
    text = json.dumps({"sets": {"demo": one, "clips": one}})
    assert detector_tables.quality(text).splitlines() == [
        line for line in quality if "mtcnn, faces from a fifth" not in line
    ]


def test_how_far_squares_and_answers_move_is_shown_with_its_figures():
    shift = {"median": 0.01, "nine_in_ten": 0.1}
    left = {"faces": 5, "x": shift, "y": shift, "side": shift, "overlap_median": 0.9}
    found = {"in_use": {"along": 0.2, "sides": 1.3}, "fitted_on_people": 3}
    shown = detector_tables.face_box(json.dumps(found | {"ranges": {"full range": {"a": left}}}))
    assert shown.startswith("ALONG 0.2, SIDES 1.3, fitted on the rendered clips of 3 people")
    cell = "0.010 (0.100)"
    assert shown.endswith(f"| full range: a | 5 | {cell} | {cell} | {cell} | 0.900 |")
    row = dict.fromkeys(("faces", "auc", "clip_auc", "moved_median", "moved_90", "other_answer"), 1)
    swap = {"model": "m.onnx", "frames": 6, "detectors": {"haar": row | {"side_ratio": 0.5}}}
    shown = detector_tables.swap(json.dumps(swap))
    assert shown.startswith("`m.onnx`, trained behind `haar`; one frame in 6")
    assert shown.endswith("| haar | 1 | 1.000 | 1.000 | 1.000, 1.00 | 100.0 % | 0.500 |")


def test_without_clips_of_ones_own_the_built_in_frames_alone_are_shown():
    row = {"found": 1.0, "false_a_frame": 0.0, "cpu_ms": 3.0}
    sized = {"found": dict.fromkeys(detector_tables.SIDES, 0.5), "cpu_ms": 7.6}
    one = {"frame": "320 x 320", "settings": {"blazeface": row}, "sizes": {"blazeface": sized}}
    text = json.dumps({"sets": {"demo": one}})
    assert "| blazeface (short range) | 100 % | 0 | 3.0 |" in detector_tables.quality(text)
    assert detector_tables.sizes(text).endswith(" 50 | 8 |")
