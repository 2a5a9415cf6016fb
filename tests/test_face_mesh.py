import numpy as np
import pytest

from litefake.artifacts import digest
from litefake.face_mesh import FILE, FaceMesh
from litefake.regions import CHIN, FOREHEAD, LEFT_EYE, NOSE_BASE, RIGHT_EYE
from litefake.tflite import ASSETS
from tests.heads import SIDE, rendered_head
from tools.build_face_detectors import FILES


def test_the_shipped_network_is_the_one_of_the_pinned_wheel():
    assert digest(ASSETS / FILE) == FILES[f"face_landmark/{FILE}"]


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh()


def test_points_lie_on_the_face_in_their_order(mesh):
    head = rendered_head()
    points = mesh.find(head.image)
    assert points.shape == (468, 2)
    right, left = points[list(RIGHT_EYE)].mean(0), points[list(LEFT_EYE)].mean(0)
    assert right[0] < points[NOSE_BASE][0] < left[0], "the right eye is left in the picture"
    forehead, eyes, nose, chin = (
        points[FOREHEAD][1],
        (right[1] + left[1]) / 2,
        points[NOSE_BASE][1],
        points[CHIN][1],
    )
    assert forehead < eyes < nose < chin
    width = head.right - head.left
    assert abs(points[:, 0].min() - head.left) < 0.2 * width
    assert abs(points[:, 0].max() - head.right) < 0.2 * width
    assert abs(chin - head.bottom) < 0.2 * (head.bottom - head.top)


def test_points_scale_with_the_picture(mesh):
    image = rendered_head().image
    twice = image.repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(mesh.find(twice) - 2 * mesh.find(image)).mean() < 0.02 * 2 * SIDE


def test_no_face_has_no_points(mesh):
    assert mesh.find(np.full((100, 100, 3), 90, np.uint8)) is None
