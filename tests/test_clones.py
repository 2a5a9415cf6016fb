"""A clone is given what params.yaml names and Git does not hold."""

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


def test_the_built_in_data_need_no_link(tmp_path):
    folder = write(tmp_path / "clone")
    clones.link_inputs(folder, tmp_path / "home")
    assert [path.name for path in folder.iterdir()] == ["params.yaml"]


def test_what_is_absent_is_one_clear_line(tmp_path):
    folder = write(tmp_path / "clone", dataset={"root": "nowhere", "layout": "folder"})
    with pytest.raises(DataMissing, match=r"nowhere: not found; params.yaml names it"):
        clones.link_inputs(folder, tmp_path)
