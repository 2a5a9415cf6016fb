"""Each data set's own files and lists, with their oddities, and several of them at once."""

import json
import os
import shutil
from pathlib import Path

import pytest

from litefake import manifest, params
from litefake.artifacts import write_csv
from litefake.errors import DataMissing, ParamsInvalid
from litefake.layouts import celebdf, dfdc, faces, ffpp, portraits
from litefake.layouts.guess import layout_of
from litefake.layouts.rows import VIDEO_SUFFIXES, read_people, row


def dataset(root: Path, layout: str, **more: object) -> manifest.DatasetParams:
    values = {"root": str(root), "layout": layout} | more
    return params.validate("dataset", values, manifest.DatasetParams)


def listing(root: Path, layout: str, **more: object):
    return manifest.list_videos(dataset(root, layout, **more)).set_index("key")


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def make_celebdf(root: Path) -> Path:
    touch(root, "Celeb-real/id0_0000.mp4", "Celeb-real/id1_0000.mp4", "YouTube-real/00170.mp4")
    touch(root, "Celeb-synthesis/id0_id1_0000.mp4", "Celeb-synthesis/id1_id0_0000.mp4")
    lines = "1 YouTube-real/00170.mp4\r\n0 Celeb-synthesis/id0_id1_0000.mp4\r\n\r\n"
    (root / "List_of_testing_videos.txt").write_bytes(lines.encode())
    return root


def make_dfdc(root: Path) -> Path:
    for part, names in (("dfdc_train_part_0", "ab"), ("dfdc_train_part_1", "cd")):
        real, fake = (f"{name}{name}.mp4" for name in names)
        touch(root / part, real, fake)
        entries = {
            real: {"label": "REAL", "split": "train"},
            fake: {"label": "FAKE", "split": "train", "original": real},
        }
        (root / part / "metadata.json").write_text(json.dumps(entries))
    return root


def make_ffpp(root: Path, *levels: str) -> Path:
    for level in levels:
        touch(root / f"original_sequences/youtube/{level}/videos", "000.mp4", "003.mp4")
        touch(root / f"manipulated_sequences/FaceSwap/{level}/videos", "000_003.mp4")
    return root


def test_celebdf_people_and_the_list_in_which_1_is_real(tmp_path):
    rows = listing(make_celebdf(tmp_path), "celebdf")
    fake = rows.loc["Celeb-synthesis/id0_id1_0000"]
    assert (fake.target, fake.source) == ("id0_0000", "id1")
    assert (fake.person, fake.source_person) == ("id0", "id1")
    assert rows.loc["youtube/Celeb-real/id0_0000", "person"] == "id0"
    assert rows.loc["youtube/YouTube-real/00170", "person"] == "youtube_00170"
    assert dict(rows["given_split"]) == {
        "Celeb-synthesis/id0_id1_0000": "test",
        "Celeb-synthesis/id1_id0_0000": "train",
        "youtube/Celeb-real/id0_0000": "train",
        "youtube/Celeb-real/id1_0000": "train",
        "youtube/YouTube-real/00170": "test",
    }
    assert set(rows["method"]) == {"Celeb-synthesis", "youtube"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "0 Celeb-real/id0_0000.mp4",
            "line 1: label 0 for Celeb-real.*here|in this list 1 is real",
        ),
        ("1 Celeb-synthesis/id0_id1_0000.mp4", "in this list 1 is real"),
        ("Celeb-real/id0_0000.mp4", "line 1: must be such as"),
        ("1 ../id0_0000.mp4", "line 1: must be such as"),
    ],
)
def test_a_celebdf_list_that_contradicts_its_folders_is_refused(tmp_path, line, reason):
    (make_celebdf(tmp_path) / "List_of_testing_videos.txt").write_text(line)
    with pytest.raises(DataMissing, match=reason):
        listing(tmp_path, "celebdf")


def test_celebdf_without_its_list_or_with_a_foreign_name(tmp_path):
    (make_celebdf(tmp_path) / "List_of_testing_videos.txt").unlink()
    assert set(listing(tmp_path, "celebdf")["given_split"]) == {""}
    touch(tmp_path, "Celeb-synthesis/clip.mp4")
    with pytest.raises(DataMissing, match=r"clip\.mp4: not named like id0_id1_0000"):
        listing(tmp_path, "celebdf")


def test_dfdc_labels_originals_and_splits(tmp_path):
    rows = listing(make_dfdc(tmp_path), "dfdc")
    assert list(rows.index) == [
        "youtube/dfdc_train_part_0/aa",
        "DFDC/dfdc_train_part_0/bb",
        "youtube/dfdc_train_part_1/cc",
        "DFDC/dfdc_train_part_1/dd",
    ]
    assert list(rows["person"]) == ["aa", "aa", "cc", "cc"]
    assert set(rows["source_person"]) == {""}
    assert set(rows["given_split"]) == {"train"}


