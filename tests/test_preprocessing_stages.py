"""list_videos, extract_frames and crop_faces as commands, from a data set's folder to crops."""

import contextlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import webdataset
import yaml
from test_faces import save

from litefake import crop_store, manifest
from tests.clips import draw_face, write_clip
from tests.portraits import PAIRS

REPOSITORY = Path(__file__).resolve().parent.parent
METHODS = ["Deepfakes", "FaceSwap"]
PARAMS: dict[str, dict[str, Any]] = {
    "dataset": {
        "root": "ffpp",
        "layout": "ffpp",
        "compression": "c23",
        "methods": METHODS,
    },
    "frames": {
        "real": {"spread": 3},
        "fake": {"spread": 2},
        "seed": 0,
        "format": "png",
        "quality": 95,
        "max_unreadable": 0.5,
    },
    "faces": {
        "scale_factor": 1.2,
        "min_neighbors": 5,
        "min_size": 0.15,
        "detection_width": 640,
        "margin": 0.3,
        "size": 48,
        "format": "png",
        "quality": 95,
    },
    "storage": {"faces": "files"},
    "pairs": PAIRS,
}


def write_params(folder: Path, **change: dict[str, Any]) -> None:
    values = {name: section | change.get(name, {}) for name, section in PARAMS.items()}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))


def run_stage(folder: Path, stage: str, workers: int = 1) -> None:
    """What ``python -m stages.NAME`` does in ``folder``, without a new interpreter."""
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITEFAKE_WORKERS", str(workers))
        patch.syspath_prepend(str(REPOSITORY))
        runpy.run_module(f"stages.{stage}", run_name="__main__")


def succeed(folder: Path, *stages: str) -> dict[str, Any]:
    """Run ``stages``; the metrics of the last."""
    for stage in stages:
        run_stage(folder, stage)
    metrics: dict[str, Any] = json.loads((folder / f"metrics/{stages[-1]}.json").read_text())
    return metrics


@pytest.fixture
def fail(capsys: pytest.CaptureFixture[str]) -> Callable[[Path, str], str]:
    """Run a stage that must fail; its one line."""

    def run(folder: Path, stage: str) -> str:
        with pytest.raises(SystemExit) as caught:
            run_stage(folder, stage)
        assert caught.value.code == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert line.startswith("error: ")
        return line

    return run


