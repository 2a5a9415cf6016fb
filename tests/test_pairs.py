"""Pairs from a folder of portraits to batches."""

import pickle

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from litefake import dataset, pairs, splits
from litefake.errors import DataMissing
from litefake.faces import CropParams
from litefake.pairs import METHOD, PairMaker, Recipe
from litefake.transforms import Augmentation
from tests.conftest import CROP
from tests.portraits import NOTHING, PAIRS, SIDE, WHOLE, make_face, make_points, pair_params
from tests.test_splits import divide, params

STRONG = Augmentation(flip=0.5, rotation=20.0, brightness=0.3, contrast=0.3, saturation=0.3)
PEOPLE = 12


def crops() -> pd.DataFrame:
    names = [f"{number:02}" for number in range(PEOPLE)]
    return pd.DataFrame(
        {
            "key": [f"youtube/{name}" for name in names],
            "method": "youtube",
            "target": names,
            "source": "",
            "person": names,
            "source_person": "",
            "control": False,
            "given_split": "",
            "path": [f"youtube/{name}.png" for name in names],
        }
    )


@pytest.fixture
def folder(tmp_path):
    table = crops()
    for number, path in enumerate(table["path"]):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / path), make_face(number))
    points = np.stack([make_points(number) for number in range(PEOPLE)])
    recipe = Recipe(pairs=pair_params(donor={"share": 0.4}), margin=0.3)
    pairs.write(tmp_path, table, points, recipe)
    return tmp_path


@pytest.fixture
def split_table(folder):
    table = divide(splits.paired(crops(), METHOD, 2), params())
    table.to_csv(folder / "split.csv", index=False)
    return folder / "split.csv"


@pytest.fixture
def train(folder, split_table, network):
    return dataset.read_split(folder, split_table, "train", network[1])


def test_every_portrait_is_there_as_itself_and_as_a_fake(split_table):
    table = pd.read_csv(split_table, dtype=str)
    assert len(table) == PEOPLE * 2 * 2
    per_pair = table.groupby(["path", "draw"])
    assert (per_pair["label"].nunique() == 2).all()
    assert (per_pair["split"].nunique() == 1).all()
    assert (table.groupby("person")["split"].nunique() == 1).all()
    assert set(table["method"]) == {"youtube", METHOD}
    assert (table.groupby("key")["label"].nunique() == 1).all(), "a key is a clip of one class"


def test_the_halves_of_a_pair_stand_in_neighbouring_batches(train):
    for size in (4, 5, 100):
        chunks = train._mixed(np.random.default_rng(size), size)
        assert sorted(np.concatenate(chunks)) == list(range(len(train)))
        for first, second in zip(chunks[::2], chunks[1::2], strict=True):
            ours, others = (train.table.iloc[chunk][["path", "draw"]] for chunk in (first, second))
            assert ours.values.tolist() == others.values.tolist()
            assert not ours.duplicated().any()
            labels = train.table["label"]
            assert (labels.iloc[first].to_numpy() != labels.iloc[second].to_numpy()).all()


def test_the_first_halves_keep_their_random_order(train):
    order = np.random.default_rng(7).permutation(len(train))
    table = train.table.iloc[order]
    first = order[~table.duplicated(["path", "draw"])]
    chunks = train._mixed(np.random.default_rng(7), 5)
    assert np.concatenate(chunks[::2]).tolist() == first.tolist()


def test_a_half_without_its_other_half_is_read_too(train):
    lonely = train.only(train.table[train.table["label"] == 1])
    read = torch.cat([batch.labels for batch in lonely.shuffled(4, 0, 1, None)])
    assert len(read) == len(lonely)


@pytest.mark.parametrize("batch_size", [2, 3, 4, 5, 8, 100])
def test_the_steps_of_an_epoch_are_its_batches(train, batch_size):
    """Pairs make two batches where single faces would make one that is whole."""
    assert train.steps(batch_size, 0, 1) == len(list(train.shuffled(batch_size, 0, 1, None)))


def test_the_parameters_are_kept_to_the_last_digit(tmp_path):
    recipe = pairs.Recipe(pairs=pairs.PairParams(**PAIRS | {"shift": 0.1 / 3}), margin=1 / 3)
    pairs.write(tmp_path, pd.DataFrame({"path": []}), np.empty((0, 468, 2), np.float32), recipe)
    assert pairs.Recipe.model_validate_json((tmp_path / "pairs.json").read_bytes()) == recipe


