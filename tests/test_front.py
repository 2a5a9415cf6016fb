"""Accuracy against size: relative to B0 with the same seed, and the front of what is not beaten."""

import pandas as pd
import pytest

from litefake.errors import DataMissing
from tools.study import front
from tools.study.declaration import Published


def runs(*rows: tuple[str, int, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["variant", "seed", "md5", "parameters", "accuracy"])


B0 = (("B0", 0, "a", 1000, 0.80), ("B0", 1, "b", 1000, 0.90))


def test_each_seed_is_compared_with_the_b0_of_that_seed():
    student = (("small", 0, "c", 400, 0.78), ("small", 1, "d", 420, 0.90))
    alone = ("other seed", 2, "e", 1, 1.0)
    teacher = ("larger than B0", 0, "g", 2000, 0.95)
    points = front.ours({"final": runs(*B0, *student, teacher, alone)}).set_index("variant")
    assert list(points.index) == ["B0", "small"]
    assert points.loc["small", "size"] == pytest.approx(0.41)
    assert points.loc["small", "points"] == pytest.approx(-1.0)
    assert points.loc["small", "spread"] == pytest.approx(2**0.5)
    assert points.loc["small", "seeds"] == 2
    assert points.loc["B0", "points"] == 0


def test_a_network_of_two_studies_is_one_point_and_a_failed_run_none():
    failed = ("broken", 0, None, None, None)
    again = (("the same", 0, "a", 1000, 0.80), ("new", 0, "f", 500, 0.85))
    points = front.ours({"final": runs(*B0, failed), "lite": runs(*again)})
    assert list(points["variant"]) == ["B0", "new"]
    assert list(points["study"]) == ["final", "lite"]


def test_the_fuller_of_two_studies_stands_for_a_network_whole():
    three = [("Lite0", seed, f"l{seed}", 900, accuracy) for seed, accuracy in ((0, 0.8), (1, 0.92))]
    points = front.ours({"final": runs(*B0, three[0]), "prune_ratio": runs(*three)})
    lite0 = points[points["variant"] == "Lite0"]
    assert list(lite0["study"]) == ["prune_ratio"]
    assert list(lite0["seeds"]) == [2]
    assert lite0["points"].item() == pytest.approx(1.0)


def test_a_study_is_compared_with_its_own_b0_where_it_has_one():
    other = (("B0", 0, "other", 1000, 0.60), ("small", 0, "c", 400, 0.61))
    points = front.ours({"final": runs(*B0), "lite": runs(*other), "prune_kind": runs(other[1])})
    found = points.set_index(["study", "variant"])["points"]
    assert found["lite", "B0"] == 0
    assert found["lite", "small"] == pytest.approx(1.0)


def test_without_b0_there_is_nothing_to_compare_with():
    with pytest.raises(DataMissing, match="make study NAME=final"):
        front.ours({"prune_kind": runs(("small", 0, "c", 400, 0.78))})


def test_published_rows_are_ratios_too_at_the_common_mix():
    known = {
        "b0": Published(accuracy=94.0, parameters=4000, methods={"youtube": 90, "Deepfakes": 98}),
        "half": Published(accuracy=92.5, parameters=1000),
        "without a size": Published(accuracy=99.0),
    }
    points = front.published(known)
    assert points["size"].tolist() == [1.0, 0.25]
    assert points["points"].tolist() == pytest.approx([0.0, -1.5])


def test_the_front_keeps_what_no_smaller_one_equals():
    points = pd.DataFrame({"size": [1.0, 0.2, 0.5, 0.5, 0.7], "points": [0.0, -3, -1, -2, -1]})
    assert front.not_dominated(points).index.tolist() == [1, 2, 0]


def test_the_picture_is_drawn_where_it_belongs(tmp_path, monkeypatch):
    monkeypatch.setattr(front, "HOME", tmp_path)
    (tmp_path / "final").mkdir()
    runs(*B0, ("small", 0, "c", 400, 0.78)).to_csv(tmp_path / "final" / "runs.csv", index=False)
    front.main()
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    studies = pd.read_csv(tmp_path / "front.csv")["study"]
    assert set(studies) == {"final", front.PUBLISHED}


def test_no_study_at_all_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(front, "HOME", tmp_path)
    with pytest.raises(DataMissing, match="has no study"):
        front.main()
