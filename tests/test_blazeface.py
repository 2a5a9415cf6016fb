"""BlazeFace: its anchors, its answers, the letterbox, and how its box lies beside Haar's."""

import functools
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litefake import blazeface
from litefake.artifacts import digest
from litefake.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFaceDetector
from litefake.tflite import ASSETS
from tests.heads import rendered_head
from tools.build_face_detectors import FILES

VARIANTS = pytest.mark.parametrize("variant", [SHORT_RANGE, FULL_RANGE], ids=["short", "full"])


blaze = functools.cache(BlazeFaceDetector)


def test_short_range_has_two_anchors_a_cell_of_8_px_and_six_of_16():
    points = blazeface.anchors(SHORT_RANGE)
    assert points.shape == (896, 2)
    assert points[:3].tolist() == [[4, 4], [4, 4], [12, 4]]
    assert points[511].tolist() == [124, 124]
    assert points[512:519].tolist() == [[8, 8]] * 6 + [[24, 8]]
    assert points[-1].tolist() == [120, 120]


def test_full_range_has_one_anchor_in_each_of_48_by_48_cells():
    points = blazeface.anchors(FULL_RANGE)
    assert points.shape == (2304, 2)
    assert points[[0, 1, 48, -1]].tolist() == [[2, 2], [6, 2], [2, 6], [190, 190]]


def answers(*faces: tuple[int, float, list[float]], count: int = 4):
    """Offsets and logits of ``count`` anchors, of which some answer (anchor, logit, offsets)."""
    offsets, logits = np.zeros((count, 16), np.float32), np.full(count, -9, np.float32)
    for anchor, logit, values in faces:
        offsets[anchor, : len(values)], logits[anchor] = values, logit
    return offsets, logits


POINTS = np.array([[10.0, 10.0], [20.0, 10.0], [90.0, 90.0], [91.0, 90.0]])


def test_an_answer_is_a_box_and_points_relative_to_its_anchor():
    offsets, logits = answers((1, 2.0, [1, 2, 8, 6, -3, -1, 3, -1, 0, 1]))
    faces, scores = blazeface.decode(offsets, logits, POINTS, 0.5)
    assert faces.shape == (1, 8, 2)
    assert faces[0, :2] == pytest.approx(np.array([[17, 9], [25, 15]]))
    assert faces[0, 2:5] == pytest.approx(np.array([[17, 9], [23, 9], [20, 11]]))
    assert scores == pytest.approx([1 / (1 + np.exp(-2))])


def test_a_score_below_the_least_and_a_box_without_size_are_no_face():
    box = [0, 0, 10, 10]
    assert len(blazeface.decode(*answers((0, 0.01, box)), POINTS, 0.5)[0]) == 1
    assert len(blazeface.decode(*answers((0, -0.01, box)), POINTS, 0.5)[0]) == 0
    assert len(blazeface.decode(*answers((0, 0.4, box)), POINTS, 0.6)[0]) == 0
    for bad in ([0, 0, 0, 10], [0, 0, -3, 10], [0, np.nan, 5, 5], [np.inf, 0, 5, 5]):
        assert len(blazeface.decode(*answers((0, 5.0, bad)), POINTS, 0.5)[0]) == 0
    assert len(blazeface.decode(*answers((0, np.nan, box)), POINTS, 0.5)[0]) == 0


def test_boxes_of_one_face_are_averaged_by_score_and_other_faces_stay():
    logit = float(np.log(3))  # scores 3/4 and 1/2
    offsets, logits = answers(
        (0, 4.0, [0, 0, 6, 6]), (2, logit, [0, 0, 20, 20]), (3, 0.0, [4, 0, 20, 20])
    )
    faces, scores = blazeface.decode(offsets, logits, POINTS, 0.5)
    assert scores == pytest.approx([1 / (1 + np.exp(-4)), 0.75])
    assert faces[0, :2].ravel() == pytest.approx([7, 7, 13, 13])
    assert faces[1, :2].ravel() == pytest.approx([82, 80, 102, 100])  # (3 * 80 + 2 * 85) / 5


