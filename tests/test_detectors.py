"""The detectors behind one interface: Haar, BlazeFace, YuNet; one box, one choice in params."""

import functools
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from litefake import detectors, faces, params
from litefake.errors import ModelUnreadable, ParamsInvalid
from litefake.faces import Box, CropParams
from litefake.landmarks import haar_square
from litefake.tracking import overlap
from tests.clips import draw_face
from tests.heads import rendered_head
from tests.test_faces import crop_params


def test_haar_finds_a_face_in_pixels_of_the_frame():
    frame = draw_face()
    box = faces.biggest(detectors.HaarDetector(crop_params()).detect(frame))
    assert box is not None
    assert abs(box.x + box.width / 2 - 160) < 15
    assert abs(box.y + box.height / 2 - 120) < 20
    assert 80 < box.width < 160


def test_detection_at_a_smaller_width_answers_in_pixels_of_the_frame():
    frame = draw_face(480, 640, 240)
    full = faces.biggest(detectors.HaarDetector(crop_params()).detect(frame))
    half = faces.biggest(detectors.HaarDetector(crop_params(detection_width=320)).detect(frame))
    assert full is not None
    assert half is not None
    assert np.abs(np.subtract(full, half)).max() < 30


def test_a_frame_is_never_scaled_up_to_be_searched():
    frame = draw_face()
    narrow = detectors.HaarDetector(crop_params(detection_width=320)).detect(frame)
    assert detectors.HaarDetector(crop_params(detection_width=4000)).detect(frame) == narrow


@pytest.mark.parametrize("shape", [(240, 320, 3), (1, 1, 3), (3, 2000, 3), (2000, 3, 3)])
def test_haar_finds_nothing_in_an_empty_frame_of_any_shape(shape):
    assert detectors.HaarDetector(crop_params()).detect(np.full(shape, 128, np.uint8)) == []


@pytest.mark.parametrize("name", ["blazeface", "blazeface_full"])
def test_every_detector_gives_the_box_that_haar_gives(name):
    image = rendered_head().image
    haar = faces.biggest(detectors.detector(crop_params()).detect(image))
    other = faces.biggest(detectors.detector(crop_params(detector=name)).detect(image))
    assert haar is not None
    assert other is not None
    assert overlap(haar, other) > 0.8


def test_a_detector_is_made_once_in_a_process():
    p = crop_params(detector="blazeface")
    assert detectors.detector(p) is detectors.detector(p.model_copy())
    assert detectors.detector(p) is not detectors.detector(crop_params())


def find(image: np.ndarray, p: CropParams) -> list[Box]:
    return detectors.detector(p).detect(image)


def test_spawned_workers_find_what_this_process_finds():
    """Only the parameters travel to a worker; it makes the detector itself."""
    p = crop_params(detector="blazeface_full")
    image = rendered_head().image
    here = find(image, p)
    assert here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(functools.partial(find, image, p)).result() == here


def test_yunet_without_its_file_is_one_line_with_the_remedy(tmp_path):
    file = tmp_path / "yunet.onnx"
    p = crop_params(detector="yunet", detector_file=str(file))
    with pytest.raises(ModelUnreadable, match=r"yunet\.onnx: no such YuNet model; put .* there"):
        detectors.detector(p)
    file.write_bytes(b"no network")
    with pytest.raises(ModelUnreadable, match=r"yunet\.onnx: not a YuNet model"):
        detectors.detector(p)


def test_an_answer_of_yunet_becomes_the_square_of_its_eyes_and_mouth():
    row = np.zeros(15, np.float32)
    row[4:14] = [100, 100, 160, 100, 130, 130, 110, 170, 150, 170]
    expected = haar_square(*np.array([[100.0, 100], [160, 100], [130, 170]]))
    assert detectors.yunet_square(row) == expected


@pytest.mark.parametrize(
    ("detector", "file"), [("yunet", ""), ("haar", "yunet.onnx"), ("blazeface", "yunet.onnx")]
)
def test_the_file_is_named_for_yunet_and_for_no_other(detector, file):
    with pytest.raises(ParamsInvalid, match="faces.detector_file: must name the model file"):
        crop_params(detector=detector, detector_file=file)


def test_an_unknown_detector_is_named():
    with pytest.raises(ParamsInvalid, match="faces.detector: must be 'haar', 'blazeface'"):
        crop_params(detector="mtcnn")


def test_a_card_from_before_the_choice_was_made_behind_haar():
    old = crop_params().model_dump(exclude={"detector", "detector_file"})
    assert params.validate("faces", old, CropParams).detector == "haar"
