"""What a file says of itself, without decoding more than its first picture."""

import hashlib
import re
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from litefake import images
from litefake.errors import VideoUnreadable
from litefake.extraction import SamplingParams
from litefake.layouts.rows import IMAGE_SUFFIXES, REAL
from litefake.parallel import killed
from litefake.video import Health, each_packet, opened

X264_OPTIONS = re.compile(rb"x264 - core.{0,200}? - options: ([\x20-\x7e]+)", re.S)
MACHINE_OPTIONS = {"threads", "lookahead_threads", "sliced_threads"}
QUANTISATION_TABLES = re.compile(rb"\xff\xdb\x00(?:\x43.{65}|\x84.{130})", re.S)
COLUMNS = {
    "error": "",
    "width": 0,
    "height": 0,
    "fps": 0.0,
    "frames": 0,
    "codec": "",
    "profile": "",
    "pixel_format": "",
    "settings": "",
    "keyframe_interval": 0,
    "gop_positions": (),
    "content": "",
}


def probe(clip: dict[str, Any], root: Path, p: SamplingParams) -> dict[str, Any]:
    """``COLUMNS`` of the clip or image ``clip`` (key, method, path) below ``root``.

    ``gop_positions`` are those of the frames that ``p`` chooses: frames since the last keyframe,
    in presentation order. ``content`` is equal for two files of equal pictures, whatever they
    are called and whatever their header says. A file that cannot be read has an ``error``.
    """
    path = root / clip["path"]
    try:
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return COLUMNS | {"key": clip["key"]} | _image(path)
        rule = p.real if clip["method"] == REAL else p.fake
        found = _video(path)
        wanted = rule.choose(found["frames"], f"{p.seed}/{clip['key']}")
        starts = found.pop("keyframes")
        positions = tuple(_since(starts, index) for index in wanted)
        return COLUMNS | {"key": clip["key"]} | found | {"gop_positions": positions}
    except VideoUnreadable as error:
        return COLUMNS | {"key": clip["key"], "error": str(error)}


def unprobed(clip: dict[str, Any]) -> dict[str, Any]:
    """``COLUMNS`` of a file that killed every process that looked at it."""
    return COLUMNS | {"key": clip["key"], "error": killed(clip["path"])}


def _video(path: Path) -> dict[str, Any]:
    health, digest = Health(), hashlib.blake2b(digest_size=16)
    settings, decoded = "", False
    times: list[tuple[int, bool]] = []
    with opened(path) as (container, stream):
        for packet in each_packet(container, stream, health):
            decoded = decoded or _decodes(packet)
            if packet.size and not packet.is_discard:
                data = bytes(packet)
                settings = settings if times else _x264_settings(data)
                digest.update(data)
                times.append((packet.pts or 0, packet.is_keyframe))
        codec = stream.codec_context
        found = {
            "width": codec.width,
            "height": codec.height,
            "fps": round(float(stream.average_rate or 0), 3),
            "codec": codec.name,
            "profile": codec.profile or "",
            "pixel_format": codec.pix_fmt or "",
        }
    if not decoded:
        raise VideoUnreadable(f"{path}: no frame can be decoded; replace or remove the file")
    if health.truncated:
        raise VideoUnreadable(f"{path}: truncated after {len(times)} frames; replace the file")
    starts = [number for number, (_, key) in enumerate(sorted(times)) if key]
    gaps = [after - before for before, after in pairwise(starts)]
    return found | {
        "frames": len(times),
        "settings": settings,
        "keyframes": starts,
        "keyframe_interval": max(gaps, default=len(times)),
        "content": digest.hexdigest(),
    }


def _decodes(packet: Any) -> bool:
    try:
        return bool(packet.decode())
    except av.error.FFmpegError:
        return False


def _x264_settings(first_packet: bytes) -> str:
    """What x264 writes into its first packet of how it encoded; empty with another encoder."""
    match = X264_OPTIONS.search(first_packet)
    options = match[1].decode("ascii").split() if match else []
    return " ".join(option for option in options if option.split("=")[0] not in MACHINE_OPTIONS)


def _since(starts: list[int], index: int) -> int:
    place = bisect_right(starts, index)
    return index - starts[place - 1] if place else index


def _image(path: Path) -> dict[str, Any]:
    image = images.read(path)
    if image is None:
        raise VideoUnreadable(f"{path}: cannot be read as an image; replace or remove the file")
    tables = QUANTISATION_TABLES.findall(path.read_bytes()[:65536])
    return {
        "width": image.shape[1],
        "height": image.shape[0],
        "frames": 1,
        "codec": path.suffix.lower().lstrip("."),
        "settings": hashlib.blake2b(b"".join(tables), digest_size=4).hexdigest() if tables else "",
        "content": hashlib.blake2b(
            repr(image.shape).encode() + image.tobytes(), digest_size=16
        ).hexdigest(),
    }
