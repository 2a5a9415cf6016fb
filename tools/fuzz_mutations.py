"""Ways to damage a clip, each decided by a random generator alone."""

import struct
from collections.abc import Callable, Iterator

import numpy as np

ABSURD = (0, 1, 10**9, 2**31 - 1, 2**32 - 1, 60_000, 60_000 << 16)
SIZES = (b"avc1", b"hev1", b"hvc1", b"tkhd", b"mvhd", b"mdhd", b"elst")
TABLES = (b"stsz", b"stts", b"stsc", b"stco", b"ctts", b"stss", b"stsd", b"avcC", b"hvcC")
AVI_HEADERS = (b"avih", b"strh", b"strf", b"idx1")
MATROSKA_HEADERS = (b"\x16\x54\xae\x6b", b"\xe0", b"\x2a\xd7\xb1", b"\xb0", b"\xba")
BOXES = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}  # that hold boxes
Random = np.random.Generator


def flipped_bits(data: bytearray, rng: Random) -> bytearray:
    """1 to 64 bits turned over, anywhere."""
    for place in rng.integers(0, len(data), int(rng.integers(1, 65))):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def truncated(data: bytearray, rng: Random) -> bytearray:
    """Cut off somewhere."""
    return data[: int(rng.integers(0, len(data)))]


def zeroed_block(data: bytearray, rng: Random) -> bytearray:
    """Up to 512 bytes set to 0, as a bad sector leaves them."""
    start = int(rng.integers(0, len(data)))
    block = data[start : start + int(rng.integers(1, 513))]
    data[start : start + len(block)] = bytes(len(block))
    return data


def random_block(data: bytearray, rng: Random) -> bytearray:
    """Up to 512 bytes replaced by noise."""
    start = int(rng.integers(0, len(data)))
    block = data[start : start + int(rng.integers(1, 513))]
    data[start : start + len(block)] = rng.bytes(len(block))
    return data


def moved_block(data: bytearray, rng: Random) -> bytearray:
    """A block cut out and put in elsewhere, so that every offset after it is wrong."""
    start, target = (int(place) for place in rng.integers(0, len(data), 2))
    block = data[start : start + int(rng.integers(1, 513))]
    del data[start : start + len(block)]
    data[target:target] = block
    return data


def swapped_atoms(data: bytearray, rng: Random) -> bytearray:
    """Two neighbouring boxes of an MP4 file change places; elsewhere, two blocks."""
    levels = [level for level in _boxes(data, 0, len(data)) if len(level) > 1]
    if levels:
        level = levels[int(rng.integers(len(levels)))]
        number = int(rng.integers(len(level) - 1))
        (start, middle), (_, stop) = level[number : number + 2]
    else:
        start, middle, stop = sorted(int(place) for place in rng.integers(0, len(data), 3))
    data[start:stop] = data[middle:stop] + data[start:middle]
    return data


def absurd_header(data: bytearray, rng: Random) -> bytearray:
    """Fields of headers set to 10^9 samples, 60,000 pixels, the largest number or nothing."""
    names = [*SIZES, *TABLES, *AVI_HEADERS, *MATROSKA_HEADERS]
    places = [place for name in names if (place := data.find(name)) >= 0]
    for _ in range(int(rng.integers(1, 4))):
        place = places[int(rng.integers(len(places)))] + 4 + 2 * int(rng.integers(0, 40))
        value = ABSURD[int(rng.integers(len(ABSURD)))]
        wide = struct.pack(">I" if rng.integers(2) else "<I", value)
        data[place : place + 4] = wide[: max(0, len(data) - place)]
    return data


def absurd_frame_size(data: bytearray, rng: Random) -> bytearray:
    """60,000 x 60,000 pixels where an MP4 header gives the frame's size."""
    for name, offset in ((b"avc1", 28), (b"hev1", 28), (b"hvc1", 28)):
        place = data.find(name)
        if place >= 0:
            data[place + offset : place + offset + 4] = struct.pack(">HH", 60_000, 60_000)
    return absurd_header(data, rng) if rng.integers(2) else data


def _boxes(data: bytearray, start: int, stop: int) -> Iterator[list[tuple[int, int]]]:
    """(start, stop) of the boxes of each level of an MP4 file."""
    level = []
    while start + 8 <= stop:
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8 or start + size > stop:
            return
        level.append((start, start + size))
        if bytes(data[start + 4 : start + 8]) in BOXES:
            yield from _boxes(data, start + 8, start + size)
        start += size
    yield level


MUTATIONS: tuple[Callable[[bytearray, Random], bytearray], ...] = (
    flipped_bits,
    truncated,
    zeroed_block,
    random_block,
    moved_block,
    swapped_atoms,
    absurd_header,
    absurd_frame_size,
)
