import numpy as np
import pytest
import torch
from scipy.fft import dctn

from litefake.frequency import FrequencyBands, band_masks, dct_matrix


def plain(size):
    """Bands whose learnt part does nothing: 2 sigmoid(0) - 1 = 0."""
    bands = FrequencyBands(size)
    torch.nn.init.zeros_(bands.weight)
    return bands


@pytest.mark.parametrize("size", [1, 2, 32, 112, 160])
def test_the_transform_is_orthonormal(size):
    matrix = dct_matrix(size)
    assert torch.allclose(matrix @ matrix.T, torch.eye(size), atol=1e-5)


def test_it_is_the_transform_that_scipy_calls_dct_2():
    image = np.random.default_rng(0).normal(size=(24, 24)).astype(np.float32)
    matrix = dct_matrix(24)
    spectrum = matrix @ torch.from_numpy(image) @ matrix.T
    assert np.allclose(spectrum, dctn(image, type=2, norm="ortho"), atol=1e-4)


@pytest.mark.parametrize("size", [32, 112, 113])
def test_three_bands_part_the_coefficients_and_the_fourth_has_all(size):
    low, middle, high, every = band_masks(size)
    assert torch.equal(low + middle + high, every)
    assert (every == 1).all()
    assert low[0, 0] == high[-1, -1] == 1
    order = torch.arange(size)[:, None] + torch.arange(size)
    assert order[low == 1].max() < size / 2.82 <= order[middle == 1].min()
    assert order[middle == 1].max() < size / 2 <= order[high == 1].min()


def test_without_a_learnt_part_the_last_band_is_the_image_and_the_others_add_up_to_it():
    images = torch.randn(2, 3, 32, 32)
    low, middle, high, every = plain(32)(images).split(3, 1)
    assert torch.allclose(every, images, atol=1e-5)
    assert torch.allclose(low + middle + high, images, atol=1e-5)


def test_a_flat_image_is_all_low_frequencies_and_a_checkerboard_all_high():
    flat = torch.ones(1, 3, 32, 32)
    low, middle, high, _ = plain(32)(flat).split(3, 1)
    assert torch.allclose(low, flat, atol=1e-5)
    assert max(middle.abs().max(), high.abs().max()) < 1e-5
    place = torch.arange(32)
    board = flat * (-1.0) ** (place[:, None] + place)
    low, _, high, _ = plain(32)(board).split(3, 1)
    # A share of it leaks into other frequencies: its edges are no cosine's.
    assert high.square().sum() > 0.9 * board.square().sum() > 100 * low.square().sum()


def test_the_learnt_part_reaches_every_coefficient_also_outside_the_mask():
    bands = FrequencyBands(16)
    bands(torch.randn(4, 3, 16, 16)).square().sum().backward()
    assert bands.weight.shape == (4, 16, 16)
    assert (bands.weight.grad != 0).all()
    assert 0.08 < bands.weight.std() < 0.12


def test_its_multiplications_are_counted_by_hand():
    # 2 x 2: a transform is two products of 2 x 2 matrices, 8 each; 3 there, 12 back, 12 filters.
    assert FrequencyBands(2).macs() == 3 * 16 + 12 * 16 + 12 * 4
