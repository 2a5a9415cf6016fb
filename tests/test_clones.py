"""A clone is given what params.yaml names and Git does not hold."""

import subprocess
from pathlib import Path

import pytest
import yaml

from litefake import params
from litefake.errors import DataMissing
from tools import clones
from tools.pipeline import ROOT


def write(folder: Path, **changes) -> Path:
    loaded = params.read(ROOT / "params.yaml")
    for section, values in changes.items():
        loaded[section] |= values
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(loaded))
    return folder


def test_data_sets_and_first_weights_are_linked(tmp_path):
    home = tmp_path / "home"
    (home / "faces").mkdir(parents=True)
    (home / "more").mkdir()
    (home / "start.safetensors").touch()
    also = [{"root": "more", "layout": "faces", "methods": ["Deepfakes"], "name": "more"}]
    dataset = {"root": "faces", "layout": "faces", "also": also}
    folder = write(tmp_path / "clone", dataset=dataset, b0={"weights": "start.safetensors"})
    clones.link_inputs(folder, home)
    for name in ("faces", "more", "start.safetensors"):
        assert (folder / name).resolve() == home / name
    clones.link_inputs(folder, home)  # again, as a run that goes on does


def test_links_of_before_the_checkout_was_moved_are_mended(tmp_path):
    home, moved = tmp_path / "home", tmp_path / "moved"
    (home / "faces").mkdir(parents=True)
    dataset = {"root": "faces", "layout": "faces", "methods": ["Deepfakes"]}
    folder = write(tmp_path / "clone", dataset=dataset)
    clones.link_inputs(folder, home)
    home.rename(moved)
    clones.link_inputs(folder, moved)
    assert (folder / "faces").resolve() == moved / "faces"


def test_a_damaged_clone_is_named_and_the_checkout_around_it_left_alone(tmp_path):
    def git(*words):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    git("config", "user.email", "a@b.c")
    git("config", "user.name", "a")
    (tmp_path / "work.txt").write_text("committed")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    (tmp_path / "work.txt").write_text("hours of work")
    (tmp_path / "build" / "study" / ".git").mkdir(parents=True)
    with pytest.raises(DataMissing, match="study: is a damaged clone; remove it"):
        clones.at_head(tmp_path / "build" / "study")
    assert (tmp_path / "work.txt").read_text() == "hours of work"


def test_the_built_in_data_need_no_link(tmp_path):
    folder = write(tmp_path / "clone")
    clones.link_inputs(folder, tmp_path / "home")
    assert [path.name for path in folder.iterdir()] == ["params.yaml"]


def test_what_is_absent_is_one_clear_line(tmp_path):
    folder = write(tmp_path / "clone", dataset={"root": "nowhere", "layout": "folder"})
    with pytest.raises(DataMissing, match=r"nowhere: not found; params.yaml names it"):
        clones.link_inputs(folder, tmp_path)
