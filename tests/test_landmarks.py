"""The square that eyes and mouth predict lies where the rule says, however the face is turned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litefake import landmarks
from litefake.landmarks import ALONG, SIDES, haar_square

RIGHT, LEFT, MOUTH = np.array([[100.0, 100.0], [160.0, 100.0], [130.0, 170.0]])


def test_the_square_is_as_large_and_as_centred_as_the_rule_says():
    x, y, width, height = haar_square(RIGHT, LEFT, MOUTH)
    assert landmarks.length(RIGHT, LEFT, MOUTH) == 130
    assert width == height == round(SIDES * 130)
    assert x + width / 2 == pytest.approx(130, abs=0.5)
    assert y + height / 2 == pytest.approx(100 + ALONG * 70, abs=0.5)


@given(
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.2, 10),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_the_square_follows_a_face_that_moves_grows_and_turns(angle, scale, shift):
    cos, sin = np.cos(angle), np.sin(angle)
    turn = scale * np.array([[cos, -sin], [sin, cos]])
    right, left, mouth = (turn @ point + shift for point in (RIGHT, LEFT, MOUTH))
    x, y, width, _ = haar_square(right, left, mouth)
    middle = turn @ (np.array([130, 100 + ALONG * 70])) + shift
    assert width == pytest.approx(scale * SIDES * 130, abs=0.51)
    assert (x + width / 2, y + width / 2) == pytest.approx(tuple(middle), abs=0.51)


def test_points_that_fall_together_give_a_pixel():
    assert haar_square(RIGHT, RIGHT, RIGHT)[2:] == (1, 1)
