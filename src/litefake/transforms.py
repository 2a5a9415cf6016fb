"""From a face crop to the network's input: augmentation in training, normalisation always."""

from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from litefake import inputs
from litefake.inputs import Image
from litefake.params import Section

Mask = NDArray[np.float32]
_Picture = TypeVar("_Picture", Image, Mask)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Augmentation(Section):
    """Section ``augment``: random changes of training faces, drawn anew every epoch.

    ``flip`` is a probability, ``rotation`` in degrees to either side, the others are the
    largest relative change to either side.
    """

    flip: float = Field(ge=0, le=1)
    rotation: float = Field(ge=0, le=180)
    brightness: float = Field(ge=0, lt=1)
    contrast: float = Field(ge=0, lt=1)
    saturation: float = Field(ge=0, lt=1)


def augment(face: Image, params: Augmentation, seed: int) -> Image:
    """A changed copy of ``face`` (H x W x 3, RGB), the same one for the same seed.

    Flip and rotation are one warp, so that the face is resampled once; brightness,
    contrast and saturation are one linear map of the colours.
    """
    random = np.random.default_rng(seed)
    face = _turn(face, params, random)
    brightness, contrast, saturation = (
        1 + random.uniform(-limit, limit)
        for limit in (params.brightness, params.contrast, params.saturation)
    )
    return _recolour(face, brightness, contrast, saturation)


def augment_mask(mask: Mask, params: Augmentation, seed: int) -> Mask:
    """``mask`` (H x W) flipped and turned as ``augment`` does the face that it belongs to."""
    return _turn(mask, params, np.random.default_rng(seed))


def _turn(values: _Picture, params: Augmentation, random: np.random.Generator) -> _Picture:
    flip = random.random() < params.flip
    angle = random.uniform(-params.rotation, params.rotation)
    return _rotate(values[:, ::-1] if flip else values, angle)


def _rotate(face: _Picture, angle: float) -> _Picture:
    face = np.ascontiguousarray(face)
    if angle == 0:
        return face
    height, width = face.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    rotated = cv2.warpAffine(
        face, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(rotated, face.dtype)


def _recolour(face: Image, brightness: float, contrast: float, saturation: float) -> Image:
    if brightness == contrast == saturation == 1:
        return face
    # gray + saturation * (colour - gray), then mean + contrast * (colour - mean), then gain
    mix = saturation * np.eye(3, dtype=np.float32) + (1 - saturation) * LUMA
    mean = float(face.reshape(-1, 3).mean(axis=0) @ LUMA)
    matrix = np.empty((3, 4), np.float32)
    matrix[:, :3] = brightness * contrast * mix
    matrix[:, 3] = brightness * (1 - contrast) * mean
    return np.asarray(cv2.transform(face, matrix), np.uint8)


def to_input(faces: list[Image], size: int, mean: list[float], std: list[float]) -> torch.Tensor:
    """N faces (uint8, RGB) as the float tensor N x 3 x size x size that a network expects."""
    # N x H x W x C seen as N x C x H x W is channels_last already: the fast layout on CPU.
    return torch.from_numpy(inputs.normalise(faces, size, mean, std))
