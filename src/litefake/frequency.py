"""An image taken apart by spatial frequency, with filters that are learnt: F3-Net's FAD.

Qian et al., "Thinking in Frequency" (ECCV 2020, arXiv 2007.09355), section 3.1.
"""

import math

import torch
from torch import Tensor, nn

BANDS = 4  # low, middle, high, all


def dct_matrix(size: int) -> Tensor:
    """The orthonormal DCT-II as a matrix D, size x size: D x D^T is the spectrum of x.

    D[k, n] = c_k cos(pi (2n + 1) k / 2S) with c_0 = sqrt(1/S), else c_k = sqrt(2/S)
    (Ahmed, Natarajan & Rao, 1974); so D D^T = I and D^T X D goes back.
    """
    place = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / (2 * size) * torch.outer(place, 2 * place + 1))
    matrix *= math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix.float()


def band_masks(size: int) -> Tensor:
    """Zeros and ones, 4 x S x S: which coefficients (i, j) are in each band, by i + j.

    Low [0, S/2.82), middle [S/2.82, S/2), high [S/2, 2S), all. The paper gives the same limits;
    half-open, so that the first three add up to the last.
    """
    place = torch.arange(size)
    order = place[:, None] + place[None, :]
    limits = [(0, size / 2.82), (size / 2.82, size / 2), (size / 2, 2 * size), (0, 2 * size)]
    return torch.stack([(order >= low) & (order < high) for low, high in limits]).float()


class FrequencyBands(nn.Module):
    """Images N x 3 x S x S to their bands N x 12 x S x S, three channels a band.

    y_b = D^T [(D x D^T) * (M_b + 2 sigmoid(W_b) - 1)] D per channel, with a mask M_b
    (``band_masks``) and a learnt W_b ~ N(0, 0.1), both S x S. Only images of S px fit.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.weight = nn.Parameter(torch.empty(BANDS, size, size).normal_(std=0.1))
        # No buffers: those are averaged among threads and over steps, these are constants.
        self._dct, self._masks = dct_matrix(size), band_masks(size)

    def forward(self, images: Tensor) -> Tensor:
        """The bands, those of low frequencies first, in full precision: the high ones are faint."""
        with torch.autocast(images.device.type, enabled=False):
            return self._bands(images.float())

    def _bands(self, images: Tensor) -> Tensor:
        dct = self._dct.to(images.device)
        filters = self._masks.to(images.device) + 2 * torch.sigmoid(self.weight) - 1
        spectrum = dct @ images @ dct.T
        filtered = spectrum[:, None] * filters[:, None]
        return (dct.T @ filtered @ dct).flatten(1, 2)

    def macs(self) -> int:
        """Multiply-accumulates for one image: 3 transforms, 12 products, 12 transforms back."""
        return (3 + 3 * BANDS) * 2 * self.size**3 + 3 * BANDS * self.size**2
