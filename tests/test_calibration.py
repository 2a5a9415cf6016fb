import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litefake import calibration
from litefake.scaling import SUREST, Scaling, probabilities


def test_the_scale_and_offset_of_overconfident_logits_are_found():
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, 20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-honest))).astype(float)
    scaling = calibration.fit_scaling(3 * (honest - 0.7), labels)
    assert scaling.temperature == pytest.approx(3, rel=0.05)
    assert scaling.bias == pytest.approx(0.7, abs=0.06)


@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=20))
def test_no_scaling_nearby_is_better_and_all_is_finite(pairs):
    logits = np.array([value for value, _ in pairs])
    labels = np.array([float(label) for _, label in pairs])
    found = calibration.fit_scaling(logits, labels)
    loss = calibration.cross_entropy(logits, labels, found)
    assert np.isfinite([*found, loss]).all()
    for slope, shift in ((1.1, 0), (0.9, 0), (1, 0.1), (1, -0.1)):
        temperature = np.clip(found.temperature * slope, 0.05, 20)
        bias = np.clip(found.bias + shift, -20, 20)
        other = Scaling(temperature, bias)
        assert loss <= calibration.cross_entropy(logits, labels, other) + 1e-3


@given(
    st.lists(st.floats(-30, 30), min_size=1, max_size=20), st.floats(0.05, 20), st.floats(-20, 20)
)
def test_probabilities_keep_the_order_of_logits(logits, temperature, bias):
    found = Scaling(temperature, bias)
    values = probabilities(np.sort(np.array(logits)), found)
    assert (np.diff(values) >= 0).all()
    assert ((values >= 0) & (values <= 1)).all()


def test_a_separable_set_is_cut_midway_and_a_tie_goes_to_a_half():
    labels = np.array([0.0, 0, 1, 1])
    assert calibration.fit_threshold(np.array([0.1, 0.2, 0.4, 0.9]), labels) == pytest.approx(0.3)
    tied = calibration.fit_threshold(np.array([0.1, 0.45, 0.55, 0.9]), np.array([0.0, 1, 0, 1]))
    assert tied in (pytest.approx(0.275), pytest.approx(0.725))


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 99)), min_size=2, max_size=40).filter(
        lambda pairs: len({label for label, _ in pairs}) == 2
    )
)
def test_no_threshold_beats_the_fitted_one(pairs):
    labels = np.array([float(label) for label, _ in pairs])
    probability = np.array([value / 100 for _, value in pairs])

    def balanced(threshold):
        right = (probability >= threshold) == labels
        return (right[labels == 0].mean() + right[labels == 1].mean()) / 2

    best = max(balanced(cut / 200) for cut in range(201))
    assert balanced(calibration.fit_threshold(probability, labels)) == pytest.approx(best)


def test_a_bound_on_false_alarms_moves_the_threshold_no_further_than_needed():
    probability = np.array([0.1, 0.2, 0.6, 0.3, 0.7, 0.8])
    labels = np.array([0.0, 0, 0, 1, 1, 1])
    assert calibration.fit_threshold(probability, labels) == pytest.approx(0.65)
    four = np.array([0.1, 0.2, 0.5, 0.6, 0.4, 0.55, 0.7, 0.8])
    marks = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
    loose = calibration.fit_threshold(four, marks, 0.5)
    strict = calibration.fit_threshold(four, marks, 0.0)
    assert strict == pytest.approx(0.65)
    assert (four[marks == 0] >= loose).mean() <= 0.5
    assert (four[marks == 0] >= strict).sum() == 0


@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.booleans()), min_size=4, max_size=30),
    st.floats(0, 1),
)
@example([(np.nextafter(0.6, 0), False), (0.9, False)], 0.0)
@example([(SUREST, False), (np.nextafter(SUREST, 0), True)], 0.0)
def test_the_bound_on_false_alarms_holds(pairs, most):
    probability = np.array([0.3, 0.6, *(value for value, _ in pairs)])
    labels = np.array([0.0, 1.0, *(float(label) for _, label in pairs)])
    threshold = calibration.fit_threshold(probability, labels, most)
    assert (probability[labels == 0] >= threshold).mean() <= most


def test_no_answer_is_so_sure_that_no_threshold_is_above_it():
    found = probabilities(np.array([1000.0, -1000.0, 0.0]), Scaling(1.0, 0.0))
    assert found.tolist() == [SUREST, 0.0, 0.5]
    assert found[0] < 1
