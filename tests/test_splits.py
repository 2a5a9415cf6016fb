import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litefake import splits
from litefake.errors import DataMissing, ParamsInvalid
from litefake.layouts.rows import SPLITS
from litefake.splits import SplitParams

METHODS = ("Deepfakes", "FaceSwap")


def params(**changes):
    base = {
        "protocol": "identity",
        "seed": 0,
        "val": 0.2,
        "test": 0.2,
        "real": 1000,
        "per_method": 1000,
    }
    return SplitParams.model_validate(base | changes)


def divide(faces, settings):
    return splits.cap(splits.place(faces, settings), settings)


def face_table(people=20, frames=4):
    """Mutual pairs 0-1, 2-3, ...: a real clip and two fakes each."""
    rows = []
    for person in range(people):
        clips = [("youtube", f"{person:03}", "")]
        clips += [(method, f"{person:03}", f"{person ^ 1:03}") for method in METHODS]
        for (method, target, source), frame in itertools.product(clips, range(frames)):
            key = f"{method}/{target}" + (f"_{source}" if source else "")
            rows.append(
                {
                    "key": key,
                    "method": method,
                    "target": target,
                    "source": source,
                    "person": target,
                    "source_person": source,
                    "control": False,
                    "given_split": "",
                    "path": f"{key}/{frame}.png",
                }
            )
    return pd.DataFrame(rows)


def listed(faces, people):
    """``faces`` with the split that lists of people give each clip."""
    own = faces["person"].map(people)
    donor = faces["source_person"].where(faces["source_person"] != "", faces["person"])
    return faces.assign(given_split=own.where(own == donor.map(people)).fillna(""))


@settings(max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([10, 16, 24]))
def test_no_identity_is_shared_whatever_the_seed(seed, people):
    table = divide(face_table(people), params(seed=seed))
    assert splits.shared_identities(table) == 0
    assert set(table["split"]) == set(SPLITS)
    assert len(table) == len(face_table(people))


def test_the_shares_of_people_are_met():
    table = divide(face_table(20), params())
    people = table.groupby("split")["person"].nunique()
    assert people.to_dict() == {"train": 12, "val": 4, "test": 4}


def test_the_frame_protocol_is_leaky_and_keeps_categories():
    table = divide(face_table(20, frames=10), params(protocol="frame", val=0.15, test=0.15))
    assert splits.shared_identities(table) == 20
    for _, rows in table.groupby("method"):
        assert rows["split"].value_counts().to_dict() == {"train": 140, "val": 30, "test": 30}