def test_without_augmentation_the_pairs_of_epochs_still_differ(train):
    next(iter(train.in_order(100)))  # those of validation are kept
    first, later = (next(iter(train.shuffled(100, 0, n, None))).images for n in (1, 2))
    assert not {image.numpy().tobytes() for image in first} & {
        image.numpy().tobytes() for image in later
    }


def test_an_epoch_depends_on_seed_and_number_alone(train):
    first, again, later = (list(train.shuffled(8, 0, n, STRONG)) for n in (1, 1, 2))
    assert all((a.images == b.images).all() for a, b in zip(first, again, strict=True))
    assert not (first[0].images == later[0].images).all()


def test_validation_is_the_same_every_time_and_its_draws_differ(train):
    first, again = (next(iter(train.in_order(100))).images for _ in range(2))
    assert (first == again).all()
    table = train.table.reset_index()
    same = table[(table["path"] == table["path"][0]) & (table["label"] == 1)]
    one, other = first[same.index[0]], first[same.index[1]]
    assert not (one == other).all()


def test_both_halves_are_degraded_and_cut_alike(folder):
    """With two equal copies, what is left to differ is what happens to the whole picture."""
    recipe = Recipe(pairs=pair_params(**NOTHING, shift=0.0, scale=0.0), margin=0.3)
    points = np.stack([make_points(number) for number in range(PEOPLE)])
    pairs.write(folder, crops(), points, recipe)
    maker = PairMaker(folder, set(crops()["path"]))
    for seed in range(5):
        real, fake = (maker.half("youtube/03.png", half, seed).astype(int) for half in (0, 1))
        assert real.shape == fake.shape
        assert real.shape[0] < SIDE
        assert np.abs(real - fake).mean() < 1.5


def test_donors_come_from_the_same_split(folder):
    ours = {"youtube/01.png", "youtube/02.png"}
    for path in set(crops()["path"]) - ours:
        (folder / path).unlink()
    recipe = Recipe(pairs=pair_params(own={"share": 0.0}, donor={"share": 1.0}), margin=0.3)
    pairs.write(folder, crops(), np.stack([make_points(n) for n in range(PEOPLE)]), recipe)
    maker = PairMaker(folder, ours)
    for seed in range(10):
        maker.half("youtube/01.png", True, seed)


def test_what_the_network_sees_is_the_margin_of_the_parameters(folder):
    """Without jitter the cut is (1 + faces.margin) / (1 + pairs.margin) of the stored crop."""
    still = pair_params().model_copy(update={"zoom": 0.0, "shift": 0.0})
    clean = still.degradation.model_copy(update={"smallest": 1.0})
    recipe = Recipe(pairs=still.model_copy(update={"degradation": clean}), margin=0.2)
    pairs.write(folder, crops(), np.stack([make_points(n) for n in range(PEOPLE)]), recipe)
    half = PairMaker(folder, set(crops()["path"])).half("youtube/00.png", False, 1)
    assert half.shape == (72, 72, 3)  # 96 * 1.2 / 1.6


def test_a_changed_recipe_is_a_changed_input(folder, split_table, tmp_path_factory):
    table, recipe = str(split_table), str(folder / "pairs.json")
    assert dataset.sources(folder, split_table) == [table, str(folder), recipe]
    plain = tmp_path_factory.mktemp("plain")
    assert dataset.sources(plain, split_table) == [table, str(plain)]


@pytest.mark.parametrize("count", [1, 4])
def test_a_pair_is_made_once_however_large_the_batches(train, monkeypatch, count):
    monkeypatch.setattr(pairs, "KEPT_PAIRS", 1)
    maker = PairMaker(train.folder, set(train.table["path"]))
    maker.keep(count)
    paths = sorted(set(train.table["path"]))[:count]
    for fake in (False, True):
        for path in paths:
            maker.half(path, fake, 0)
            maker.replaced(path, fake, 0)
    assert maker._made.cache_info().misses == count


def test_a_missing_portrait_is_named(folder, train):
    for path in folder.glob("youtube/*.png"):
        path.unlink()
    with pytest.raises(DataMissing, match=r"youtube/\d\d\.png: portrait is gone or damaged"):
        next(iter(train.in_order(4)))