def test_dfdc_test_part_says_is_fake_and_nan_is_no_original(tmp_path):
    touch(tmp_path / "test", "aa.mp4", "bb.mp4")
    text = (
        '{"aa.mp4": {"is_fake": 0, "augmentations": {}}, "bb.mp4": {"is_fake": 1, "original": NaN}}'
    )
    (tmp_path / "test/metadata.json").write_text(text)
    rows = listing(tmp_path, "dfdc")
    assert dict(rows["given_split"]) == {"youtube/test/aa": "test", "DFDC/test/bb": "test"}
    assert rows.loc["DFDC/test/bb", "person"] == "bb"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"aa.mp4": {"label": "REAL"}}', r"bb\.mp4: metadata\.json gives it no label"),
        ('{"aa.mp4": {"label": "real"}}', r"metadata\.json: must be a mapping such as"),
        ("[]", r"metadata\.json: must be a mapping such as"),
    ],
)
def test_a_dfdc_clip_without_a_label_is_refused(tmp_path, text, reason):
    (make_dfdc(tmp_path) / "dfdc_train_part_0/metadata.json").write_text(text)
    with pytest.raises(DataMissing, match=reason):
        listing(tmp_path, "dfdc")


def test_a_folder_ties_fakes_to_the_real_clips_that_they_are_named_after(tmp_path):
    touch(tmp_path, "real/000.mp4", "real/003.mp4", "real/anna 1.MOV")
    touch(tmp_path, "fake/000_003.mp4", "fake/other.mp4", "fake/gan/anna 1-fake.mp4")
    rows = listing(tmp_path, "folder")
    pair = rows.loc["fake/000_003"]
    assert (pair.person, pair.source_person) == ("000", "003")
    assert rows.loc["gan/anna 1-fake", "person"] == "anna 1"
    assert rows.loc["fake/other", "person"] == "other"
    assert set(rows["method"]) == {"fake", "gan", "youtube"}
    (tmp_path / "people.json").write_text('{"other": {"person": "000"}}')
    assert listing(tmp_path, "folder", methods=["fake"]).loc["fake/other", "person"] == "000"
    with pytest.raises(DataMissing, match=r"fake/swap: no video"):
        listing(tmp_path, "folder", methods=["swap"])


@pytest.mark.parametrize("methods", [None, ["fake"]])
@pytest.mark.parametrize("name", ["fake", "youtube"])
def test_a_folder_of_fakes_cannot_have_a_name_with_another_meaning(tmp_path, name, methods):
    touch(tmp_path, "real/000.mp4", "fake/000_003.mp4", f"fake/{name}/001_000.mp4")
    with pytest.raises(DataMissing, match=rf"fake/{name}: {name} is what .* called; rename the"):
        listing(tmp_path, "folder", methods=methods)


def test_a_suffix_in_capitals_is_a_clip_of_faceforensics_too(tmp_path):
    touch(tmp_path, "original_sequences/youtube/c23/videos/000.MP4")
    touch(tmp_path, "original_sequences/youtube/c23/videos/001.mp4")
    touch(tmp_path, "manipulated_sequences/Deepfakes/c23/videos/000_001.Mp4")
    found = listing(tmp_path, "ffpp", methods=["Deepfakes"], compression="c23")
    assert set(found.index) == {"youtube/000", "youtube/001", "Deepfakes/000_001"}


def test_a_link_to_nothing_is_one_line(tmp_path):
    touch(tmp_path, "real/000.mp4", "fake/000_003.mp4")
    (tmp_path / "real/001.mp4").symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(DataMissing, match=r"real/001\.mp4: a link to nothing, or removed"):
        listing(tmp_path, "folder")


def test_a_pipe_is_one_line_and_not_waited_for(tmp_path):
    touch(tmp_path, "real/000.mp4", "fake/000_003.mp4")
    os.mkfifo(tmp_path / "real/001.mp4")
    with pytest.raises(DataMissing, match=r"real/001\.mp4: is no regular file; rename or remove"):
        listing(tmp_path, "folder")


def test_linked_folders_are_searched_once(tmp_path):
    touch(tmp_path, "in/a/x.jpg", "elsewhere/deep/y.jpg")
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "in")
    found = [row["path"] for row in portraits.rows(tmp_path / "in")]
    assert found == ["a/x.jpg", "again/deep/y.jpg"]


