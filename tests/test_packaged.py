"""The model in the package is the pipeline's, and works without a word about it."""

import hashlib
import subprocess

import pytest

from litefake import networks, report, shipped
from litefake.errors import LitefakeError
from tests.clips import draw_face, write_clip
from tools import package_model


def test_the_packaged_model_is_the_one_in_the_lock():
    """When it is not: ``make packaged``.

    The committed lock: a run on another kind of CPU makes a lock with other hashes.
    """
    committed = subprocess.run(
        ["git", "show", f"HEAD:{package_model.LOCK}"],
        cwd=package_model.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    locked = package_model.locked_md5(committed.stdout)
    assert package_model.md5(shipped.MODEL) == locked


def test_the_packaged_model_says_what_it_was_trained_on_and_is_small():
    model, card = networks.load(shipped.MODEL)
    assert len(card.trained_on) > 10
    assert model.origin.precision == "int8"
    assert shipped.MODEL.stat().st_size <= 2.3e6


def test_the_packaged_model_judges_a_clip(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [draw_face()] * 12)
    judge = report.Judge.load(shipped.MODEL)
    written = report.judge_file(clip, judge, every=1).as_dict(judge)
    assert written["faces"] == 12
    assert written["model"]["trained_on"] == judge.card.trained_on


def test_a_model_that_is_not_the_locks_is_not_packaged(tmp_path, monkeypatch):
    monkeypatch.setattr(package_model, "ROOT", tmp_path)
    monkeypatch.setattr(shipped, "MODEL", tmp_path / "packaged" / "default.onnx")
    lock, model = tmp_path / package_model.LOCK, tmp_path / package_model.RUN / package_model.MODEL
    lock.parent.mkdir(parents=True)
    model.parent.mkdir(parents=True)
    lock.write_text("stages: {}\n")
    with pytest.raises(LitefakeError, match=r"portraits\.lock: has no .*; run `make packaged`"):
        package_model.locked_md5()
    outs = "stages:\n  export:\n    outs:\n    - path: models/prune_kd_int8.onnx\n      md5: {}\n"
    lock.write_text(outs.format(hashlib.md5(b"x").hexdigest()))
    model.write_bytes(b"y")
    with pytest.raises(LitefakeError, match=r"not the model of profiles/portraits\.lock"):
        package_model.main()
    model.write_bytes(b"x")
    package_model.main()
    assert shipped.MODEL.read_bytes() == b"x"


def test_models_and_split_of_two_runs_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setattr(package_model, "ROOT", tmp_path)
    split = tmp_path / package_model.RUN / "data/split.csv"
    split.parent.mkdir(parents=True)
    split.write_text("path,split\n")
    lock = tmp_path / package_model.LOCK
    lock.parent.mkdir()
    stage = "stages:\n  split:\n    outs:\n    - path: data/split.csv\n      md5: {}\n"
    lock.write_text(stage.format(package_model.md5(split)))
    package_model.require_locked(["data/split.csv"])
    split.write_text("path,split\nanother,val\n")
    with pytest.raises(LitefakeError, match=r"split\.csv: not the one of .*make packaged"):
        package_model.require_locked(["data/split.csv"])
    with pytest.raises(LitefakeError, match=r"has no models/b0\.safetensors"):
        (split.parent.parent / "models").mkdir()
        (split.parent.parent / "models/b0.safetensors").write_text("")
        package_model.require_locked(["models/b0.safetensors"])
