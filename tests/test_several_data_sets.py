"""Two data sets in one run: from their folders to one split table, told apart in every file."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from test_preprocessing_stages import PARAMS, face_clip, run_stage, succeed

from litefake import manifest
from tests.clips import write_clip

SPLIT = {
    "protocol": "identity",
    "seed": 0,
    "val": 0.3,
    "test": 0.3,
    "real": 100,
    "per_method": 100,
}


def make(root: Path, people: int) -> None:
    for number in range(people):
        face_clip(root / "real" / f"{number:03}.mp4", 6)
        face_clip(root / "fake" / f"{number:03}_fake.mp4", 6)


def test_two_folders_become_one_split_with_a_last_column(tmp_path):
    make(tmp_path / "first", 4)
    make(tmp_path / "deeper" / "second", 4)
    blank = np.full((96, 160, 3), 128, np.uint8)
    write_clip(tmp_path / "first" / "real" / "blank.mp4", [blank] * 4)
    dataset = {"root": "first", "layout": "folder", "name": "mine"}
    dataset["also"] = [{"root": "deeper/second", "layout": "folder"}]
    values = PARAMS | {"dataset": dataset, "split": SPLIT}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))

    figures = succeed(tmp_path, "list_videos")
    assert figures["per_dataset"] == {
        "folder": {"fake": 4, "youtube": 4},
        "mine": {"fake": 4, "youtube": 5},
    }
    run_stage(tmp_path, "extract_frames")
    crops = succeed(tmp_path, "crop_faces")
    assert crops["clips_without_face_names"] == ["mine/youtube/blank"]
    figures = succeed(tmp_path, "split")
    assert figures["identities_shared"] == 0
    assert {name: sum(one.values()) for name, one in figures["per_dataset"].items()} == {
        "folder": 4 * (3 + 2),
        "mine": 4 * (3 + 2),
    }
    table = pd.read_csv(tmp_path / "data/split.csv", keep_default_na=False)
    assert set(table["dataset"]) == {"mine", "folder"}
    assert list(table["key"].str.split("/").str[0]) == list(table["dataset"])
    assert all((tmp_path / "data/faces" / path).is_file() for path in table["path"])
    columns = [*manifest.IDENTITY, "dataset", "frame", "seconds", "path", "x", "y", "side"]
    assert list(table.columns) == [*columns, "label", "split"]
