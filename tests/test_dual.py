import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from litefake import dual, footprint, models, saliency, training
from litefake.batches import Batch
from litefake.errors import ModelUnreadable, ParamsInvalid
from litefake.frequency import FrequencyBands
from tests.conftest import SIZE, new_model

PARAMS = dual.DualParams(dropout=0.2, epoch_factor=1.0, false_alarms=0.5)


def new_dual(crop):
    return dual.start(*new_model(crop, "efficientnet_b0"), PARAMS, seed=0)


@pytest.fixture(scope="module")
def pair(crop):
    b0, card = new_model(crop, "efficientnet_b0")
    with torch.no_grad():
        b0.classifier.weight.mul_(300)  # logits that differ from face to face
        b0.classifier.bias.fill_(0.3)
    model, own = dual.start(b0, card, PARAMS, seed=0)
    return b0.eval(), model.eval(), own


def test_both_branches_have_the_weights_of_the_finished_b0(pair):
    b0, model, card = pair
    images = torch.randn(2, 3, SIZE, SIZE)
    with torch.inference_mode():
        assert torch.equal(model.logits(images).spatial, b0(images))
        # Were each of the four bands the image, the stem over four would see the image once.
        same = torch.cat([images] * 4, 1)
        assert torch.allclose(model.frequency(same), b0(images), atol=1e-3)
    assert card.architecture == "dual_efficientnet_b0"
    assert card.false_alarms == 0.5


def test_the_fused_logit_starts_as_the_mean_of_both(pair):
    _, model, _ = pair
    images = torch.randn(3, 3, SIZE, SIZE)
    with torch.inference_mode():
        fused, spatial, frequency = model.logits(images)
        assert torch.allclose(fused, (spatial + frequency) / 2, atol=1e-4)
        assert torch.allclose(fused, model(images), atol=1e-5)


def test_its_loss_is_that_of_the_fused_logit_and_half_of_each_branch(pair):
    _, model, _ = pair
    batch = Batch(torch.randn(4, 3, SIZE, SIZE), torch.tensor([0.0, 1.0, 1.0, 0.0]))
    with torch.no_grad():
        terms = dual.dual_loss(model, batch)
        logits = model.logits(batch.images)
        parts = [binary_cross_entropy_with_logits(one[:, 0], batch.labels) for one in logits]
    assert terms["loss"] == pytest.approx(float(parts[0] + (parts[1] + parts[2]) / 2), rel=1e-5)


def test_it_weighs_two_networks_a_filter_and_a_head(pair):
    b0, model, _ = pair
    filters, stem, head = 4 * SIZE**2, 32 * 9 * 9, 2 * 1280 + 1
    expected = 2 * footprint.parameters(b0) + stem + filters + head
    assert footprint.parameters(model) == expected
    twice = 2 * footprint.macs(b0, SIZE) + stem * 16**2 + head - 1
    # The branches' own heads answer in training alone.
    assert footprint.macs(model, SIZE) == twice - 2 * 1280 + FrequencyBands(SIZE).macs()


def test_a_saved_one_comes_back_bit_exact(pair, tmp_path):
    _, model, card = pair
    models.save(model, card, tmp_path / "dual.safetensors")
    loaded, loaded_card = models.load(tmp_path / "dual.safetensors")
    images = torch.randn(2, 3, SIZE, SIZE)
    assert loaded_card == card
    with torch.inference_mode():
        assert torch.equal(model(images), loaded(images))


def test_one_for_another_size_of_image_is_refused(pair, tmp_path):
    _, model, card = pair
    wrong = card.model_copy(update={"image_size": 64})
    models.save(model, wrong, tmp_path / "dual.safetensors")
    with pytest.raises(ModelUnreadable, match="do not fit dual_efficientnet_b0"):
        models.load(tmp_path / "dual.safetensors")


def test_it_starts_from_no_other_network(crop):
    with pytest.raises(ParamsInvalid, match=r"b0\.architecture: train_dual needs efficientnet_b0"):
        dual.start(*new_model(crop), PARAMS, seed=0)


def test_its_heat_map_covers_the_image(pair):
    heat = saliency.grad_cam(pair[1], torch.randn(2, 3, SIZE, SIZE))
    assert heat.shape == (2, SIZE, SIZE)


def test_a_short_training_lowers_its_loss(crop, faces, recipe, run):
    model, _ = new_dual(crop)
    fit = training.fit(model, faces, [recipe.model_copy(update={"epochs": 2})], dual.dual_loss, run)
    first, last = fit.rows[0], fit.rows[-1]
    for term in ("loss", "fused", "spatial", "frequency"):
        assert last[term] < first[term], term


def test_equal_seeds_give_equal_filters(crop):
    first, again = (new_dual(crop)[0].bands.weight for _ in range(2))
    assert torch.equal(first, again)
