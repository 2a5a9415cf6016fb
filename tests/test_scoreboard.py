"""The figures of an evaluation, by hand on small tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sklearn.metrics import roc_auc_score

from litefake import scoreboard
from litefake.scoreboard import Resampling

FEW = Resampling(50)


def table(*rows, suffix="mp4", known=True):
    """Frames from (method, clip, probability); the clip's number is the person."""
    return pd.DataFrame(
        [
            {
                "key": f"{method}/{clip}",
                "method": method,
                "label": int(method != "youtube"),
                "person": str(clip) if known else "",
                "control": method == "youtube" and clip >= 90,
                "path": f"{method}/{clip}.{suffix}",
                "probability": probability,
            }
            for method, clip, probability in rows
        ]
    )


CLIPS = table(
    ("youtube", 0, 0.1), ("youtube", 0, 0.5), ("youtube", 90, 0.2), ("youtube", 90, 0.2),
    ("A", 0, 0.9), ("A", 0, 0.4), ("B", 1, 0.05), ("B", 1, 0.3),
)  # fmt: skip


@given(some.lists(some.tuples(some.booleans(), some.integers(0, 5)), min_size=2, max_size=40))
def test_auc_is_that_of_scikit_learn_with_ties(pairs):
    labels = np.array([int(label) for label, _ in pairs])
    scores = np.array([score / 5 for _, score in pairs])
    if len(set(labels)) == 2:
        assert scoreboard.auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


def test_each_method_stands_against_all_reals():
    found = scoreboard.figures(CLIPS, 0.4, FEW)["frames"]
    assert (found["all"]["real"], found["all"]["fake"]) == (4, 4)
    # A: .9 above all four reals, .4 above three; B: .05 above none, .3 above three.
    assert found["methods"]["A"]["auc"] == 7 / 8
    assert found["methods"]["B"]["auc"] == 3 / 8
    assert found["all"]["auc"] == 10 / 16
    assert found["methods"]["A"]["real"] == 4
    assert found["methods"]["A"]["fake"] == 2


def test_rates_at_the_threshold_count_what_reaches_it():
    found = scoreboard.figures(CLIPS, 0.4, FEW)["frames"]
    assert found["reals"]["count"] == 4
    assert found["reals"]["rate"] == 0.25
    assert found["controls"] == {"count": 2, "rate": 0, "interval": None, "called_real": 1}
    assert found["methods"]["A"]["detected"] == 1
    assert found["methods"]["B"]["detected"] == 0
    assert found["all"]["accuracy"] == 5 / 8


@pytest.mark.parametrize(
    ("threshold", "missed", "cleared"),
    [(0.4, 0.5, 0.75), (0.9, 0.75, 1.0), (0.95, 0.75, 1.0), (0.01, 0.0, 0.0)],
)
def test_called_real_is_what_a_verdict_calls_so(threshold, missed, cleared):
    """Fakes .9, .4, .05, .3; at .9 and above what exceeds one half is undecided, not real."""
    found = scoreboard.figures(CLIPS, threshold, FEW)["frames"]
    assert found["all"]["missed"] == missed
    assert found["reals"]["called_real"] == cleared


def test_a_video_scores_the_mean_of_its_frames():
    found = scoreboard.figures(CLIPS, 0.3, FEW)["videos"]
    # reals .3 and .2, A .65, B .175
    assert found["methods"]["A"]["auc"] == 1
    assert found["methods"]["B"]["auc"] == 0
    assert found["reals"]["rate"] == 0.5


def test_the_intervals_resample_people_then_originals_then_pictures():
    assert scoreboard.figures(CLIPS, 0.4, FEW)["unit"] == "person"
    assert scoreboard.figures(CLIPS, 0.4, FEW, people_known=False)["unit"] == "original"
    pictures = scoreboard.figures(CLIPS.assign(person="", path="a.JPG"), 0.4, FEW)
    assert pictures["unit"] == "frame"
    assert pictures["videos"] is None


def test_an_interval_holds_its_figure_and_widens_with_the_unit():
    random = np.random.default_rng(0)
    rows = []
    for person in range(12):
        for method, shift in (("youtube", 0.0), ("A", 0.4)):
            centre = random.normal(shift, 0.4)
            rows += [(method, person, centre + random.normal(0, 0.05)) for _ in range(10)]
    width = {}
    for known in (True, False):
        suffix = "mp4" if known else "png"
        frames = table(*rows, suffix=suffix, known=known)
        found = scoreboard.figures(frames, 0.2, Resampling(200))["frames"]["all"]
        low, high = found["auc_interval"]
        assert low < found["auc"] < high
        width[known] = high - low
    assert width[True] > 2 * width[False]


def test_the_same_seed_gives_the_same_intervals_and_no_draw_gives_none():
    assert scoreboard.figures(CLIPS, 0.4, FEW) == scoreboard.figures(CLIPS, 0.4, FEW)
    none = scoreboard.figures(CLIPS, 0.4, Resampling(0))["frames"]
    assert none["all"]["auc_interval"] is None
    assert none["reals"]["interval"] is None


def test_reals_alone_have_a_false_alarm_rate_and_no_auc():
    found = scoreboard.figures(CLIPS[CLIPS["label"] == 0], 0.4, FEW)["frames"]
    assert found["methods"] == {}
    assert [found["all"][name] for name in ("auc", "auc_interval", "ap", "eer")] == [None] * 4
    assert found["all"]["detected"] is None
    assert found["reals"]["rate"] == 0.25
    assert found["reals"]["interval"] == pytest.approx([0, 0.5])


def test_answers_are_counted_by_the_truth():
    judged = pd.DataFrame({"label": [0, 0, 1, 1], "answer": ["real", "undecided", "fake", "fake"]})
    assert scoreboard.answers(judged) == {
        "real": {"real": 1, "undecided": 1, "fake": 0},
        "fake": {"real": 0, "undecided": 0, "fake": 2},
    }
    assert scoreboard.answers(judged[:0]) is None
