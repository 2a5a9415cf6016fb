"""B0 with a part taken away is B0 but for that part."""

import pytest
import torch
from conftest import new_model
from torch import nn

from litefake import architectures, footprint, models
from litefake.card import SingleBranch


def kinds(model: nn.Module) -> set[str]:
    return {type(layer).__name__ for layer in model.modules()}


def test_without_squeeze_excite_b0_has_the_parameters_of_lite0():
    bare = architectures.build("efficientnet_b0_no_se")
    assert "SqueezeExcite" not in kinds(bare)
    assert "SiLU" in kinds(bare)
    assert footprint.parameters(bare) == 3_372_289


def test_with_relu6_b0_has_its_own_parameters_and_no_swish():
    changed = architectures.build("efficientnet_b0_relu6")
    assert not kinds(changed) & {"SiLU", "Swish"}
    assert {"ReLU6", "SqueezeExcite"} <= kinds(changed)
    assert footprint.parameters(changed) == 4_008_829


@pytest.mark.parametrize("name", SingleBranch.__args__)
def test_every_architecture_is_saved_and_loaded(name, crop, tmp_path):
    model, card = new_model(crop, name, "xavier")
    models.save(model, card, tmp_path / "model.safetensors")
    again, read = models.load(tmp_path / "model.safetensors")
    assert read.architecture == name
    image = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(model.eval()(image), again(image))


def test_packaged_weights_reach_what_is_left_of_b0(crop):
    lite = new_model(crop)[0].state_dict()
    bare = new_model(crop, "efficientnet_b0_no_se")[0].state_dict()
    differing = {name for name in lite if not torch.equal(lite[name], bare[name])}
    assert differing <= {"classifier.weight", "classifier.bias"}
