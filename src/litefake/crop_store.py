"""Face crops as files, or in tar shards for the many: read alike by their names.

Shards have the layout of WebDataset: a picture and a JSON of its row share a number. Their
index, ``shards.csv``, says where the bytes of each crop lie. Names inside a tar are never used:
nothing is unpacked, and the index may name neither another folder nor bytes past the end.
"""

import csv
import functools
import json
import os
import re
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from litefake import images
from litefake.artifacts import replacing, write_csv
from litefake.errors import DataMissing
from litefake.params import Section

INDEX = "shards.csv"
SHARD_BYTES = 64 * 2**20
SHARD_NAME = re.compile(r"\d{6}\.tar")


class StorageParams(Section):
    """Section ``storage``."""

    faces: Literal["files", "shards"]


class Place(NamedTuple):
    """Where the bytes of a crop lie."""

    shard: str
    offset: int
    size: int


def read(folder: Path, name: str) -> np.ndarray | None:
    """Crop ``name`` of ``folder`` (H, W, 3) uint8 RGB; None when it is gone or damaged.

    Raises DataMissing when the index of the shards is damaged.
    """
    places = _places(folder)
    if places is None:
        return images.read(folder / name)
    place = places.get(name)
    if place is None:
        return None
    try:
        with (folder / place.shard).open("rb") as file:
            data = os.pread(file.fileno(), place.size, place.offset)
    except OSError:
        return None
    return images.decode(data) if len(data) == place.size else None


@functools.lru_cache(8)
def _places(folder: Path) -> dict[str, Place] | None:
    """The index of a folder, or None where crops are files."""
    index = folder / INDEX
    try:
        with index.open(encoding="utf-8", newline="") as file:
            return {row["path"]: _place(row) for row in csv.DictReader(file)}
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, csv.Error):
        raise DataMissing(f"{index}: damaged; run `dvc repro -f crop_faces`") from None


def _place(row: dict[str, str]) -> Place:
    place = Place(row["shard"], int(row["offset"]), int(row["size"]))
    inside = place.offset >= 0 and 0 < place.size <= SHARD_BYTES
    if not SHARD_NAME.fullmatch(place.shard) or not inside:
        raise ValueError(place)
    return place


def keep(folder: Path, crops: pd.DataFrame, p: StorageParams) -> None:
    """Leave the files of ``crops`` (with a column ``path``) as they are, or pack them."""
    _places.cache_clear()
    if p.faces == "shards":
        pack(folder, crops)


def pack(folder: Path, crops: pd.DataFrame) -> None:
    """Put the files of ``crops`` into shards beside their index.

    Equal crops give equal bytes: members have no time and no owner.
    """
    rows = crops.to_dict("records")
    places: list[Place] = []
    while len(places) < len(rows):
        shard = f"{len({place.shard for place in places}):06d}.tar"
        places += _write_shard(folder, shard, rows, len(places))
    table = pd.DataFrame(places).assign(path=[row["path"] for row in rows])
    write_csv(folder / INDEX, table)
    for row in rows:
        (folder / row["path"]).unlink()
    for emptied in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(emptied.iterdir()):
            emptied.rmdir()
    _places.cache_clear()


def _write_shard(folder: Path, shard: str, rows: list[dict], first: int) -> list[Place]:
    """Fill a shard from row ``first`` on; the places of what went into it, at least one."""
    places: list[Place] = []
    with replacing(folder / shard) as temporary, tarfile.open(temporary, "w") as tar:
        for number, row in enumerate(rows[first:], first):
            data = (folder / row["path"]).read_bytes()
            if places and tar.offset + len(data) > SHARD_BYTES:
                break
            _add(tar, f"{number:08d}{Path(row['path']).suffix}", data)
            # A member of N bytes ends on a multiple of a block, its content starts N before that.
            padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
            places.append(Place(shard, tar.offset - padded, len(data)))
            _add(tar, f"{number:08d}.json", json.dumps(row, default=str).encode())
    return places


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, BytesIO(data))
