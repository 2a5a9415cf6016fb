"""Who is in the picture: shape weights, colours and hair of one rendered person."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from litefake.demo.assets import FloatArray, load_head

RACES = ("african", "asian", "caucasian")
SHAPE_SPREAD = 0.24
SHAPE_LIMIT = 0.6
OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("concave", "convex"),
    ("compress", "uncompress"),
    ("backward", "forward"),
)
# Local targets that move or deform a whole organ: implausible at these weights.
UNUSED = ("ear-shape", "ear-trans", "trans-in", "trans-out", "trans-backward", "trans-forward")


class Axis(NamedTuple):
    """A local shape axis: the targets of its two directions (``negative`` may be absent)."""

    positive: str
    negative: str | None


@dataclass(frozen=True)
class Identity:
    """One person. Colours are linear RGB (3,); lengths decimetres.

    shape: target name -> weight. masculinity and age lie in [0, 1].
    hair_line shifts the hair line up, hair_volume is the thickness of the hair cap,
    hair_length the height at which long hair ends (None: short), fringe the half
    angle in radians that long hair leaves free around the face.
    """

    shape: dict[str, float]
    masculinity: float
    age: float
    skin: FloatArray
    lips: FloatArray
    hair: FloatArray
    iris: FloatArray
    brow_height: float
    brow_arch: float
    brow_thickness: float
    beard: float
    bald: bool
    hair_line: float
    hair_volume: float
    hair_length: float | None
    fringe: float
    blotchiness: float
    texture_seed: int


def sample(rng: np.random.Generator) -> Identity:
    """Draw a person. The distributions are those of docs/data-card.md."""
    masculinity = rng.beta(0.35, 0.35)
    age = min(rng.beta(1, 2.2), 0.85)
    weight = rng.normal(0, 0.55)
    race = rng.dirichlet([0.25] * 3)
    shape = _macro_weights(masculinity, age, weight, race) | _local_weights(rng)
    skin = _skin_colour(rng, race)
    long_hair = masculinity < 0.5 and rng.random() < 0.75
    return Identity(
        shape=shape,
        masculinity=masculinity,
        age=age,
        skin=skin,
        lips=_lip_colour(skin, rng.uniform(0.2, 1) * (1 - 0.6 * masculinity)),
        hair=_hair_colour(rng, race, age),
        iris=_iris_colour(rng, race),
        brow_height=rng.uniform(-0.02, 0.03),
        brow_arch=rng.uniform(0.03, 0.09),
        brow_thickness=0.045 + 0.03 * masculinity + rng.uniform(-0.01, 0.015),
        beard=rng.uniform(0.1, 0.75) if masculinity > 0.6 and rng.random() < 0.6 else 0.0,
        bald=bool(masculinity > 0.7 and rng.random() < 0.12),
        hair_line=rng.uniform(-0.1, 0.12),
        hair_volume=rng.uniform(0.06, 0.18),
        hair_length=rng.uniform(5.2, 6.6) if long_hair else None,
        fringe=rng.uniform(1.1, 1.4),
        blotchiness=rng.uniform(0.4, 1.2),
        texture_seed=int(rng.integers(1 << 31)),
    )


def distance(one: Identity, other: Identity) -> float:
    """How implausible a face swap between two people looks: skin tone, gender, age."""
    tone = abs(float(np.log(one.skin / other.skin).mean()))
    return (
        tone
        + 0.6 * abs(one.masculinity - other.masculinity)
        + 0.2 * abs(one.age - other.age)
        + 0.3 * (one.beard > 0.3) * (other.beard == 0)
        + 0.3 * (other.beard > 0.3) * (one.beard == 0)
    )


def _macro_weights(
    masculinity: float, age: float, weight: float, race: np.ndarray
) -> dict[str, float]:
    """MakeHuman's macro targets are corners of a cube: weights are products."""
    weights = {
        "averageweight": max(0.0, 1 - abs(weight)),
        "maxweight": float(np.clip(weight, 0, 1)),
        "minweight": float(np.clip(-weight, 0, 1)),
    }
    shape = {}
    for gender, gender_share in (("male", masculinity), ("female", 1 - masculinity)):
        for years, age_share in (("old", age), ("young", 1 - age)):
            corner = gender_share * age_share
            for name, share in zip(RACES, race, strict=True):
                shape[f"race/{name}-{gender}-{years}"] = corner * float(share)
            for name, share in weights.items():
                shape[f"weight/universal-{gender}-{years}-averagemuscle-{name}"] = corner * share
    return shape


@functools.cache
def local_axes() -> tuple[Axis, ...]:
    """The local targets as axes; a right-hand target follows its left-hand twin."""
    names = [
        name
        for name in load_head().targets
        if name.startswith("local/")
        and not name.startswith("local/r-")
        and not any(word in name for word in UNUSED)
    ]
    axes, taken = [], set()
    for name in names:
        if name in taken:
            continue
        opposite = next((other for other in _opposites(name) if other in names), None)
        axes.append(Axis(positive=name, negative=opposite))
        taken |= {name, opposite}
    return tuple(axes)


def _opposites(name: str) -> list[str]:
    swaps = [*OPPOSITES, *((second, first) for first, second in OPPOSITES)]
    return [name.removesuffix(end) + other for end, other in swaps if name.endswith(f"-{end}")]


def _local_weights(rng: np.random.Generator) -> dict[str, float]:
    weights = {}
    for axis in local_axes():
        value = float(np.clip(rng.normal(0, SHAPE_SPREAD), -SHAPE_LIMIT, SHAPE_LIMIT))
        if "head-" in axis.positive or "neck" in axis.positive:
            value *= 0.6
        name = axis.positive if value > 0 else axis.negative
        if name is None:
            continue
        weights[name] = abs(value)
        if name.startswith("local/l-"):
            weights["local/r-" + name.removeprefix("local/l-")] = abs(value)
    return weights


def _skin_colour(rng: np.random.Generator, race: np.ndarray) -> FloatArray:
    tones = np.array([[0.44, 0.32, 0.24], [0.84, 0.66, 0.52], [0.87, 0.69, 0.59]])
    skin = (race @ tones * rng.uniform(0.85, 1.05)) ** 2
    return np.asarray(np.clip(skin, 0.05, 0.95), np.float32)


def _lip_colour(skin: FloatArray, strength: float) -> FloatArray:
    """From bare (a redder skin) at strength 0 towards painted at 1."""
    bare = skin * np.array([0.88, 0.60, 0.58])
    painted = np.array([0.42, 0.10, 0.12])
    share = 0.35 * strength
    return np.asarray(bare * (1 - share) + painted * share, np.float32)


def _hair_colour(rng: np.random.Generator, race: np.ndarray, age: float) -> FloatArray:
    dark = race[2] < 0.5 or rng.random() < 0.6
    brown, blond = np.array([0.05, 0.035, 0.028]), np.array([0.42, 0.30, 0.18])
    hair = brown * rng.uniform(0.5, 2) if dark else blond * rng.uniform(0.35, 1.1)
    if age > 0.6:
        hair = 0.3 * hair + 0.7 * np.array([0.5, 0.5, 0.51]) * rng.uniform(0.7, 1.1)
    return np.clip(hair, 0.02, 0.9).astype(np.float32)


def _iris_colour(rng: np.random.Generator, race: np.ndarray) -> FloatArray:
    colours = np.array([[0.22, 0.13, 0.07], [0.3, 0.42, 0.55], [0.28, 0.36, 0.22]])
    kind = 0 if race[2] < 0.6 else rng.integers(3)
    return np.asarray(colours[kind] * rng.uniform(0.7, 1.2), np.float32)
