"""Who appears in which clip: identities, splits, pairs and clip numbers."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from litefake.demo import identity
from litefake.demo.identity import Identity

Pair = tuple[int, int]


class Purpose(IntEnum):
    """What a random stream is for; with seed and numbers it makes the stream's key."""

    IDENTITY = 0
    SCENE = 1
    MOTION = 2
    SENSOR = 3
    FAKES = 4
    CONTROLS = 5
    REWARP = 6


@dataclass(frozen=True)
class Clip:
    """A clip of the class youtube: ``number`` names the file, ``take`` the performance.

    A control shows the same take of the same person as the real clip it is made from.
    """

    number: int
    person: int
    take: int
    control: bool


@dataclass(frozen=True)
class Schedule:
    """People by number, pairs of numbers by split, and every clip of the class youtube."""

    people: list[Identity]
    pairs: dict[str, list[Pair]]
    clips: list[Clip]

    def clips_of(self, person: int, take: int) -> list[Clip]:
        """The youtube clips that show a take of ``person``: a real one, maybe a control."""
        return [clip for clip in self.clips if (clip.person, clip.take) == (person, take)]


def random_stream(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments, so not on who ran before."""
    return np.random.default_rng([seed, purpose, *numbers])


def plan(seed: int, sizes: dict[str, int], takes: int, control_share: float) -> Schedule:
    """Draw the people and schedule their clips.

    sizes: identities (even) by split; takes: real clips an identity;
    control_share: null controls as a share of all youtube clips of every split.
    """
    total = sum(sizes.values())
    people = [
        identity.sample(random_stream(seed, Purpose.IDENTITY, number)) for number in range(total)
    ]
    members = _members(sizes)
    pairs = {split: pair_up(numbers, people) for split, numbers in members.items()}
    order = [(person, take) for take in range(takes) for person in range(total)]
    shown = [(person, take, False) for person, take in order]
    for split, numbers in members.items():
        shown += _controls(seed, split, numbers, takes, control_share)
    clips = [Clip(number, *show) for number, show in enumerate(shown)]
    return Schedule(people, pairs, clips)


def pair_up(numbers: list[int], people: list[Identity]) -> list[Pair]:
    """Split ``numbers`` into pairs of look-alikes.

    Starts from neighbours in skin tone, then two pairs exchange partners as long as
    that makes the sum of distances smaller.
    """
    order = sorted(numbers, key=lambda number: (float(people[number].skin.sum()), number))
    pairs = list(zip(order[::2], order[1::2], strict=True))

    def cost(one: int, other: int) -> float:
        return identity.distance(people[one], people[other])

    improved = True
    while improved:
        improved = False
        for i in range(len(pairs)):
            for j in range(i):
                (a, b), (c, d) = pairs[i], pairs[j]
                now = cost(a, b) + cost(c, d)
                for swapped in (((a, c), (b, d)), ((a, d), (b, c))):
                    if sum(cost(*pair) for pair in swapped) < now - 1e-9:
                        pairs[i], pairs[j] = swapped
                        improved = True
                        break
    return sorted((min(pair), max(pair)) for pair in pairs)


def _members(sizes: dict[str, int]) -> dict[str, list[int]]:
    members, start = {}, 0
    for split, size in sizes.items():
        members[split] = list(range(start, start + size))
        start += size
    return members


def _controls(
    seed: int, split: str, numbers: list[int], takes: int, share: float
) -> list[tuple[int, int, bool]]:
    """(person, take, True) for as many different takes as give ``share`` of all clips."""
    count = round(share / (1 - share) * takes * len(numbers))
    rng = random_stream(seed, Purpose.CONTROLS, numbers[0])
    candidates = [
        (int(person), take, True) for take in range(takes) for person in rng.permutation(numbers)
    ]
    return sorted(candidates[:count])
