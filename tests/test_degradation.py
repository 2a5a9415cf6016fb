import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litefake.degradation import DegradationParams, degrade, through_h264, through_jpeg
from tests.portraits import PAIRS, SIDE, make_face

P = DegradationParams.model_validate(PAIRS["degradation"])


def error(image: np.ndarray, like: np.ndarray) -> float:
    return float(np.sqrt(np.mean((image.astype(float) - like) ** 2)))


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_what_comes_out_is_a_smaller_even_square(seed):
    image = degrade(make_face(), np.random.default_rng(seed), P)
    side = image.shape[0]
    assert image.shape == (side, side, 3)
    assert image.dtype == np.uint8
    assert side % 2 == 0
    assert SIDE / 2 <= side <= SIDE


def test_the_same_seed_degrades_alike():
    """Both halves of a pair are to get the same; the encoder must not vary either."""
    first, again = (degrade(make_face(), np.random.default_rng(5), P) for _ in range(2))
    assert np.array_equal(first, again)


def test_a_coarser_code_loses_more():
    face = make_face()[..., :1].repeat(3, axis=2)  # gray: the codec halves all colour anyway
    errors = [error(through_h264(face, crf), face) for crf in (1, 23, 40)]
    assert errors == sorted(errors)
    assert errors[0] < 6 < errors[2]
    assert error(through_jpeg(face, 95), face) < error(through_jpeg(face, 30), face)


def test_colours_survive_the_codec():
    flat = np.full((32, 48, 3), (200, 60, 90), np.uint8)
    assert np.abs(through_h264(flat, 10).astype(int) - flat).max() <= 3


@pytest.mark.parametrize(
    "change",
    [
        {"crf": [18]},
        {"crf": [34, 18]},
        {"crf": [18, 52]},
        {"quality": [0, 90]},
        {"h264": 1.5},
        {"smallest": 0.0},
    ],
)
def test_wrong_values_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        DegradationParams.model_validate(PAIRS["degradation"] | change)
