"""Importance by hand, widths after a step, and a killed run that ends like any other."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import timm
import torch
import torch_pruning as tp
from hypothesis import given
from hypothesis import strategies as st
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn

from litefake import footprint, models, params
from litefake.batches import Batch
from litefake.checkpoints import Run
from litefake.dataset import Faces, TrainVal
from litefake.distillation import DistillParams, distillation_loss, hard_loss
from litefake.errors import ParamsInvalid, TrainingFailed
from litefake.importance import TaylorImportance, accumulate_gradients, coupled_groups
from litefake.pruning import PruneParams, PruneResult, prune_iteratively
from litefake.pruning.channels import check_not_collapsed, prune_step
from litefake.pruning.selection import choose_channels, round_width
from tests.small_network import (
    GLOBAL,
    RECIPE,
    SIZE,
    changed,
    network,
    random_batches,
    tiny,
    with_gradients,
)

# Averaged weights must keep the zeros too.
SINGLE = changed(kind="unstructured", recipe=RECIPE.model_copy(update={"averaging": 0.5}))


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    torch.set_num_threads(2)


def step(model: nn.Module, share: float, settings: PruneParams) -> float:
    """One step on a network that has never been pruned."""
    return prune_step(with_gradients(model), footprint.widths(model), share, settings, SIZE)


def scores(model: nn.Module, importance: tp.importance.Importance) -> dict[str, torch.Tensor]:
    return {name: importance(group) for name, group in coupled_groups(model, SIZE).items()}


# --- importance -----------------------------------------------------------------------


def test_score_of_a_hand_made_group() -> None:
    model = tiny()
    for parameter in model.parameters():
        parameter.data = torch.ones_like(parameter)
        parameter.grad = torch.zeros_like(parameter)
    # Channel 3 of the expansion owns, in each of its five layers:
    model.expand.weight.data[3] = 2.0  # 8 weights of 2 * 0.5 = 8
    model.expand.weight.grad[3] = 0.5
    model.expand_norm.weight.grad[3] = -3.0  # gamma 1 * 3
    model.expand_norm.bias.grad[3] = 4.0  # beta 1 * 4
    model.depthwise.weight.grad[3] = 1.0  # 9 weights of 1 = 9
    model.depthwise_norm.bias.data[3] = -2.0
    model.depthwise_norm.bias.grad[3] = 3.0  # beta 2 * 3 = 6
    model.project.weight.grad[:, 3] = 0.25  # 8 weights of 0.25 = 2
    raw = scores(model, TaylorImportance("none"))["depthwise"]
    assert raw[3].item() == (8 + 3 + 4 + 9 + 6 + 2) / 5
    assert raw.sum() == raw[3]
    assert scores(model, TaylorImportance())["depthwise"][3].item() == 16.0


def test_residual_channels_count_every_branch_and_the_classifier() -> None:
    model = with_gradients(tiny())
    groups = coupled_groups(model, SIZE)
    assert {len(group[0].idxs) for group in groups.values()} == {8, 16}
    assert len(groups) == 2
    residual = next(name for name in groups if name != "depthwise")
    before = TaylorImportance("none")(groups[residual])
    model.classifier.weight.grad[0, 5] += 1.0
    after = TaylorImportance("none")(groups[residual])
    assert (before != after).nonzero().flatten().tolist() == [5]


@pytest.mark.parametrize("kind", ["norm", "depthwise"])
def test_norm_and_depthwise_gradients_count_here_but_not_upstream(kind: str) -> None:
    model = with_gradients(network("tf_efficientnet_lite0"))
    upstream, ours = tp.importance.GroupTaylorImportance(), TaylorImportance()
    before = scores(model, upstream), scores(model, ours)
    for layer in model.modules():
        depthwise = isinstance(layer, nn.Conv2d) and layer.groups > 1
        if depthwise if kind == "depthwise" else isinstance(layer, nn.BatchNorm2d):
            for parameter in layer.parameters(recurse=False):
                parameter.grad *= 100
    after = scores(model, upstream), scores(model, ours)
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    unchanged = [name for name in before[1] if torch.equal(before[1][name], after[1][name])]
    if kind == "norm":
        assert unchanged == []
    else:  # the projections and the head have no depthwise layer
        assert set(unchanged) == {
            name
            for name in before[1]
            if "pwl" in name or name == "conv_head" or "0.0.conv_pw" in name
        }


def test_a_dead_channel_scores_zero_and_goes_first() -> None:
    model = tiny()
    with torch.no_grad():
        for layer in (model.expand, model.expand_norm, model.depthwise, model.depthwise_norm):
            for parameter in layer.parameters():
                parameter[7] = 0.0
        model.project.weight[:, 7] = 0.0
    alive = model.depthwise.weight.detach().clone()
    with_gradients(model)
    found = scores(model, TaylorImportance())["depthwise"]
    assert found[7] == 0
    assert (found[[*range(7), *range(8, 16)]] > 0).all()
    prune_step(model, footprint.widths(model), 1 / 24, GLOBAL, SIZE)
    assert footprint.widths(model)["expand"] == 15
    assert torch.equal(model.depthwise.weight, alive[[*range(7), *range(8, 16)]])


def test_a_group_without_any_signal_scores_zero_not_nan() -> None:
    model = tiny()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    assert all((values == 0).all() for values in scores(model, TaylorImportance()).values())


def test_missing_and_infinite_gradients_are_named() -> None:
    model = tiny()
    with pytest.raises(ValueError, match="no gradient"):
        scores(model, TaylorImportance())
    with_gradients(model).project.weight.grad[0] = torch.inf
    with pytest.raises(TrainingFailed, match=r"importance of project .* is not finite"):
        prune_step(model, footprint.widths(model), 0.2, GLOBAL, SIZE)


def test_a_layer_of_an_unknown_kind_is_refused_not_skipped() -> None:
    model = tiny()
    model.expand_norm = nn.GroupNorm(4, 16)
    with pytest.raises(ValueError, match="no importance is defined for GroupNorm"):
        scores(with_gradients(model), TaylorImportance())


def test_asking_for_gradients_changes_nothing_else() -> None:
    model = tiny()
    before = copy.deepcopy(model.state_dict())
    whole = {name: p.grad for name, p in with_gradients(model).named_parameters()}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    batch = random_batches()[0]
    halves = [Batch(batch.images[:1], batch.labels[:1]), Batch(batch.images[1:], batch.labels[1:])]
    accumulate_gradients(model, halves, hard_loss)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, whole[name])


# --- choosing channels ----------------------------------------------------------------


def test_round_width_takes_the_nearest_multiple_within_its_limits() -> None:
    assert round_width(27, 8, 2, 32) == 24
    assert round_width(28, 8, 2, 32) == 32
    assert round_width(3, 8, 2, 32) == 8
    assert round_width(9, 8, 12, 32) == 16
    assert round_width(4, 8, 2, 6) == 6
    assert [round_width(kept, 1, 2, 9) for kept in (2, 5, 9)] == [2, 5, 9]


@given(
    widths=st.lists(st.integers(2, 40), min_size=1, max_size=6),
    share=st.floats(0, 0.99),
    cap=st.floats(0.05, 1),
    scope=st.sampled_from(["global", "local"]),
    multiple=st.integers(1, 9),
)
def test_no_choice_breaks_a_cap_or_empties_a_layer(
    widths: list[int], share: float, cap: float, scope: str, multiple: int
) -> None:
    original = {str(number): width for number, width in enumerate(widths)}
    values = {name: torch.arange(width) * 1.5 for name, width in original.items()}
    settings = changed(ratio=0.0, scope=scope, max_pruning_ratio=cap, round_to=multiple)
    chosen = choose_channels(values, original, share, settings)
    for name, width in original.items():
        left = width - len(chosen[name])
        assert left >= 2
        assert len(chosen[name]) <= cap * width + 1e-6
        assert chosen[name] == list(range(len(chosen[name])))
    if multiple == 1 and cap == 1:
        spare = sum(width - 2 for width in widths)
        wanted = sum(widths) - round(sum(widths) * (1 - share))
        if scope == "global":
            assert sum(map(len, chosen.values())) == min(wanted, spare)


def test_a_capped_group_hands_its_share_to_the_others() -> None:
    values = {"weak": torch.arange(10.0), "strong": torch.arange(10.0) + 100}
    original = {"weak": 10, "strong": 10}
    free = choose_channels(values, original, 0.4, GLOBAL)
    assert {name: len(gone) for name, gone in free.items()} == {"weak": 8, "strong": 0}
    capped = choose_channels(values, original, 0.4, changed(max_pruning_ratio=0.5))
    assert {name: len(gone) for name, gone in capped.items()} == {"weak": 5, "strong": 3}


# --- pruning steps --------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["tf_efficientnet_lite0", "efficientnet_b0"])
def test_every_layer_is_in_a_group_and_the_pruned_network_rebuilds_bit_exact(
    architecture: str,
) -> None:
    model = network(architecture)
    covered = {
        item.dep.target.module for group in coupled_groups(model, SIZE).values() for item in group
    }
    assert all(layer in covered for layer in model.modules() if isinstance(layer, nn.Conv2d))

    original, sizes = footprint.widths(model), [footprint.parameters(model)]
    for share in (0.1, 0.2, 0.3):
        reached = prune_step(with_gradients(model), original, share, GLOBAL, SIZE)
        assert reached == pytest.approx(share, abs=0.001)
        sizes.append(footprint.parameters(model))
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4
    for name, block in model.named_modules():
        if isinstance(block, SqueezeExcite):  # the gates follow the layer that they scale
            inner = model.get_submodule(name.removesuffix("se") + "conv_dw").out_channels
            assert block.conv_reduce.in_channels == block.conv_expand.out_channels == inner

    rebuilt = timm.create_model(architecture, num_classes=1)
    models.reshape_to(rebuilt, model.state_dict())
    images = random_batches()[0].images
    with torch.no_grad():
        logits = model.eval()(images)
        assert logits.shape == (4, 1)
        assert torch.equal(rebuilt.eval()(images), logits)
    assert model.conv_stem.in_channels == 3


def test_global_without_a_cap_equals_the_upstream_pruner() -> None:
    ours, theirs = (with_gradients(network("tf_efficientnet_lite0")) for _ in range(2))
    prune_step(ours, footprint.widths(ours), 0.3, GLOBAL, SIZE)
    with torch.enable_grad():
        pruner = tp.pruner.BasePruner(
            theirs,
            (torch.zeros(1, 3, SIZE, SIZE),),
            TaylorImportance(),
            global_pruning=True,
            pruning_ratio=0.3,
            ignored_layers=[theirs.get_classifier()],
        )
    pruner.step()
    differing = {
        name: (width, footprint.widths(theirs)[name])
        for name, width in footprint.widths(ours).items()
        if abs(width - footprint.widths(theirs)[name]) > 1
    }
    assert differing == {}


def test_local_takes_the_same_share_everywhere_global_does_not() -> None:
    found = {}
    for scope in ("global", "local"):
        model = network("tf_efficientnet_lite0")
        original = footprint.widths(model)
        assert step(model, 0.3, changed(scope=scope)) == pytest.approx(0.3, abs=0.01)
        left = footprint.widths(model)
        found[scope] = [left[name] / original[name] for name in original]
    assert max(abs(share - 0.7) for share in found["local"]) < 0.05
    assert max(abs(share - 0.7) for share in found["global"]) > 0.1


def test_round_to_leaves_multiples_and_hits_the_ratio() -> None:
    model = network("tf_efficientnet_lite0")
    original = footprint.widths(model)
    for share in (0.1, 0.2, 0.3):
        reached = prune_step(with_gradients(model), original, share, changed(round_to=8), SIZE)
    assert reached == pytest.approx(0.3, abs=0.02)
    left = footprint.widths(model)
    assert all(left[name] % 8 == 0 for name in original if original[name] % 8 == 0)
    assert left != original


def test_the_normalizer_decides_between_groups_not_within_one() -> None:
    widths = {}
    for normalizer in ("mean", "none"):
        for scope in ("global", "local"):
            model = tiny()
            step(model, 0.25, changed(scope=scope, normalizer=normalizer))
            widths[scope, normalizer] = footprint.widths(model)["project"]
    assert widths["local", "mean"] == widths["local", "none"] == 6
    assert widths["global", "mean"] != widths["global", "none"]


def test_the_cap_holds_over_several_steps() -> None:
    model = network("tf_efficientnet_lite0")
    original = footprint.widths(model)
    capped = changed(max_pruning_ratio=0.4)
    for share in (0.12, 0.24, 0.36):
        reached = prune_step(with_gradients(model), original, share, capped, SIZE)
    assert reached == pytest.approx(0.36, abs=0.001)
    left = footprint.widths(model)
    assert min(left[name] / original[name] for name in original) >= 0.6 - 1e-9


def test_a_collapsed_layer_is_named() -> None:
    with pytest.raises(TrainingFailed, match="stem collapsed from 8 channels to 1"):
        check_not_collapsed({"stem": 1, "gate": 1}, {"stem": 8, "gate": 1})
    check_not_collapsed({"stem": 2, "gate": 1}, {"stem": 8, "gate": 1})


def test_even_an_absurd_ratio_leaves_a_network() -> None:
    model = tiny()
    step(model, 0.99, GLOBAL)
    assert set(footprint.widths(model).values()) == {2}
    assert model(random_batches()[0].images).isfinite().all()


# --- the whole run --------------------------------------------------------------------


@pytest.fixture
def faces(tmp_path: Path) -> TrainVal:
    """Twelve noisy squares to train on, eight to validate on; the fakes are brighter."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(20):
        label = number % 2
        image = random.integers(0, 156, (SIZE, SIZE, 3)) + 100 * label
        cv2.imwrite(str(tmp_path / f"{number}.png"), image.astype(np.uint8))
        rows.append({"path": f"{number}.png", "label": label})
    table, colours = pd.DataFrame(rows), ([0.5] * 3, [0.5] * 3)
    train, val = (Faces(tmp_path, part, SIZE, *colours) for part in (table[:12], table[12:]))
    return TrainVal(train, val, None)