def test_a_name_that_is_no_text_is_one_line(tmp_path):
    touch(tmp_path, "real/000.mp4", "fake/000_003.mp4")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/real/\xff.mp4")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(DataMissing, match=r"udcff\.mp4'?: its name is no text in UTF-8; rename it"):
        listing(tmp_path, "folder")


def test_a_clip_is_one_in_every_container_that_detect_takes(tmp_path):
    names = [f"real/{number}{suffix}" for number, suffix in enumerate(sorted(VIDEO_SUFFIXES))]
    touch(tmp_path, *names, "fake/0_x.webm", "real/.hidden.mp4")
    assert set(listing(tmp_path, "folder")["path"]) == {*names, "fake/0_x.webm"}


def test_hidden_portraits_are_no_people(tmp_path):
    touch(tmp_path, "a/x.jpg", ".thumbs/x.jpg", "a/.y.jpg")
    assert [row["path"] for row in portraits.rows(tmp_path)] == ["a/x.jpg"]


def test_several_compressions_are_several_data_sets_of_the_same_people(tmp_path):
    make_ffpp(tmp_path, "c23", "c40")
    levels = {"compression": ["c23", "c40"], "methods": ["FaceSwap"]}
    rows = listing(tmp_path, "ffpp", **levels)
    assert list(dict.fromkeys(rows["dataset"])) == ["ffpp_c23", "ffpp_c40"]
    assert rows.loc["ffpp_c40/FaceSwap/000_003", "person"] == "ffpp:000"
    assert rows.loc["ffpp_c23/FaceSwap/000_003", "person"] == "ffpp:000"
    assert "dataset" not in listing(tmp_path, "ffpp", compression=["c40"], methods=["FaceSwap"])


def test_several_data_sets_share_neither_keys_nor_people_and_their_files_are_found(tmp_path):
    make_ffpp(tmp_path / "FF++", "c23")
    touch(tmp_path / "own", "real/000.mp4", "fake/000.mp4")
    more = {"compression": "c23", "methods": ["FaceSwap"]}
    p = dataset(
        tmp_path / "FF++",
        "ffpp",
        **more,
        also=[{"root": str(tmp_path / "own"), "layout": "folder"}],
    )
    table = manifest.list_videos(p)
    assert list(table.columns) == [*manifest.COLUMNS, "dataset"]
    people = table.set_index("key")["person"]
    assert people["ffpp/youtube/000"] == "ffpp:000"
    assert people["folder/youtube/000"] == "folder:000"
    assert manifest.base(p) == tmp_path.resolve()
    assert all((manifest.base(p) / path).is_file() for path in table["path"])
    assert not any(Path(path).is_absolute() or ".." in path for path in table["path"])
    assert manifest.summary(table)["per_dataset"]["folder"] == {"fake": 1, "youtube": 1}
    write_csv(tmp_path / "manifest.csv", table)
    assert manifest.read_table(tmp_path / "manifest.csv").equals(table)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"layout": "ffpp", "methods": ["FaceSwap"]}, "layout ffpp needs compression"),
        ({"layout": "ffpp", "compression": "c23"}, "layout ffpp needs methods"),
        ({"layout": "celebdf", "methods": ["FaceSwap"]}, "has the method Celeb-synthesis alone"),
        ({"layout": "folder", "also": [{"root": "b", "layout": "folder"}]}, "have one name"),
        ({"layout": "folder", "also": [{"root": "b", "layout": "portraits"}]}, "cannot be used"),
        (
            {"layout": "folder", "also": [{"root": "b", "layout": "faces", "methods": ["x"]}]},
            "videos and of ready crops cannot",
        ),
    ],
)
def test_what_does_not_fit_together_is_one_line(values, reason):
    with pytest.raises(ParamsInvalid, match=reason):
        params.validate("dataset", {"root": "a"} | values, manifest.DatasetParams)


@pytest.mark.parametrize(
    ("make", "layout"),
    [
        (lambda root: make_ffpp(root, "c40"), "ffpp"),
        (make_celebdf, "celebdf"),
        (make_dfdc, "dfdc"),
        (lambda root: touch(root, "real/a.mp4", "fake/gan/a.mp4"), "folder"),
        (lambda root: touch(root, "train/youtube/a.png", "test/youtube/a.png"), "faces"),
    ],
)
def test_a_layout_is_told_by_its_folders(tmp_path, make, layout):
    assert layout_of(make(tmp_path)) == layout


def test_an_unknown_layout_is_one_line(tmp_path):
    with pytest.raises(DataMissing, match=r"the layout cannot be told \(ffpp, celebdf"):
        layout_of(touch(tmp_path, "holiday.mp4"))
    with pytest.raises(DataMissing, match="no such folder"):
        layout_of(tmp_path / "nowhere")


