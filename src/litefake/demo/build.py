"""Render the demo data set as an FF++ folder."""

import functools
import json
import shutil
from pathlib import Path
from typing import Any

from litefake.artifacts import write_json
from litefake.demo import filming, schedule
from litefake.demo.clips import write_clip
from litefake.demo.filming import Filmed, Forger, Take
from litefake.demo.manipulations import METHODS
from litefake.demo.params import DemoParams
from litefake.demo.person import Person, prepare
from litefake.demo.schedule import Clip, Pair, Purpose, Schedule, random_stream
from litefake.errors import DataMissing
from litefake.parallel import map_items

COMPRESSION = "c23"
PEOPLE_FILE, NOTE = "people.json", "README.txt"
WRITTEN = {"original_sequences", "manipulated_sequences", "splits", PEOPLE_FILE, NOTE}


def clear(root: Path) -> None:
    """Make ``root`` an empty folder. Raises DataMissing when it holds anything but a demo."""
    found = {path.name for path in root.iterdir()} if root.is_dir() else set()
    # A data set of somebody's would have the same folders, and no file of ours.
    if root.is_symlink() or found - WRITTEN or (found and not found & {PEOPLE_FILE, NOTE}):
        raise DataMissing(
            f"{root}: is not of make_demo, which would empty it; move it elsewhere and set "
            "dataset.root in params.yaml to that place"
        )
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)


def build(root: Path, p: DemoParams) -> dict[str, Any]:
    """Render every clip below ``root``; return what was written, counted.

    The tree is that of FF++ (docs/data-card.md), plus people.json: number of a
    further real clip or null control -> the person it shows. Pairs are rendered in
    parallel processes; the bytes do not depend on how many.
    """
    plan = schedule.plan(p.seed, p.split_sizes, p.real_clips, p.control_share)
    # First, since it is what ``clear`` knows a build by, also one that was killed.
    write_json(root / PEOPLE_FILE, sidecar(plan))
    for split, pairs in plan.pairs.items():
        write_split(root / "splits" / f"{split}.json", pairs)
    all_pairs = [pair for pairs in plan.pairs.values() for pair in pairs]
    work = functools.partial(render_pair, root, p, plan)
    for _ in map_items(work, all_pairs, desc=f"render {root}", unit="pair"):
        pass
    return summary(plan, p)


def write_split(path: Path, pairs: list[Pair]) -> None:
    """Write pairs as FF++ does: a list of [number, number]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([[_name(a), _name(b)] for a, b in pairs])
    path.write_text(text + "\n", encoding="utf-8")


def sidecar(plan: Schedule) -> dict[str, Any]:
    """Whom the clips show that have a number of their own: the content of people.json."""
    return {
        _name(clip.number): {"person": _name(clip.person), "control": clip.control}
        for clip in plan.clips
        if clip.number >= len(plan.people)
    }


def summary(plan: Schedule, p: DemoParams) -> dict[str, Any]:
    """What a build writes, counted in all and by split."""

    def count(people: list[int]) -> dict[str, int]:
        clips = [clip for clip in plan.clips if clip.person in people]
        controls = sum(clip.control for clip in clips)
        return {
            "identities": len(people),
            "real_clips": len(clips) - controls,
            "control_clips": controls,
            "fake_clips": len(people) * len(METHODS),
        }

    members = {
        split: [person for pair in pairs for person in pair] for split, pairs in plan.pairs.items()
    }
    total = count(list(range(len(plan.people))))
    clips = total["real_clips"] + total["control_clips"] + total["fake_clips"]
    by_split = {split: count(people) for split, people in members.items()}
    return total | {"frames": clips * p.frames, "splits": by_split}


def render_pair(root: Path, p: DemoParams, plan: Schedule, pair: Pair) -> None:
    """Write every clip of two people who lend each other their faces."""
    one, other = pair
    prepared = {number: prepare(plan.people[number]) for number in pair}
    for target, source in ((one, other), (other, one)):
        for number in range(p.real_clips):
            take = filming.stage_take(target, number, p)
            sensor = random_stream(p.seed, Purpose.SENSOR, target, number)
            filmed = filming.film(prepared[target], take, sensor, p)
            _write_youtube(root, p, plan.clips_of(target, number), filmed)
            if number == 0:
                _write_fakes(root, p, (target, source), prepared, take, filmed)


def _write_youtube(root: Path, p: DemoParams, clips: list[Clip], filmed: list[Filmed]) -> None:
    """Write a take as a real clip and, where it is scheduled, as a null control."""
    folder = root / "original_sequences" / "youtube" / COMPRESSION / "videos"
    for clip in clips:
        frames = [real.frame for real in filmed]
        if clip.control:
            frames = filming.rewarp(filmed, random_stream(p.seed, Purpose.REWARP, clip.number))
        write_clip(folder / f"{_name(clip.number)}.mp4", frames, p.fps, p.crf)


def _write_fakes(
    root: Path,
    p: DemoParams,
    pair: Pair,
    prepared: dict[int, Person],
    take: Take,
    filmed: list[Filmed],
) -> None:
    """Write the five fakes of a take: the first of ``pair`` with the second's face."""
    target, source = pair
    rng = random_stream(p.seed, Purpose.FAKES, target)
    forger = Forger.hire(prepared[target], prepared[source], take, rng, p)
    lent = filming.stage_take(source, 0, p).poses
    forged = [
        forger.forge(real, pose, donor_pose, rng)
        for real, pose, donor_pose in zip(filmed, take.poses, lent, strict=True)
    ]
    for method in METHODS:
        folder = root / "manipulated_sequences" / method / COMPRESSION / "videos"
        frames = [fakes[method] for fakes in forged]
        write_clip(folder / f"{_name(target)}_{_name(source)}.mp4", frames, p.fps, p.crf)


def _name(number: int) -> str:
    return f"{number:03d}"
