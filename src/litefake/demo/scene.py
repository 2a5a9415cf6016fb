"""Where a clip is shot: lights, camera, background, clothes and sensor."""

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from litefake.demo.assets import FloatArray
from litefake.demo.textures import noise


@dataclass(frozen=True)
class Camera:
    """A pinhole camera on the z axis of the head's surroundings; lengths in decimetres.

    ``focal`` is the focal length in image sides.
    """

    x: float
    y: float
    z: float
    focal: float


@dataclass(frozen=True)
class Scene:
    """One clip's surroundings.

    light_directions (K, 3) unit, light_colours (K, 3) and ambient (3,) linear RGB,
    background (size, size, 3) as displayed in [0, 1], shirt (3,) linear RGB,
    collar: height of the neckline, noise: sensor noise as displayed, gain: exposure.
    """

    light_directions: FloatArray
    light_colours: FloatArray
    ambient: FloatArray
    camera: Camera
    background: FloatArray
    shirt: FloatArray
    collar: float
    stripe: float
    noise: float
    gain: float

    def relit(self, rng: np.random.Generator, error: float) -> Self:
        """The same scene under lights misjudged by ``error`` (relative; radians, roughly)."""
        directions = self.light_directions + rng.normal(0, error, self.light_directions.shape)
        count = len(self.light_colours)
        intensity = np.exp(rng.normal(0, error, (count, 1)))
        return replace(
            self,
            light_directions=_unit(directions),
            light_colours=(self.light_colours * intensity).astype(np.float32),
            ambient=(self.ambient * np.exp(rng.normal(0, error / 2))).astype(np.float32),
        )


def sample(rng: np.random.Generator, size: int) -> Scene:
    """Draw a scene for frames of ``size`` x ``size`` pixels."""
    azimuth, elevation, warmth = rng.uniform(-1.1, 1.1), rng.uniform(0.1, 0.9), rng.normal(0, 0.06)
    directions = np.array(
        [
            [np.sin(azimuth), np.sin(elevation), np.cos(azimuth)],
            [-1.2 * np.sin(azimuth), 0.2, 0.8],
        ]
    )
    key = np.array([1 + warmth, 1, 1 - warmth]) * rng.uniform(0.5, 0.8)
    fill = np.array([1 - warmth, 1, 1 + warmth]) * rng.uniform(0.1, 0.35)
    distance = rng.uniform(9, 16)
    return Scene(
        light_directions=_unit(directions),
        light_colours=np.stack([key, fill]).astype(np.float32),
        ambient=(np.array([1 - warmth / 2, 1, 1 + warmth / 2]) * rng.uniform(0.25, 0.45)).astype(
            np.float32
        ),
        camera=Camera(
            x=rng.normal(0, 0.12),
            y=7.15 + rng.normal(0, 0.12),
            z=0.6 + distance,
            focal=rng.uniform(0.27, 0.36) * distance,
        ),
        background=_background(rng, size),
        shirt=muted(rng, rng.uniform(0.05, 0.7)),
        collar=rng.uniform(5.55, 5.95),
        stripe=float(rng.uniform(0, 0.3) * (rng.random() < 0.4)),
        noise=rng.uniform(0.004, 0.012),
        gain=rng.uniform(0.9, 1.1),
    )


def muted(rng: np.random.Generator, grey: float, chroma: float = 0.22) -> FloatArray:
    """A colour (3,) of brightness about ``grey`` with little saturation."""
    tint = 1 + chroma * rng.normal(0, 1, 3)
    return np.clip(grey * tint, 0.02, 0.95).astype(np.float32)


def _background(rng: np.random.Generator, size: int) -> FloatArray:
    """A defocused room: a wall with a gradient, blurred boxes, a little grain."""
    across = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    slope = rng.normal(0, 0.15, 2).astype(np.float32)
    shade = 1 + slope[0] * across[None, :] + slope[1] * across[:, None]
    image = muted(rng, rng.uniform(0.3, 0.75), 0.08) * shade[..., None]
    for _ in range(rng.integers(3, 12)):
        left, top = (int(v) for v in rng.integers(-size // 8, size, 2))
        width, height = (int(v) for v in rng.integers(size // 16, size // 2, 2))
        colour = [float(c) for c in muted(rng, rng.uniform(0.15, 0.8), 0.12)]
        cv2.rectangle(image, (left, top), (left + width, top + height), colour, -1)
    image = cv2.GaussianBlur(image, (0, 0), size * rng.uniform(0.008, 0.03))
    return np.asarray(np.clip(image + 0.015 * noise(rng, size, 3, 1.0), 0, 1), np.float32)


def _unit(vectors: np.ndarray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
