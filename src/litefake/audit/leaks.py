"""Content and people that stand where they must not: twice, or in more than one split."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from litefake.audit.findings import Finding
from litefake.layouts.rows import REAL


def duplicates(probes: pd.DataFrame) -> Iterator[Finding]:
    """Each content that has several names. ``probes`` has one row a clip."""
    readable = probes[probes["content"] != ""]
    for _, same in readable.groupby("content", sort=False):
        if len(same) < 2:
            continue
        text = f"{len(same)} files have the same content"
        if same["given_split"].nunique() > 1:
            text += ", in different splits"
        if (same["method"] == REAL).nunique() > 1:
            text += ", real and fake at once"
        yield Finding("duplicate", f"{text}: {', '.join(same['path'])}", list(same["path"]))


def shared_people(clips: pd.DataFrame) -> Iterator[Finding]:
    """The people, filmed or put in, whom the data set's own lists place in several splits."""
    listed = clips[clips["given_split"] != ""]
    places = defaultdict(set)
    for column in ("person", "source_person"):
        for person, split in zip(listed[column], listed["given_split"], strict=True):
            places[person].add(split)
    yield from _crossing(places, "shared_identity", "people stand in more than one split")


def listed_twice(lists: Mapping[str, Iterable[tuple[str, str]]]) -> Iterator[Finding]:
    """The people whom the lists of pairs of FaceForensics++ name for several splits."""
    places = defaultdict(set)
    for split, pairs in lists.items():
        for person in (person for pair in pairs for person in pair):
            places[person].add(split)
    yield from _crossing(places, "shared_identity", "people stand in more than one split")


def shared_sources(sources: Mapping[str, str], splits: Mapping[str, str]) -> Iterator[Finding]:
    """The YouTube videos (``sources`` of clip numbers) whose sequences stand in several splits."""
    places = defaultdict(set)
    names = defaultdict(list)
    for number, video in sources.items():
        if number in splits:
            places[video].add(splits[number])
            names[video].append(f"{number} ({splits[number]})")
    named = {f"{video}: {', '.join(names[video])}": found for video, found in places.items()}
    yield from _crossing(named, "shared_source", "YouTube videos cross the official split")


def _crossing(places: Mapping[str, set[str]], kind: str, what: str) -> Iterator[Finding]:
    crossing = sorted(name for name, splits in places.items() if name and len(splits) > 1)
    if crossing:
        yield Finding(kind, f"{len(crossing)} {what}: {'; '.join(crossing[:5])}", crossing)
