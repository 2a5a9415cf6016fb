"""A folder of portraits through the stages up to the split."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from test_faces import save
from test_preprocessing_stages import PARAMS, run_stage, succeed

from litefake import dataset, manifest
from litefake.errors import DataMissing
from tests.heads import rendered_head
from tests.portraits import PAIRS

PEOPLE = 8


def write_params(folder, **change):
    sections = PARAMS | {
        "dataset": PARAMS["dataset"]
        | {"root": "portraits", "layout": "portraits", "methods": ["SelfBlended"]},
        "faces": PARAMS["faces"] | {"detector": "blazeface", "detector_file": ""},
        "storage": {"faces": "files"},
        "pairs": PAIRS,
        "split": {
            "protocol": "identity",
            "seed": 0,
            "val": 0.25,
            "test": 0.25,
            "real": 1000,
            "per_method": 1000,
        },
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(sections | change))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Eight pictures of a rendered head in different light, one of nobody, one damaged."""
    folder = tmp_path_factory.mktemp("project")
    head = rendered_head().image
    for number in range(PEOPLE):
        lit = np.clip(head * (0.7 + 0.08 * number), 0, 255).astype(np.uint8)
        save(folder / "portraits" / ("north" if number % 2 else "south") / f"{number}.png", lit)
    save(folder / "portraits/wall.png", np.full((160, 160, 3), 120, np.uint8))
    (folder / "portraits/torn.jpg").write_bytes(b"not a picture")
    (folder / "portraits/README.md").write_text("of whom these are")
    write_params(folder)
    return folder


def test_from_a_folder_of_portraits_to_pairs(project):
    assert succeed(project, "list_videos")["per_method"] == {"youtube": PEOPLE + 2}
    assert succeed(project, "extract_frames") == {
        "skipped": "layout portraits: the data set holds images"
    }
    cropped = succeed(project, "crop_faces")
    assert cropped["faces"] == PEOPLE
    assert cropped["unreadable_images"] == ["torn.jpg"]
    assert cropped["clips_without_face_names"] == ["youtube/torn", "youtube/wall"]
    assert cropped["without_points"] == []

    split = succeed(project, "split")
    assert split["identities_shared"] == 0
    assert split["faces"] == PEOPLE * 2 * PAIRS["draws"]
    assert split["train"]["real"] == split["train"]["fake"] == 4 * PAIRS["draws"]

    recipe = json.loads((project / "data/faces/pairs.json").read_text())
    assert recipe == {"pairs": PAIRS, "margin": PARAMS["faces"]["margin"]}


def test_what_the_stages_wrote_can_be_read_as_pairs(project, network):
    faces = dataset.read_split(
        project / "data/faces", project / "data/split.csv", "train", network[1]
    )
    batch = next(iter(faces.in_order(100)))
    assert batch.images.shape == (16, 3, 32, 32)
    assert batch.labels.sum() == 8


def test_two_runs_write_the_same_bytes(project):
    before = (project / "data/faces/points.npz").read_bytes()
    run_stage(project, "crop_faces")
    assert (project / "data/faces/points.npz").read_bytes() == before


def params(root):
    return manifest.DatasetParams(
        root=str(root), layout="portraits", compression="c23", methods=["SelfBlended"]
    )


def test_a_file_is_a_person(project):
    table = manifest.list_videos(params(project / "portraits"))
    assert set(table["person"]) >= {"north/1", "south/0", "wall", "torn"}
    assert (table["method"] == "youtube").all()
    assert table["key"].is_unique


def test_a_folder_without_pictures_says_how_to_get_some(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataMissing, match="no image; `make portraits` brings some"):
        manifest.list_videos(params(tmp_path))


def test_the_split_table_keeps_the_same_people_whatever_the_draws(project):
    before = pd.read_csv(project / "data/split.csv", dtype=str)
    write_params(project, pairs=PAIRS | {"draws": 1})
    succeed(project, "split")
    after = pd.read_csv(project / "data/split.csv", dtype=str)
    assert dict(zip(after["person"], after["split"], strict=True)) == dict(
        zip(before["person"], before["split"], strict=True)
    )
    write_params(project)
    succeed(project, "split")
