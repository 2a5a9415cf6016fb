"""Pairs of a real face and a fake made of it, while training reads them: layout ``portraits``.

The folder of crops says how: ``crop_faces`` leaves the parameters and the points of every face
beside the crops, so that whoever reads the crops makes the same pairs.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from litefake import crop_store, inputs
from litefake.artifacts import write_text
from litefake.blend_params import BlendParams
from litefake.degradation import DegradationParams, degrade
from litefake.errors import DataMissing
from litefake.faces import Square, cut
from litefake.params import Section
from litefake.seeds import seed_of
from litefake.selfblending import Pair, in_place, put_over, reenact, self_blend, swap

METHOD = "SelfBlended"
Image = NDArray[np.uint8]
KEPT_PAIRS = 128  # in memory at least, 1.2 MB each at 352 px
KEPT_FACES = 512  # in memory, 0.4 MB each at 352 px: to read one takes as long as to code one
CANDIDATES = 4  # donors drawn, of which the most alike in shape is taken


class PairParams(Section):
    """Section ``pairs``, read for layout ``portraits`` alone."""

    size: int = Field(ge=64, le=1024)  # px, side of the stored crop, which is degraded from
    margin: float = Field(ge=0, le=3)  # of the stored crop; faces.margin is what a network sees
    draws: int = Field(ge=1)  # pairs made of each portrait
    zoom: float = Field(ge=0, lt=0.5)  # largest change of what a network sees, to either side
    shift: float = Field(ge=0, lt=0.2)  # of its place, share of its side
    places: float = Field(ge=0, le=100)  # weight of where a fake was made, beside its label
    blend: BlendParams
    before: DegradationParams  # what the pictures went through that a fake is made of
    degradation: DegradationParams  # what both halves go through afterwards


class Recipe(Section):
    """How a folder of crops is to be read: the parameters, and the margin of the networks."""

    pairs: PairParams
    margin: float


def write(folder: Path, crops: pd.DataFrame, points: NDArray[np.float32], recipe: Recipe) -> None:
    """Leave ``recipe`` and the ``points`` (N, 468, 2) of all ``crops`` beside them."""
    np.savez(folder / "points.npz", paths=crops["path"].to_numpy(np.str_), points=points)
    # As they are: what is written here is read when training begins.
    write_text(folder / "pairs.json", recipe.model_dump_json(indent=2) + "\n")


class PairMaker:
    """Makes both halves of the pairs of one split."""

    def __init__(self, folder: Path, paths: set[str]) -> None:
        """``paths`` are the crops of the split, the only ones that donors come from."""
        self._folder = folder
        self._recipe = Recipe.model_validate_json((folder / "pairs.json").read_bytes())
        with np.load(folder / "points.npz", allow_pickle=False) as stored:
            everything = dict(zip(stored["paths"].tolist(), stored["points"], strict=True))
        self._points = {path: everything[path] for path in sorted(paths)}
        self._paths = list(self._points)
        self._shapes = np.stack([_shape(points) for points in self._points.values()])
        # The halves of a pair stand in neighbouring batches: the second finds it made.
        self._kept = KEPT_PAIRS
        self._made = functools.lru_cache(self._kept)(self._make)
        self._seen = functools.lru_cache(KEPT_FACES)(self._read)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: without what is kept in memory here."""
        return PairMaker, (self._folder, set(self._paths))

    @property
    def places(self) -> float:
        """The weight in training of where a fake was made; 0 turns it off."""
        return self._recipe.pairs.places

    def keep(self, count: int) -> None:
        """Have room for the pairs of a batch of ``count``, which the next one asks for again."""
        if count > self._kept:
            self._kept = count
            self._made = functools.lru_cache(count)(self._make)

    def half(self, path: str, fake: bool, seed: int) -> Image:
        """One half of the pair that ``seed`` makes of the crop ``path``, as a network sees it.

        Both halves of a pair go through the same degradation and are cut alike.
        """
        pair = self.pair(path, seed)
        image = degrade(
            pair.fake if fake else pair.real,
            np.random.default_rng(seed_of(seed, "degradation")),
            self._recipe.pairs.degradation,
        )
        square = self._square(image.shape[0], np.random.default_rng(seed_of(seed, "framing")))
        return np.asarray(cut(image, square, square.side), np.uint8)

    def replaced(self, path: str, fake: bool, seed: int) -> NDArray[np.float32]:
        """Of what ``half`` gives, where it was replaced: side x side, 0 to 1, however faintly."""
        mask = self.pair(path, seed).mask
        if not fake:
            return np.zeros_like(mask)
        values = np.rint(255 * mask / max(float(mask.max()), 1e-6)).astype(np.uint8)
        square = self._square(len(mask), np.random.default_rng(seed_of(seed, "framing")))
        seen = cut(values[..., None].repeat(3, axis=2), square, square.side)
        return np.asarray(seen[..., 0] / 255, np.float32)

    def pair(self, path: str, seed: int) -> Pair:
        """The pair itself, as it is before it is published. Raises DataMissing."""
        return self._made(path, seed)

    def _make(self, path: str, seed: int) -> Pair:
        rng = np.random.default_rng(seed_of(seed, "blend"))
        p = self._recipe.pairs.blend
        before = seed_of(seed, "before")
        face, points = self._published(path, before)
        way = p.drawn(rng)
        if way == "own":
            return self_blend(face, points, rng, p)
        other = self._donor(path, rng)
        if other == path:  # nobody else is in the split
            return self_blend(face, points, rng, p)
        # At 0 nothing is drawn: the pairs are those of before there was a choice.
        if way == "donor" and p.fresh and rng.random() < p.fresh:
            placed = in_place(self._seen(other), self._points[other], self._points[path], rng, p)
            placed = degrade(placed, np.random.default_rng(before), self._recipe.pairs.before)
            return put_over(face, points, placed, rng, p)
        if way == "donor":
            # Mostly a seam shows that two videos differ in sharpness; of two that do not, a swap
            # shows where the donor's features do not fit.
            alike = rng.random() < p.alike
            donor = self._published(other, before if alike else seed_of(seed, "donor"))[0]
            donor = inputs.resize(donor, len(face))
            return swap(face, points, donor, self._scaled(other, len(face)), rng, p)
        return reenact(face, points, self._scaled(other, len(face)), rng, p)

    def _published(self, path: str, seed: int) -> tuple[Image, NDArray[np.float32]]:
        """The face as the video that a faker starts from shows it, and its points."""
        face = degrade(self._seen(path), np.random.default_rng(seed), self._recipe.pairs.before)
        return face, self._scaled(path, len(face))

    def _scaled(self, path: str, side: int) -> NDArray[np.float32]:
        """The points of the face in a picture of ``side`` pixels."""
        return np.asarray(self._points[path] * np.float32(side / self._recipe.pairs.size))

    def _donor(self, path: str, rng: np.random.Generator) -> str:
        drawn = rng.integers(len(self._paths), size=CANDIDATES)
        others = drawn[[self._paths[number] != path for number in drawn]]
        if not len(others):
            return path
        apart = ((self._shapes[others] - _shape(self._points[path])) ** 2).sum(axis=(1, 2))
        return self._paths[int(others[apart.argmin()])]

    def _square(self, side: int, rng: np.random.Generator) -> Square:
        p = self._recipe.pairs
        part = (1 + self._recipe.margin) / (1 + p.margin) * (1 + rng.uniform(-p.zoom, p.zoom))
        width = max(1, round(side * part))
        x, y = (side - width) / 2 + rng.uniform(-p.shift, p.shift, 2) * width
        return Square(round(x), round(y), width)

    def _read(self, path: str) -> Image:
        image = crop_store.read(self._folder, path)
        if image is None:
            raise DataMissing(
                f"{self._folder / path}: portrait is gone or damaged; run `dvc repro crop_faces`"
            )
        return image


def _shape(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """``points`` without place and size."""
    centred = points - points.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred))


def is_paired(folder: Path) -> bool:
    """Whether the crops in ``folder`` are to be read as pairs."""
    return (folder / "pairs.json").exists()