def test_sequences_of_one_youtube_video(tmp_path):
    (tmp_path / "conversion_dict.json").write_text('{"331": "R03S ko 0", "332": "R03S ko 1"}')
    assert ffpp.read_sources(tmp_path) == {"331": "R03S ko", "332": "R03S ko"}
    assert ffpp.read_sources(tmp_path / "nowhere") == {}


def write_splits(root: Path, **change: object) -> Path:
    lists = {"train": [["000", "003"]], "val": [["001", "002"]], "test": [["004", "005"]]} | change
    for name, pairs in lists.items():
        (root / "splits").mkdir(exist_ok=True)
        (root / "splits" / f"{name}.json").write_text(json.dumps(pairs))
    return root


def test_official_splits_map_persons(tmp_path):
    people = ffpp.official_splits(write_splits(tmp_path))
    assert people == {
        "000": "train",
        "003": "train",
        "001": "val",
        "002": "val",
        "004": "test",
        "005": "test",
    }


@pytest.mark.parametrize("pairs", [{"a": "b"}, [["000"]], [[0, 3]], ["000", "003"], "x"])
def test_an_ill_formed_list_of_pairs_is_named(tmp_path, pairs):
    with pytest.raises(DataMissing, match=r"val\.json: must be a list of pairs"):
        ffpp.official_splits(write_splits(tmp_path, val=pairs))


def test_a_person_in_two_lists_is_refused(tmp_path):
    with pytest.raises(DataMissing, match=r"test\.json: 003 is also in train\.json"):
        ffpp.official_splits(write_splits(tmp_path, test=[["003", "009"]]))


def test_absent_lists_are_named(tmp_path):
    with pytest.raises(DataMissing, match=r"train\.json: not found"):
        ffpp.official_splits(tmp_path)


def test_crops_of_a_method_may_lie_in_test_alone(tmp_path):
    for place in ("train/youtube", "train/A", "test/youtube", "test/A", "test/New"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "1.png").write_bytes(b"x")
    rows = faces.rows(tmp_path, ["A", "New"])
    assert [row["given_split"] for row in rows if row["method"] == "New"] == ["test"]
    (tmp_path / "train" / "New").mkdir()
    with pytest.raises(DataMissing, match="train/New: no image"):  # meant, and forgotten
        faces.rows(tmp_path, ["A", "New"])
    with pytest.raises(DataMissing, match=r"train/Gone: no image; add some, or leave .* --method"):
        faces.rows(tmp_path, ["Gone"])
    shutil.rmtree(tmp_path / "train")  # to be measured on, a test part is enough
    assert len(faces.rows(tmp_path, ["A", "New"])) == 3
    (tmp_path / "test" / "youtube").rename(tmp_path / "test" / "real")
    with pytest.raises(DataMissing, match=r"youtube: no image; real faces must .*real class is"):
        faces.rows(tmp_path, ["A"])


def test_what_was_thrown_away_is_no_part_of_dfdc(tmp_path):
    trash = tmp_path / ".Trash-0" / "files"
    trash.mkdir(parents=True)
    (trash / "metadata.json").write_text('{"a.mp4": {"label": "REAL"}}')
    assert not dfdc.fits(tmp_path)
    with pytest.raises(DataMissing, match="no metadata"):
        dfdc.rows(tmp_path)


def test_an_empty_list_of_celebdf_is_no_list_of_all(tmp_path):
    (tmp_path / celebdf.LIST).write_text("\n")
    with pytest.raises(DataMissing, match="names no clip; restore the official file or remove it"):
        celebdf.read_test_list(tmp_path)


@pytest.mark.parametrize(
    ("target", "said"), [("a.mp4", "symbolic links"), ("b.mp4/z", "Not a directory")]
)
def test_a_link_that_leads_nowhere_is_named(tmp_path, target, said):
    (tmp_path / "b.mp4").write_bytes(b"x")
    (tmp_path / "a.mp4").symlink_to(target)
    with pytest.raises(DataMissing, match=f"a.mp4: .*{said}"):
        row(tmp_path, tmp_path / "a.mp4", "a", "youtube")


def test_a_name_that_would_end_a_row_of_a_table_is_refused(tmp_path):
    path = tmp_path / "x\ry.png"
    path.write_bytes(b"x")
    with pytest.raises(DataMissing, match="has a carriage return; rename it"):
        row(tmp_path, path, "a", "youtube")


def test_lists_nested_without_end_are_refused_in_one_line(tmp_path):
    (tmp_path / "people.json").write_text("[" * 100_000)
    with pytest.raises(DataMissing, match="people.json: must be a mapping"):
        read_people(tmp_path / "people.json")
