"""Crops in shards are the crops in files; an index from elsewhere reaches nothing else."""

import tarfile

import numpy as np
import pandas as pd
import pytest

from litefake import crop_store, images
from litefake.errors import DataMissing

NAMES = ["youtube/0.0/000000.png", "FaceSwap/000_003/000000.png", "youtube/1/000007.png"]


@pytest.fixture
def crops(tmp_path):
    """Three pictures below ``faces/`` and their table."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        images.write(tmp_path / "faces" / name, rng.integers(0, 256, (20, 20, 3), np.uint8))
    return pd.DataFrame({"key": ["a", "b", "c"], "path": NAMES})


def pack(folder, crops):
    crop_store.keep(folder, crops, crop_store.StorageParams(faces="shards"))


def rewrite(folder, **change):
    """Write other values into the first row of the index, as an attacker might."""
    index = folder / crop_store.INDEX
    table = pd.read_csv(index, dtype=str)
    table.loc[0, list(change)] = list(change.values())
    table.to_csv(index, index=False)
    crop_store._places.cache_clear()


def test_every_crop_is_read_alike_from_files_and_from_several_shards(crops, tmp_path, monkeypatch):
    folder = tmp_path / "faces"
    before = [crop_store.read(folder, name) for name in NAMES]
    monkeypatch.setattr(crop_store, "SHARD_BYTES", 3000)
    pack(folder, crops)
    assert sorted(path.name for path in folder.iterdir()) == [
        "000000.tar",
        "000001.tar",
        "000002.tar",
        "shards.csv",
    ]
    after = [crop_store.read(folder, name) for name in NAMES]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert crop_store.read(folder, "youtube/2/000000.png") is None


def test_members_have_numbers_for_names_and_no_time(crops, tmp_path):
    pack(tmp_path / "faces", crops)
    with tarfile.open(tmp_path / "faces/000000.tar") as tar:
        members = tar.getmembers()
    expected = [f"{n:08d}.{kind}" for n in range(3) for kind in ("png", "json")]
    assert [member.name for member in members] == expected
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}


@pytest.mark.parametrize(
    "change",
    [
        {"shard": "../secret.tar"},
        {"shard": "/etc/passwd"},
        {"offset": "-1"},
        {"size": "99999999999"},
        {"size": "many"},
    ],
)
def test_an_index_that_leads_elsewhere_is_one_line(crops, tmp_path, change):
    pack(tmp_path / "faces", crops)
    rewrite(tmp_path / "faces", **change)
    with pytest.raises(DataMissing, match=r"shards\.csv: damaged; run `dvc repro -f crop_faces`"):
        crop_store.read(tmp_path / "faces", NAMES[1])


def test_bytes_past_the_end_or_of_something_else_are_no_crop(crops, tmp_path):
    pack(tmp_path / "faces", crops)
    rewrite(tmp_path / "faces", offset="10000000")
    assert crop_store.read(tmp_path / "faces", NAMES[0]) is None
    rewrite(tmp_path / "faces", offset="0")
    assert crop_store.read(tmp_path / "faces", NAMES[0]) is None
