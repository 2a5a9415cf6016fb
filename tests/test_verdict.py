import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litefake import sightings, verdict
from litefake.verdict import Rule


def seen(*tracks, step=0.4):
    """A table of faces: each of ``tracks`` is the probabilities of one face over time."""
    return sightings.table(
        (look * 10, look * step, number, 0, 0, 1, value)
        for number, values in enumerate(tracks)
        for look, value in enumerate(values)
    )


def test_the_most_suspicious_face_decides():
    found = verdict.decide(seen([0.1] * 10, [0.9] * 10), Rule(0.5))
    assert found.answer == "fake"
    assert found.probability == pytest.approx(0.9)
    assert found.fake_rate == 0.5
    assert verdict.decide(seen([0.1] * 10, [0.2] * 10), Rule(0.5)).answer == "real"


def test_without_a_face_nothing_is_scored():
    found = verdict.decide(seen(), Rule(0.5))
    assert found.answer == "undecided"
    assert found.reason.startswith("no face was found")
    assert found.probability is None
    assert found.fake_rate is None


def test_too_few_faces_are_undecided_and_a_fleeting_track_does_not_decide():
    few = verdict.decide(seen([0.99] * 3), Rule(0.5))
    assert (few.answer, few.probability) == ("undecided", None)
    assert "at most in 3" in few.reason
    assert verdict.decide(seen([0.1] * 10, [0.99] * 3), Rule(0.5)).answer == "real"
    assert verdict.decide(seen([0.99]), Rule(0.5), minimum_faces=1).answer == "fake"


def test_an_interval_across_the_threshold_is_undecided():
    found = verdict.decide(seen([0.2, 0.9] * 6), Rule(0.5))
    assert found.answer == "undecided"
    assert "spans the threshold 0.50" in found.reason
    low, high = found.interval
    assert low < 0.5 <= high


def test_what_is_rather_fake_but_below_a_strict_threshold_is_not_called_real():
    found = verdict.decide(seen([0.6] * 8), Rule(0.8))
    assert found.answer == "undecided"
    assert "rather fake, but below the threshold 0.80" in found.reason
    assert verdict.decide(seen([0.4] * 8), Rule(0.8)).answer == "real"
    assert verdict.decide(seen([0.4] * 8), Rule(0.3)).answer == "fake"


@pytest.mark.parametrize(
    ("probability", "threshold", "answer"),
    [
        (0.8, 0.8, "fake"),
        (0.79, 0.8, "undecided"),
        (0.51, 0.8, "undecided"),
        (0.5, 0.8, "real"),
        (0.3, 0.25, "fake"),
        (0.24, 0.25, "real"),
        (0.5, 0.5, "fake"),
    ],
)
def test_one_face_is_called_what_a_clip_of_it_would_be(probability, threshold, answer):
    assert Rule(threshold).answer(probability) == answer


def test_a_score_at_the_threshold_is_fake():
    assert verdict.decide(seen([0.5] * 8), Rule(0.5)).answer == "fake"


def test_neighbouring_frames_do_not_narrow_the_interval():
    """The same ten seconds looked at ten times as often know little more."""
    random = np.random.default_rng(0)
    scene = random.uniform(0.2, 0.8, 20)
    coarse = verdict.interval(np.arange(20) * 0.5, scene)
    dense = verdict.interval(np.arange(200) * 0.05, np.repeat(scene, 10))
    assert dense == pytest.approx(coarse)
    independent = verdict.interval(np.full(200, np.nan), np.repeat(scene, 10))
    assert independent[1] - independent[0] < 0.5 * (coarse[1] - coarse[0])


@pytest.mark.parametrize("step", [0.0, 0.04])
def test_a_short_clip_is_not_certain_of_what_its_faces_contradict(step):
    """All in one block: as one observation they would have no spread at all."""
    found = verdict.decide(seen([0.2, 0.95, 0.3, 0.9, 0.25, 0.95, 0.2, 0.65], step=step), Rule(0.5))
    assert found.answer == "undecided"
    low, high = found.interval
    assert low < 0.45 < 0.6 < high


def test_a_long_clip_is_drawn_in_parts_of_bounded_memory(monkeypatch):
    values = np.random.default_rng(1).uniform(size=300)
    at_once = verdict.interval(np.arange(300) * 0.5, values)
    monkeypatch.setattr(verdict, "DRAWN_AT_ONCE", 1000)
    assert verdict.interval(np.arange(300) * 0.5, values) == at_once


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_the_interval_holds_the_mean_of_equal_blocks_and_is_repeatable(values, threshold):
    table = seen(values, step=0.5)
    found = verdict.decide(table, Rule(threshold), minimum_faces=1)
    low, high = found.interval or (values[0], values[0])
    assert (found.interval is None) == (len(values) == 1)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert found == verdict.decide(table, Rule(threshold), minimum_faces=1)
    if found.answer != "undecided":
        assert (found.answer == "fake") == (found.probability >= threshold)


def test_a_face_too_small_for_the_model_is_never_called_real():
    small = verdict.decide(seen([0.1] * 8), Rule(0.8, 2))
    assert small.answer == "undecided"
    assert small.reason.endswith(
        "is low, but the face is too small to be called real: 1 px, and 2 are needed"
    )
    assert small.probability == pytest.approx(0.1)
    nearly = verdict.decide(seen([0.1] * 8), Rule(0.8, 1.4)).reason
    assert nearly.endswith("1 px, and 2 are needed")
    assert verdict.decide(seen([0.1] * 8), Rule(0.8, 1)).answer == "real"
    assert verdict.decide(seen([0.9] * 8), Rule(0.8, 2)).answer == "fake"
    assert Rule(0.8, 100).answer(0.1, side=99) == "undecided"
    assert Rule(0.8, 100).answer(0.9, side=99) == "fake"


def test_one_look_has_no_interval():
    found = verdict.decide(seen([0.3]), Rule(0.8), minimum_faces=1)
    assert (found.answer, found.interval) == ("real", None)
    assert found.reason == "probability 0.30 is not above one half (fake from 0.80 on)"
