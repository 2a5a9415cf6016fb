import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litefake import inputs, transforms
from litefake.transforms import Augmentation

NOTHING = {"flip": 0.0, "rotation": 0.0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0}


def face(seed=0, size=16):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def changed(seed=0, **limits):
    return transforms.augment(face(), Augmentation(**(NOTHING | limits)), seed)


def test_nothing_asked_changes_nothing():
    assert (changed() == face()).all()


def test_a_certain_flip_mirrors():
    assert (changed(flip=1.0) == face()[:, ::-1]).all()


@given(st.integers(0, 2**63 - 1))
def test_the_same_seed_gives_the_same_face(seed):
    limits = {"flip": 0.5, "rotation": 15.0, "brightness": 0.3, "contrast": 0.3, "saturation": 0.3}
    first = changed(seed, **limits)
    assert first.dtype == np.uint8
    assert first.shape == (16, 16, 3)
    assert (first == changed(seed, **limits)).all()


def test_different_seeds_differ():
    assert (changed(1, rotation=15.0) != changed(2, rotation=15.0)).any()


def test_saturation_alone_keeps_the_brightness_of_every_pixel():
    middle = (face().astype(int) // 2 + 64).astype(np.uint8)
    result = transforms.augment(middle, Augmentation(**(NOTHING | {"saturation": 0.3})), 3)
    assert np.abs(result @ transforms.LUMA - middle @ transforms.LUMA).max() < 1.5
    assert (result != middle).any()


def test_contrast_keeps_the_mean():
    middle = (face().astype(int) // 4 + 96).astype(np.uint8)
    result = transforms.augment(middle, Augmentation(**(NOTHING | {"contrast": 0.4})), 3)
    assert (result @ transforms.LUMA).mean() == pytest.approx(
        (middle @ transforms.LUMA).mean(), abs=0.6
    )
    assert result.std() != pytest.approx(middle.std(), rel=0.01)


def test_input_is_normalised_in_channel_order():
    black_red = np.zeros((4, 4, 3), np.uint8)
    black_red[..., 0] = 255
    tensor = transforms.to_input([black_red], 4, [0.5, 0.25, 0.0], [0.5, 0.25, 1.0])
    assert tensor.shape == (1, 3, 4, 4)
    assert tensor[0, :, 0, 0].tolist() == [1.0, -1.0, 0.0]
    assert tensor.is_contiguous(memory_format=__import__("torch").channels_last)


@pytest.mark.parametrize(("have", "want"), [(16, 16), (16, 8), (16, 24)])
def test_resizing_gives_the_size_and_keeps_a_face_that_has_it(have, want):
    result = inputs.resize(face(size=have), want)
    assert result.shape == (want, want, 3)
    assert have != want or (result is not None and (result == face(size=have)).all())


def test_a_mask_is_flipped_and_turned_with_its_face():
    """A white spot in the face and the mask of it stay together under every seed."""
    spot, mask = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.float32)
    spot[12:24, 8:20], mask[12:24, 8:20] = 255, 1.0
    strong = Augmentation(**(NOTHING | {"flip": 0.5, "rotation": 30.0}))
    for seed in range(10):
        seen = transforms.augment(spot, strong, seed)[..., 0] / 255
        assert np.abs(seen - transforms.augment_mask(mask, strong, seed)).max() < 0.01
