import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litefake.regions import NOSE_BASE, region_points
from litefake.selfblending import in_place, put_over, reenact, self_blend, swap
from tests.portraits import NOTHING, SIDE, WHOLE, make_face, make_points, pair_params

POINTS = make_points()


def blend(seed: int, way: dict[str, float] | None = None, **change: float):
    p = pair_params(way, **change).blend
    return self_blend(make_face(), POINTS, np.random.default_rng(seed), p)


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_the_halves_differ_under_the_mask_alone(seed):
    pair = blend(seed)
    assert pair.real.shape == pair.fake.shape == (SIDE, SIDE, 3)
    assert pair.mask.shape == (SIDE, SIDE)
    assert 0 <= pair.mask.min() <= pair.mask.max() <= 1 + 1e-6
    changed = (pair.real != pair.fake).any(axis=2)
    assert changed.any()
    assert not changed[pair.mask == 0].any()
    assert (pair.mask[:4] == 0).all(), "the border of the picture is no face"


def test_a_pair_depends_on_its_seed_alone():
    first, again, other = blend(3), blend(3), blend(4)
    assert np.array_equal(first.fake, again.fake)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.fake, other.fake)


def test_copies_that_do_not_differ_leave_no_fake():
    """Without a change of colour, detail or place the two copies are one."""
    pair = blend(1, **NOTHING, shift=0.0, scale=0.0)
    assert np.abs(pair.real.astype(int) - pair.fake).max() <= 1


@pytest.mark.parametrize("region", ["whole", "no_forehead", "mouth", "eyes"])
def test_regions_lie_where_their_names_say(region):
    low, high = (limit(region_points(POINTS, region)[:, 1]) for limit in (np.min, np.max))
    wanted = {
        "whole": (20, 76),
        "no_forehead": (36, 76),
        "mouth": (54, 76),
        "eyes": (36, 45),
    }[region]
    assert (low, high) == pytest.approx(wanted, abs=1.5)


def test_the_mouth_of_a_tilted_head_is_still_its_mouth():
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])  # lying on its side: the chin points right
    turned = (POINTS - 48) @ turn.T + 48
    found = region_points(turned.astype(np.float32), "mouth")
    assert found == pytest.approx((region_points(POINTS, "mouth") - 48) @ turn.T + 48, abs=1e-3)


def test_one_region_is_taken_when_it_has_all_the_weight():
    masks = [blend(s, {"whole": 0, "no_forehead": 0, "eyes": 0}).mask for s in range(8)]
    rows = [np.flatnonzero(mask.max(axis=1) > 0.01) for mask in masks]
    assert min(found.min() for found in rows) > 44, "nothing above the nose"


def test_a_donor_takes_the_colours_of_the_face():
    face, donor = make_face(), np.full((SIDE, SIDE, 3), (20, 40, 200), np.uint8)
    donor[::2] += 30
    p = pair_params({"eyes": 0.0}, **NOTHING).blend
    pairs = [
        swap(face, POINTS, donor, make_points(7), np.random.default_rng(s), p) for s in range(6)
    ]
    for pair in pairs:
        inside = pair.mask > 0.9 * pair.mask.max()
        assert np.abs(pair.fake[inside].mean(0) - pair.real[inside].mean(0)).max() < 25
    assert any(np.abs(p.fake.astype(int) - p.real).max() > 10 for p in pairs)


def test_a_donor_may_keep_some_of_its_own_colours():
    face, donor = make_face(), np.full((SIDE, SIDE, 3), (20, 40, 200), np.uint8)
    donor[::2] += 30

    def apart(matched: float) -> float:
        p = pair_params(WHOLE, matched=matched, **NOTHING).blend
        found = [
            swap(face, POINTS, donor, make_points(7), np.random.default_rng(s), p) for s in range(6)
        ]
        return max(np.abs(one.fake.mean((0, 1)) - one.real.mean((0, 1))).max() for one in found)

    assert apart(0.0) > 4 * apart(1.0)


