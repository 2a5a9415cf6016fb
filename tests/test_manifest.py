"""What is listed, in which order, and the line that says what is missing."""

import json
from pathlib import Path

import pytest

from litefake import manifest, params
from litefake.artifacts import write_csv
from litefake.errors import DataMissing, ParamsInvalid

FAKES = ["Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"]


def dataset(root: Path, **change: object) -> manifest.DatasetParams:
    values = {
        "root": str(root),
        "layout": "ffpp",
        "compression": "c23",
        "methods": FAKES,
    }
    return params.validate("dataset", values | change, manifest.DatasetParams)


def touch(path: Path, content: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make_ffpp(root: Path, compression: str = "c23") -> Path:
    for name in ("000", "003"):
        touch(root / f"original_sequences/youtube/{compression}/videos/{name}.mp4")
    for method in FAKES:
        for name in ("000_003", "003_000"):
            touch(root / f"manipulated_sequences/{method}/{compression}/videos/{name}.mp4", b"yy")
    return root


def make_faces(root: Path, splits: tuple[str, ...] = ("train", "test")) -> Path:
    for split in splits:
        for category in (*FAKES, "youtube"):
            for name in ("roi_10.jpg", "roi_2.PNG", "roi_1.jpeg", "notes.txt", ".hidden.jpg"):
                touch(root / split / category / name)
    return root


@pytest.fixture
def ffpp(tmp_path: Path) -> Path:
    return make_ffpp(tmp_path / "ffpp")


def test_four_methods_of_one_pair_are_four_rows(ffpp):
    table = manifest.list_videos(dataset(ffpp))
    assert list(table.columns) == list(manifest.COLUMNS)
    assert len(table) == 10
    assert table["key"].is_unique
    pair = table[(table["target"] == "000") & (table["source"] == "003")]
    assert list(pair["key"]) == [f"{method}/000_003" for method in FAKES]


def test_identity_of_real_and_fake_clips(ffpp):
    rows = manifest.list_videos(dataset(ffpp)).set_index("key")
    real, fake = rows.loc["youtube/000"], rows.loc["Deepfakes/003_000"]
    assert (real.method, real.target, real.source, real.person) == ("youtube", "000", "", "000")
    assert (fake.target, fake.source) == ("003", "000")
    assert (fake.person, fake.source_person) == ("003", "000")
    assert real.source_person == ""
    assert fake.path == "manipulated_sequences/Deepfakes/c23/videos/003_000.mp4"
    assert fake.bytes == 2
    assert fake.mtime_ns == (ffpp / fake.path).stat().st_mtime_ns
    assert not rows["control"].any()
    assert set(rows["given_split"]) == {""}


def test_the_sidecar_names_persons_and_controls(ffpp):
    touch(ffpp / "original_sequences/youtube/c23/videos/060.mp4")
    people = {"060": {"person": "000", "control": True}, "003": {"person": "007"}}
    (ffpp / "people.json").write_text(json.dumps(people))
    rows = manifest.list_videos(dataset(ffpp)).set_index("key")
    assert list(rows.index[rows["control"]]) == ["youtube/060"]
    assert rows.loc["youtube/060", "person"] == "000"
    assert rows.loc["FaceSwap/000_003", "source_person"] == "007"
    assert rows.loc["FaceSwap/003_000", "person"] == "007"


@pytest.mark.parametrize("text", ["[]", "{", '{"060": "000"}', '{"060": {"control": true}}'])
def test_an_ill_formed_sidecar_is_one_line(ffpp, text):
    (ffpp / "people.json").write_text(text)
    with pytest.raises(DataMissing, match=r"people\.json: must be a mapping"):
        manifest.list_videos(dataset(ffpp))


def test_order_does_not_depend_on_the_order_of_params(ffpp):
    forward = manifest.list_videos(dataset(ffpp))
    backward = manifest.list_videos(dataset(ffpp, methods=FAKES[::-1]))
    assert forward.equals(backward)


def test_a_method_that_is_not_named_may_be_missing(ffpp):
    table = manifest.list_videos(dataset(ffpp, methods=["FaceSwap"]))
    assert set(table["method"]) == {"FaceSwap", "youtube"}


def test_deepfakedetection_names_carry_a_scene(ffpp):
    name = "01_02__walking_outside__ABCDEFGH.mp4"
    touch(ffpp / f"manipulated_sequences/DeepFakeDetection/c23/videos/{name}")
    table = manifest.list_videos(dataset(ffpp, methods=["DeepFakeDetection"]))
    assert (table["target"][0], table["source"][0]) == ("01", "02")


def remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


@pytest.mark.parametrize(
    ("emptied", "line"),
    [
        (".", "ffpp: is empty; set dataset.root"),
        ("manipulated_sequences/FaceSwap", r"FaceSwap/c23/videos: no \.mp4 file"),
        ("manipulated_sequences", r"Deepfakes/c23/videos: no \.mp4 file"),
        ("original_sequences", r"youtube/c23/videos: no \.mp4 file"),
    ],
)
def test_what_is_missing_is_named(ffpp, emptied, line):
    remove(ffpp / emptied)
    with pytest.raises(DataMissing, match=line) as caught:
        manifest.list_videos(dataset(ffpp))
    assert "\n" not in str(caught.value)


def test_a_missing_root_and_a_foreign_folder_are_told_apart(tmp_path):
    with pytest.raises(DataMissing, match=r"nowhere: no such folder; set dataset\.root"):
        manifest.list_videos(dataset(tmp_path / "nowhere"))
    touch(tmp_path / "holiday.mp4")
    with pytest.raises(DataMissing, match=r"no FaceForensics\+\+ layout"):
        manifest.list_videos(dataset(tmp_path))


def test_another_compression_is_hinted_at(tmp_path):
    root = make_ffpp(tmp_path / "ffpp", "c40")
    with pytest.raises(DataMissing, match=r"there is c40.*dataset\.compression"):
        manifest.list_videos(dataset(root))


def test_a_fake_without_a_source_is_refused(ffpp):
    touch(ffpp / "manipulated_sequences/FaceSwap/c23/videos/000.mp4")
    with pytest.raises(DataMissing, match=r"000\.mp4: not named <target>_<source>\.mp4"):
        manifest.list_videos(dataset(ffpp))


@pytest.mark.parametrize(
    "methods", [[], ["youtube"], ["FaceSwap", "FaceSwap"], ["../x"], "FaceSwap"]
)
def test_wrong_methods_are_one_line(tmp_path, methods):
    with pytest.raises(ParamsInvalid, match=r"params\.yaml, dataset\.methods"):
        dataset(tmp_path, methods=methods)


def test_faces_are_listed_per_split_in_natural_order(tmp_path):
    table = manifest.list_videos(dataset(make_faces(tmp_path / "faces"), layout="faces"))
    assert len(table) == 2 * 5 * 3
    assert list(dict.fromkeys(table["given_split"])) == ["train", "test"]
    youtube = table[(table["given_split"] == "train") & (table["method"] == "youtube")]
    assert [Path(path).name for path in youtube["path"]] == [
        "roi_1.jpeg",
        "roi_2.PNG",
        "roi_10.jpg",
    ]
    assert youtube["key"].iloc[0] == "youtube/train/roi_1"
    assert set(table["person"]) == set(table["target"]) == {""}


def test_faces_keep_a_given_validation_split(tmp_path):
    root = make_faces(tmp_path / "faces", ("train", "val", "test"))
    table = manifest.list_videos(dataset(root, layout="faces"))
    assert list(dict.fromkeys(table["given_split"])) == ["train", "val", "test"]


@pytest.mark.parametrize(
    ("emptied", "line"),
    [("test", "test/youtube: no image"), ("train/FaceSwap", "train/FaceSwap: no image")],
)
def test_faces_that_are_missing_are_named(tmp_path, emptied, line):
    root = make_faces(tmp_path / "faces")
    remove(root / emptied)
    with pytest.raises(DataMissing, match=line):
        manifest.list_videos(dataset(root, layout="faces"))


def test_faces_without_any_part_are_one_line(tmp_path):
    touch(tmp_path / "faces" / "A" / "1.png")
    with pytest.raises(DataMissing, match="test: no such folder; layout faces needs train and"):
        manifest.list_videos(dataset(tmp_path / "faces", layout="faces"))


def test_two_images_of_one_name_are_refused(tmp_path):
    root = make_faces(tmp_path / "faces")
    touch(root / "train/youtube/roi_1.png")
    both = r"roi_1\.\w+ and train/youtube/roi_1\.\w+ have one name; rename or remove one"
    with pytest.raises(DataMissing, match=both):
        manifest.list_videos(dataset(root, layout="faces"))


@pytest.mark.parametrize(("layout", "make"), [("ffpp", make_ffpp), ("faces", make_faces)])
def test_a_table_survives_the_round_trip(tmp_path, layout, make):
    table = manifest.list_videos(dataset(make(tmp_path / "data"), layout=layout))
    write_csv(tmp_path / "manifest.csv", table)
    assert manifest.read_table(tmp_path / "manifest.csv").equals(table)


def test_an_absent_table_names_the_file(tmp_path):
    with pytest.raises(DataMissing, match=r"manifest\.csv: not found"):
        manifest.read_table(tmp_path / "manifest.csv")
