import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litefake.rerendering import misfitted, rerendered
from tests.portraits import make_face, make_points

POINTS = make_points()
SPAN = np.ptp(POINTS, axis=0).max()


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.floats(0, 0.1))
def test_a_misfit_stays_below_its_errors(seed, largest):
    """The fine errors are at most 0.7 of the coarse ones, and they add up."""
    found = misfitted(POINTS, np.random.default_rng(seed), largest)
    assert found.shape == POINTS.shape
    assert found.dtype == np.float32
    assert np.abs(found - POINTS).max() <= 1.7 * largest * SPAN + 1e-3


def test_neighbours_are_misplaced_alike():
    near = np.linalg.norm(POINTS[:, None] - POINTS[None], axis=-1)
    first, second = np.nonzero((near > 0) & (near < 2))
    for seed in range(6):
        errors = misfitted(POINTS, np.random.default_rng(seed), 0.05) - POINTS
        apart = np.linalg.norm(errors[first] - errors[second], axis=1)
        assert np.median(apart) < 0.3 * np.linalg.norm(errors, axis=1).max()


@pytest.mark.parametrize("seed", range(16))
def test_a_face_made_anew_is_the_same_face_with_other_detail(seed):
    face = make_face()
    made = rerendered(face, np.random.default_rng(seed))
    assert (made.shape, made.dtype) == (face.shape, np.uint8)
    assert (made != face).any()
    soft, made_soft = (cv2.GaussianBlur(one, (0, 0), 6).astype(int) for one in (face, made))
    assert np.abs(soft - made_soft).max() < 8


def test_most_ways_smooth_a_face_and_some_sharpen_it():
    detail = [
        cv2.Laplacian(rerendered(make_face(), np.random.default_rng(s)), cv2.CV_32F).std()
        for s in range(40)
    ]
    before = cv2.Laplacian(make_face(), cv2.CV_32F).std()
    assert 0.5 < np.mean(np.array(detail) < before) < 0.95
