"""What ``make robustness`` measures and how its tables tell it."""

import numpy as np
import pandas as pd
import pytest

from litefake import images, pairs
from litefake.errors import DataMissing
from litefake.pairs import Recipe
from litefake.report import Judge
from tests.clips import draw_face
from tests.portraits import SIDE, make_face, make_points, pair_params
from tools import robustness, robustness_samples, robustness_tables
from tools.robustness_samples import Clip


class Red:
    """Calls fake what is red on average."""

    parameters = 0

    def __call__(self, images):
        return 10 * (images[:, :1].mean(axis=(2, 3)) - images[:, 1:].mean())

    def describe(self):
        return "red"

    def heat(self, images):
        return None


def clips(count=3):
    real = draw_face(160, 160, 80)
    fake = real.copy()
    fake[..., 0] = 255
    return [
        Clip(label, [image] * 2) for _ in range(count) for label, image in enumerate((real, fake))
    ]


@pytest.fixture
def table(network, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness.robustness, "STRENGTHS", {"blur": (1.0, 30.0)})
    card = network[1].model_copy(update={"threshold": 0.5})
    return robustness.measure({"red": Judge(tmp_path, Red(), card, "")}, clips())


def test_faces_are_changed_before_they_are_searched(table):
    found = table.set_index("strength")
    assert found.index.tolist() == [0.0, 1.0, 30.0]
    assert found.loc[0.0, ["auc", "found", "alarms", "without_face"]].tolist() == [1, 1, 0, 0]
    assert found.loc[1.0, "faces"] == 12
    # In such a blur there is no face to find, and no number is made up.
    assert (found.loc[30.0, "without_face"], found.loc[30.0, "faces"]) == (1, 0)
    assert np.isnan(found.loc[30.0, "auc"])


@pytest.fixture
def run(tmp_path):
    """The folder of a run of layout portraits: six people, every second one in validation."""
    table = pd.DataFrame({"path": [f"{number}.png" for number in range(6)]})
    (tmp_path / "data/faces").mkdir(parents=True)
    for number, path in enumerate(table["path"]):
        images.write(tmp_path / "data/faces" / path, make_face(number))
    points = np.stack([make_points(number) for number in range(6)])
    recipe = Recipe(pairs=pair_params(donor={"share": 1.0}), margin=0.3)
    pairs.write(tmp_path / "data/faces", table, points, recipe)
    halves = [
        {"path": path, "draw": draw, "label": label, "split": "val" if number % 2 else "train"}
        for number, path in enumerate(table["path"])
        for draw in range(3)
        for label in (0, 1)
    ]
    pd.DataFrame(halves).to_csv(tmp_path / "data/split.csv", index=False)
    return tmp_path


def test_pairs_are_of_the_validation_people_and_undegraded(run, network):
    found = robustness_samples.pairs(run, network[1])
    assert [clip.label for clip in found] == [0, 1] * 3 * robustness_samples.PAIRS
    assert all(clip.frames[0].shape == (SIDE, SIDE, 3) for clip in found)
    for real, fake in zip(found[::2], found[1::2], strict=True):
        changed = (real.frames[0] != fake.frames[0]).any(axis=2)
        assert 0 < changed.mean() < 0.9  # under the mask alone
    again = robustness_samples.pairs(run, network[1])
    assert all((a.frames[0] == b.frames[0]).all() for a, b in zip(found, again, strict=True))


def test_a_run_without_portraits_is_one_line(split_folder, tmp_path, network):
    (tmp_path / "data").symlink_to(split_folder, target_is_directory=True)
    with pytest.raises(DataMissing, match="holds no portraits; run `make packaged` first"):
        robustness_samples.pairs(tmp_path, network[1])


CSV = """model,kind,strength,auc,found,alarms,without_face,faces
b0,none,0.0,0.9,0.5,0.1,0.0,100
prune_kd_int8,none,0.0,0.8,0.6,0.05,0.0,100
b0,h264,23.0,0.8,0.4,0.1,0.0,100
prune_kd_int8,h264,23.0,0.78,0.5,0.04,0.0,100
b0,h264,30.0,0.7,0.3,0.1,0.0,100
prune_kd_int8,h264,30.0,0.7,0.4,0.03,0.0,100
b0,h264,40.0,0.6,0.2,0.1,0.0,100
prune_kd_int8,h264,40.0,0.6,0.3,0.02,0.7,30
"""


def test_the_tables_tell_of_the_student_and_of_what_each_model_loses():
    student, lost, compressions = (
        getattr(robustness_tables, name)(lambda _: CSV, "any.csv").splitlines()
        for name in ("student", "lost", "compressions")
    )
    assert student[2:] == ["| h264 | 0.800 | 0.780 (23) | 0.700 (30) | too few faces |"]
    assert lost[2:] == ["| b0 | 0.900 | -0.200 |", "| prune_kd_int8 | 0.800 | -0.060 |"]
    assert compressions[2:4] == [
        "| none | 100 | 0 % | 0.800 | 60 % | 5 % |",
        "| CRF 23 | 100 | 0 % | 0.780 | 50 % | 4 % |",
    ]
    assert compressions[5] == "| CRF 40 | 30 | 70 % | 0.600 | 30 % | 2 % |"
    assert len(compressions) == 6


def test_of_a_short_clip_no_frame_is_taken_twice():
    assert robustness_samples.spread_over(9) == [0, 3, 5, 8]
    assert [robustness_samples.spread_over(length) for length in (1, 2, 4)] == [
        [0],
        [0, 1],
        [0, 1, 2, 3],
    ]
