import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litefake.face_warp import warp
from tests.portraits import SIDE, make_face, make_points

POINTS = make_points()


def ramp() -> np.ndarray:
    """A picture whose first two channels say where one is: twice the column, twice the row."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.stack([2 * x, 2 * y, 0 * x], axis=-1).astype(np.uint8)


def test_points_that_stay_change_nothing():
    face = make_face()
    assert (warp(face, POINTS, POINTS) == face).all()


@settings(max_examples=20)
@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(0.8, 1.2))
def test_an_affine_change_is_made_exactly(x, y, zoom):
    wanted = (48 + zoom * (POINTS - 48) + [x, y]).astype(np.float32)
    moved = warp(ramp(), POINTS, wanted).astype(float)
    rows, columns = np.mgrid[30:66, 30:66]
    assert moved[30:66, 30:66, 0] == pytest.approx(2 * ((columns - 48 - x) / zoom + 48), abs=1.5)
    assert moved[30:66, 30:66, 1] == pytest.approx(2 * ((rows - 48 - y) / zoom + 48), abs=1.5)


def test_what_lies_at_a_point_comes_to_where_it_is_wanted():
    """The chin drops, smoothly: more than any affine map, for the upper half stays."""
    down = np.clip(POINTS[:, 1] - 50, 0, None)[:, None] * np.array([0.0, 0.25])
    wanted = (POINTS + down).astype(np.float32)
    moved = warp(ramp(), POINTS, wanted).astype(float)
    inside = (np.abs(POINTS - 48) < [12, 16]).all(axis=1)
    for point, place in zip(POINTS[inside], wanted[inside], strict=True):
        column, row = np.rint(place).astype(int)
        assert moved[row, column, :2] / 2 == pytest.approx(point, abs=1.2)


def test_far_outside_the_points_the_affine_map_alone_counts():
    wanted = POINTS.copy()
    wanted[:100] += np.random.default_rng(0).normal(0, 1.5, (100, 2)).astype(np.float32)
    moved = warp(ramp(), POINTS, wanted)
    assert np.abs(moved[:10].astype(int) - ramp()[:10]).max() <= 4
