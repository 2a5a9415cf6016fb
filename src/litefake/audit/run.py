"""Go through a data set once and collect what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from litefake import params
from litefake.audit import leaks, listing, losses, tells
from litefake.audit.findings import Finding
from litefake.audit.leftovers import leftovers
from litefake.audit.losses import Loss
from litefake.audit.probe import probe, unprobed
from litefake.audit.tells import Tell
from litefake.extraction import Rule, SamplingParams
from litefake.faces import CropParams
from litefake.layouts.guess import layout_of
from litefake.layouts.params import Layout
from litefake.parallel import map_items

PUBLISHED = SamplingParams(
    real=Rule(every=30), fake=Rule(random=10), seed=0, format="png", quality=95
)
CROP = CropParams(
    detector="blazeface_full",
    scale_factor=1.2,
    min_neighbors=5,
    min_size=0.1,
    detection_width=640,
    margin=0.3,
    size=224,
    format="png",
    quality=95,
)


class Settings(NamedTuple):
    """Which frames would be chosen, how faces would be found, in how many clips of a method."""

    sampling: SamplingParams = PUBLISHED
    crop: CropParams = CROP
    clips: int = 20

    @classmethod
    def read(cls, file: Path | None, clips: int) -> "Settings":
        """Those of a params file; if none is named, of params.yaml, else the published ones.

        A params.yaml with neither section is another project's. Raises ParamsInvalid.
        """
        if file is None:
            file = params.PARAMS_FILE
            if not file.exists() or not {"frames", "faces"} & params.read(file).keys():
                return cls(clips=clips)
        sampling = params.section("frames", SamplingParams, file)
        return cls(sampling, params.section("faces", CropParams, file), clips)


@dataclass(frozen=True)
class Part:
    """What was seen of the data set, or of one compression of it."""

    name: str
    clips: pd.DataFrame  # the listing with the columns of ``probe``, one row a clip
    tells: list[Tell]
    losses: list[Loss]
    unsearched: Finding | None

    def findings(self) -> Iterator[Finding]:
        """What is wrong with this part alone, under its name when it has one."""
        for finding in self._found():
            yield finding.within(self.name) if self.name else finding

    def _found(self) -> Iterator[Finding]:
        unreadable = self.clips[self.clips["error"] != ""]
        if len(unreadable):
            first = unreadable["error"].iloc[0]
            text = f"clips that cannot be read: {len(unreadable)}; the first: {first}"
            yield Finding("unreadable", text, list(unreadable["path"]))
        yield from leaks.duplicates(self.clips)
        seen: list[Tell | Loss] = [*self.tells, *self.losses]
        yield from (finding for one in seen if (finding := one.finding()) is not None)
        if self.unsearched:
            yield self.unsearched


@dataclass(frozen=True)
class Audit:
    """A data set, seen whole."""

    root: Path
    layout: Layout
    parts: list[Part]
    findings: list[Finding]
    leftovers: dict[str, int]  # folder -> files of it that the layout does not read


def audit(root: Path, named: str | None, settings: Settings) -> Audit:
    """Look at every file of the data set at ``root``; its layout is found when none is ``named``.

    Raises DataMissing when there is no data set, or one with files that nobody can place, and
    ParamsInvalid when no layout is so named.
    """
    layout = layout_of(root, named)
    findings = list(listing.list_findings(root, layout))
    parts = []
    for name, clips in listing.list_parts(root, layout):
        parts.append(_part(name, clips, root, layout, settings))
        if layout != "ffpp" and "person" in clips:
            findings += leaks.shared_people(clips)
        findings += parts[-1].findings()
    listed = pd.concat([part.clips["path"] for part in parts])
    return Audit(root, layout, parts, findings, leftovers(root, layout, listed))


def _part(name: str, clips: pd.DataFrame, root: Path, layout: Layout, settings: Settings) -> Part:
    look = partial(probe, root=root, p=settings.sampling)
    files = clips.to_dict("records")
    rows = list(map_items(look, files, f"files of {name or root}", "file", unprobed))
    clips = clips.merge(pd.DataFrame(rows), on="key", validate="one_to_one")
    readable = clips[clips["error"] == ""]
    looks: list[losses.Look] = []
    if layout != "faces" and settings.clips:  # ready crops are the faces
        find = partial(losses.look, root=root, sampling=settings.sampling, crop=settings.crop)
        chosen = losses.sample(readable, settings.clips).to_dict("records")
        looks = list(map_items(find, chosen, "faces", "clip", losses.killed_by))
    seen, unsearched = losses.losses(looks), losses.unsearched(looks)
    return Part(name, clips, list(tells.tells(readable)), seen, unsearched)