class Killed(Exception):
    """Stands for the end of the process."""


def prune(faces: TrainVal, folder: Path, settings: PruneParams, dies_at: int = -1) -> PruneResult:
    """A run of a stage in a fresh state of mind; raises Killed at a call of the objective."""
    teacher, kd, calls = tiny(seed=9).eval(), DistillParams(alpha=0.25, temperature=2.0), 0

    def mortal(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
        nonlocal calls
        calls += 1
        if calls == dies_at:
            raise Killed
        with torch.no_grad():
            expert = teacher(batch.images)[:, 0]
        return distillation_loss(model(batch.images)[:, 0], expert, batch.labels, kd)

    with Run("prune_kd", 3, {"prune": settings}, [], folder) as run:
        return prune_iteratively(tiny(), faces, settings, mortal, run)


def test_a_run_records_what_each_iteration_left(faces: TrainVal, tmp_path: Path) -> None:
    result = prune(faces, tmp_path / "checkpoints", GLOBAL)
    history = result.history
    assert history["iteration"].tolist() == [0, 1, 2, 3]
    assert history["parameters"].is_monotonic_decreasing
    assert history["parameters"].is_unique
    assert history["macs"].is_monotonic_decreasing
    np.testing.assert_allclose(history["pruned_share"], [0, 3 / 24, 6 / 24, 8 / 24])
    assert history["parameters"].iloc[-1] == footprint.parameters(result.model)
    assert history["macs"].iloc[-1] == footprint.macs(result.model, SIZE)

    assert result.widths.columns.tolist() == [
        "layer", "before", "iteration_1", "iteration_2", "iteration_3",
    ]  # fmt: skip
    final = dict(zip(result.widths["layer"], result.widths["iteration_3"], strict=True))
    assert final == footprint.widths(result.model)
    assert history["smallest_width"].iloc[-1] == min(final.values())

    assert result.curve["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert result.curve["iteration"].tolist() == [1, 1, 2, 2, 3, 3]
    assert {"loss", "divergence", "val_loss"} <= set(result.curve.columns)
    best = result.curve.groupby("iteration")["val_loss"].min().tolist()
    assert history["val_loss"].tolist()[1:] == best
    assert result.summary["val_loss"] == best[-1]
    assert result.summary["parameters"] < result.summary["parameters_before"]
    assert result.summary["epochs"] == 6
    assert result.curve["val_loss"][result.summary["best_epoch"] - 1] == best[-1]


@pytest.mark.parametrize("dies_at", [2, 5, 10, 12, 23])
@pytest.mark.parametrize("settings", [GLOBAL, SINGLE], ids=["channels", "weights"])
def test_a_killed_run_ends_like_an_uninterrupted_one(
    faces: TrainVal, tmp_path: Path, settings: PruneParams, dies_at: int
) -> None:
    """An iteration asks twice for gradients, then trains two epochs of three batches."""
    whole = prune(faces, tmp_path / "whole", settings)
    with pytest.raises(Killed):
        prune(faces, tmp_path / "killed", settings, dies_at)
    resumed = prune(faces, tmp_path / "killed", settings)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    pd.testing.assert_frame_equal(whole.history, resumed.history)
    pd.testing.assert_frame_equal(whole.widths, resumed.widths)
    pd.testing.assert_frame_equal(whole.curve, resumed.curve)


def test_single_weights_leave_the_size_and_the_time_as_they_were(
    faces: TrainVal, tmp_path: Path
) -> None:
    result = prune(faces, tmp_path, SINGLE)
    history = result.history
    assert history["parameters"].nunique() == history["macs"].nunique() == 1
    assert history["nonzero_parameters"].is_monotonic_decreasing
    weights = 216 + 128 + 144 + 128
    zero = sum(
        int((layer.weight == 0).sum())
        for layer in result.model.modules()
        if isinstance(layer, nn.Conv2d)
    )
    assert zero == weights - round(weights * 0.65)
    assert history["pruned_share"].iloc[-1] == pytest.approx(zero / weights)
    assert result.summary["nonzero_parameters"] == footprint.nonzero_parameters(result.model)
    assert result.summary["parameters"] == footprint.parameters(tiny())
    assert result.model.state_dict().keys() == tiny().state_dict().keys()
    with pytest.raises(TrainingFailed, match="nothing was removed"):
        prune(faces, tmp_path / "none", changed(SINGLE, ratio=0.0005))


def test_a_run_ends_at_its_target(faces: TrainVal, tmp_path: Path) -> None:
    half = changed(target="parameters", scope="local", ratio=0.588, iterations=1)
    summary = prune(faces, tmp_path / "hit", half).summary
    assert summary["parameters"] == 297  # of 721: both groups at half their width
    coarse = changed(half, ratio=0.2, round_to=8)
    with pytest.raises(TrainingFailed, match=r"32\.2% of the parameters went, prune\.ratio is 20"):
        prune(faces, tmp_path / "missed", coarse)


def test_one_shot_is_a_run_of_a_single_iteration(faces: TrainVal, tmp_path: Path) -> None:
    history = prune(faces, tmp_path, changed(iterations=1)).history
    assert history["pruned_share"].tolist() == [0.0, pytest.approx(8 / 24)]


def test_a_step_may_prune_nothing_but_a_run_may_not(faces: TrainVal, tmp_path: Path) -> None:
    coarse = changed(round_to=8, ratio=0.3, iterations=2)
    history = prune(faces, tmp_path / "some", coarse).history
    assert history["parameters"].iloc[0] == history["parameters"].iloc[1]
    assert history["parameters"].iloc[2] < history["parameters"].iloc[1]
    with pytest.raises(TrainingFailed, match=r"at most 0\.0% of the channels can go"):
        prune(faces, tmp_path / "none", changed(round_to=16))


def test_ratio_zero_only_fine_tunes(faces: TrainVal, tmp_path: Path) -> None:
    result = prune(faces, tmp_path, changed(ratio=0.0, iterations=1))
    assert result.history["parameters"].is_monotonic_increasing
    assert footprint.widths(result.model) == footprint.widths(tiny())


def test_a_network_that_is_no_longer_a_number_stops_the_run(
    faces: TrainVal, tmp_path: Path
) -> None:
    student = tiny()
    nn.init.constant_(student.classifier.bias, torch.nan)
    run = Run("prune_kd", 3, {"prune": GLOBAL}, [], tmp_path)
    with run, pytest.raises(TrainingFailed, match="no finite number; lower .*prune.ratio"):
        prune_iteratively(student, faces, GLOBAL, hard_loss, run)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ratio", 1.0),
        ("ratio", -0.1),
        ("iterations", 0),
        ("scope", "somewhere"),
        ("max_pruning_ratio", 0.0),
        ("max_pruning_ratio", 1.1),
        ("round_to", 0),
        ("samples", 0),
        ("normalizer", "max"),
        ("kind", "soft"),
        ("target", "latency"),
        ("cost", "latency"),
        ("group_reduction", "max"),
        ("alpha", 1.5),
        ("epochs", 1),
    ],
)
def test_bad_parameters_are_named(key: str, value: object) -> None:
    with pytest.raises(ParamsInvalid, match=rf"prune\.{key}: "):
        params.validate("prune", {**GLOBAL.model_dump(), key: value}, PruneParams)