def test_the_stored_crop_is_larger_and_lossless():
    from litefake.portraits import larger

    crop = CropParams.model_validate(CROP | {"format": "jpg"})
    stored = larger(crop, pair_params())
    assert (stored.size, stored.margin, stored.format) == (SIDE, 0.6, "png")
    assert stored.detector == crop.detector


def test_the_replaced_places_are_those_that_differ(folder):
    """Sharp halves, cut and shown alike, differ where ``replaced`` says and nowhere else."""
    clean = {"smallest": 1.0, "blur": 0.0, "noise": 0.0, "h264": 0.0, "quality": [100, 100]}
    strong = pair_params(colour=0.3)
    clean = strong.degradation.model_copy(update=clean)
    recipe = Recipe(pairs=strong.model_copy(update={"degradation": clean}), margin=0.3)
    pairs.write(folder, crops(), np.stack([make_points(n) for n in range(PEOPLE)]), recipe)
    maker = PairMaker(folder, set(crops()["path"]))
    for seed in range(8):
        real, fake = (maker.half("youtube/05.png", half, seed).astype(int) for half in (0, 1))
        mask = maker.replaced("youtube/05.png", True, seed)
        assert mask.shape == fake.shape[:2]
        assert 0 <= mask.min() <= mask.max() <= 1
        apart = np.abs(real - fake).mean(axis=2)
        assert apart[mask > 0.9].mean() > 4 * apart[mask == 0].mean()
        assert not maker.replaced("youtube/05.png", False, seed).any()


def test_batches_of_training_alone_say_what_was_replaced(folder, split_table, network):
    recipe = Recipe(pairs=pair_params().model_copy(update={"places": 1.0}), margin=0.3)
    pairs.write(folder, crops(), np.stack([make_points(n) for n in range(PEOPLE)]), recipe)
    train = dataset.read_split(folder, split_table, "train", network[1])
    for batch in train.shuffled(8, 0, 1, STRONG):
        assert batch.replaced.shape == (len(batch.labels), train.size, train.size)
        assert ((batch.replaced.amax((1, 2)) > 0.3) == (batch.labels == 1)).all()
        parts = batch.parts(3)
        assert torch.equal(torch.cat([part.replaced for part in parts]), batch.replaced)
        assert torch.equal(torch.cat([part.labels for part in parts]), batch.labels)
        assert {part.whole for part in parts} == {len(batch.labels)}
    assert next(iter(train.in_order(4))).replaced is None


def test_without_a_weight_no_batch_says_it(train):
    batch = next(iter(train.shuffled(8, 0, 1, STRONG)))
    assert batch.replaced is None
    assert [part.replaced for part in batch.parts(2)] == [None, None]


