"""What the training stages read, from a params.yaml of their own."""

import pytest
import yaml

from litefake import params, reproducibility
from litefake.reproducibility import Reproducibility
from litefake.setting import Setting
from tools.stage_code import ROOT


@pytest.mark.parametrize(
    ("also", "expected"),
    [
        ([], "data/videos"),
        ([{"root": "b", "layout": "dfdc"}, {"root": "c", "layout": "folder"}], "data/videos, b, c"),
    ],
)
def test_a_model_names_all_data_sets_that_it_was_trained_on(tmp_path, monkeypatch, also, expected):
    values = params.read(ROOT / "params.yaml")
    values["dataset"]["also"] = also
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(tmp_path)
    try:
        assert Setting.read().trained_on == expected
    finally:
        reproducibility.setup(Reproducibility(seed=0, threads=1))