sides = st.integers(1, 3000)


@given(height=sides, width=sides, size=st.sampled_from([128, 192]), data=st.data())
def test_the_letterbox_can_be_undone(height, width, size, data):
    x = data.draw(st.floats(0, width))
    y = data.draw(st.floats(0, height))
    image = np.broadcast_to(np.uint8(255), (height, width, 3))
    square, place = blazeface.letterbox(np.ascontiguousarray(image), size)
    assert square.shape == (1, size, size, 3)
    shown = square[0, :, :, 0] == 1
    assert (square[0][~shown] == -1).all()
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    assert (columns[0], rows[0]) == (place.left, place.top)
    inside_x, inside_y = place.left + x * place.scale_x, place.top + y * place.scale_y
    assert place.left <= inside_x <= columns[-1] + 1 + 1e-6
    assert place.top <= inside_y <= rows[-1] + 1 + 1e-6
    assert (inside_x - place.left) / place.scale_x == pytest.approx(x)
    assert (inside_y - place.top) / place.scale_y == pytest.approx(y)
    assert max(len(rows), len(columns)) == size
    assert abs((size - len(rows)) / 2 - place.top) <= 0.5
    assert abs((size - len(columns)) / 2 - place.left) <= 0.5


@VARIANTS
def test_the_shipped_network_is_the_one_of_the_pinned_wheel(variant):
    assert digest(ASSETS / variant.file) == FILES[f"face_detection/{variant.file}"]


@VARIANTS
def test_it_finds_a_rendered_head_where_it_is(variant):
    image, left, top, right, bottom = rendered_head()
    boxes = blaze(variant).detect(image)
    assert len(boxes) == 1
    x, y, width, height = boxes[0]
    assert width == height
    assert abs(x + width / 2 - (left + right) / 2) < 0.15 * (right - left)
    assert abs(y + height / 2 - (top + bottom) / 2) < 0.2 * (bottom - top)
    assert 0.8 < width / (right - left) < 1.5


def test_a_face_too_small_for_the_whole_frame_is_found_in_a_part_of_it():
    head = cv2.resize(rendered_head().image, (70, 70), interpolation=cv2.INTER_AREA)
    frame = np.full((720, 1280, 3), head[0, 0], np.uint8)
    frame[500:570, 1000:1070] = head
    finder = blaze(FULL_RANGE)
    assert len(finder._find(frame)[0]) == 0, "else this tests nothing"
    ((x, y, side, _),) = finder.detect(frame)
    assert abs(x + side / 2 - 1035) < 10
    assert abs(y + side / 2 - 535) < 12


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_parts_cover_a_frame_and_overlap(height, width):
    seen = np.zeros((height, width), int)
    for (x, y), part in blazeface.parts(np.zeros((height, width, 3), np.uint8)):
        rows, columns = part.shape[:2]
        assert max(rows, columns) <= round(0.6 * max(height, width)) or max(height, width) == 1
        seen[y : y + rows, x : x + columns] += 1
    assert (seen >= 1).all()


@VARIANTS
@pytest.mark.parametrize("shape", [(240, 320, 3), (1, 1, 3), (3, 2000, 3), (2000, 3, 3)])
def test_it_finds_nothing_in_a_plain_frame_of_any_shape(variant, shape):
    assert blaze(variant).detect(np.full(shape, 128, np.uint8)) == []


@VARIANTS
def test_it_finds_nothing_in_noise(variant):
    noise = np.random.default_rng(0).integers(0, 256, (8, 240, 320, 3), np.uint8)
    found = blaze(variant)
    assert [found.detect(image) for image in noise] == [[]] * 8


def test_it_may_be_called_from_several_threads():
    image = rendered_head().image
    found = blaze(SHORT_RANGE)
    alone = found.detect(image)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(found.detect, [image] * 32)) == [alone] * 32
