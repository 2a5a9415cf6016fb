import pickle

import pytest
import safetensors.torch
import timm
import torch
from torch import nn

from litefake import footprint, models, starting
from litefake.artifacts import digest
from litefake.errors import DataMissing, ModelUnreadable
from litefake.starting import ModelParams
from tests.conftest import new_model

BOTH = ["efficientnet_b0", "tf_efficientnet_lite0"]


def params(architecture, weights):
    return ModelParams(
        architecture=architecture, weights=weights, dropout=0.2, epoch_factor=1.0, false_alarms=1.0
    )


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [("efficientnet_b0", 4_008_829), ("tf_efficientnet_lite0", 3_372_289)],
)
def test_the_networks_have_the_published_size(crop, architecture, expected):
    model, _ = new_model(crop, architecture)
    assert footprint.parameters(model) == expected
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 1)


def test_macs_agree_with_the_published_figure_of_lite0(crop):
    # 407 M multiply-accumulates at 224 px for 1000 classes (TensorFlow's model card).
    model, _ = new_model(crop)
    assert footprint.macs(model, 224) / 1e6 == pytest.approx(385, rel=0.06)


@pytest.mark.parametrize("architecture", BOTH)
def test_a_saved_model_comes_back_bit_exact(crop, tmp_path, architecture):
    model, card = new_model(crop, architecture)
    card = card.model_copy(update={"threshold": 0.123456789, "temperature": 1.5})
    models.save(model, card, tmp_path / "model.safetensors")
    loaded, loaded_card = models.load(tmp_path / "model.safetensors")
    images = torch.randn(2, 3, 32, 32)
    assert loaded_card == card
    assert not loaded.training
    with torch.inference_mode():
        assert torch.equal(model.eval()(images), loaded(images))


def test_equal_models_give_equal_files(crop, tmp_path):
    model, card = new_model(crop)
    for number in range(8):  # an order left to chance shows in some of them
        models.save(model, card, tmp_path / f"{number}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_packaged_weights_are_in_both_networks_and_gates_start_open(crop):
    lite0, card = starting.create(params("tf_efficientnet_lite0", "packaged"), crop, "x", 0)
    b0, _ = starting.create(params("efficientnet_b0", "packaged"), crop, "x", 0)
    assert card.mean == card.std == [0.5, 0.5, 0.5]
    fresh = timm.create_model("tf_efficientnet_lite0", num_classes=1).state_dict()
    ours, theirs = b0.state_dict(), lite0.state_dict()
    shared = [name for name in theirs if not name.startswith("classifier")]
    assert all(torch.equal(ours[name], theirs[name]) for name in shared)
    assert not torch.equal(theirs["conv_stem.weight"], fresh["conv_stem.weight"])
    gates = [layer for name, layer in b0.named_modules() if name.endswith("se.conv_expand")]
    assert len(gates) == 16
    assert all((gate.bias == 4).all() for gate in gates)


def test_the_first_logits_are_small(crop):
    for architecture in BOTH:
        model, _ = starting.create(params(architecture, "packaged"), crop, "x", 0)
        with torch.inference_mode():
            assert model.eval()(torch.randn(8, 3, 64, 64)).abs().max() < 1


def test_imagenet_without_network_names_the_alternatives(crop, monkeypatch):
    def offline(*_args, **_kwargs):
        raise ConnectionError

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(DataMissing, match=r"set weights to packaged \(offline\) or xavier"):
        starting.create(params("efficientnet_b0", "imagenet"), crop, "x", 0)


@pytest.fixture
def trained(crop, tmp_path):
    """A model file of other data, with a normalisation of its own."""
    model, card = new_model(crop)
    with torch.no_grad():
        model.classifier.weight.fill_(0.25)
    card = card.model_copy(update={"mean": [0.1, 0.2, 0.3], "std": [0.4] * 3, "threshold": 0.7})
    models.save(model, card, tmp_path / "start.safetensors")
    return model, str(tmp_path / "start.safetensors")


def test_a_network_starts_from_a_model_file_and_its_normalisation(crop, trained):
    model, path = trained
    started, card = starting.create(params("tf_efficientnet_lite0", path), crop, "crops", 0)
    assert started.state_dict().keys() == model.state_dict().keys()
    assert all(map(torch.equal, started.state_dict().values(), model.state_dict().values()))
    assert (card.mean, card.std, card.threshold) == ([0.1, 0.2, 0.3], [0.4] * 3, 0.5)
    assert card.trained_on == "drawn faces, then crops"
    assert started.classifier.dropout == 0.2


def test_packaged_weights_that_would_start_little_of_a_network_are_refused():
    for wider in ("efficientnet_b1", "efficientnet_b2", "efficientnet_b3"):
        assert params(wider, "xavier").weights == "xavier"
        with pytest.raises(ValueError, match=f"{wider} has no packaged weights"):
            params(wider, "packaged")


def test_the_file_is_an_input_of_the_run_and_its_hash_a_figure(trained):
    network = params("tf_efficientnet_lite0", trained[1])
    assert network.files == [trained[1]]
    assert network.record() == {"weights": trained[1], "weights_sha256": digest(trained[1])}
    packaged = params("tf_efficientnet_lite0", "packaged")
    assert (packaged.files, packaged.record()) == ([], {"weights": "packaged"})


def test_a_start_that_does_not_fit_is_one_clear_line(crop, trained, tmp_path):
    model, path = trained
    with pytest.raises(ModelUnreadable, match="is tf_efficientnet_lite0, not efficientnet_b0"):
        starting.create(params("efficientnet_b0", path), crop, "x", 0)
    state = model.state_dict()
    state["classifier.weight"] = state["classifier.weight"][:, :1000]
    state |= {
        name: value[:1000]
        for name, value in state.items()
        if name.startswith(("conv_head.", "bn2.")) and value.ndim
    }
    models.reshape_to(model, state)
    pruned = tmp_path / "pruned.safetensors"
    models.save(model, new_model(crop)[1], pruned)
    with pytest.raises(ModelUnreadable, match="is pruned; start from the network"):
        starting.create(params("tf_efficientnet_lite0", str(pruned)), crop, "x", 0)
    absent = params("tf_efficientnet_lite0", "models/start/absent.safetensors")
    with pytest.raises(DataMissing, match="absent.safetensors: no such model to start"):
        starting.create(absent, crop, "x", 0)


def test_a_missing_model_says_how_to_make_it(tmp_path):
    with pytest.raises(ModelUnreadable, match="no such file; `make repro` writes"):
        models.load(tmp_path / "absent.safetensors")


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(ModelUnreadable, match="pickled models are never opened"):
        models.load(path)


@pytest.mark.parametrize("cut", [0, 4, 100, 20_000])
def test_a_damaged_file_is_one_clear_line(crop, tmp_path, cut):
    path = tmp_path / "model.safetensors"
    models.save(*new_model(crop), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelUnreadable, match="not a safetensors file") as caught:
        models.load(path)
    assert "\n" not in str(caught.value)


def test_foreign_tensors_and_other_architectures_are_refused(crop, tmp_path):
    model, card = new_model(crop)
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ModelUnreadable, match="not a model of litefake"):
        models.load(path)
    models.save(model, card.model_copy(update={"architecture": "efficientnet_b0"}), path)
    with pytest.raises(ModelUnreadable, match="do not fit efficientnet_b0"):
        models.load(path)