def face_clip(path: Path, frames: int = 12) -> Path:
    """A clip with a face that moves; 160 x 128 px."""
    face = draw_face(128, 160, 80)
    return write_clip(path, [np.roll(face, i % 5, axis=1) for i in range(frames)])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with two people, one null control, an unreadable and a truncated clip."""
    folder = tmp_path_factory.mktemp("project")
    root = folder / "ffpp"
    real = root / "original_sequences/youtube/c23/videos"
    for name in ("000", "003", "060"):
        face_clip(real / f"{name}.mp4")
    (root / "people.json").write_text('{"060": {"person": "003", "control": true}}')
    for method in METHODS:
        for name in ("000_003", "003_000"):
            face_clip(root / f"manipulated_sequences/{method}/c23/videos/{name}.mp4")
    (root / "manipulated_sequences/FaceSwap/c23/videos/003_000.mp4").write_bytes(b"text")
    cut = root / "manipulated_sequences/Deepfakes/c23/videos/003_000.mp4"
    cut.write_bytes(cut.read_bytes()[:-200])
    blank = np.full((128, 160, 3), 128, np.uint8)
    write_clip(real / "005.mp4", [blank] * 12)
    write_params(folder)
    return folder


def test_from_a_folder_to_crops(project):
    listed = succeed(project, "list_videos")
    assert listed["per_method"] == {"Deepfakes": 2, "FaceSwap": 2, "youtube": 4}
    assert listed["controls"] == 1

    extracted = succeed(project, "extract_frames")
    assert (extracted["videos"], extracted["frames"]) == (8, 4 * 3 + 2 * 2)
    assert list(extracted["unreadable_videos"]) == ["Deepfakes/003_000", "FaceSwap/003_000"]
    assert extracted["truncated_videos"] == ["Deepfakes/003_000"]

    cropped = succeed(project, "crop_faces")
    assert cropped["clips_without_face_names"] == ["youtube/005"]
    assert cropped["per_method"]["youtube"]["frames"] == 12
    assert cropped["per_method"]["youtube"]["faces"] == 9
    assert cropped["per_method"]["Deepfakes"]["share_lost"] == 0

    table = manifest.read_table(project / "data/faces/index.csv")
    assert list(table.columns) == [*manifest.IDENTITY, "frame", "seconds", "path", "x", "y", "side"]
    assert len(table) == cropped["faces"]
    assert all((project / "data/faces" / path).is_file() for path in table["path"])
    control = table[table["key"] == "youtube/060"]
    assert control["control"].all()
    assert set(control["person"]) == {"003"}
    sheets = sorted(path.stem for path in (project / "data/contact_sheets").iterdir())
    assert sheets == ["Deepfakes", "FaceSwap", "youtube"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_two_workers_write_the_same_bytes_as_one(project):
    succeed(project, "list_videos", "extract_frames", "crop_faces")
    alone = contents(project / "data") | contents(project / "metrics")
    for stage in ("extract_frames", "crop_faces"):
        run_stage(project, stage, workers=2)
    assert contents(project / "data") | contents(project / "metrics") == alone


def test_shards_hold_the_same_crops(project):
    succeed(project, "list_videos", "extract_frames", "crop_faces")
    folder = project / "data/faces"
    table, files = manifest.read_table(folder / "index.csv"), contents(folder)
    pictures = [crop_store.read(folder, path) for path in table["path"]]
    write_params(project, storage={"faces": "shards"})
    succeed(project, "crop_faces")
    write_params(project)
    assert sorted(contents(folder)) == ["000000.tar", "index.csv", "shards.csv"]
    assert contents(folder)["index.csv"] == files["index.csv"]
    assert all(
        np.array_equal(crop_store.read(folder, path), picture)
        for path, picture in zip(table["path"], pictures, strict=True)
    )
    samples = list(webdataset.WebDataset(str(folder / "000000.tar"), shardshuffle=False))
    assert [sample["png"] for sample in samples] == [files[path] for path in table["path"]]
    assert [json.loads(sample["json"])["path"] for sample in samples] == list(table["path"])


def test_a_second_run_leaves_no_frame_of_another_rule(project):
    write_params(project, frames={"real": {"spread": 1}, "fake": {"every": 6}})
    succeed(project, "list_videos", "extract_frames")
    write_params(project)
    frames = manifest.read_table(project / "data/frames/index.csv")
    on_disk = {
        str(p.relative_to(project / "data/frames")) for p in project.glob("data/frames/*/*/*")
    }
    assert on_disk == set(frames["path"])


def test_times_are_left_out_for_the_demo_alone(tmp_path):
    for root in ("data/videos", "ffpp"):
        for name in ("original_sequences/youtube", "manipulated_sequences/FaceSwap"):
            path = tmp_path / root / name / "c23/videos/000_001.mp4"
            path.parent.mkdir(parents=True)
            path.write_bytes(b"x")
        write_params(tmp_path, dataset={"root": root, "methods": ["FaceSwap"]})
        succeed(tmp_path, "list_videos")
        table = manifest.read_table(tmp_path / "data/manifest.csv")
        assert (table["mtime_ns"] == 0).all() == (root == "data/videos")


def test_layout_faces_skips_extraction_and_adopts_the_crops(tmp_path):
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for category in ("FaceSwap", "youtube"):
            for number in range(3):
                image = rng.integers(0, 256, (60, 60, 3), np.uint8)
                save(tmp_path / f"crops/{split}/{category}/roi_{number}.png", image)
    (tmp_path / "crops/train/youtube/roi_3.jpg").write_bytes(b"no image")
    write_params(tmp_path, dataset={"root": "crops", "layout": "faces", "methods": ["FaceSwap"]})

    skipped = succeed(tmp_path, "list_videos", "extract_frames")
    assert skipped == {"skipped": "layout faces: the data set holds images"}
    assert len(manifest.read_table(tmp_path / "data/frames/index.csv")) == 0
    cropped = succeed(tmp_path, "crop_faces")
    assert (cropped["frames"], cropped["faces"], cropped["unreadable"]) == (13, 12, 1)
    table = manifest.read_table(tmp_path / "data/faces/index.csv")
    assert table["given_split"].value_counts().to_dict() == {"train": 6, "test": 6}
    assert all((tmp_path / "data/faces" / path).is_file() for path in table["path"])


def test_a_failure_is_one_line_and_exit_code_2(tmp_path):
    write_params(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "stages.list_videos"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ffpp: no such folder; set dataset.root")
    assert done.stderr.count("\n") == 1


def test_bad_input_is_one_line(tmp_path, fail):
    write_params(tmp_path)
    assert "ffpp: no such folder; set dataset.root" in fail(tmp_path, "list_videos")
    assert "data/manifest.csv: not found" in fail(tmp_path, "extract_frames")
    assert "data/frames/index.csv: not found" in fail(tmp_path, "crop_faces")
    write_params(tmp_path, faces={"margn": 1})
    assert "params.yaml, faces.margn: is not a known key" in fail(tmp_path, "crop_faces")


def test_a_class_that_cannot_be_read_or_has_no_face_is_one_line(tmp_path, fail):
    blank = [np.full((128, 160, 3), 128, np.uint8)] * 4
    real = tmp_path / "ffpp/original_sequences/youtube/c23/videos/000.mp4"
    fake = tmp_path / "ffpp/manipulated_sequences/FaceSwap/c23/videos/000_001.mp4"
    face_clip(real, 4)
    fake.parent.mkdir(parents=True)
    fake.write_bytes(b"text")
    write_params(tmp_path, dataset={"methods": ["FaceSwap"]})
    succeed(tmp_path, "list_videos")
    assert "FaceSwap: all 1 clips unreadable" in fail(tmp_path, "extract_frames")
    write_clip(fake, blank)
    succeed(tmp_path, "list_videos", "extract_frames")
    assert "FaceSwap: no face in any frame" in fail(tmp_path, "crop_faces")


def test_the_frame_index_keeps_numbers_as_text(project):
    succeed(project, "list_videos", "extract_frames")
    table = manifest.read_table(project / "data/frames/index.csv")
    assert pd.api.types.is_string_dtype(table["target"])
    assert set(table["source"]) == {"", "003"}
    assert table["seconds"].is_monotonic_increasing is False
    assert table.groupby("key")["frame"].is_monotonic_increasing.all()
