"""How a head moves: rotation, gaze and facial actions of every frame of a clip."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

# Haar's frontal cascade finds 95 % of these heads up to 12 degrees, 80 % at 20.
YAW_LIMIT = np.deg2rad(12)
BLINK = (0.4, 0.9, 1.0, 0.8, 0.45, 0.15)
BLINK_FPS = 25
EYELIDS = ("eyeBlinkLeft", "eyeBlinkRight")

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """One frame. Angles in radians, ``shift`` in decimetres.

    actions: facial action (ARKit name) -> weight in [0, 1].
    rotation: (pitch, yaw, roll). gaze: (pitch, yaw) of both eyes.
    """

    actions: dict[str, float]
    rotation: tuple[float, float, float]
    gaze: tuple[float, float]
    shift: tuple[float, float, float]

    def with_actions_of(self, other: Self) -> Self:
        """This pose with another's facial actions; the eyelids stay one's own."""
        own = {name: self.actions[name] for name in EYELIDS}
        return replace(self, actions={**other.actions, **own})


def sample(rng: np.random.Generator, frames: int, fps: float) -> list[Pose]:
    """A talking head as ``frames`` poses, ``fps`` of them a second."""
    time = np.arange(frames) / fps
    pitch = rng.normal(0, 0.04) + _sway(rng, time, rng.uniform(0.02, 0.07), 0.9)
    yaw = rng.uniform(-0.1, 0.1) + _sway(rng, time, rng.uniform(0.04, 0.12), 0.7)
    roll = rng.normal(0, 0.03) + _sway(rng, time, 0.04, 0.6)
    actions = _speech(rng, time) | _brows(rng, time) | _blinks(rng, time)
    gaze = _gaze(rng, frames)
    side, rise = _sway(rng, time, 0.03, 0.4), _sway(rng, time, 0.02, 0.4)
    yaw = np.clip(yaw, -YAW_LIMIT, YAW_LIMIT)
    return [
        Pose(
            actions={name: float(curve[i]) for name, curve in actions.items()},
            rotation=(float(pitch[i]), float(yaw[i]), float(roll[i])),
            gaze=(float(gaze[i, 0]), float(gaze[i, 1])),
            shift=(float(side[i]), float(rise[i]), 0.0),
        )
        for i in range(frames)
    ]


def _sway(rng: np.random.Generator, time: Curve, amplitude: float, fastest: float) -> Curve:
    """A sum of three sines with frequencies up to ``fastest`` hertz."""
    total = np.zeros_like(time)
    for order, frequency in enumerate(rng.uniform(0.15, fastest, 3), start=1):
        total += np.sin(2 * np.pi * (time * frequency + rng.random())) / order
    return amplitude * total / 1.5


def _speech(rng: np.random.Generator, time: Curve) -> dict[str, Curve]:
    """Jaw and lips of someone who talks in phrases at 2.6 to 4.2 syllables a second."""
    phrase = np.clip(_sway(rng, time, 1, 1.2) + 0.4, 0, 1) * rng.uniform(0.5, 1.1)
    phase = rng.random() + _sway(rng, time, 0.25, 1)
    syllable = 0.5 + 0.5 * np.sin(2 * np.pi * (time * rng.uniform(2.6, 4.2) + phase))
    jaw = 0.45 * phrase * syllable
    stretch = 0.4 * phrase * np.clip(_sway(rng, time, 0.6, 2.5), 0, 1)
    smile = np.clip(rng.normal(0.1, 0.25) + _sway(rng, time, 0.12, 0.5), 0, 0.8)
    return {
        "jawOpen": jaw,
        "mouthFunnel": 0.5 * phrase * np.clip(_sway(rng, time, 0.8, 3), 0, 1),
        "mouthPucker": 0.4 * phrase * np.clip(_sway(rng, time, 0.6, 2.5), 0, 1),
        **_both("mouthLowerDown", 0.5 * jaw),
        **_both("mouthUpperUp", 0.3 * jaw),
        **_both("mouthStretch", stretch),
        **_both("mouthSmile", smile),
        **_both("cheekSquint", 0.5 * smile),
    }


def _brows(rng: np.random.Generator, time: Curve) -> dict[str, Curve]:
    lift = np.clip(_sway(rng, time, 0.35, 0.8), -0.5, 0.7)
    up, down = np.clip(lift, 0, None), np.clip(-lift, 0, None)
    return {"browInnerUp": up, **_both("browOuterUp", 0.6 * up), **_both("browDown", down)}


def _blinks(rng: np.random.Generator, time: Curve) -> dict[str, Curve]:
    closed = np.zeros_like(time)
    start = rng.uniform(0, 1.5)
    while start < time[-1]:
        since = (time - start) * BLINK_FPS
        closed += np.interp(since, range(len(BLINK)), BLINK, left=0, right=0)
        start += rng.uniform(1.2, 4)
    return _both("eyeBlink", closed)


def _gaze(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    jumps = rng.normal(0, 0.08, (frames, 2)) * (rng.random((frames, 1)) < 0.06)
    return np.clip(np.cumsum(jumps, axis=0), -0.25, 0.25)


def _both(name: str, curve: Curve) -> dict[str, Curve]:
    return {f"{name}Left": curve, f"{name}Right": curve}