def test_another_expression_moves_what_is_below_the_nose_most():
    other = POINTS.copy()
    low = POINTS[:, 1] > POINTS[NOSE_BASE, 1] + 4
    other[low, 0] = 48 + 1.3 * (POINTS[low, 0] - 48)  # a broader mouth
    p = pair_params(WHOLE, **NOTHING, shift=0.0, scale=0.0).blend
    ramp = np.mgrid[:SIDE, :SIDE][1].astype(np.uint8)[..., None].repeat(3, axis=2)
    for seed in range(6):
        pair = reenact(ramp, POINTS, other, np.random.default_rng(seed), p)
        moved = np.abs(pair.fake.astype(int) - pair.real)[..., 0]
        assert moved[58:72].max() > 2 * moved[30:50].max()


@pytest.mark.parametrize("seed", range(6))
def test_every_way_stays_under_the_mask(seed):
    rough = {"misfit": 0.5, "rerendered": 0.5, "plain": 0.5, "full": 0.5}
    rng, p = np.random.default_rng(seed), pair_params(rough, matched=0.5).blend
    pairs = [
        self_blend(make_face(), POINTS, rng, p),
        swap(make_face(), POINTS, make_face(1), make_points(7), rng, p),
        put_over(
            make_face(),
            POINTS,
            in_place(make_face(1), make_points(7), POINTS, rng, p),
            rng,
            p,
        ),
        reenact(make_face(), POINTS, make_points(7), rng, p),
    ]
    for pair in pairs:
        assert not (pair.real != pair.fake).any(axis=2)[pair.mask == 0].any()


def test_a_full_copy_replaces_wholly_and_others_by_a_quarter_at_least():
    full = [blend(s, WHOLE | {"full": 1.0}).mask.max() for s in range(8)]
    assert full == pytest.approx([1] * 8, abs=0.01)
    others = {round(float(blend(s, WHOLE).mask.max()), 2) for s in range(30)}
    assert others == {0.25, 0.5, 0.75, 1.0}


def test_a_plain_copy_keeps_the_colours_of_both():
    """The real half is the very face that was given, whichever copy would have been changed."""
    reals = [blend(s, {"plain": 1.0}, colour=0.3).real for s in range(8)]
    assert all(np.array_equal(real, make_face()) for real in reals)
    assert any(not np.array_equal(blend(s, colour=0.3).real, make_face()) for s in range(8))


@pytest.mark.parametrize("treatment", ["misfit", "rerendered"])
def test_a_rough_copy_alone_makes_a_fake(treatment):
    still = {**NOTHING, "shift": 0.0, "scale": 0.0}
    for seed in range(6):
        rough = blend(seed, WHOLE | {treatment: 1.0, "plain": 1.0, "full": 1.0}, **still)
        assert np.abs(rough.real.astype(int) - rough.fake).max() > 5


def test_each_way_goes_by_its_own_values():
    face, rough = make_face(), {"misfit": 1.0, "plain": 1.0, "full": 1.0} | WHOLE
    p = pair_params(
        **NOTHING, shift=0.0, scale=0.0, own=WHOLE | {"plain": 1.0}, donor=rough, expression=rough
    ).blend

    def changed(pair) -> int:
        return int(np.abs(pair.real.astype(int) - pair.fake).max())

    for seed in range(4):
        rngs = [np.random.default_rng(seed) for _ in range(3)]
        assert changed(self_blend(face, POINTS, rngs[0], p)) <= 1
        assert changed(swap(face, POINTS, face, POINTS, rngs[1], p)) > 10
        assert changed(reenact(face, POINTS, POINTS, rngs[2], p)) > 10


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_no_edge_is_too_soft_for_a_region(seed):
    eyes = {"whole": 0.0, "no_forehead": 0.0, "mouth": 0.0, "full": 1.0}
    assert blend(seed, eyes, softness=0.15).mask.max() == 1


def test_ways_come_as_often_as_their_shares_say():
    p = pair_params(own={"share": 1.0}, donor={"share": 3.0}, expression={"share": 0.0}).blend
    rng = np.random.default_rng(0)
    drawn = [p.drawn(rng) for _ in range(2000)]
    assert drawn.count("donor") / len(drawn) == pytest.approx(0.75, abs=0.03)
    assert "expression" not in drawn


def test_shares_and_regions_that_leave_no_pair_are_refused():
    none = {"share": 0.0}
    with pytest.raises(ValueError, match="all have a share of 0: no pair is made"):
        pair_params(own=none, donor=none, expression=none)
    with pytest.raises(ValueError, match="all 0: nothing is replaced"):
        pair_params({"whole": 0.0, "no_forehead": 0.0, "mouth": 0.0, "eyes": 0.0})
