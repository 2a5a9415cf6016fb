"""Single weights become zero, the least important first, and stay so."""

import copy

import pytest
import torch
from torch import nn

from litefake import footprint
from litefake.errors import ParamsInvalid, TrainingFailed
from litefake.pruning import PruneParams, check_processes
from litefake.pruning.weights import zero_weights, zeros_kept
from litefake.reproducibility import Reproducibility
from tests.small_network import SIZE, Tiny, changed, network, tiny, with_gradients

SINGLE = changed(kind="unstructured", normalizer="none")
# 216 of the stem, 128 of the expansion, 144 depthwise, 128 of the projection
WEIGHTS = 216 + 128 + 144 + 128


def zeros(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        name: layer.weight == 0
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d)
    }


def count(masks: dict[str, torch.Tensor]) -> dict[str, int]:
    return {name: int(mask.sum()) for name, mask in masks.items()}


def test_the_least_important_weights_of_all_go_and_nothing_else_changes() -> None:
    model = with_gradients(tiny())
    before = copy.deepcopy(model.state_dict())
    scores = torch.cat(
        [
            (layer.weight * layer.weight.grad).detach().double().abs().flatten()
            for layer in (model.stem, model.expand, model.depthwise, model.project)
        ]
    )
    assert zero_weights(model, 0.25, SINGLE) == 0.25
    gone = torch.cat([mask.flatten() for mask in zeros(model).values()])
    assert int(gone.sum()) == WEIGHTS // 4
    assert scores[gone].max() <= scores[~gone].min()
    for name, value in model.state_dict().items():
        kept = value != 0 if name.removesuffix(".weight") in zeros(model) else ...
        assert torch.equal(value[kept], before[name][kept]), name
    assert footprint.parameters(model) == footprint.parameters(tiny())
    assert footprint.macs(model, SIZE) == footprint.macs(tiny(), SIZE)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_local_takes_the_same_share_of_every_convolution() -> None:
    model = with_gradients(tiny())
    zero_weights(model, 0.25, changed(SINGLE, scope="local"))
    assert count(zeros(model)) == {"stem": 54, "expand": 32, "depthwise": 36, "project": 32}


def test_no_convolution_loses_more_than_the_cap() -> None:
    model = with_gradients(tiny())
    for parameter in model.expand.parameters():
        parameter.grad *= 0  # would be the first to go, all of it
    reached = zero_weights(model, 0.4, changed(SINGLE, max_pruning_ratio=0.5))
    assert count(zeros(model))["expand"] == 64
    assert max(count(zeros(model))[name] for name in ("depthwise", "project")) <= 72
    assert reached == pytest.approx(0.4, abs=1 / WEIGHTS)


def test_a_later_step_keeps_the_zeros_of_the_earlier_one() -> None:
    model = with_gradients(network("tf_efficientnet_lite0"))
    assert zero_weights(model, 0.1, SINGLE) == pytest.approx(0.1, abs=1e-6)
    first = zeros(model)
    assert zero_weights(with_gradients(model), 0.2, SINGLE) == pytest.approx(0.2, abs=1e-6)
    assert all((zeros(model)[name] | ~mask).all() for name, mask in first.items())


def test_infinite_gradients_are_named() -> None:
    model = with_gradients(tiny())
    model.expand.weight.grad[0] = torch.inf
    with pytest.raises(TrainingFailed, match="importance of expand is not finite"):
        zero_weights(model, 0.2, SINGLE)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_training_moves_every_weight_but_the_zeros(
    optimizer: type[torch.optim.Optimizer],
) -> None:
    model = with_gradients(tiny())
    zero_weights(model, 0.5, SINGLE)
    before, masks = copy.deepcopy(model.state_dict()), zeros(model)
    with zeros_kept(model):
        steps = optimizer(model.parameters(), lr=0.01, weight_decay=0.1)
        for _ in range(3):
            steps.zero_grad()
            with_gradients(model)
            steps.step()
    assert type(model.expand) is nn.Conv2d
    assert model.state_dict().keys() == before.keys() == Tiny().state_dict().keys()
    for name, mask in masks.items():
        weight = model.state_dict()[f"{name}.weight"]
        assert torch.equal(weight == 0, mask)
        assert (weight != before[f"{name}.weight"])[~mask].all()


@pytest.mark.parametrize("kind", ["structured", "unstructured"])
def test_a_share_that_the_cap_forbids_is_refused_and_not_missed_silently(kind: str) -> None:
    plain = changed(kind=kind, normalizer="none", ratio=0.7, max_pruning_ratio=0.7).model_dump()
    with pytest.raises(ValueError, match="ratio 0.9 cannot be reached: max_pruning_ratio"):
        PruneParams.model_validate(plain | {"ratio": 0.9})


def test_single_weights_and_several_processes_are_refused_together() -> None:
    params, machine = changed(kind="unstructured"), Reproducibility(seed=0, threads=1, devices=2)
    with pytest.raises(ParamsInvalid, match=r"set reproducibility\.devices to 1"):
        check_processes(params, machine)
    check_processes(changed(kind="structured"), machine)
    check_processes(params, machine.model_copy(update={"devices": 1}))
