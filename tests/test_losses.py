"""Nothing is lost unsaid: unreadable clips, a full disk, odd paths, a clip that disappears."""

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_preprocessing_stages import REPOSITORY, face_clip, succeed, write_params

from litefake import extraction, models, video
from litefake.checkpoints import Run
from litefake.errors import LitefakeError, VideoUnreadable
from litefake.storage import writing
from tests.conftest import new_model
from tests.test_video import extract, sampling

READ_ONLY = Path("/sys/kernel")  # permissions alone do not stop the root user
REAL, FAKE = "original_sequences/youtube", "manipulated_sequences/FaceSwap"


def data_set(root: Path) -> Path:
    for folder, name in ((REAL, "000"), (FAKE, "000_003")):
        face_clip(root / folder / f"c23/videos/{name}.mp4")
    return root / FAKE / "c23/videos/000_003.mp4"


def lost(count: int, of: int) -> list[extraction.Extraction]:
    return [
        extraction.Extraction(f"youtube/{n}", "youtube", error=f"{n}.mp4: bad" if n < count else "")
        for n in range(of)
    ]


def test_as_many_lost_clips_as_allowed_pass():
    extraction.check_losses(lost(1, 20), sampling())
    extraction.check_losses(lost(20, 20), sampling(max_unreadable=1.0))
    extraction.check_losses(lost(0, 3), sampling(max_unreadable=0.0))


def test_more_lost_clips_are_one_line_that_names_them():
    with pytest.raises(VideoUnreadable) as caught:
        extraction.check_losses(lost(2, 20), sampling())
    line = str(caught.value)
    assert line.startswith("youtube: 2 of 20 clips lost, frames.max_unreadable")
    assert line.endswith("0.mp4: bad; 1.mp4: bad")
    with pytest.raises(VideoUnreadable, match="19.mp4: bad; and 5 more$"):
        extraction.check_losses(lost(25, 100), sampling())


def test_the_share_is_of_each_class_not_of_all():
    few = [*lost(1, 2), *(extraction.Extraction(f"Fake/{n}", "Fake") for n in range(98))]
    with pytest.raises(VideoUnreadable, match="youtube: 1 of 2"):
        extraction.check_losses(few, sampling())


def stage(
    folder: Path, limit: int | None = None, name: str = "extract_frames"
) -> subprocess.CompletedProcess[str]:
    """Run stage ``name``; no file may grow beyond ``limit`` bytes."""
    modules = f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"
    return subprocess.run(
        [sys.executable, "-m", f"stages.{name}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": modules, "LITEFAKE_WORKERS": "1"},
        capture_output=True,
        text=True,
        preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))),
    )


def test_the_stage_fails_when_too_many_clips_are_lost_and_keeps_their_names(tmp_path):
    fake = data_set(tmp_path / "ffpp")
    fake.with_name("003_000.mp4").write_bytes(b"text")
    change = {"dataset": {"methods": ["FaceSwap"]}}
    write_params(tmp_path, frames={"max_unreadable": 0.4}, **change)
    succeed(tmp_path, "list_videos")
    done = stage(tmp_path)
    assert done.returncode == 2
    assert "error: FaceSwap: 1 of 2 clips lost" in done.stderr.splitlines()[-1]
    assert "003_000.mp4: cannot be opened" in done.stderr.splitlines()[-1]
    named = json.loads((tmp_path / "metrics/extract_frames.json").read_text())
    assert list(named["unreadable_videos"]) == ["FaceSwap/003_000"]
    assert not (tmp_path / "data/frames/index.csv").exists()


def test_a_full_disk_is_one_line(tmp_path):
    data_set(tmp_path / "ffpp")
    write_params(tmp_path, dataset={"methods": ["FaceSwap"]})
    succeed(tmp_path, "list_videos")
    done = stage(tmp_path, limit=1000)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith(("error: data/.frames.part/", "error: [Errno 27]"))
    assert "the disk is full or the folder not writable" in line


@pytest.mark.skipif(not READ_ONLY.is_dir(), reason="no folder that root cannot write")
@pytest.mark.parametrize("name", ["list_videos", "extract_frames", "crop_faces", "train_b0"])
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, name):
    (tmp_path / "checkpoints").symlink_to(READ_ONLY)
    done = stage(tmp_path, name=name)
    assert done.returncode == 2, done.stderr
    assert f"{name}.lock'; the disk is full or the folder not writable" in done.stderr


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_failure_to_write_is_one_line_with_the_file(number):
    with pytest.raises(LitefakeError, match=r"data/a\.png'; the disk is full or"), writing():
        raise OSError(number, os.strerror(number), "data/a.png")


def test_weights_and_states_that_do_not_fit_on_the_disk_are_one_line(crop, tmp_path):
    """The libraries' own writers raise errors that are none of the system's."""
    state, run = {"weights": torch.zeros(5000)}, Run("stage", 0, {}, [], tmp_path)
    model, card = new_model(crop)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(LitefakeError, match="the disk is full"), writing():
            run.save("fit", state)
        with pytest.raises(LitefakeError, match="the disk is full"), writing():
            models.save(model, card, tmp_path / "model.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert not list(tmp_path.rglob("*.pt")) + list(tmp_path.glob("*.safetensors"))


def test_another_failure_of_the_system_keeps_its_traceback():
    with pytest.raises(FileNotFoundError), writing():
        Path("none").read_bytes()


def test_a_path_with_spaces_and_other_alphabets_is_read_and_written(tmp_path):
    folder = tmp_path / "mein Projekt \u00e9\u4e2d\u6587"
    data_set(folder / "Daten satz \u0416")
    change = {"root": "Daten satz \u0416", "methods": ["FaceSwap"]}
    write_params(folder, dataset=change)
    assert succeed(folder, "list_videos", "extract_frames")["frames"] == 5
    assert succeed(folder, "crop_faces")["faces"] == 5


def test_a_clip_that_disappears_before_it_is_read_is_named(tmp_path):
    fake = data_set(tmp_path / "ffpp")
    write_params(tmp_path, dataset={"methods": ["FaceSwap"]})
    succeed(tmp_path, "list_videos")
    fake.unlink()
    done = stage(tmp_path)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert "FaceSwap: all 1 clips unreadable" in line
    assert "000_003.mp4: cannot be opened as a video: No such file" in line


def test_a_clip_that_disappears_between_two_passes_leaves_no_frame(tmp_path, monkeypatch):
    clip = face_clip(tmp_path / "clip.mp4")
    count = video.count_packets(clip)
    monkeypatch.setattr(extraction, "count_packets", lambda path: count + 1)
    real = extraction.read_frames

    def vanishing(path, wanted, health):
        yield from real(path, wanted, health)
        Path(path).unlink(missing_ok=True)

    monkeypatch.setattr(extraction, "read_frames", vanishing)
    result = extract(clip, tmp_path / "frames", sampling(real={"spread": 4}))
    assert "clip.mp4: cannot be opened" in result.error
    assert result.rows == []
    assert not list((tmp_path / "frames").rglob("*.png"))
