"""A swap of detectors is judged on the frames that both looked at."""

import pandas as pd
import pytest

from tests.commands import run_tool
from tools import swap_detector

OWN = pd.DataFrame(
    {
        "clip": ["a", "a", "b", "b"],
        "frame": [0, 6, 0, 6],
        "label": [0, 0, 1, 1],
        "probability": [0.1, 0.3, 0.6, 0.8],
        "side": [100, 100, 100, 100],
    }
)


def test_the_same_answers_have_not_moved():
    same = swap_detector.compare(OWN, OWN, 0.5)
    assert (same["moved_median"], same["moved_90"], same["other_answer"]) == (0, 0, 0)
    assert (same["auc"], same["clip_auc"], same["side_ratio"], same["faces"]) == (1, 1, 1, 4)


def test_answers_that_moved_are_counted_and_a_missed_face_is_left_out():
    other = OWN.assign(probability=[0.2, 0.4, 0.4, 0.9], side=110).iloc[:3]
    moved = swap_detector.compare(OWN, other, 0.5)
    assert moved["faces"] == 3
    assert moved["moved_median"] == pytest.approx(0.1)
    assert moved["other_answer"] == pytest.approx(1 / 3)
    assert moved["side_ratio"] == pytest.approx(1.1)
    assert moved["auc"] == pytest.approx(0.75)
    assert moved["clip_auc"] == 1


def test_the_biggest_box_of_a_frame_counts():
    seen = pd.DataFrame({"frame": [0, 0, 6], "side": [50, 90, 70], "probability": [0.1, 0.2, 0.3]})
    assert swap_detector.biggest(seen)["probability"].tolist() == [0.3, 0.2]


@pytest.mark.parametrize("tool", ["swap_detector", "fit_face_box"])
def test_without_the_demo_data_one_line_says_how_to_get_it(tool, tmp_path):
    done = run_tool(tool, *["b0.safetensors"] * (tool == "swap_detector"), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
