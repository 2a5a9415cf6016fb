"""A data set is known by its folders, and what is unclear is asked in one line."""

import os
from pathlib import Path

import pytest

from litefake import discovery, manifest
from litefake.errors import DataMissing, ParamsInvalid

REALS = "original_sequences/youtube"
FAKES = "manipulated_sequences"


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.fixture
def ffpp(tmp_path):
    touch(tmp_path, f"{REALS}/c23/videos/000.mp4", f"{FAKES}/FaceSwap/c23/videos/000_003.mp4",
          f"{FAKES}/Deepfakes/c23/videos/000_003.mp4")  # fmt: skip
    return tmp_path


def test_faceforensics_is_described_by_what_is_there(ffpp):
    found = discovery.describe(ffpp)
    assert (found.layout, found.compression) == ("ffpp", "c23")
    assert found.methods == ["Deepfakes", "FaceSwap"]
    assert len(manifest.list_videos(found)) == 3
    assert discovery.describe(ffpp, methods=["FaceSwap"]).methods == ["FaceSwap"]


def test_of_two_compressions_one_must_be_chosen(ffpp):
    touch(ffpp, f"{REALS}/c40/videos/000.mp4", f"{FAKES}/FaceSwap/c40/videos/000_003.mp4")
    with pytest.raises(DataMissing, match="there is c23, c40; choose one with --compression"):
        discovery.describe(ffpp)
    with pytest.raises(DataMissing, match="Deepfakes has no c40/videos; name those to use"):
        discovery.describe(ffpp, compression="c40")
    assert discovery.describe(ffpp, compression="c40", methods=["FaceSwap"]).compression == "c40"


def test_crops_are_described_by_what_is_there(tmp_path):
    touch(tmp_path, "train/youtube/1.jpg", "train/A/1.jpg", "test/youtube/1.jpg", "test/A/1.jpg")
    found = discovery.describe(tmp_path)
    assert (found.layout, found.methods) == ("faces", ["A"])


def test_pictures_count_as_portraits_of_real_people_only_when_somebody_says_so(tmp_path):
    touch(tmp_path, "us-house/ann-lee.jpg", "us-senate/bo-ray.png")
    with pytest.raises(DataMissing, match="the layout cannot be told"):
        discovery.describe(tmp_path)
    found = discovery.describe(tmp_path, layout="portraits")
    assert found.layout == "portraits"
    assert set(manifest.list_videos(found)["method"]) == {manifest.REAL}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such folder; give the folder of a data set"),
        (lambda path: path.mkdir(), "is empty; give the folder of a data set"),
        (lambda path: path.write_bytes(b"x"), "a single file has no label"),
        (lambda path: touch(path, "notes.txt"), "the layout cannot be told"),
        (lambda path: touch(path, "test/youtube/1.jpg"), "no folder of fakes with an image in it"),
        (lambda path: touch(path, f"{FAKES}/A/c23/videos/0_1.mp4"), "no raw, c23 or c40"),
        (lambda path: touch(path, f"{FAKES}/a.txt", f"{REALS}/c23/videos/000.mp4"), "no method"),
    ],
)
def test_what_is_no_data_set_is_one_line(tmp_path, make, said):
    make(tmp_path / "root")
    with pytest.raises(DataMissing, match=said):
        discovery.describe(tmp_path / "root")


def test_an_unknown_layout_is_named(ffpp):
    with pytest.raises(ParamsInvalid, match="--layout tapes: no such layout; one of ffpp, faces"):
        discovery.describe(ffpp, layout="tapes")


def test_what_is_asked_for_and_absent_is_named_beside_what_there_is(ffpp, tmp_path_factory):
    with pytest.raises(DataMissing, match="has no method Nope; there is Deepfakes, FaceSwap"):
        discovery.describe(ffpp, methods=["Nope"])
    with pytest.raises(ParamsInvalid, match="--compression c99: no such one; there are raw, c23"):
        discovery.describe(ffpp, compression="c99")
    mixed = tmp_path_factory.mktemp("mixed")
    touch(mixed, "a.mp4", "b.mp4")
    with pytest.raises(DataMissing, match="no folder of fakes with a video in it"):
        discovery.describe(mixed, layout="folder")


def test_a_folder_that_cannot_be_listed_is_counted(tmp_path, monkeypatch):
    for place in ("real/a.mp4", "fake/b.mp4", "lost+found/c.mp4"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(b"x")
    scan = os.scandir

    def forbid(path):
        if Path(path).name == "lost+found":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbid)
    data = discovery.describe(tmp_path)
    found = discovery.passed_over(data, ["real/a.mp4", "fake/b.mp4"])
    assert found == {"folders that cannot be listed": 1}


def test_portraits_have_no_method_to_choose(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(ParamsInvalid, match="portraits has real faces alone"):
        discovery.describe(tmp_path, "portraits", methods=["A"])
