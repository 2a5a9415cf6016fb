"""The difference of two networks: the same people drawn for both, one pair a seed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from litefake import comparison
from litefake.metrics import bootstrap_interval
from tools.study import declaration, paired
from tools.study.declaration import Study

SETTINGS = comparison.BenchmarkParams.model_validate(
    {
        "models": ["b0"],
        "bootstrap_samples": 60,
        "bootstrap_seed": 0,
        "latency": {"threads": 1, "warmup": 1, "repeats": 3},
    }
)
DECLARED = {
    "title": "Mine",
    "claim": "More is better.",
    "seeds": [0, 1],
    "columns": ["auc"],
    "plot": {"kind": "curves"},
    "against": "plain",
    "variants": [{"name": name, "model": "lite0"} for name in ("plain", "same", "other")],
}
STUDY = Study.model_validate(DECLARED)
PLAIN, SAME, OTHER = ("plain", 0), ("same", 0), ("other", 0)


def scored(seed: int, skill: float, people: int = 8) -> pd.DataFrame:
    """Ten faces a person, half of them fake; ``skill`` 0 knows nothing."""
    random = np.random.default_rng(seed)
    label = np.tile([0, 1], people * 5)
    noise = random.normal(size=len(label))
    return pd.DataFrame(
        {
            "path": [f"{place}.png" for place in range(len(label))],
            "person": np.repeat([f"p{number}" for number in range(people)], 10),
            "label": label,
            "probability": 1 / (1 + np.exp(-(skill * (label - 0.5) + noise))),
        }
    )


def auc(table: pd.DataFrame) -> float:
    return roc_auc_score(table["label"], table["probability"])


def test_a_network_differs_from_itself_by_nothing():
    """A pair has no spread; two intervals, each of its own draws, would."""
    table = scored(0, 1.0)
    found = paired.differences(STUDY, {PLAIN: table, SAME: table}, SETTINGS)
    assert found.values.tolist() == [["same", 1, 0.0, 0.0, 0.0]]


def test_the_difference_is_the_mean_over_the_seeds_that_both_have():
    again, also = ("plain", 1), ("other", 1)
    first = {PLAIN: scored(0, 1.0), OTHER: scored(1, 3.0)}
    scores = first | {again: scored(2, 1.0), also: scored(3, 2.0)}
    found = paired.differences(STUDY, scores, SETTINGS)
    gaps = [auc(scores[OTHER]) - auc(scores[PLAIN]), auc(scores[also]) - auc(scores[again])]
    row = found.iloc[0]
    assert (row.variant, row.seeds) == ("other", 2)
    assert row.difference == pytest.approx(np.mean(gaps))
    assert row.low < row.difference < row.high
    alone = paired.differences(STUDY, {PLAIN: scored(0, 1.0), also: scores[also]}, SETTINGS)
    assert alone.empty


def test_a_small_difference_of_alike_networks_is_seen_where_two_intervals_overlap():
    table = scored(0, 1.0)
    better = table.assign(probability=table["probability"] + 0.1 * table["label"])
    row = paired.differences(STUDY, {PLAIN: table, OTHER: better}, SETTINGS).iloc[0]
    assert row.low > 0
    theirs, ours = (bootstrap_interval(one, roc_auc_score, 60, 0) for one in (table, better))
    assert theirs[1] > ours[0]


@settings(max_examples=10)
@given(st.permutations(range(80)))
def test_the_order_of_the_faces_does_not_matter(order):
    scores = {PLAIN: scored(0, 1.0), OTHER: scored(1, 2.0)}
    mixed = {place: table.iloc[order].reset_index(drop=True) for place, table in scores.items()}
    few = SETTINGS.model_copy(update={"bootstrap_samples": 10})
    first, second = (paired.differences(STUDY, one, few) for one in (scores, mixed))
    assert first["difference"].tolist() == pytest.approx(second["difference"].tolist())
    assert first["low"].tolist() == pytest.approx(second["low"].tolist())


def test_without_names_single_faces_are_drawn_and_the_note_says_so():
    scores = {PLAIN: scored(0, 1.0), OTHER: scored(1, 1.0)}
    single = {place: table.assign(person=table["path"]) for place, table in scores.items()}
    nobody = {place: table.assign(person="") for place, table in scores.items()}
    found = paired.differences(STUDY, nobody, SETTINGS)
    pd.testing.assert_frame_equal(found, paired.differences(STUDY, single, SETTINGS))
    assert "over single faces, for nobody is named," in paired.note(found, nobody)
    assert "over people of the test split" in paired.note(found, scores)


def test_the_table_names_what_was_compared_with_and_is_absent_without_it():
    found = pd.DataFrame([["other", 3, 0.0123, -0.002, 0.03]], columns=paired.COLUMNS)
    text = paired.markdown(STUDY, found)
    assert text.startswith("| AUC against plain | seeds | difference | 95 % interval |\n")
    assert "| other | 3 | +0.012 | -0.002 to +0.030 |\n" in text
    nobody = Study.model_validate(DECLARED | {"against": ""})
    none = paired.differences(nobody, {PLAIN: scored(0, 1.0)}, SETTINGS)
    assert (paired.markdown(nobody, none), paired.note(none, {})) == ("", "")


def test_other_faces_cannot_be_compared():
    scores = {PLAIN: scored(0, 1.0), OTHER: scored(0, 1.0).assign(path="elsewhere")}
    with pytest.raises(AssertionError, match="same faces"):
        paired.differences(STUDY, scores, SETTINGS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"against": "nobody"}, "against: nobody is no variant"),
        (
            {
                "variants": [
                    {"name": "plain", "model": "b0"},
                    {"name": "o", "model": "b0", "judged_on": {}},
                ]
            },
            "judged on different faces",
        ),
        (
            {
                "variants": [
                    {"name": "plain", "model": "b0"},
                    {"name": "o", "model": "b0", "set": {"demo.crf": 40}},
                ]
            },
            "judged on different faces",
        ),
    ],
)
def test_a_wrong_comparison_is_refused_when_it_is_declared(change, said):
    with pytest.raises(ValueError, match=said):
        Study.model_validate(DECLARED | change)


def test_the_chain_is_compared_with_b0():
    for name in ("final", "prune_target"):
        assert declaration.load(name).against == "B0"
