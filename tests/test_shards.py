import pytest
import torch

from litefake import reproducibility
from litefake.batches import Batch
from litefake.distillation import hard_loss
from litefake.reproducibility import Reproducibility
from litefake.shards import Shards
from tests.conftest import new_model


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    reproducibility.setup(Reproducibility(seed=0, threads=request.param))
    yield request.param
    reproducibility.setup(Reproducibility(seed=0, threads=1))


def batch(count=12):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, 32, 32, generator=generator)
    return Batch(images, (torch.arange(count) % 2).float())


def gradients(model):
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def plain(crop, training):
    """Loss and gradients without shards."""
    model, _ = new_model(crop)
    model.train(training)
    model.classifier.dropout = 0.0
    loss = hard_loss(model, batch())["loss"]
    loss.backward()
    return loss.item(), gradients(model)


def test_in_eval_mode_the_parts_add_up_to_the_whole_batch(crop, threads):
    expected_loss, expected = plain(crop, training=False)
    model, _ = new_model(crop)
    with Shards.of(model) as shards:
        shards.train(False)
        terms = shards.backward(hard_loss, batch())
    assert len(shards.copies) == threads
    assert terms["loss"] == pytest.approx(expected_loss, rel=1e-5)
    assert torch.allclose(gradients(model), expected, rtol=1e-3, atol=1e-5)


def test_parts_of_unequal_size_weigh_what_they_hold(crop, threads):
    model, _ = new_model(crop)
    model.eval()
    expected = hard_loss(model, batch(11))["loss"].item()
    with Shards.of(model) as shards:
        shards.train(False)
        assert shards.backward(hard_loss, batch(11))["loss"] == pytest.approx(expected, rel=1e-5)


def test_one_thread_trains_as_plain_code_does(crop):
    expected_loss, expected = plain(crop, training=True)
    model, _ = new_model(crop)
    model.classifier.dropout = 0.0
    with Shards.of(model) as shards:
        shards.train(True)
        assert shards.backward(hard_loss, batch())["loss"] == expected_loss
    assert torch.equal(gradients(model), expected)


def test_a_step_is_repeatable_to_the_bit_whatever_thread_is_first(crop, threads):
    def step():
        model, _ = new_model(crop)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with Shards.of(model) as shards:
            shards.seed(5)
            shards.train(True)
            for _ in range(2):
                optimizer.zero_grad(set_to_none=True)
                shards.backward(hard_loss, batch())
                optimizer.step()
        return torch.cat([value.flatten().double() for value in model.state_dict().values()])

    first = step()
    assert all(torch.equal(first, step()) for _ in range(2))


def test_dropout_depends_on_the_seed(crop, threads):
    def loss(seed):
        model, _ = new_model(crop)
        torch.nn.init.normal_(model.classifier.weight, generator=torch.Generator().manual_seed(1))
        with Shards.of(model) as shards:
            shards.seed(seed)
            shards.train(True)
            return shards.backward(hard_loss, batch())["loss"]

    assert loss(1) == loss(1) != loss(2)


def test_copies_share_the_weights_and_their_statistics(crop, threads):
    model, _ = new_model(crop)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.conv_stem.weight.detach().clone()
    with Shards.of(model) as shards:
        shards.train(True)
        shards.backward(hard_loss, batch(7))
        optimizer.step()
        for other in shards.copies:
            assert torch.equal(other.conv_stem.weight, model.conv_stem.weight)
            assert torch.equal(other.bn1.running_mean, model.bn1.running_mean)
        model.bn1.running_mean.fill_(7)
        shards.share_statistics()
        assert all((other.bn1.running_mean == 7).all() for other in shards.copies)
    assert not torch.equal(before, model.conv_stem.weight)
