"""Section ``pairs.blend``: how the two copies of a face that make a fake are made to differ."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from litefake.params import Section

Way = Literal["own", "donor", "expression"]


class CopyParams(Section):
    """One way to the second copy: how often it is taken, what it replaces and how roughly."""

    share: float = Field(ge=0)  # weight among the ways
    whole: float = Field(ge=0)  # weights of the regions that are replaced
    no_forehead: float = Field(ge=0)
    mouth: float = Field(ge=0)
    eyes: float = Field(ge=0)
    full: float = Field(ge=0, le=1)  # probability that it replaces wholly; else as RATIOS say
    plain: float = Field(ge=0, le=1)  # that neither copy's colours and detail are changed besides
    misfit: float = Field(ge=0, le=1)  # that it comes to the points of a rough fit
    rerendered: float = Field(ge=0, le=1)  # that it is made anew: coarser, sharper or smoother

    @model_validator(mode="after")
    def _has_a_region(self) -> Self:
        if not self.whole + self.no_forehead + self.mouth + self.eyes:
            raise ValueError("whole, no_forehead, mouth and eyes are all 0: nothing is replaced")
        return self


class BlendParams(Section):
    """How two copies of a face are made to differ, and where they meet.

    ``colour`` to ``scale`` are the largest changes to either side (of ``detail``, to one), drawn
    uniformly; ``misfit``, ``deformation`` and ``softness`` are the most that is drawn.
    """

    own: CopyParams  # the face itself
    donor: CopyParams  # another person's face
    expression: CopyParams  # the face itself with another's expression
    matched: float = Field(ge=0, le=1)  # least share of the way to the face's colours, of a donor
    alike: float = Field(ge=0, le=1)  # probability that a donor was published as the face was
    fresh: float = Field(ge=0, le=1)  # that it was so once it was in place: moving blurred nothing
    misfit: float = Field(ge=0, lt=0.2)  # coarse error of a rough fit, share of the face's side
    colour: float = Field(ge=0, lt=1)  # of each channel and of all, share of the range
    contrast: float = Field(ge=0, lt=1)
    saturation: float = Field(ge=0, lt=1)
    detail: float = Field(ge=1, le=8)  # a copy loses detail as if it were this many times smaller
    shift: float = Field(ge=0, lt=0.2)  # share of the picture's side
    scale: float = Field(ge=0, lt=0.5)
    deformation: float = Field(ge=0, lt=0.1)  # of the mask, share of the side
    softness: float = Field(gt=0, lt=0.2)  # of the mask's edge, share of the side

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if not self.own.share + self.donor.share + self.expression.share:
            raise ValueError("own, donor and expression all have a share of 0: no pair is made")
        return self

    def drawn(self, rng: np.random.Generator) -> Way:
        """One of the ways, by their shares."""
        shares = np.array([self.own.share, self.donor.share, self.expression.share])
        ways: tuple[Way, ...] = ("own", "donor", "expression")
        return ways[rng.choice(3, p=shares / shares.sum())]
