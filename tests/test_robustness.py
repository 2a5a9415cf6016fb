import numpy as np
import pytest

from litefake.robustness import STRENGTHS, degrade
from tests.clips import draw_face

# With the grain of a camera: a drawn face is so smooth that JPEG gets it nearly right by luck.
GRAIN = np.random.default_rng(0).normal(0, 6, (121, 161, 3))
FACE = (draw_face(121, 161, 60) + GRAIN).clip(0, 255).astype(np.uint8)
FRAMES = [np.roll(FACE, number, axis=1) for number in range(3)]


def harm(kind, strength):
    changed = degrade(FRAMES, kind, strength, seed=0)
    height, width = changed[0].shape[:2]
    pairs = zip(FRAMES, changed, strict=True)
    return np.mean([np.abs(a[:height, :width].astype(int) - b).mean() for a, b in pairs])


@pytest.mark.parametrize("kind", STRENGTHS)
def test_every_strength_does_more_harm_than_the_one_before(kind):
    assert len(STRENGTHS[kind]) == 5
    harms = [harm(kind, strength) for strength in STRENGTHS[kind]]
    assert harms[0] > 0
    assert harms == sorted(harms)


@pytest.mark.parametrize("kind", STRENGTHS)
def test_frames_keep_their_number_type_and_size(kind):
    before = [frame.copy() for frame in FRAMES]
    changed = degrade(FRAMES, kind, STRENGTHS[kind][2], seed=0)
    assert len(changed) == 3
    even = (120, 160, 3) if kind == "h264" else (121, 161, 3)
    assert all(frame.shape == even and frame.dtype == np.uint8 for frame in changed)
    assert all(np.array_equal(a, b) for a, b in zip(before, FRAMES, strict=True))


def test_noise_repeats_for_one_seed_and_differs_between_frames():
    first, again, other = (degrade(FRAMES, "noise", 10, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    same = degrade([FRAMES[0]] * 2, "noise", 10, 1)
    assert not np.array_equal(same[0], same[1])
