"""A rendered head for detectors that a drawn face does not convince."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from litefake import params
from litefake.demo import DemoParams, filming, schedule
from litefake.demo.person import prepare
from litefake.demo.render import render

PROFILE = Path(__file__).resolve().parent.parent / "profiles" / "tiny.yaml"
SIDE = 160  # px


class RenderedHead(NamedTuple):
    """``image`` (SIDE, SIDE, 3) uint8 RGB; the face from hair line to chin, in its pixels."""

    image: np.ndarray
    left: float
    top: float
    right: float
    bottom: float


@functools.cache
def rendered_head() -> RenderedHead:
    """One person of the built-in data set, looking at the camera."""
    tiny = params.section("demo", DemoParams, PROFILE)
    p = tiny.model_copy(update={"size": SIDE, "frames": 1})
    person = prepare(schedule.plan(p.seed, p.split_sizes, 1, 0.0).people[0])
    take = filming.stage_take(0, 0, p)
    view = render(person, take.poses[0], take.scene, p.supersampling)
    low, high = view.landmarks.min(axis=0), view.landmarks.max(axis=0)
    return RenderedHead(filming.to_bytes(view.image), *low.tolist(), *high.tolist())
