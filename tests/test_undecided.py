"""What is counted as undecided, and which clips a split has."""

import json

import pytest

from litefake.detection import Looks
from litefake.errors import DataMissing
from litefake.report import Judgement
from litefake.sightings import table
from litefake.verdict import Verdict
from litefake.video import Health
from tools.demo_clips import clips_of
from tools.undecided import summary


def judged(answer, probability, tmp_path):
    looks = Looks(table([]), [], Health())
    return Judgement(tmp_path, looks, Verdict(answer, "", [], None, probability), 0.0)


def test_both_rules_and_both_classes_are_counted_apart(tmp_path):
    found = [
        ("real", judged("real", 0.1, tmp_path)),
        ("real", judged("fake", 0.9, tmp_path)),
        ("fake", judged("fake", 0.9, tmp_path)),
        ("fake", judged("undecided", 0.5, tmp_path)),
        ("fake", judged("undecided", None, tmp_path)),
    ]
    made = summary(found)
    assert (made["clips"], made["undecided"], made["share"]) == (5, 2, 0.4)
    assert (made["too_few_faces"], made["doubtful"]) == (1, 1)
    assert made["accuracy_of_decided"] == pytest.approx(2 / 3)
    assert made["answers"]["fake"] == {"real": 0, "fake": 1, "undecided": 2}


def test_a_split_has_its_people_and_the_fakes_between_them(tmp_path):
    with pytest.raises(DataMissing, match="run `make repro`"):
        clips_of("val", tmp_path)
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "val.json").write_text(json.dumps([["000", "001"]]))
    fakes = tmp_path / "manipulated_sequences" / "Deepfakes" / "c23" / "videos"
    fakes.mkdir(parents=True)
    for name in ("000_001.mp4", "001_000.mp4", "000_002.mp4"):
        (fakes / name).touch()
    found = [(path.name, label) for path, label in clips_of("val", tmp_path)]
    assert found == [("000.mp4", 0), ("001.mp4", 0), ("000_001.mp4", 1), ("001_000.mp4", 1)]
