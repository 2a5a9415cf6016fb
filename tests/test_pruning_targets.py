"""What a channel costs, by hand and after a cut, and targets that are met."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from litefake import footprint, params
from litefake.distillation import DistillParams
from litefake.errors import ParamsInvalid, TrainingFailed
from litefake.importance import TaylorImportance, coupled_groups
from litefake.pruning import PruneParams
from litefake.pruning.channels import channel_scores, check_reachable, prune_step
from litefake.pruning.costs import Cost, cost_of, group_widths
from litefake.pruning.selection import choose_channels, search_channels
from tests.small_network import GLOBAL, SIZE, changed, network, tiny, with_gradients

RESIDUAL, INNER = "project", "depthwise"  # the two groups of the tiny network


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    torch.set_num_threads(2)


def share_gone(model: nn.Module, before: dict[str, int], target: str) -> float:
    return 1 - sizes(model)[target] / before[target]


def sizes(model: nn.Module) -> dict[str, int]:
    return {"parameters": footprint.parameters(model), "macs": footprint.macs(model, SIZE)}


# --- costs ----------------------------------------------------------------------------


def test_a_channel_of_the_tiny_network_costs_what_it_owns() -> None:
    model = tiny()
    groups = coupled_groups(model, SIZE)
    widths = group_widths(groups)
    assert widths == {RESIDUAL: 8, INNER: 16}
    parameters = cost_of("parameters", model, groups, SIZE)
    # expand in 8, its norm 2, depthwise 9, its norm 2, project 8
    assert parameters.of_channel(INNER, widths) == 8 + 2 + 9 + 2 + 8
    # stem 27, its norm 2, expand 16, project 16, its norm 2, classifier 1
    assert parameters.of_channel(RESIDUAL, widths) == 27 + 2 + 16 + 16 + 2 + 1
    macs = cost_of("macs", model, groups, SIZE)
    pixels = (SIZE // 2) ** 2
    assert macs.of_channel(INNER, widths) == pixels * (8 + 9 + 8)
    assert macs.of_channel(RESIDUAL, widths) == pixels * (27 + 16 + 16) + 1
    assert cost_of("channels", model, groups, SIZE).total(widths) == 24


def test_a_convolution_within_one_group_costs_the_difference_of_squares() -> None:
    assert Cost(((9, ("a", "a")), (5, ()))).of_channel("a", {"a": 4}) == 9 * (16 - 9)


@pytest.mark.parametrize("architecture", ["tf_efficientnet_lite0", "efficientnet_b0"])
def test_costs_known_beforehand_are_those_found_after_the_cut(architecture: str) -> None:
    model = network(architecture)
    groups = coupled_groups(model, SIZE)
    costs = {target: cost_of(target, model, groups, SIZE) for target in ("parameters", "macs")}
    widths = group_widths(groups)
    assert {target: cost.total(widths) for target, cost in costs.items()} == sizes(model)
    for number, name in enumerate(groups):
        gone = list(range(number % 3 + 1))
        groups[name].prune(gone)
        widths[name] -= len(gone)
    assert {target: cost.total(widths) for target, cost in costs.items()} == sizes(model)


# --- scores ---------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["macs", "parameters"])
def test_cost_divides_the_score_of_a_channel_by_what_it_costs(quantity: str) -> None:
    model = with_gradients(tiny())
    groups = coupled_groups(model, SIZE)
    plain = channel_scores(model, groups, changed(normalizer="none"), SIZE)
    aware = channel_scores(model, groups, changed(normalizer="none", cost=quantity), SIZE)
    cost, widths = cost_of(quantity, model, groups, SIZE), group_widths(groups)
    for name in groups:
        assert torch.equal(aware[name], plain[name] / cost.of_channel(name, widths))


def test_the_sum_over_layers_is_the_mean_times_their_number() -> None:
    model = with_gradients(tiny())
    groups = coupled_groups(model, SIZE)
    layers = {INNER: 5, RESIDUAL: 6}
    for name, group in groups.items():
        mean = TaylorImportance("none", "mean")(group)
        torch.testing.assert_close(TaylorImportance("none", "sum")(group), mean * layers[name])


def test_macs_as_cost_take_more_macs_for_the_same_share_of_channels() -> None:
    left = {}
    for cost in ("none", "macs"):
        model = network("tf_efficientnet_lite0")
        settings = changed(normalizer="none", group_reduction="sum", cost=cost)
        widths = footprint.widths(model)
        prune_step(with_gradients(model), widths, 0.2, settings, SIZE)
        left[cost] = footprint.macs(model, SIZE)
    assert left["macs"] < left["none"]


# --- targets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "scope", "round_to"),
    [("parameters", "global", 1), ("macs", "global", 8), ("parameters", "local", 8)],
)
def test_every_step_hits_its_target_within_one_percent(
    target: str, scope: str, round_to: int
) -> None:
    model = network("tf_efficientnet_lite0")
    original, before = footprint.widths(model), sizes(model)
    settings = changed(target=target, scope=scope, round_to=round_to, max_pruning_ratio=0.9)
    for share in (0.1, 0.6):
        prune_step(with_gradients(model), original, share, settings, SIZE)
        assert share_gone(model, before, target) == pytest.approx(share, abs=0.01)
    left = footprint.widths(model)
    assert min(left[name] / original[name] for name in original) >= 0.1 - 1e-9
    if round_to == 8:
        assert all(left[name] % 8 == 0 for name in left if original[name] % 8 == 0)


def test_rounded_widths_hit_a_small_share_of_channels_where_they_used_to_remove_nothing() -> None:
    model = network("tf_efficientnet_lite0")
    groups = coupled_groups(with_gradients(model), SIZE)
    settings = changed(round_to=8, scope="local")
    scores = channel_scores(model, groups, settings, SIZE)
    original, cost = group_widths(groups), cost_of("channels", model, groups, SIZE)
    trapped = choose_channels(scores, original, 0.003, settings)
    assert not any(trapped.values())
    found = search_channels(scores, original, 0.003, settings, cost)
    gone = sum(map(len, found.values())) / sum(original.values())
    assert gone == pytest.approx(0.003, abs=0.001)


def test_channels_as_they_fall_are_not_searched_for() -> None:
    ours, plain = (with_gradients(network("tf_efficientnet_lite0")) for _ in range(2))
    original = footprint.widths(ours)
    prune_step(ours, original, 0.3, GLOBAL, SIZE)
    groups = coupled_groups(plain, SIZE)
    scores = {name: TaylorImportance("mean")(group) for name, group in groups.items()}
    for name, channels in choose_channels(scores, original, 0.3, GLOBAL).items():
        groups[name].prune(channels)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), name


@given(
    widths=st.lists(st.integers(2, 40), min_size=1, max_size=5),
    share=st.floats(0, 0.99),
    cap=st.floats(0.05, 1),
    scope=st.sampled_from(["global", "local"]),
    multiple=st.integers(1, 9),
)
def test_no_number_of_channels_comes_nearer_than_the_one_found(
    widths: list[int], share: float, cap: float, scope: str, multiple: int
) -> None:
    original = {str(number): width for number, width in enumerate(widths)}
    names = tuple(original)
    scores = {name: torch.arange(width) * (1.0 + int(name)) for name, width in original.items()}
    cost = Cost(((3, names[:2]), *((7, (name,)) for name in names), (11, ())))
    settings = changed(target="macs", scope=scope, max_pruning_ratio=cap, round_to=multiple)

    def distance(gone: dict[str, list[int]]) -> float:
        left = cost.total({name: original[name] - len(gone[name]) for name in names})
        return abs(left - cost.total(original) * (1 - share))

    total = sum(widths)
    every = [choose_channels(scores, original, i / total, settings) for i in range(total + 1)]
    found = search_channels(scores, original, share, settings, cost)
    assert math.isclose(distance(found), min(map(distance, every)), abs_tol=1e-9)


def test_a_share_that_the_caps_forbid_is_refused_at_once() -> None:
    model = tiny()
    forbidden = changed(target="parameters", ratio=0.9, max_pruning_ratio=0.5)
    with pytest.raises(TrainingFailed, match=r"at most 58\.8% of the parameters can go"):
        check_reachable(model, forbidden, SIZE)
    check_reachable(model, changed(target="parameters", ratio=0.5), SIZE)
    with pytest.raises(TrainingFailed, match=r"at most 83\.3% of the channels can go"):
        check_reachable(model, changed(ratio=0.99, max_pruning_ratio=1.0), SIZE)
    check_reachable(model, changed(ratio=0.5, max_pruning_ratio=0.5), SIZE)


# --- parameters -----------------------------------------------------------------------


def test_alpha_of_its_own_replaces_that_of_kd_and_nothing_else() -> None:
    kd = DistillParams(alpha=0.25, temperature=2.0)
    assert GLOBAL.distillation(kd) == kd
    assert changed(alpha=0.0).distillation(kd) == DistillParams(alpha=0.0, temperature=2.0)


@pytest.mark.parametrize(
    ("key", "value"),
    [("target", "macs"), ("group_reduction", "sum"), ("cost", "macs"), ("round_to", 8)],
)
def test_what_only_channels_have_is_refused_for_single_weights(key: str, value: object) -> None:
    given = {**GLOBAL.model_dump(), "kind": "unstructured"}
    params.validate("prune", given, PruneParams)
    with pytest.raises(ParamsInvalid, match=rf"prune\.{key}: must be .* with kind unstructured"):
        params.validate("prune", {**given, key: value}, PruneParams)