def test_a_fake_is_made_of_a_picture_that_was_published(folder):
    """Shrunk before it is blended: mask and points shrink with it, and both halves share it."""
    given = pair_params(WHOLE, **NOTHING, shift=0.0, scale=0.0)
    worn = given.before.model_copy(update={"smallest": 0.4, "quality": [40, 60]})
    points = np.stack([make_points(n) for n in range(PEOPLE)])
    pairs.write(folder, crops(), points, Recipe(pairs=given, margin=0.3))
    clean = PairMaker(folder, set(crops()["path"]))
    recipe = Recipe(pairs=given.model_copy(update={"before": worn}), margin=0.3)
    pairs.write(folder, crops(), points, recipe)
    maker = PairMaker(folder, set(crops()["path"]))
    sides = set()
    for seed in range(6):
        pair, as_stored = maker.pair("youtube/04.png", seed), clean.pair("youtube/04.png", seed)
        sides.add(len(pair.real))
        assert pair.real.shape == pair.fake.shape == (*pair.mask.shape, 3)
        assert np.abs(pair.real.astype(int) - pair.fake).max() <= 1, "nothing was changed"
        shrunk = cv2.resize(as_stored.mask, pair.mask.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(shrunk / shrunk.max() - pair.mask / pair.mask.max()).mean() < 0.05
        small = cv2.resize(as_stored.real, pair.mask.shape[::-1], interpolation=cv2.INTER_AREA)
        assert (pair.real != small).any(), "it was coded"
    assert len(sides) > 1
    assert min(sides) < 0.8 * SIDE


@pytest.mark.parametrize("kind", ["donor", "expression"])
def test_a_second_face_is_brought_to_the_size_of_the_first(folder, kind):
    given = pair_params(own={"share": 0.0}, **{kind: {"share": 1.0}})
    worn = given.before.model_copy(update={"smallest": 0.4})
    recipe = Recipe(pairs=given.model_copy(update={"before": worn}), margin=0.3)
    pairs.write(folder, crops(), np.stack([make_points(n) for n in range(PEOPLE)]), recipe)
    maker = PairMaker(folder, set(crops()["path"]))
    for seed in range(8):
        pair = maker.pair("youtube/02.png", seed)
        changed = (pair.real != pair.fake).any(axis=2)
        assert changed.any()
        assert not changed[pair.mask == 0].any()


def test_a_donor_is_published_as_the_face_was_when_it_is_to_be(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(
        pairs.PairMaker,
        "_published",
        lambda self, path, seed: seen.append((path, seed)) or (make_face(), make_points()),
    )
    for alike in (0.0, 1.0):
        given = pair_params(own={"share": 0.0}, donor={"share": 1.0}, alike=alike)
        pairs.write(
            folder,
            crops(),
            np.stack([make_points(n) for n in range(PEOPLE)]),
            Recipe(pairs=given, margin=0.3),
        )
        PairMaker(folder, set(crops()["path"])).pair("youtube/02.png", 5)
    (face, first), (donor, other), (_, again), (_, same) = seen
    assert face != donor
    assert first == again == same
    assert first != other


def test_a_donor_that_was_moved_before_it_was_published_is_as_grainy_as_the_face(folder):
    """A warp smooths grain, and a softer face would say "fake" where real swaps are not softer."""
    ramp = (60 + np.mgrid[:SIDE, :SIDE].sum(axis=0)[..., None].repeat(3, axis=2)).astype(np.uint8)
    for path in crops()["path"]:  # all their grain is that of what is published
        cv2.imwrite(str(folder / path), ramp)
    points = np.stack([make_points()] * PEOPLE)

    def grain(fresh: float) -> float:
        rough = {"share": 1.0, "misfit": 1.0, "plain": 1.0, "full": 1.0} | WHOLE
        given = pair_params(own={"share": 0.0}, donor=rough, alike=1.0, fresh=fresh)
        worn = given.before.model_copy(update={"noise": 20.0})
        recipe = Recipe(pairs=given.model_copy(update={"before": worn}), margin=0.3)
        pairs.write(folder, crops(), points, recipe)
        maker, ratios = PairMaker(folder, set(crops()["path"])), []
        for seed in range(12):
            pair = maker.pair("youtube/02.png", seed)
            inside = pair.mask > 0.99
            fine = [half - cv2.blur(half, (3, 3)).astype(float) for half in (pair.fake, pair.real)]
            ratios.append(fine[0][inside].std() / fine[1][inside].std())
        return float(np.mean(ratios))

    assert grain(1.0) == pytest.approx(1, abs=0.03)
    assert grain(0.0) < 0.9


def test_who_is_alone_in_a_split_is_no_donor_of_their_own(folder):
    given = pair_params(own={"share": 0.0, "plain": 1.0}, donor={"share": 1.0, "misfit": 1.0})
    points = np.stack([make_points(number) for number in range(PEOPLE)])
    still = given.blend.model_copy(update={"shift": 0.0, "scale": 0.0})
    recipe = Recipe(pairs=given.model_copy(update={"blend": still}), margin=0.3)
    pairs.write(folder, crops(), points, recipe)
    pair = PairMaker(folder, {"youtube/02.png"}).pair("youtube/02.png", 5)
    assert np.abs(pair.real.astype(int) - pair.fake).max() <= 1, "itself, as it is"


def test_another_process_makes_the_same_pairs(folder, split_table, network):
    """Of a part of the faces too: their donors still come from the whole split."""
    points = np.stack([make_points(number) for number in range(PEOPLE)])
    pairs.write(
        folder,
        crops(),
        points,
        Recipe(pairs=pair_params(own={"share": 0.0}, donor={"share": 1.0}), margin=0.3),
    )
    train = dataset.read_split(folder, split_table, "train", network[1])
    part = train.only(train.table[train.table["label"] == 1].iloc[:4])
    list(part.in_order(3))
    elsewhere = pickle.loads(pickle.dumps(part))
    for ours, theirs in zip(part.in_order(3), elsewhere.in_order(3), strict=True):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)