def test_official_lists_decide_and_a_pair_across_them_is_left_out():
    lists = {f"{n:03}": ("train", "val", "test")[min(n // 4, 2)] for n in range(12)}
    table = divide(listed(face_table(12), lists), params(protocol="official"))
    assert (table["split"] == table["person"].map(lists)).all()
    assert splits.shared_identities(table) == 0
    crossed = lists | {"001": "test"}
    table = divide(listed(face_table(12), crossed), params(protocol="official"))
    fakes = table[table["label"] == 1]
    assert not {"000", "001"} & set(fakes["person"])
    assert splits.shared_identities(table) == 0


def test_a_person_in_no_list_is_left_out_and_counted():
    lists = {f"{n:03}": ("train", "val", "test")[n // 4] for n in range(12)}
    faces = face_table(14)
    table = divide(listed(faces, lists), params(protocol="official"))
    assert not {"012", "013"} & set(table["person"])
    placed = splits.place(listed(faces, lists), params(protocol="official"))
    assert len(faces) - len(placed) == 2 * 3 * 4


def test_caps_keep_the_published_mix_in_every_split():
    table = divide(face_table(20, frames=20), params(real=160, per_method=120))
    for _, rows in table.groupby("split"):
        assert (rows["label"] == 0).mean() == pytest.approx(0.4, abs=0.01)
    assert table["method"].value_counts().to_dict() == {
        "youtube": 160,
        "Deepfakes": 120,
        "FaceSwap": 120,
    }


def test_several_methods_of_one_pair_stay_apart():
    table = divide(face_table(10), params())
    assert table["key"].nunique() == 10 * 3
    assert table["path"].is_unique


def test_the_same_seed_gives_the_same_table():
    first, again = (divide(face_table(), params(seed=3, real=40)) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = divide(face_table(), params(seed=4, real=40))
    assert not first.equals(other)


def test_a_split_without_a_class_names_both():
    faces = face_table(20)
    lists = {f"{n:03}": "train" for n in range(18)}
    with pytest.raises(DataMissing, match=r"no fake face in test \(protocol official\)"):
        divide(listed(faces, lists | {"018": "test"}), params(protocol="official"))
    with pytest.raises(DataMissing, match="name no test clip"):
        divide(listed(faces, lists), params(protocol="official"))
    with pytest.raises(DataMissing, match="set split.protocol to identity"):
        divide(faces, params(protocol="official"))


def test_given_folders_hold_out_one_contiguous_block_of_each_category():
    rows = [
        {
            "key": f"{method}/{split}{n}",
            "method": method,
            "target": "",
            "source": "",
            "person": "",
            "source_person": "",
            "control": False,
            "given_split": split,
            "path": f"{split}/{method}/{n:03}.png",
        }
        for split, count in (("train", 50), ("test", 10))
        for method in ("youtube", "Deepfakes")
        for n in range(count)
    ]
    table = splits.cap(splits.place_given(pd.DataFrame(rows), params(val=0.2)), params())
    val = sorted(table.loc[table["split"] == "val", "path"])
    assert val == sorted(
        f"train/{m}/{n:03}.png" for m in ("youtube", "Deepfakes") for n in range(40, 50)
    )
    assert (table["split"] == "test").sum() == 20
    figures = splits.counts(table, people_known=False)
    assert figures["identities_shared"] is None
    assert "no identity" in figures["identities_unknown"]


def test_shares_that_leave_nothing_for_training_are_refused():
    with pytest.raises(ValueError, match="leave a share for training"):
        params(val=0.5, test=0.5)


def celeb_table():
    """Test clips named by a list, no validation; everybody is swapped with the next two."""
    faces = face_table(20)
    return faces.assign(given_split=np.where(faces["person"] < "004", "test", "train"))


def test_a_list_without_validation_gives_whole_people_of_its_training_part():
    placed = splits.place(celeb_table(), params(protocol="official"))
    assert len(placed) == len(celeb_table())
    assert set(placed.loc[placed["person"] < "004", "split"]) == {"test"}
    per_person = placed[placed["person"] >= "004"].groupby("person")["split"].agg(set)
    assert per_person.map(len).eq(1).all()
    assert per_person.map("".join).value_counts().to_dict() == {"train": 13, "val": 3}
    again = splits.place(celeb_table(), params(protocol="official", seed=1))
    assert not again["split"].equals(placed["split"])


def two_data_sets():
    """A data set with lists, and a smaller one of other people without."""
    first = celeb_table().assign(dataset="celebdf")
    second = face_table(20, frames=1).assign(dataset="own")
    for column in ("person", "source_person"):
        second[column] = ("own:" + second[column]).where(second[column] != "", "")
    return pd.concat([first, second], ignore_index=True)


def test_beside_a_data_set_with_lists_one_without_is_divided_by_people():
    placed = splits.place(two_data_sets(), params(protocol="official"))
    own = placed[placed["dataset"] == "own"]
    assert set(own["split"]) == {"train", "val", "test"}
    assert own.groupby("person")["split"].nunique().eq(1).all()
    assert len(own) == 60


@pytest.mark.parametrize("seed", range(5))
def test_a_small_data_set_beside_a_large_one_has_its_share_of_people(seed):
    """Two compressions of a large one, which show the same people, and ten others."""
    large = face_table(200, frames=1)
    small = face_table(10, frames=1)
    for column in ("person", "source_person"):
        small[column] = ("own:" + small[column]).where(small[column] != "", "")
    parts = [large.assign(dataset="c23"), large.assign(dataset="c40"), small.assign(dataset="own")]
    placed = splits.place(pd.concat(parts, ignore_index=True), params(seed=seed))
    per_person = placed.groupby("person")["split"].nunique()
    assert len(per_person) == 210
    assert per_person.eq(1).all()
    people = placed.groupby(["dataset", "split"])["person"].nunique().unstack()
    assert people.loc["own"].to_dict() == {"test": 2, "train": 6, "val": 2}
    for name in ("c23", "c40"):
        assert people.loc[name].to_dict() == {"test": 40, "train": 120, "val": 40}
        alone = splits.place(large.assign(dataset=name), params(seed=seed))
        assert dict(zip(alone["key"], alone["split"], strict=True)) == dict(
            placed.loc[placed["dataset"] == name, ["key", "split"]].to_numpy()
        )


def test_caps_hold_for_each_data_set():
    table = divide(two_data_sets(), params(protocol="official", real=40, per_method=40))
    figures = splits.counts(table, people_known=True)
    assert set(figures["per_dataset"]) == {"celebdf", "own"}
    reals = table[table["method"] == "youtube"].groupby("dataset").size()
    assert reals["celebdf"] == 40
    assert reals["own"] == 20


def test_a_cap_keeps_both_halves_of_a_pair():
    pairs = splits.paired(face_table().query("method == 'youtube'"), "SelfBlended", 2)
    settings = params(real=100, per_method=30)
    table = splits.cap(splits.place(pairs, settings), settings)
    halves = table.groupby(["split", "path", "draw"])["method"].nunique()
    assert set(halves) == {2}
    assert len(table) == 60


def test_a_seed_may_be_larger_than_a_generator_of_numbers_takes():
    assert len(divide(face_table(), params(seed=20240101123))) == len(face_table())


def test_the_halves_of_a_pair_are_not_drawn_apart():
    pairs = splits.paired(face_table(6, frames=1), "SelfBlended", 2)
    with pytest.raises(ParamsInvalid, match="frame would part the halves of a pair"):
        splits.place(pairs, params(protocol="frame"))
