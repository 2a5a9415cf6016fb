import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from litefake import aggregation, metrics
from litefake.errors import DataMissing


def scores(labels, probability, **columns):
    table = pd.DataFrame({"label": labels, "probability": probability})
    table["method"] = np.where(table["label"] == 1, "Deepfakes", "youtube")
    table["control"] = False
    table["person"] = [str(n // 2) for n in range(len(table))]
    table["key"] = table["method"] + "/" + table["person"]
    return table.assign(**columns)


def test_every_figure_of_a_table_computed_by_hand():
    table = scores([0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6, 0.9])
    result = metrics.summarise(table, threshold=0.65)
    assert result["accuracy"] == pytest.approx(3 / 5)
    assert result["accuracy_at_half"] == pytest.approx(4 / 5)
    assert result["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["auc"] == pytest.approx(5 / 6)
    assert result["ap"] == pytest.approx((1 + 2 / 3) / 2)


def test_one_class_alone_is_an_error_and_not_a_number():
    with pytest.raises(DataMissing, match="only one class"):
        metrics.summarise(scores([1, 1], [0.3, 0.4]), 0.5)


def test_accuracy_does_not_depend_on_the_order_of_rows():
    table = scores([0, 0, 1, 1, 1, 0], [0.1, 0.9, 0.8, 0.2, 0.7, 0.3])
    mixed = table.sample(frac=1, random_state=1)
    assert metrics.summarise(mixed, 0.5) == pytest.approx(metrics.summarise(table, 0.5))
    assert metrics.per_method(mixed, 0.5) == metrics.per_method(table, 0.5)


@pytest.mark.parametrize(
    ("labels", "probability", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
        ([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], 0.5),
        ([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.8, 0.9], 1 / 3),
    ],
)
def test_the_equal_error_rate(labels, probability, expected):
    assert metrics.equal_error_rate(np.array(labels), np.array(probability)) == pytest.approx(
        expected
    )


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=4, max_size=40))
def test_the_equal_error_rate_is_a_rate(pairs):
    labels = np.array([0, 1, *(int(label) for label, _ in pairs)])
    probability = np.array([0.5, 0.5, *(value for _, value in pairs)])
    assert 0 <= metrics.equal_error_rate(labels, probability) <= 1


def test_null_controls_are_reported_apart_from_the_reals():
    table = scores([0, 0, 0, 1], [0.1, 0.2, 0.9, 0.8], control=[False, False, True, False])
    result = metrics.per_method(table, 0.5)
    assert result["youtube"] == {
        "faces": 2,
        "accuracy": 1.0,
        "accuracy_at_half": 1.0,
        "auc": None,
    }
    assert result["control"] == {
        "faces": 1,
        "accuracy": 0.0,
        "accuracy_at_half": 0.0,
        "auc": None,
    }
    # The method stands against all reals, controls too: resampling alone is no deepfake.
    assert result["Deepfakes"]["auc"] == pytest.approx(2 / 3)


def test_a_clip_is_known_by_method_and_pair():
    table = scores([1, 1, 1, 0], [0.2, 0.4, 0.9, 0.1]).assign(
        method=["Deepfakes", "Deepfakes", "FaceSwap", "youtube"],
        key=["Deepfakes/000_003", "Deepfakes/000_003", "FaceSwap/000_003", "youtube/000"],
        person="000",
    )
    clips = aggregation.by_video(table).set_index("key")
    assert clips["probability"].to_dict() == pytest.approx(
        {"Deepfakes/000_003": 0.3, "FaceSwap/000_003": 0.9, "youtube/000": 0.1}
    )
    assert clips["faces"].tolist() == [2, 1, 1]


def test_the_bootstrap_draws_whole_people():
    random = np.random.default_rng(0)
    labels = np.tile([0, 1], 60)
    person = np.repeat([str(n) for n in range(12)], 10)
    effect = np.repeat(random.normal(0, 1, 12), 10)
    probability = 1 / (1 + np.exp(-(labels * 1.0 + effect)))
    clustered = scores(labels, probability, person=person)
    single = clustered.assign(person=[str(n) for n in range(120)])
    auc = lambda y, p: float(roc_auc_score(y, p))  # noqa: E731
    low, high = metrics.bootstrap_interval(clustered, auc, 300, 0)
    assert low < auc(clustered["label"], clustered["probability"]) < high
    assert metrics.bootstrap_interval(clustered, auc, 300, 0) == [low, high]
    assert metrics.bootstrap_interval(clustered, auc, 300, 1) != [low, high]
    assert metrics.bootstrap_interval(single, auc, 300, 0) != [low, high]


def test_no_people_no_interval():
    table = scores([0, 1], [0.1, 0.9], person="")
    assert metrics.bootstrap_interval(table, lambda y, p: 1.0, 10, 0) is None


def test_each_data_set_has_its_own_figures_and_one_class_has_none():
    rows = [("a/0", 0, 0.1, "a"), ("a/1", 1, 0.9, "a"), ("b/0", 0, 0.9, "b"), ("b/1", 1, 0.1, "b")]
    rows += [("c/0", 1, 0.5, "c")]
    scores = pd.DataFrame(rows, columns=["key", "label", "probability", "dataset"])
    scores = scores.assign(method="FaceSwap", person="x", control=False)
    figures = metrics.per_dataset(scores, 0.5)
    assert (figures["a"]["auc"], figures["b"]["auc"], figures["c"]["auc"]) == (1.0, 0.0, None)
    assert (figures["a"]["video_accuracy"], figures["b"]["video_accuracy"]) == (1.0, 0.0)
    assert (figures["c"]["faces"], figures["c"]["majority_baseline"]) == (1, 1.0)