def test_a_network_of_several_outputs_is_refused(crop, tmp_path):
    model, card = new_model(crop)
    model.classifier = nn.Linear(model.classifier.in_features, 3)
    models.save(model, card, tmp_path / "model.safetensors")
    with pytest.raises(ModelUnreadable, match="3 outputs, not one logit"):
        models.load(tmp_path / "model.safetensors")


def test_widths_that_do_not_fit_each_other_are_refused(crop, tmp_path):
    model, card = new_model(crop)
    model.conv_stem.weight = nn.Parameter(model.conv_stem.weight[:5])
    models.save(model, card, tmp_path / "model.safetensors")
    with pytest.raises(ModelUnreadable, match="do not fit tf_efficientnet_lite0"):
        models.load(tmp_path / "model.safetensors")


@pytest.mark.parametrize("architecture", BOTH)
def test_a_network_takes_the_widths_of_a_narrower_one(crop, tmp_path, architecture):
    """Every second expansion channel of one block goes, as pruning would take them."""
    model, card = new_model(crop, architecture)
    block = model.blocks[2][1]
    keep = torch.arange(0, block.conv_pw.out_channels, 2)
    narrow = model.state_dict()
    prefix = "blocks.2.1."
    for name in list(narrow):
        inner = name.removeprefix(prefix)
        if not name.startswith(prefix) or narrow[name].dim() == 0:
            continue
        if inner.startswith(("conv_pw.", "bn1.", "conv_dw.", "bn2.", "se.conv_expand.")):
            narrow[name] = narrow[name][keep]
        elif inner in ("conv_pwl.weight", "se.conv_reduce.weight"):
            narrow[name] = narrow[name][:, keep]
    models.reshape_to(model, narrow)
    models.save(model, card, tmp_path / "narrow.safetensors")
    loaded, _ = models.load(tmp_path / "narrow.safetensors")
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(model.eval()(images), loaded(images))
    assert footprint.widths(loaded)["blocks.2.1.conv_dw"] == len(keep)
